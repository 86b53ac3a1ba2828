// SPDX-License-Identifier: Apache-2.0
// Finding the data folder: from the build folder, and through DLPU_DATA.
#include "base/data_path.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace dlpu {
namespace {

class DataPathTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* set = std::getenv("DLPU_DATA")) saved_ = set;
    unsetenv("DLPU_DATA");
  }
  void TearDown() override {
    if (saved_.empty()) {
      unsetenv("DLPU_DATA");
    } else {
      setenv("DLPU_DATA", saved_.c_str(), 1);
    }
  }

 private:
  std::string saved_;
};

TEST_F(DataPathTest, FindsTheSourceTreeFromABuildFolder) {
  Result<std::string> path = DataPath("zoo.toml");
  ASSERT_TRUE(path.ok()) << path.error().message;
  EXPECT_NE(path->find("/data/zoo.toml"), std::string::npos) << *path;
}

TEST_F(DataPathTest, NamesTheRemedyWhenNothingIsFound) {
  Result<std::string> path = DataPath("no-such-file.toml");
  ASSERT_FALSE(path.ok());
  EXPECT_NE(path.error().message.find("set DLPU_DATA"), std::string::npos);
}

TEST_F(DataPathTest, DlpuDataDecidesAlone) {
  setenv("DLPU_DATA", "/nonexistent", 1);
  Result<std::string> path = DataPath("zoo.toml");
  ASSERT_FALSE(path.ok());
  EXPECT_NE(path.error().message.find("/nonexistent/zoo.toml"), std::string::npos);
}

}  // namespace
}  // namespace dlpu
