// SPDX-License-Identifier: Apache-2.0
// Exactness without LiteRT at hand: the hashes of LiteRT's outputs for a sample of the generated
// cases are in tests/golden/peer_sample.txt; compare.py --write-golden made them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "base/file.h"
#include "base/sha256.h"
#include "run_model.h"

namespace dlpu::peer {
namespace {

// As compare.py computes it: "[1, 2, 3]" of each output's shape, then its bytes.
std::string HashOf(const std::vector<ModelOutput>& outputs) {
  std::vector<uint8_t> all;
  for (const ModelOutput& output : outputs) {
    const std::string shape = fmt::format("[{}]", fmt::join(output.shape, ", "));
    all.insert(all.end(), shape.begin(), shape.end());
    all.insert(all.end(), output.data.begin(), output.data.end());
  }
  return Sha256Hex(all);
}

struct Sample {
  uint64_t seed = 0;
  std::map<std::string, std::string> hashes;  // by case name
};

Sample ReadSample() {
  Sample sample;
  const auto text = ReadTextFile("tests/golden/peer_sample.txt");
  EXPECT_TRUE(text.ok());
  std::istringstream lines(text.ok() ? *text : "");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, value;
    words >> name >> value;
    if (name == "seed") {
      sample.seed = std::stoull(value);
    } else if (!name.empty() && name[0] != '#') {
      sample.hashes[name] = value;
    }
  }
  return sample;
}

TEST(Golden, OutputsAreThoseOfLiteRt) {
  const Sample sample = ReadSample();
  ASSERT_GT(sample.hashes.size(), 100u);
  size_t found = 0, index = 0;
  for (const Generator& generator : Generators()) {
    for (index = 0;; ++index) {
      const auto it =
          sample.hashes.find(fmt::format("{}/{}/{}", generator.family, generator.name, index));
      if (it == sample.hashes.end()) {
        if (index < 8) continue;  // LiteRT refuses a case now and then
        break;
      }
      ++found;
      const CaseResult result = RunCase(MakeCase(generator, sample.seed, index), {});
      EXPECT_EQ(result.error, "") << it->first;
      EXPECT_EQ(HashOf(result.outputs), it->second) << it->first;
    }
  }
  EXPECT_EQ(found, sample.hashes.size()) << "the sample names cases that no generator makes; "
                                            "write it again with compare.py --write-golden";
}

TEST(Golden, OneChangedByteChangesTheHash) {
  std::vector<ModelOutput> outputs = {{DataType::kInt8, {1, 2}, {1, 2}}};
  const std::string before = HashOf(outputs);
  outputs[0].data[1] ^= 1;
  EXPECT_NE(HashOf(outputs), before);
  outputs[0].data[1] ^= 1;
  outputs[0].shape = {2};
  EXPECT_NE(HashOf(outputs), before);
}

RunModelOptions With(int threads, CpuFlags cpu) {
  RunModelOptions options;
  options.threads = threads;
  options.cpu = cpu;
  return options;
}

// Threads share out work, never change it; kernels for one CPU give what the references give.
TEST(Rows, ThreadsAndKernelRowsGiveTheSameBytes) {
  int compared = 0;
  for (const Generator& generator : Generators()) {
    for (uint64_t index = 0; index < 12; ++index) {
      const Case c = MakeCase(generator, 2, index);
      const CaseResult one = RunCase(c, With(1, EnabledCpuFlags()));
      if (!one.error.empty()) continue;
      for (const int threads : {2, 4}) {
        const CaseResult many = RunCase(c, With(threads, EnabledCpuFlags()));
        ASSERT_EQ(many.outputs.size(), one.outputs.size()) << c.name << ": " << many.error;
        for (size_t i = 0; i < one.outputs.size(); ++i) {
          EXPECT_EQ(many.outputs[i].data, one.outputs[i].data) << c.name << ", " << threads;
        }
      }
      const CaseResult plain = RunCase(c, With(1, kCpuNone));
      ASSERT_EQ(plain.outputs.size(), one.outputs.size()) << c.name << ": " << plain.error;
      for (size_t i = 0; i < one.outputs.size(); ++i) {
        ++compared;
        if (IsFloat(one.outputs[i].type)) continue;  // bounded in the kernels' own tests
        EXPECT_EQ(plain.outputs[i].data, one.outputs[i].data) << c.name << ", reference row";
      }
    }
  }
  EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace dlpu::peer
