// SPDX-License-Identifier: Apache-2.0
// CVflow files: small ones made here, damaged in every way, and the compiled networks of the Axis
// model zoo against what is known of them.
#include "formats/cvflow_bin.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "formats/sniff.h"

namespace dlpu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Bytes = std::vector<uint8_t>;

void Put(Bytes& bytes, size_t at, uint64_t value, int size) {
  for (int i = 0; i < size; ++i) {
    bytes[at + static_cast<size_t>(i)] = static_cast<uint8_t>(value >> (8 * i));
  }
}

void PutText(Bytes& bytes, size_t at, const std::string& text) {
  std::memcpy(bytes.data() + at, text.data(), text.size());
}

struct Port {
  std::string link, parent;
};
struct MadeGraph {
  std::vector<Port> inputs, outputs;
};

// 1x2x3x5 bytes, linear, rows at their pitch.
Bytes MakePort(int generation, const Port& port) {
  const bool wide = generation == 3;
  Bytes bytes(wide ? 0x4E8 : 0x488);
  const int width = wide ? 8 : 4;
  const uint64_t dims[] = {1, 2, 3, 5};
  const uint64_t pitch = wide ? 128 : 32;
  for (size_t i = 0; i < 4; ++i) {
    Put(bytes, i * static_cast<size_t>(width), dims[i], width);
    if (wide) Put(bytes, 0x80 + i * 8, i == 3 ? 10 : dims[i], 8);
  }
  Put(bytes, wide ? 0x20 : 0x10, pitch, width);
  Put(bytes, wide ? 0x38 : 0x1C, 0x2000, 4);
  Put(bytes, wide ? 0xD8 : 0x80, 6 * pitch, width);
  if (wide) {
    Put(bytes, 0xE0, 6 * 32, 8);
    Put(bytes, 0xC4, 0xFF080100, 4);  // uint8 with steps of 2^-8
    Put(bytes, 0xA0, 256, 8);
    Put(bytes, 0xA8, 1536, 8);
    PutText(bytes, 0x3E8, port.parent);
  } else {
    Put(bytes, 0x78, 0x00020001, 4);  // int8 with steps of 2^-2
  }
  PutText(bytes, wide ? 0xE8 : 0x88, port.link);
  PutText(bytes, wide ? 0x1E8 : 0x288, "/" + port.link);
  return bytes;
}

constexpr uint32_t kProgramBytes = 40;

Bytes MakeFile(int generation, const std::vector<MadeGraph>& graphs) {
  const bool third = generation == 3;
  const size_t first = third ? 0x450 : 0x200, record = third ? 0xB0 : 0xA8;
  const size_t port_bytes = third ? 0x4E8 : 0x488;
  Bytes bytes(first + graphs.size() * record);
  for (size_t i = 0; i < graphs.size(); ++i) {
    const size_t at = first + i * record;
    const size_t ports = graphs[i].inputs.size() + graphs[i].outputs.size();
    Put(bytes, at, i, 4);
    Put(bytes, at + (third ? 0x18 : 0x14), kProgramBytes, 4);
    Put(bytes, at + (third ? 0x1C : 0x18), 1000 + i, 4);
    Put(bytes, at + (third ? 0x20 : 0x1C), graphs[i].inputs.size(), 4);
    Put(bytes, at + (third ? 0x24 : 0x20), graphs[i].outputs.size(), 4);
    Put(bytes, at + (third ? 0x2C : 0x24), ports * port_bytes + kProgramBytes, 4);
    PutText(bytes, at + (third ? 0x30 : 0x28), fmt::format("net_{}", i));
  }
  for (const MadeGraph& graph : graphs) {
    for (const auto* ports : {&graph.inputs, &graph.outputs}) {
      for (const Port& port : *ports) {
        const Bytes made = MakePort(generation, port);
        bytes.insert(bytes.end(), made.begin(), made.end());
      }
    }
    bytes.insert(bytes.end(), kProgramBytes, 0xAB);
  }
  if (third) {
    Put(bytes, 0x00, 0x00030003, 4);
    Put(bytes, 0x04, 0x0E5DEA8E, 4);
    Put(bytes, 0x08, 0xFEEDBEEF, 4);
    Put(bytes, 0x30, record, 4);
    Put(bytes, 0x34, port_bytes, 4);
    Put(bytes, 0x430, graphs.size(), 4);
    Put(bytes, 0x440, bytes.size() - 0x450, 4);
  } else {
    Put(bytes, 0x00, 0x02020008, 4);
    Put(bytes, 0x08, 0x02807952, 4);
    Put(bytes, 0x0C, graphs.size(), 4);
    Put(bytes, 0x10, record, 4);
    Put(bytes, 0x14, port_bytes, 4);
  }
  return bytes;
}

