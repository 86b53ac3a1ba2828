// SPDX-License-Identifier: Apache-2.0
// Values of nodes: attributes, extents, constants and scales, as conditions ask for them.
#include "target/node_values.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace dlpu {
namespace {

// Builds graphs tensor by tensor; nodes may be of ops the IR has no line for.
struct Builder {
  Graph graph;

  TensorId Add(Shape shape, DataType type = DataType::kInt8, float scale = 0, int64_t zero = 0) {
    Tensor t;
    t.type = type;
    t.shape = std::move(shape);
    if (scale > 0) t.quantization = {{scale}, {zero}, 0};
    graph.tensors.push_back(t);
    return static_cast<TensorId>(graph.tensors.size() - 1);
  }
  TensorId Constant(Shape shape, DataType type, std::vector<uint8_t> data) {
    const TensorId id = Add(std::move(shape), type);
    graph.tensors[id].is_constant = true;
    graph.tensors[id].data = std::move(data);
    return id;
  }
  TensorId Ints(const std::vector<int32_t>& values, Shape shape = {}) {
    std::vector<uint8_t> data(values.size() * 4);
    std::memcpy(data.data(), values.data(), data.size());
    if (shape.empty()) shape = {static_cast<int32_t>(values.size())};
    return Constant(std::move(shape), DataType::kInt32, std::move(data));
  }
  ValueLookup Make(const std::string& op, std::vector<TensorId> inputs,
                   std::vector<TensorId> outputs, Attrs attrs = NoAttrs()) {
    Node node;
    node.op = OpFromName(op);
    if (node.op == Op::kUnknown) {
      // The attributes of an op the IR lacks are not known; those tests use ops it has.
      EXPECT_TRUE(std::holds_alternative<NoAttrs>(attrs)) << op;
      attrs = UnknownAttrs{op, false, {}};
    }
    node.inputs = std::move(inputs);
    node.outputs = std::move(outputs);
    node.attrs = std::move(attrs);
    graph.nodes.assign(1, node);
    return NodeValues(graph, graph.nodes[0]);
  }
};

std::string Get(const ValueLookup& lookup, std::string_view name) {
  const std::optional<Value> value = lookup(name);
  return value ? ValueText(*value) : "?";
}

TEST(NodeValues, Convolution) {
  Builder b;
  const TensorId x = b.Add({1, 20, 30, 8}, DataType::kInt8, 0.5f);
  const TensorId w = b.Constant({16, 3, 5, 8}, DataType::kInt8, std::vector<uint8_t>(1920));
  b.graph.tensors[w].quantization = {std::vector<float>(16, 0.25f), std::vector<int64_t>(16), 0};
  const TensorId y = b.Add({1, 10, 15, 16}, DataType::kInt8, 0.125f, -100);
  ConvAttrs attrs;
  attrs.stride_h = attrs.stride_w = 2;
  attrs.dilation_w = 3;
  attrs.activation = Activation::kRelu6;
  const ValueLookup v = b.Make("CONV_2D", {x, w, kNoTensor}, {y}, attrs);
  const std::pair<const char*, const char*> expected[] = {
      {"activation", "RELU6"},
      {"padding", "SAME"},
      {"stride_h", "2"},
      {"stride_w", "2"},
      {"dilation_h", "1"},
      {"dilation_w", "3"},
      {"kernel_h", "3"},
      {"kernel_w", "5"},
      {"batch", "1"},
      {"in_height", "20"},
      {"in_width", "30"},
      {"in_channels", "8"},
      {"out_height", "10"},
      {"out_width", "15"},
      {"out_channels", "16"},
      {"rank", "4"},
      {"outer_extent", "1"},
      {"rows", "150"},
      {"type", "int8"},
      {"out_type", "int8"},
      {"weights_type", "int8"},
      {"weights_format", "default"},
      {"constant_weights", "1"},
      {"scale_ratio", "1"},
      {"output_scale", "0.125"},
      {"output_zero_offset", "28"},
      {"dynamic", "0"},
      {"weight_scales", "per-channel"},
      {"doubling_h", "-30"},
      {"doubling_w", "-45"},
      {"alpha", "?"},
      {"axis_is_batch", "?"},
      {"resize_factor", "0.5"},
      {"partitions", "?"},
  };
  for (const auto& [name, text] : expected) EXPECT_EQ(Get(v, name), text) << name;
}

TEST(NodeValues, LowRanksReadAsChannels) {
  Builder b;
  const TensorId x = b.Add({4, 100}), y = b.Add({4, -1});
  const ValueLookup v = b.Make("SOFTMAX", {x}, {y});
  EXPECT_EQ(Get(v, "in_channels"), "100");
  EXPECT_EQ(Get(v, "in_width"), "4");
  EXPECT_EQ(Get(v, "in_height"), "1");
  EXPECT_EQ(Get(v, "out_channels"), "?");
  EXPECT_EQ(Get(v, "dynamic"), "1");
  EXPECT_EQ(Get(v, "rank"), "2");
  EXPECT_EQ(Get(v, "weight_scales"), "?");
  EXPECT_EQ(Get(v, "output_scale"), "?");
}

TEST(NodeValues, OuterExtent) {
  Builder b;
  const ValueLookup v = b.Make("TANH", {b.Add({2, 3, 4, 5, 6})}, {b.Add({2, 3, 4, 5, 6})});
  EXPECT_EQ(Get(v, "outer_extent"), "6");
}

TEST(NodeValues, ConstantsAmongCombined) {
  Builder b;
  const TensorId x = b.Add({1, 4, 4, 32}), y = b.Add({1, 4, 4, 32});
  const TensorId c = b.Constant({1, 1, 1, 32}, DataType::kInt8, std::vector<uint8_t>(32, 7));
  b.graph.tensors[c].quantization = {{1.0f}, {7}, 0};
  ValueLookup v = b.Make("MUL", {x, c}, {y});
  EXPECT_EQ(Get(v, "inputs"), "2");
  EXPECT_EQ(Get(v, "constant_inputs"), "1");
  EXPECT_EQ(Get(v, "constant_shape"), "per-channel");
  EXPECT_EQ(Get(v, "constant_is_zero"), "1");  // code 7 is the zero point
  b.graph.tensors[c].data[3] = 8;
  EXPECT_EQ(Get(v, "constant_is_zero"), "0");
  const TensorId s = b.Constant({}, DataType::kInt8, {1});
  EXPECT_EQ(Get(b.Make("MUL", {x, s}, {y}), "constant_shape"), "scalar");
  const TensorId z = b.Add({1, 4, 4, 48});
  v = b.Make("MAXIMUM", {x, z}, {y});
  EXPECT_EQ(Get(v, "constant_shape"), "none");
  EXPECT_EQ(Get(v, "channels_gcd"), "16");
}

TEST(NodeValues, ScalesOfAJoin) {
  Builder b;
  const TensorId x = b.Add({1, 4, 4, 32}, DataType::kInt8, 0.5f);
  const TensorId z = b.Add({1, 4, 4, 16}, DataType::kInt8, 2.0f);
  const TensorId y = b.Add({1, 4, 4, 48}, DataType::kInt8, 0.25f);
  EXPECT_EQ(Get(b.Make("CONCATENATION", {x, z}, {y}), "concat_scale_ratio"), "8");
}

TEST(NodeValues, PaddingAndSlices) {
  Builder b;
  const TensorId x = b.Add({1, 4, 4, 8}), y = b.Add({1, 9, 4, 8});
  const TensorId pads = b.Ints({0, 0, 2, 3, 0, 0, 0, 1}, {4, 2});
  ValueLookup v = b.Make("PAD", {x, pads}, {y});
  EXPECT_EQ(Get(v, "pad_batch"), "0");
  EXPECT_EQ(Get(v, "pad_max_hw"), "3");
  EXPECT_EQ(Get(v, "pad_channels"), "1");
  v = b.Make("STRIDED_SLICE", {x, b.Ints({0}), b.Ints({4}), b.Ints({1, 2, 1, 1})}, {y});
  EXPECT_EQ(Get(v, "slice_stride_max"), "2");
  v = b.Make("PRELU", {x, b.Constant({1, 1, 8}, DataType::kInt8, std::vector<uint8_t>(8))}, {y});
  EXPECT_EQ(Get(v, "alpha_shape"), "per-channel");
}

TEST(NodeValues, Axes) {
  Builder b;
  const TensorId x = b.Add({2, 4, 4, 8}), y = b.Add({2, 4, 4, 4});
  ValueLookup v = b.Make("SPLIT", {b.Ints({-1}), x}, {y, y});
  EXPECT_EQ(Get(v, "axis_is_channel"), "1");
  EXPECT_EQ(Get(v, "axis_is_batch"), "0");
  EXPECT_EQ(Get(v, "out_channels_gcd"), "4");
  EXPECT_EQ(Get(v, "in_channels"), "8");  // of the tensor that is split, not of the axis
  // Not known before the run: the axis is no constant.
  EXPECT_EQ(Get(b.Make("SPLIT", {b.Add({}, DataType::kInt32), x}, {y, y}), "axis_is_channel"), "?");
  if (OpFromName("MEAN") == Op::kUnknown) GTEST_SKIP() << "the IR has no MEAN yet";
  v = b.Make("MEAN", {x, b.Ints({1, 2})}, {y}, ReduceAttrs());
  EXPECT_EQ(Get(v, "reduces_space"), "1");
  EXPECT_EQ(Get(v, "reduces_batch"), "0");
  EXPECT_EQ(Get(v, "reduces_channels"), "0");
}

TEST(NodeValues, PoolingWindowsAreKernels) {
  Builder b;
  const TensorId x = b.Add({1, 4, 4, 8});
  Node node;
  node.inputs = {x};
  node.outputs = {x};
  PoolAttrs attrs;
  attrs.filter_h = 2;
  attrs.filter_w = 3;
  node.attrs = attrs;  // whatever the op, these are its attributes
  b.graph.nodes = {node};
  const ValueLookup v = NodeValues(b.graph, b.graph.nodes[0]);
  EXPECT_EQ(Get(v, "kernel_h"), "2");
  EXPECT_EQ(Get(v, "kernel_w"), "3");
  EXPECT_EQ(Get(v, "stride_h"), "1");
}

}  // namespace
}  // namespace dlpu
