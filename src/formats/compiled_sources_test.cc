// SPDX-License-Identifier: Apache-2.0
// Sources are found again by what was made from them.
#include "formats/compiled_sources.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace dlpu {
namespace {

TEST(CompiledSources, AreFoundByContent) {
  const std::string folder = ::testing::TempDir() + "dlpu_sources";
  std::filesystem::remove_all(folder);
  const char* old = std::getenv("XDG_DATA_HOME");
  const std::string before = old == nullptr ? "" : old;
  setenv("XDG_DATA_HOME", folder.c_str(), 1);
  const uint8_t one[] = {1, 2, 3}, other[] = {1, 2, 4};
  EXPECT_FALSE(RegisteredSource(one).has_value());
  EXPECT_TRUE(RegisterSource(one, "/models/a.tflite").ok());
  EXPECT_EQ(RegisteredSource(one), "/models/a.tflite");
  EXPECT_FALSE(RegisteredSource(other).has_value());
  EXPECT_TRUE(RegisterSource(one, "b.tflite").ok());
  EXPECT_EQ(RegisteredSource(one), std::filesystem::absolute("b.tflite").string());
  setenv("XDG_DATA_HOME", before.c_str(), 1);
  if (old == nullptr) unsetenv("XDG_DATA_HOME");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace dlpu