// image -> mid -> scores.
Bytes Chain(int generation) {
  return MakeFile(generation,
                  {{{{"image", ""}}, {{"mid", ""}}}, {{{"mid", ""}}, {{"scores", ""}}}});
}

std::vector<std::string> Links(const std::vector<CvflowPort>& ports) {
  std::vector<std::string> links;
  for (const CvflowPort& port : ports) links.push_back(port.link);
  return links;
}

std::string Refusal(const Bytes& bytes) {
  const auto read = ReadCvflowBin(bytes, "net.bin");
  return read.ok() ? "" : read.error().message;
}

TEST(Cvflow, BothGenerationsAreRead) {
  for (const int generation : {2, 3}) {
    const Bytes bytes = Chain(generation);
    EXPECT_EQ(SniffFile(bytes), generation == 2 ? FileKind::kCvflow2 : FileKind::kCvflow3);
    const auto read = ReadCvflowBin(bytes, "net.bin");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->generation, generation);
    EXPECT_EQ(read->version, generation == 2 ? 0x02020008u : 0x00030003u);
    EXPECT_EQ(read->tool_id, generation == 2 ? 0x02807952u : 0x0E5DEA8Eu);
    ASSERT_EQ(read->graphs.size(), 2u);
    EXPECT_EQ(read->graphs[1].name, "net_1");
    EXPECT_EQ(read->program_bytes(), 80);
    EXPECT_EQ(read->peak_on_chip_bytes(), 1001);
    EXPECT_THAT(Links(read->inputs), ElementsAre("image"));
    EXPECT_THAT(Links(read->outputs), ElementsAre("scores"));
    EXPECT_EQ(read->outputs[0].name, "/scores");
    EXPECT_THAT(read->inputs[0].dims, ElementsAre(1, 2, 3, 5));
    EXPECT_EQ(read->inputs[0].pitch, generation == 2 ? 32 : 128);
    EXPECT_EQ(CvflowTypeText(read->inputs[0].type),
              generation == 2 ? "int8 x 2^-2" : "uint8 x 2^-8");
  }
}

TEST(Cvflow, SlicesStandForTheirParent) {
  // Two graphs make halves of "logits", a third takes it whole: no port of the network.
  const auto inner = ReadCvflowBin(MakeFile(3, {{{{"image", ""}}, {{"logits_0", "logits"}}},
                                                {{{"image", ""}}, {{"logits_1", "logits"}}},
                                                {{{"logits", ""}}, {{"scores", ""}}}}),
                                   "net.bin");
  ASSERT_TRUE(inner.ok()) << inner.error().message;
  EXPECT_THAT(Links(inner->inputs), ElementsAre("image"));
  EXPECT_THAT(Links(inner->outputs), ElementsAre("scores"));
  // Nobody takes it: it is an output, once, with its own extents.
  const auto last = ReadCvflowBin(MakeFile(3, {{{{"image", ""}}, {{"logits_0", "logits"}}},
                                               {{{"image", ""}}, {{"logits_1", "logits"}}}}),
                                  "net.bin");
  ASSERT_TRUE(last.ok()) << last.error().message;
  EXPECT_THAT(Links(last->outputs), ElementsAre("logits"));
  EXPECT_THAT(last->outputs[0].dims, ElementsAre(1, 2, 3, 10));
  EXPECT_EQ(last->outputs[0].bytes, 1536);
}

TEST(Cvflow, CutOffAnywhereIsRefused) {
  for (const int generation : {2, 3}) {
    const Bytes whole = Chain(generation);
    for (size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      ASSERT_NE(Refusal(cut), "") << generation << ", " << size;
    }
    Bytes longer = whole;
    longer.push_back(0);
    EXPECT_THAT(Refusal(longer), HasSubstr("net.bin: the CVflow file is damaged or cut off"));
  }
}

TEST(Cvflow, AFlippedByteIsAnErrorOrAnotherFile) {
  for (const int generation : {2, 3}) {
    Bytes bytes = Chain(generation);
    int refused = 0;
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (const uint8_t mask : {0x01, 0x80, 0xff}) {
        bytes[at] ^= mask;
        refused += !Refusal(bytes).empty();
        bytes[at] ^= mask;
      }
    }
    EXPECT_GT(refused, 300) << generation;  // most bytes are padding of names
  }
}

