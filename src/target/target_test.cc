// SPDX-License-Identifier: Apache-2.0
// The shipped targets, the loader's errors, and where ops end up.
#include "target/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace dlpu {
namespace {

using testing::HasSubstr;

const std::vector<Target>& All() {
  static const std::vector<Target> targets = [] {
    Result<std::vector<Target>> loaded = LoadTargets();
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return loaded.ok() ? *loaded : std::vector<Target>();
  }();
  return targets;
}

const Target& Named(std::string_view name) {
  for (const Target& t : All()) {
    if (t.name == name) return t;
  }
  ADD_FAILURE() << name;
  static const Target none;
  return none;
}

ValueLookup Values(std::map<std::string, Value, std::less<>> values) {
  return [values](std::string_view name) -> std::optional<Value> {
    const auto at = values.find(name);
    return at == values.end() ? std::nullopt : std::optional<Value>(at->second);
  };
}

// Every camera's row of the overview: device, format, quantization.
TEST(Targets, TheOverviewTable) {
  std::string table;
  for (const Target& t : All()) {
    table += t.name + " | " + t.device + " | " + t.camera_format + " | " + t.quantization.need +
             " " + t.quantization.weights + " | " + (t.compiler ? t.compiler->name : "-") + "\n";
  }
  EXPECT_EQ(table,
            "artpec7 | google-edge-tpu-tflite | edgetpu-tflite | int8 per-channel | "
            "Edge TPU Compiler\n"
            "artpec8 | axis-a8-dlpu-tflite | tflite | int8 per-tensor | -\n"
            "artpec9 | a9-dlpu-tflite | tflite | int8 per-channel | -\n"
            "cpu | cpu-tflite | tflite | none per-channel | -\n"
            "cv25 | ambarella-cvflow | cvflow-bin | compiler any | Ambarella CNNGen\n"
            "cv75 | cv75-dlpu-native | cvflow-bin | compiler any | Ambarella CNNGen\n");
}

TEST(Targets, EveryFactHasASource) {
  int facts = 0;
  auto see = [&](const Fact& fact) {
    EXPECT_FALSE(fact.source.empty());
    ++facts;
  };
  for (const Target& t : All()) {
    for (const auto& d : t.devices) see(d.fact);
    for (const auto& e : t.engines) see(e.fact);
    for (const auto& m : t.memories) see(m.fact);
    for (const auto& op : t.ops) see(op.fact);
    for (const Condition* c : AllConditions(t)) see(c->fact);
    see(t.quantization.fact);
    if (t.fixed_point) see(t.fixed_point->fact);
    see(t.partition.fact);
    see(t.arithmetic.fact);
    see(t.input.fact);
  }
  EXPECT_GT(facts, 200);
}

TEST(Targets, AreFoundUnderEachOfTheirNames) {
  for (const char* name : {"artpec8", "ARTPEC-8", "Artpec 8", "axis-a8-dlpu-tflite"}) {
    Result<Target> found = FindTarget(All(), name);
    ASSERT_TRUE(found.ok()) << name;
    EXPECT_EQ(found->name, "artpec8");
  }
  Result<Target> wrong = FindTarget(All(), "artpek9");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message,
            "there is no target 'artpek9' (did you mean artpec9?); the targets are artpec7, "
            "artpec8, artpec9, cpu, cv25, cv75");
  EXPECT_TRUE(FindTarget("cpu").ok());
}

TEST(Targets, OpTables) {
  EXPECT_NE(FindOp(Named("artpec7"), "LOGISTIC"), nullptr);
  EXPECT_EQ(FindOp(Named("artpec7"), "HARD_SWISH"), nullptr);
  EXPECT_NE(FindOp(Named("artpec8"), "HARD_SWISH"), nullptr);
  EXPECT_EQ(FindOp(Named("artpec9"), "SOFTMAX"), nullptr);
  EXPECT_EQ(FindOp(Named("artpec8"), "LOGISTIC")->fact.confidence, Confidence::kDerived);
  EXPECT_EQ(FindOp(Named("artpec8"), "MEAN")->fact.confidence, Confidence::kAssumed);
}

TEST(Support, AStrideTheArtpec9LacksGoesToTheCpu) {
  auto conv = [](double stride, double kernel) {
    return Values({{"stride_h", stride},
                   {"stride_w", stride},
                   {"kernel_h", kernel},
                   {"kernel_w", kernel},
                   {"dilation_h", 1.0},
                   {"dilation_w", 1.0},
                   {"scale_ratio", 0.01},
                   {"out_channels", 32.0},
                   {"activation", Value("RELU6")},
                   {"type", Value("int8")},
                   {"rank", 4.0},
                   {"batch", 1.0}});
  };
  const Target& t = Named("artpec9");
  const Support good = SupportOf(t, "CONV_2D", conv(2, 3));
  EXPECT_EQ(good.where, Support::Where::kDlpu);
  EXPECT_TRUE(good.findings.empty());
  const Support bad = SupportOf(t, "CONV_2D", conv(4, 3));
  EXPECT_EQ(bad.where, Support::Where::kCpu);
  ASSERT_EQ(bad.findings.size(), 1u);
  EXPECT_EQ(bad.findings[0].condition->says, "the stride must be 1 or 2");
  EXPECT_EQ(bad.findings[0].found, "stride_h 4");
  // The YOLOv5 stem of ARTPEC-8, 6x6, is what the zoo replaced by 5x5 for ARTPEC-9.
  EXPECT_EQ(SupportOf(t, "CONV_2D", conv(2, 6)).where, Support::Where::kCpu);
  EXPECT_EQ(SupportOf(t, "CONV_2D", conv(2, 5)).where, Support::Where::kDlpu);
  EXPECT_EQ(SupportOf(t, "CONV_2D", conv(1, 9)).where, Support::Where::kDlpu);
  EXPECT_EQ(SupportOf(t, "CONV_2D", conv(2, 9)).where, Support::Where::kCpu);
}

