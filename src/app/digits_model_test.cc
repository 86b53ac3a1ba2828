// SPDX-License-Identifier: Apache-2.0
// The embedded digit classifier is the file in data/models.
#include "app/digits_model.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/data_path.h"
#include "base/file.h"

namespace dlpu {
namespace {

TEST(DigitsModel, IsTheFileInData) {
  Result<std::string> path = DataPath("models/digits.tflite");
  ASSERT_TRUE(path.ok()) << path.error().message;
  Result<std::vector<uint8_t>> bytes = ReadFile(*path);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  ASSERT_GT(bytes->size(), 10000u);
  EXPECT_LT(bytes->size(), 60000u);
  EXPECT_TRUE(std::ranges::equal(DigitsModel(), *bytes));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(DigitsModel().data()) % 16, 0u);
  EXPECT_EQ(std::string(bytes->begin() + 4, bytes->begin() + 8), "TFL3");
}

}  // namespace
}  // namespace dlpu
