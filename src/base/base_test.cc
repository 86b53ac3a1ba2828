// SPDX-License-Identifier: Apache-2.0
// Result, files, hashes, CPU flags and the thread pool.
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <vector>

#include "base/cpu.h"
#include "base/cpu_unfused.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/threads.h"

namespace dlpu {
namespace {

TEST(File, ErrorsNameThePathAndTheReason) {
  const auto missing = ReadFile("/nowhere/model.tflite");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("/nowhere/model.tflite"), std::string::npos);
  const auto folder = ReadFile("/tmp");
  ASSERT_FALSE(folder.ok());
  EXPECT_NE(folder.error().message.find("directory"), std::string::npos);
}

TEST(File, WhatIsWrittenIsRead) {
  const std::string path = testing::TempDir() + "/dlpu_file_test.bin";
  const std::vector<uint8_t> bytes = {1, 2, 0, 255};
  ASSERT_TRUE(WriteFile(path, bytes).ok());
  const auto read = ReadFile(path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, bytes);
  EXPECT_FALSE(ReadFile(path, 3).ok());
  std::filesystem::remove(path);
  EXPECT_FALSE(WriteFile("/nowhere/x.bin", bytes).ok());
}

TEST(Sha256, MatchesTheStandardsExample) {
  const std::string text = "abc";
  EXPECT_EQ(Sha256Hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::vector<uint8_t> many(1000000, 'a');
  EXPECT_EQ(Sha256Hex(many), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Cpu, DisablingAnExtensionTakesAwayWhatBuildsOnIt) {
  const CpuFlags all = kCpuAvx2 | kCpuAvxVnni | kCpuAvx512 | kCpuAvx512Vnni;
  EXPECT_EQ(WithoutCpuFlags(all, "avx512"), CpuFlags{kCpuAvx2 | kCpuAvxVnni});
  EXPECT_EQ(WithoutCpuFlags(all, "avx2"), CpuFlags{0});
  EXPECT_EQ(WithoutCpuFlags(all, "all"), CpuFlags{0});
  const CpuFlags unfused = kCpuAvx2Unfused | kCpuAvx512Unfused;
  EXPECT_EQ(WithoutCpuFlags(all | unfused, "avx512"),
            CpuFlags{kCpuAvx2 | kCpuAvxVnni | kCpuAvx2Unfused});
  EXPECT_EQ(WithoutCpuFlags(all | unfused, "avx2"), CpuFlags{0});
  EXPECT_EQ(WithoutCpuFlags(all, "nonsense"), all);
  EXPECT_EQ(CpuFlagNames(kCpuAvx2 | kCpuAvx512), "avx2,avx512");
}

TEST(ThreadPool, EveryElementIsVisitedOnceWithAnyNumberOfThreads) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 50; ++round) {
      std::vector<int> seen(1000, 0);
      pool.ParallelFor(1000, 7, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i) ++seen[i];
      });
      EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0), 1000);
      EXPECT_EQ(*std::max_element(seen.begin(), seen.end()), 1);
    }
  }
}

}  // namespace
}  // namespace dlpu