TEST(Support, SlowIsNotMoved) {
  const Support s = SupportOf(Named("artpec8"), "CONV_2D",
                              Values({{"out_channels", 16.0},
                                      {"kernel_h", 3.0},
                                      {"kernel_w", 3.0},
                                      {"groups", 1.0},
                                      {"stride_h", 1.0},
                                      {"type", Value("int8")},
                                      {"dynamic", 0.0},
                                      {"weight_scales", Value("per-channel")}}));
  EXPECT_EQ(s.where, Support::Where::kDlpu);
  std::set<std::string> ids;
  for (const auto& f : s.findings) {
    EXPECT_EQ(f.condition->effect, Effect::kSlow);
    ids.insert(f.condition->id);
  }
  EXPECT_EQ(ids, (std::set<std::string>{"conv-2d-filters", "weights-per-tensor"}));
}

TEST(Support, DependsOnWhatIsPublished) {
  EXPECT_EQ(SupportOf(Named("cpu"), "ANYTHING", Values({})).where, Support::Where::kDlpu);
  EXPECT_EQ(SupportOf(Named("artpec7"), "HARD_SWISH", Values({})).where, Support::Where::kCpu);
  EXPECT_EQ(SupportOf(Named("cv25"), "CONV_2D", Values({})).where, Support::Where::kUnknown);
  const Support note = SupportOf(Named("artpec7"), "RESHAPE", Values({}));
  EXPECT_EQ(note.where, Support::Where::kDlpu);
  ASSERT_FALSE(note.findings.empty());
  EXPECT_EQ(note.findings[0].verdict, Verdict::kUnknown);
}

// A whole, small target, and one mistake at a time.
constexpr const char* kTarget = R"(name = "t"
title = "T"
dlpu = "D"
device = "d"
summary = "s"
formats = ["tflite"]
camera_format = "tflite"
coverage = "listed"
[sources]
x = "X"
[[devices]]
name = "d"
runs = "model"
engine = "dlpu"
source = "x"
confidence = "derived"
[quantization]
need = "none"
weights = "any"
types = ["int8"]
says = "q"
source = "x"
confidence = "derived"
[partition]
rest = "cpu"
order = "any"
says = "p"
source = "x"
confidence = "derived"
[arithmetic]
profile = "tflite-reference"
says = "a"
source = "x"
confidence = "derived"
[input]
layout = "any"
says = "i"
source = "x"
confidence = "derived"
[[op]]
name = "ADD"
source = "x"
confidence = "derived"
[[op.condition]]
id = "add-rank"
value = "rank"
max = 4
says = "c"
fix = "f"
)";

TEST(ParseTarget, MistakesAreNamed) {
  Result<Target> good = ParseTarget(kTarget, "t.toml");
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_EQ(good->ops.size(), 1u);
  EXPECT_EQ(good->ops[0].conditions[0].fact.source, "X");  // inherited from the op
  const struct {
    const char *from, *to, *message;
  } cases[] = {
      {"summary", "sumary", "t.toml:5: unknown key 'sumary' (did you mean summary?)"},
      {"max = 4", "maks = 4", "t.toml:47: unknown key 'maks' (did you mean max?)"},
      {"source = \"x\"", "source = \"y\"", "t.toml:15: the source 'y' is not in [sources]"},
      {"\"derived\"", "\"certain\"", "t.toml:16: 'confidence' is \"certain\", allowed is measured"},
      {"device = \"d\"", "device = \"e\"", "'device' is e, which is none of [[devices]]"},
      {"\"listed\"", "\"all\"", "coverage = \"listed\" goes with [[op]]"},
      {"\"int8\"", "\"int9\"", "did you mean int8?"},
      {"value = \"rank\"", "value = \"ranks\"", "did you mean rank?"},
      {"id = \"add-rank\"", "id = \"ADD\"", "'ADD' occurs twice"},
      {"fix = \"f\"", "", "'add-rank' needs a 'fix': what the user can do"},
      {"[partition]",
       "[fixed_point]\nwide_below_db = -1\nsays = \"s\"\nsource = \"x\"\nconfidence = \"derived\"\n"
       "[partition]",
       "'wide_below_db' must be between 0 and 200"},
  };
  for (const auto& c : cases) {
    std::string text = kTarget;
    const size_t at = text.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    text.replace(at, std::string(c.from).size(), c.to);
    Result<Target> target = ParseTarget(text, "t.toml");
    ASSERT_FALSE(target.ok()) << c.to;
    EXPECT_THAT(target.error().message, HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace dlpu
