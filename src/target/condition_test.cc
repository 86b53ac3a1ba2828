// SPDX-License-Identifier: Apache-2.0
// Conditions: each kind of comparison, when a condition applies, and what is not known.
#include "target/condition.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/file.h"

namespace dlpu {
namespace {

ValueLookup Values(std::map<std::string, Value, std::less<>> values) {
  return [values](std::string_view name) -> std::optional<Value> {
    const auto at = values.find(name);
    return at == values.end() ? std::nullopt : std::optional<Value>(at->second);
  };
}

// The condition a TOML text describes; fails the test when it does not parse.
Condition Parse(const std::string& text) {
  Result<TomlFile> file =
      TomlFile::Parse("id = 'x'\nsays = 's'\nfix = 'f'\nsource = 'a+b'\nconfidence = 'derived'\n" +
                          text + "\n[sources]\na = 'first'\nb = 'second'\n",
                      "c.toml");
  EXPECT_TRUE(file.ok());
  const TomlTable sources = file->Root().Table("sources");
  Condition condition = ReadCondition(file->Root(), sources, {});
  EXPECT_TRUE(file->Finish().ok()) << file->Finish().error().message;
  return condition;
}

std::string Mistake(const std::string& text) {
  Result<TomlFile> file =
      TomlFile::Parse("id = 'x'\nsays = 's'\nfix = 'f'\nsource = 'a'\nconfidence = 'derived'\n" +
                          text + "\n[sources]\na = 'first'\n",
                      "c.toml");
  EXPECT_TRUE(file.ok());
  ReadCondition(file->Root(), file->Root().Table("sources"), {});
  const Status status = file->Finish();
  return status.ok() ? "" : status.error().message;
}

TEST(Condition, ComparesInEveryWay) {
  const struct {
    const char* test;
    Value value;
    bool holds;
  } cases[] = {
      {"value = 'stride_h'\nin = [1, 2]", 2.0, true},
      {"value = 'stride_h'\nin = [1, 2]", 3.0, false},
      {"value = 'padding'\none_of = ['SAME']", Value("SAME"), true},
      {"value = 'padding'\none_of = ['SAME']", Value("VALID"), false},
      {"value = 'padding'\nnone_of = ['SAME']", Value("SAME"), false},
      {"value = 'padding'\nnone_of = ['SAME']", Value("VALID"), true},
      {"value = 'in_width'\nmax = 417", 417.0, true},
      {"value = 'in_width'\nmax = 417", 418.0, false},
      {"value = 'in_width'\nmin = 3", 3.0, true},
      {"value = 'in_width'\nmin = 3", 2.0, false},
      {"value = 'alpha'\nabove = 0\nbelow = 1", 0.5, true},
      {"value = 'alpha'\nabove = 0\nbelow = 1", 0.0, false},
      {"value = 'alpha'\nabove = 0\nbelow = 1", 1.0, false},
      {"value = 'out_channels'\nmultiple_of = 6", 12.0, true},
      {"value = 'out_channels'\nmultiple_of = 6", 16.0, false},
      {"value = 'in_width'\nmultiple_of = 2\nremainder = 1", 7.0, true},
      {"value = 'in_width'\nmultiple_of = 2\nremainder = 1", 8.0, false},
      {"value = 'output_scale'\nin = [0.00390625]", 1.0f / 256.0f, true},
      {"value = 'output_scale'\nin = [0.00390625]", 1.0 / 255.0, false},
  };
  for (const auto& c : cases) {
    const Condition condition = Parse(c.test);
    const Verdict verdict = Check(condition, Values({{condition.test->value, c.value}}));
    EXPECT_EQ(verdict, c.holds ? Verdict::kHolds : Verdict::kBroken)
        << c.test << " with " << ValueText(c.value);
  }
}

TEST(Condition, ComparesTwoValues) {
  const Condition c = Parse("value = 'stride_h'\nsame_as = 'stride_w'");
  EXPECT_EQ(Check(c, Values({{"stride_h", 2.0}, {"stride_w", 2.0}})), Verdict::kHolds);
  EXPECT_EQ(Check(c, Values({{"stride_h", 2.0}, {"stride_w", 1.0}})), Verdict::kBroken);
  EXPECT_EQ(Check(c, Values({{"stride_h", 2.0}})), Verdict::kUnknown);
  EXPECT_EQ(Found(c, Values({{"stride_h", 2.0}, {"stride_w", 1.0}})), "stride_h 2, stride_w 1");
}

TEST(Condition, HoldsWhereItDoesNotApply) {
  const Condition c =
      Parse("value = 'stride_h'\nin = [1]\nif = [{ value = 'kernel_h', above = 7 }]");
  EXPECT_EQ(Check(c, Values({{"kernel_h", 3.0}, {"stride_h", 2.0}})), Verdict::kHolds);
  EXPECT_EQ(Check(c, Values({{"kernel_h", 9.0}, {"stride_h", 2.0}})), Verdict::kBroken);
  EXPECT_EQ(Check(c, Values({{"kernel_h", 9.0}, {"stride_h", 1.0}})), Verdict::kHolds);
  EXPECT_EQ(Check(c, Values({{"stride_h", 2.0}})), Verdict::kUnknown);
  EXPECT_EQ(Found(c, Values({{"stride_h", 2.0}})), "stride_h 2");
}

TEST(Condition, WithoutATestItIsANote) {
  const Condition c = Parse("");
  EXPECT_EQ(c.effect, Effect::kNote);
  EXPECT_EQ(Check(c, Values({})), Verdict::kUnknown);
  EXPECT_EQ(Found(c, Values({})), "");
  EXPECT_EQ(c.fact.source, "first; second");
  EXPECT_EQ(c.fact.confidence, Confidence::kDerived);
}

TEST(Condition, MistakesAreNamed) {
  EXPECT_NE(Mistake("value = 'stride_x'\nin = [1]").find("did you mean stride_"),
            std::string::npos);
  EXPECT_NE(Mistake("value = 'stride_h'").find("a test needs one_of"), std::string::npos);
  EXPECT_NE(Mistake("value = 'stride_h'\nim = [1]").find("unknown key 'im'"), std::string::npos);
  EXPECT_NE(Mistake("effect = 'slowly'\nvalue = 'rank'\nmax = 4").find("did you mean slow?"),
            std::string::npos);
  EXPECT_NE(Mistake("value = 'rank'\nmultiple_of = 0").find("must be positive"), std::string::npos);
}

TEST(Condition, ValueNamesAreUnique) {
  std::set<std::string> names;
  for (const ValueName& v : ValueNames()) EXPECT_TRUE(names.insert(v.name).second) << v.name;
  EXPECT_GT(names.size(), 30u);
}

// docs/targets.md is where one looks the names up.
TEST(Condition, ValueNamesAreDocumented) {
  Result<std::string> docs = ReadTextFile("docs/targets.md");
  ASSERT_TRUE(docs.ok()) << docs.error().message;
  for (const ValueName& v : ValueNames()) {
    const std::string row = fmt::format("| `{}` | {} |", v.name, v.meaning);
    EXPECT_NE(docs->find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace dlpu
