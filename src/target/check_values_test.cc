// SPDX-License-Identifier: Apache-2.0
// Ranges, versions of AXIS OS, firmware, and values of whole models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/firmware.h"
#include "target/model_values.h"
#include "target/os_version.h"
#include "target/ranges.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

TensorId Add(Graph& g, Shape shape, DataType type = DataType::kInt8, float scale = 0.1f,
             int64_t zero = 0) {
  Tensor t;
  t.name = "t" + std::to_string(g.tensors.size());
  t.type = type;
  t.shape = std::move(shape);
  if (type == DataType::kInt8) t.quantization = {{scale}, {zero}, 0};
  g.tensors.push_back(t);
  return static_cast<TensorId>(g.tensors.size() - 1);
}

TensorId Apply(Graph& g, Op op, std::vector<TensorId> inputs, TensorId out) {
  Node node;
  node.op = op;
  node.attrs = DefaultAttrs(op);
  node.inputs = std::move(inputs);
  node.outputs = {out};
  node.name = g.tensors[out].name;
  g.nodes.push_back(node);
  return out;
}

TEST(Ranges, QuantizationAndOpsBoundATensor) {
  Graph g;
  const TensorId x = Add(g, {4}, DataType::kInt8, 0.5f, -128);
  EXPECT_EQ(RangeText(*RangeOf(g, x)), "0 to 127.5");
  // The sigmoid bounds what the wide scale behind it could stand for.
  const TensorId s = Apply(g, Op::kLogistic, {x}, Add(g, {4}, DataType::kInt8, 0.5f, -128));
  const TensorId r = Apply(g, Op::kReshape, {s}, Add(g, {2, 2}, DataType::kInt8, 2, -128));
  EXPECT_EQ(RangeText(*RangeOf(g, r)), "0 to 1");
  EXPECT_DOUBLE_EQ(OwnCodes(g, r)->codes, 0.5);
  const TensorId y = Apply(g, Op::kAdd, {x, s}, Add(g, {4}, DataType::kInt8, 4, -128));
  EXPECT_EQ(RangeText(*RangeOf(g, y)), "0 to 128.5");
  EXPECT_FALSE(RangeOf(g, Add(g, {4}, DataType::kFloat32)).has_value());
}

TEST(Ranges, TheNarrowestInputOfAConcatenation) {
  Graph g;
  const TensorId wide = Add(g, {4}, DataType::kInt8, 2, -128);
  const TensorId narrow = Add(g, {4}, DataType::kInt8, 0.01f, -128);
  Apply(g, Op::kConcatenation, {wide, narrow}, Add(g, {8}, DataType::kInt8, 2, -128));
  const auto use = NarrowestInput(g, g.nodes[0]);
  ASSERT_TRUE(use.has_value());
  EXPECT_EQ(use->tensor, narrow);
  EXPECT_NEAR(use->codes, 1.275, 1e-6);
  EXPECT_FALSE(NarrowestInput(g, Node()).has_value());
}

TEST(OsVersion, ComparesPartByPart) {
  EXPECT_LT(CompareOsVersions("10.6", "10.12"), 0);
  EXPECT_EQ(CompareOsVersions("12.0", "12"), 0);
  EXPECT_GT(CompareOsVersions("12.11.77", "12.11"), 0);
  EXPECT_TRUE(OsVersionWithin("11.8.20", "11.7", "11.8"));
  EXPECT_FALSE(OsVersionWithin("11.9", "11.7", "11.8"));
  EXPECT_FALSE(OsVersionWithin("12.11.78", "12.10", "12.11.77"));
  EXPECT_TRUE(OsVersionWithin("9.80", "", "10.6"));
  EXPECT_TRUE(CheckOsVersion("12.11.77").ok());
  for (const char* wrong : {"", "12.", "newest", "12..1", "-1"}) {
    EXPECT_FALSE(CheckOsVersion(wrong).ok()) << wrong;
  }
}

TEST(Firmware, SaysWhichOpVersionsItReads) {
  const Result<FirmwareTable> table = LoadFirmware();
  ASSERT_TRUE(table.ok()) << table.error().message;
  const Firmware* old = table->Find("10.6");
  ASSERT_NE(old, nullptr);
  EXPECT_EQ(old->tflite, "2.3.1");
  EXPECT_EQ(table->Find("12.0"), nullptr);
  EXPECT_EQ(table->NewestVersion("QUANTIZE", "2.3.1"), 2);
  EXPECT_EQ(table->NewestVersion("QUANTIZE", "2.7.0"), 3);
  EXPECT_EQ(table->NewestVersion("GELU", "2.3.1"), 0);
  EXPECT_FALSE(table->NewestVersion("NO_SUCH_OP", "2.3.1").has_value());
}

TEST(Firmware, MistakesAreNamed) {
  const std::string good =
      "[sources]\nx = 'X'\n[op_versions]\nsource = 'x'\nconfidence = 'derived'\n"
      "[op_versions.releases]\nADD = ['1.5', '1.14']\n";
  ASSERT_TRUE(ParseFirmware(good, "f.toml").ok());
  std::string bad = good;
  bad.replace(bad.find("'1.14'"), 6, "'soon'");
  const auto parsed = ParseFirmware(bad, "f.toml");
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(parsed.error().message, HasSubstr("'soon'"));
}

TEST(ModelValues, PeakCountsWhatIsAliveAtOnce) {
  Graph g;
  const TensorId a = Add(g, {100});
  const TensorId b = Apply(g, Op::kRelu, {a}, Add(g, {100}));
  const TensorId c = Apply(g, Op::kRelu, {b}, Add(g, {100}));
  const TensorId d = Apply(g, Op::kAdd, {b, c}, Add(g, {100}));  // b waits: three at once
  g.inputs = {a};
  g.outputs = {d};
  EXPECT_EQ(FactsOf(g, Partition()).activation_bytes, 300);
}

TEST(ModelValues, FloatIslandsAreTheConnectedOnes) {
  Graph g;
  const TensorId x = Apply(g, Op::kRelu, {Add(g, {4})}, Add(g, {4}));
  std::vector<TensorId> ends;
  for (int i = 0; i < 2; ++i) {
    TensorId f = Apply(g, Op::kDequantize, {x}, Add(g, {4}, DataType::kFloat32));
    f = Apply(g, Op::kExp, {f}, Add(g, {4}, DataType::kFloat32));
    if (i == 0) f = Apply(g, Op::kSqrt, {f}, Add(g, {4}, DataType::kFloat32));
    ends.push_back(f);
  }
  const auto islands = FindFloatIslands(g);
  ASSERT_EQ(islands.size(), 2u);
  EXPECT_EQ(islands[0].nodes.size(), 2u);
  EXPECT_EQ(islands[1].nodes.size(), 1u);
  // A model that is float all through has none.
  Graph all;
  Apply(all, Op::kExp, {Add(all, {4}, DataType::kFloat32)}, Add(all, {4}, DataType::kFloat32));
  EXPECT_TRUE(FindFloatIslands(all).empty());
}

}  // namespace
}  // namespace dlpu
