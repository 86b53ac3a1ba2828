// SPDX-License-Identifier: Apache-2.0
// The strict TOML reader: values, and every kind of mistake with its line.
#include "base/toml.h"

#include <gtest/gtest.h>

namespace dlpu {
namespace {

std::string MistakeIn(const std::string& text, void (*read)(TomlTable)) {
  Result<TomlFile> file = TomlFile::Parse(text, "f.toml");
  if (!file.ok()) return file.error().message;
  read(file->Root());
  const Status status = file->Finish();
  return status.ok() ? "" : status.error().message;
}

TEST(Toml, ReadsEveryKindOfValue) {
  Result<TomlFile> file = TomlFile::Parse(
      "name = 'x'\nn = 3\nf = 1.5\nwhole = 2\nyes = true\nlist = ['a', 'b']\nnums = [1, 2.5]\n"
      "[sub]\nk = 1\n[[item]]\nid = 1\n[[item]]\nid = 2\n",
      "f.toml");
  ASSERT_TRUE(file.ok());
  TomlFile moved = std::move(*file);
  const TomlTable root = moved.Root();
  EXPECT_EQ(root.Str("name"), "x");
  EXPECT_EQ(root.Int("n", 0, 9), 3);
  EXPECT_EQ(root.Num("f"), 1.5);
  EXPECT_EQ(root.Num("whole"), 2.0);  // a whole number is a number too
  EXPECT_TRUE(root.Bool("yes"));
  EXPECT_EQ(root.Strs("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(root.Nums("nums"), (std::vector<double>{1, 2.5}));
  EXPECT_EQ(root.Table("sub").Int("k", 0, 9), 1);
  ASSERT_EQ(root.Tables("item").size(), 2u);
  EXPECT_EQ(root.Tables("item")[1].Int("id", 0, 9), 2);
  EXPECT_EQ(root.Tables("item")[0].Int("id", 0, 9), 1);
  EXPECT_EQ(root.Str("absent", "d"), "d");
  EXPECT_FALSE(root.TableOrNone("none").present());
  EXPECT_EQ(root.TableOrNone("none").Str("k"), "");  // a missing table complains about nothing
  EXPECT_TRUE(moved.Finish().ok()) << moved.Finish().error().message;
}

TEST(Toml, NamesFileLineAndKeyOfEachMistake) {
  EXPECT_EQ(MistakeIn("a = 1\nnaem = 'x'\n", [](TomlTable t) { t.Int("a", 0, 9), t.Str("name"); }),
            "f.toml:2: unknown key 'naem' (did you mean name?)");
  EXPECT_EQ(MistakeIn("[t]\na = 1\n", [](TomlTable t) { t.Table("t").Str("a"); }),
            "f.toml:2: 'a' must be text in quotes");
  EXPECT_EQ(MistakeIn("a = 1\n", [](TomlTable t) { t.Int("a", 0, 9), t.Str("b"); }),
            "f.toml:1: the key 'b' is missing");
  EXPECT_EQ(MistakeIn("a = 12\n", [](TomlTable t) { t.Int("a", 0, 9); }),
            "f.toml:1: 'a' is 12, allowed is 0 to 9");
  EXPECT_EQ(MistakeIn("a = 'tre'\n",
                      [](TomlTable t) {
                        t.Word("a", {"tree", "car"});
                      }),
            "f.toml:1: 'a' is \"tre\", allowed is tree, car (did you mean tree?)");
  EXPECT_EQ(MistakeIn("a = ['x', 1]\n", [](TomlTable t) { t.Strs("a"); }),
            "f.toml:1: every item of 'a' must be text in quotes");
  EXPECT_EQ(MistakeIn("\n[[x]]\nq = 1\n", [](TomlTable t) { t.Tables("x"); }),
            "f.toml:3: unknown key 'q'");
  EXPECT_EQ(MistakeIn("x = [1]\n", [](TomlTable t) { t.Tables("x"); }),
            "f.toml:1: 'x' must be a list of tables");
  EXPECT_EQ(MistakeIn("x = 1\n", [](TomlTable t) { t.Table("x"); }),
            "f.toml:1: 'x' must be a table");
  EXPECT_NE(MistakeIn("a = \n", [](TomlTable) {}).find("f.toml:1: not valid TOML"),
            std::string::npos);
  EXPECT_EQ(MistakeIn("[unread]\n", [](TomlTable) {}), "f.toml:1: unknown key 'unread'");
}

TEST(Toml, MissingFileIsAnError) { EXPECT_FALSE(TomlFile::Read("/nonexistent/x.toml").ok()); }

}  // namespace
}  // namespace dlpu