TEST(Cvflow, DamageIsNamed) {
  const auto refused = [](int generation, size_t at, uint64_t value, int size = 4) {
    Bytes bytes = Chain(generation);
    Put(bytes, at, value, size);
    return Refusal(bytes);
  };
  EXPECT_THAT(refused(2, 0x0C, 0), HasSubstr("it says 0 graphs"));
  EXPECT_THAT(refused(2, 0x0C, 0xFFFFFFFF), HasSubstr("it says 4294967295 graphs"));
  Bytes longer = Chain(2);
  longer.push_back(0);
  EXPECT_THAT(Refusal(longer),
              HasSubstr(fmt::format("its graphs end at byte {}, the file at byte {}",
                                    longer.size() - 1, longer.size())));
  EXPECT_THAT(refused(2, 0x0C, 4000),
              HasSubstr("its list of graphs should be bytes 512 to 672512"));
  EXPECT_THAT(refused(2, 0x200, 5), HasSubstr("graph 0 calls itself 5"));
  EXPECT_THAT(refused(2, 0x21C, 5000), HasSubstr("graph 0 says 5000 inputs"));
  EXPECT_THAT(refused(2, 0x224, 41),
              HasSubstr("graph 0 has 41 bytes, its 2 ports and program need"));
  EXPECT_THAT(refused(3, 0x440, 1), HasSubstr("its header says 1105 bytes"));
  EXPECT_THAT(refused(3, 0x30, 0xB4), HasSubstr("records are of other sizes"));
  const size_t port = 0x450 + 2 * 0xB0;
  EXPECT_THAT(refused(3, port, 0, 8), HasSubstr("port 0 of graph 0 has extents 0x2x3x5"));
  EXPECT_THAT(refused(3, port, ~uint64_t{0}, 8), HasSubstr("port 0 of graph 0 has extents"));
  EXPECT_THAT(refused(3, port + 0x20, 4, 8), HasSubstr("6 rows of 5 bytes, 4 apart"));
  EXPECT_THAT(refused(3, port + 0xC4, 0xFF080900), HasSubstr("data of sign 0 and size 9"));
  EXPECT_THAT(refused(3, port + 0xE8, 0x01010101), HasSubstr("has a name that is no text"));
  EXPECT_THAT(Refusal({1, 2, 3}), HasSubstr("not a CVflow file"));
}

TEST(Cvflow, ANameWithoutEndIsRefused) {
  Bytes bytes = Chain(2);
  std::fill_n(bytes.begin() + 0x228, 0x80, 'a');
  EXPECT_THAT(Refusal(bytes), HasSubstr("graph 0 has a name that is no text"));
}

// --- Real files ------------------------------------------------------------------------------

std::string PortText(const CvflowPort& port) {
  return fmt::format("{} {},{},{},{} {} {} {} {}", port.name, port.dims[0], port.dims[1],
                     port.dims[2], port.dims[3], CvflowTypeText(port.type), port.pitch, port.bytes,
                     port.packed_bytes);
}

TEST(Cvflow, RealFilesAreWhatIsKnownOfThem) {
  struct Known {
    const char* file;
    int generation;
    size_t graphs;
    int64_t program_bytes, peak;
    const char *input, *output;
  };
  const Known known[] = {
      {"cv25_mobilenetv2.bin", 2, 5, 3644704, 2076300, "input 1,3,224,224 uint8 224 150528 150528",
       "MobilenetV2/Predictions/Softmax 1,1001,1,1 float32 32 32032 32032"},
      {"cv75_mobilenetv2.bin", 3, 17, 3691904, 498328, "input 1,3,224,224 uint8 256 172032 150528",
       "MobilenetV2/Predictions/Softmax 1,1001,1,1 float16 128 128128 32032"}};
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string folder =
      std::string(shared != nullptr ? shared : "../shared") + "/models/cvflow/";
  int count = 0;
  for (const Known& want : known) {
    if (!std::filesystem::exists(folder + want.file)) continue;
    ++count;
    auto bytes = ReadFile(folder + want.file);
    ASSERT_TRUE(bytes.ok());
    const auto read = ReadCvflowBin(*bytes, want.file);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->generation, want.generation);
    EXPECT_EQ(read->graphs.size(), want.graphs);
    EXPECT_EQ(read->program_bytes(), want.program_bytes);
    EXPECT_LE(read->peak_on_chip_bytes(), want.peak);
    EXPECT_GT(read->peak_on_chip_bytes(), want.peak * 9 / 10);
    ASSERT_EQ(read->inputs.size(), 1u);
    ASSERT_EQ(read->outputs.size(), 1u);
    EXPECT_EQ(PortText(read->inputs[0]), want.input);
    EXPECT_EQ(PortText(read->outputs[0]), want.output);
    for (size_t size = 0; size < bytes->size(); size += 4099) {
      ASSERT_FALSE(ReadCvflowBin(std::span(bytes->data(), size), want.file).ok()) << size;
    }
  }
  if (count == 0) GTEST_SKIP() << "no models in " << folder;
  fmt::print("{} CVflow files compared\n", count);
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace dlpu
