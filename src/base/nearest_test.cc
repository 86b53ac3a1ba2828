// SPDX-License-Identifier: Apache-2.0
// Edit distances and suggestions.
#include "base/nearest.h"

#include <gtest/gtest.h>

namespace dlpu {
namespace {

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("Q1656", "q1656"), 0u);  // case does not count
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("artpec", "artpce"), 1u);  // a swap is one edit
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> names = {"cpu", "artpec7", "artpec8"};
  EXPECT_EQ(Nearest("artpek8", names), "artpec8");
  EXPECT_EQ(Nearest("cp", names), "cpu");
  EXPECT_EQ(Nearest("something else", names), "");
  EXPECT_EQ(DidYouMean("cpuu", names), " (did you mean cpu?)");
  EXPECT_EQ(DidYouMean("cpuu", {}), "");
}

}  // namespace
}  // namespace dlpu
