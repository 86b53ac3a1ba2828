// SPDX-License-Identifier: Apache-2.0
// Forms of quantized graphs and cross-layer equalization, on graphs written as text.
#include "passes/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "ir/verify.h"
#include "passes/compile.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

// Float graphs built node by node; every tensor has the range that facts() gives it.
class Net {
 public:
  Graph graph;
  TensorFacts facts;

  TensorId Add(const std::string& name, Shape shape, RealRange range = {-1, 1}) {
    Tensor tensor;
    tensor.name = name;
    tensor.shape = std::move(shape);
    graph.tensors.push_back(tensor);
    facts.ranges.push_back(range);
    facts.means.emplace_back();
    facts.lows.emplace_back();
    facts.highs.emplace_back();
    return static_cast<TensorId>(graph.tensors.size() - 1);
  }
  TensorId In(const std::string& name, Shape shape, RealRange range = {-1, 1}) {
    graph.inputs.push_back(Add(name, std::move(shape), range));
    return graph.inputs.back();
  }
  TensorId Const(const std::string& name, Shape shape, const std::vector<float>& values) {
    const TensorId id = Add(name, std::move(shape));
    graph.tensors[id].is_constant = true;
    SetFloatValues(graph.tensors[id], values);
    facts.ranges[id].reset();
    return id;
  }
  TensorId Random(const std::string& name, Shape shape, float scale = 0.5f) {
    std::vector<float> values(static_cast<size_t>(ElementCount(shape)));
    for (float& v : values) v = scale * uniform_(random_);
    return Const(name, std::move(shape), values);
  }
  TensorId Node(Op op, std::vector<TensorId> inputs, TensorId output, Attrs attrs) {
    dlpu::Node node;
    node.op = op;
    node.name = graph.tensors[output].name;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attrs = std::move(attrs);
    graph.nodes.push_back(node);
    return output;
  }
  TensorId Node(Op op, std::vector<TensorId> inputs, TensorId output) {
    return Node(op, std::move(inputs), output, DefaultAttrs(op));
  }
  // A 3x3 convolution, stride 1, padding SAME.
  TensorId Conv(TensorId x, const std::string& name, int32_t filters,
                Activation activation = Activation::kNone, bool depthwise = false) {
    const Shape in = graph.tensors[x].shape;
    const int32_t out_c = depthwise ? in[3] : filters;
    const TensorId w =
        Random(name + "/w", depthwise ? Shape{1, 3, 3, out_c} : Shape{filters, 3, 3, in[3]});
    const TensorId b = Random(name + "/b", {out_c}, 0.1f);
    ConvAttrs attrs;
    attrs.activation = activation;
    if (depthwise) attrs.depth_multiplier = 1;
    return Node(depthwise ? Op::kDepthwiseConv2d : Op::kConv2d, {x, w, b},
                Add(name, {in[0], in[1], in[2], out_c}), attrs);
  }
  void Out(TensorId id) { graph.outputs.push_back(id); }

 private:
  std::mt19937 random_{7};
  std::uniform_real_distribution<float> uniform_{-1, 1};
};

Quantized Quantize(const Net& net, QuantScheme scheme) {
  QuantizeOptions options;
  options.scheme = scheme;
  Result<Quantized> result = QuantizeGraph(net.graph, net.facts, options);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return *std::move(result);
}

const Node* Find(const Graph& graph, Op op) {
  for (const Node& node : graph.nodes) {
    if (node.op == op) return &node;
  }
  return nullptr;
}

TEST(QuantizeNumbers, ActivationHoldsZeroAndItsEnds) {
  const Quantization q = ActivationQuantization({-1, 3}, DataType::kInt8);
  EXPECT_FLOAT_EQ(q.scale0(), 4.0f / 255);
  EXPECT_EQ(q.zero0(), -64);
  EXPECT_EQ(ActivationQuantization({0, 6}, DataType::kInt8).zero0(), -128);
  EXPECT_EQ(ActivationQuantization({2, 6}, DataType::kUInt8).zero0(), 0);
  EXPECT_EQ(ActivationQuantization({-6, -2}, DataType::kUInt8).zero0(), 255);
  const Quantization wide = ActivationQuantization({-2, 1}, DataType::kInt16);
  EXPECT_EQ(wide.zero0(), 0);
  EXPECT_FLOAT_EQ(wide.scale0(), 2.0f / 32767);
  // No values at all: any scale, and it is positive.
  EXPECT_GT(ActivationQuantization({0, 0}, DataType::kInt8).scale0(), 0);
}

TEST(QuantizeNumbers, WeightsAreSymmetricPerChannel) {
  Tensor weights;
  weights.shape = {2, 1, 1, 2};
  SetFloatValues(weights, std::vector<float>{1.0f, -0.5f, 0.001f, 0.0005f});
  const QuantizedWeights q = QuantizeWeights(weights, 0, true, false, WeightRange::kMinMax, {});
  ASSERT_EQ(q.quantization.scale.size(), 2u);
  EXPECT_FLOAT_EQ(q.quantization.scale[1], 0.001f / 127);
  EXPECT_EQ(static_cast<int8_t>(q.codes[0]), 127);
  EXPECT_EQ(static_cast<int8_t>(q.codes[1]), -64);
  EXPECT_EQ(static_cast<int8_t>(q.codes[2]), 127);
  const QuantizedWeights one = QuantizeWeights(weights, 0, false, false, WeightRange::kMinMax, {});
  EXPECT_EQ(one.quantization.scale.size(), 1u);
  EXPECT_EQ(static_cast<int8_t>(one.codes[2]), 0);  // lost under one scale
}

TEST(QuantizeNumbers, LeastSquaresClipsAnOutlier) {
  Tensor weights;
  weights.shape = {1, 1, 1, 400};
  std::vector<float> values(400);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.01f * static_cast<float>(i % 20);
  values[7] = 0.35f;
  SetFloatValues(weights, values);
  const auto error = [&](WeightRange how) {
    const QuantizedWeights q = QuantizeWeights(weights, 0, false, false, how, {});
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      sum += std::pow(static_cast<double>(q.real[i]) - static_cast<double>(values[i]), 2);
    }
    return sum;
  };
  EXPECT_LE(error(WeightRange::kMse), error(WeightRange::kMinMax));
}

TEST(QuantizeGraph, ConvolutionHasTheFormsOfTheSpecification) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3});
  net.Out(net.Conv(x, "conv", 8, Activation::kRelu));
  for (const QuantScheme scheme : {QuantScheme::kInt8PerChannel, QuantScheme::kInt8PerTensor,
                                   QuantScheme::kUint8PerTensor, QuantScheme::kInt16x8}) {
    SCOPED_TRACE(SchemeName(scheme));
    const Quantized q = Quantize(net, scheme);
    const Node* conv = Find(q.graph, Op::kConv2d);
    ASSERT_NE(conv, nullptr);
    const Tensor &in = q.graph.tensors[conv->inputs[0]], &w = q.graph.tensors[conv->inputs[1]],
                 &b = q.graph.tensors[conv->inputs[2]];
    const bool wide = scheme == QuantScheme::kInt16x8;
    const bool channels = wide || scheme == QuantScheme::kInt8PerChannel;
    EXPECT_EQ(in.type, ActivationType(scheme));
    EXPECT_EQ(w.type, scheme == QuantScheme::kUint8PerTensor ? DataType::kUInt8 : DataType::kInt8);
    EXPECT_EQ(b.type, wide ? DataType::kInt64 : DataType::kInt32);
    EXPECT_EQ(w.quantization.scale.size(), channels ? 8u : 1u);
    for (size_t c = 0; c < w.quantization.scale.size(); ++c) {
      EXPECT_FLOAT_EQ(b.quantization.scale[c], in.quantization.scale0() * w.quantization.scale[c]);
    }
    EXPECT_TRUE(q.float_nodes.empty());
    EXPECT_TRUE(Compile(q.graph, {}).ok());
  }
}

TEST(QuantizeGraph, PrescribedOutputsAndSharedScales) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 4}, {-3, 3});
  const TensorId pool = net.Add("pool", {1, 2, 2, 4}, {-2, 3});
  PoolAttrs attrs;
  attrs.filter_h = attrs.filter_w = attrs.stride_h = attrs.stride_w = 2;
  net.Node(Op::kMaxPool2d, {x}, pool, attrs);
  const TensorId probability = net.Add("probability", {1, 2, 2, 4}, {0.1f, 0.9f});
  net.Node(Op::kLogistic, {pool}, probability);
  net.Out(probability);
  const Quantized q = Quantize(net, QuantScheme::kInt8PerChannel);
  const Node *pooling = Find(q.graph, Op::kMaxPool2d), *logistic = Find(q.graph, Op::kLogistic);
  ASSERT_TRUE(pooling != nullptr && logistic != nullptr);
  EXPECT_EQ(q.graph.tensors[pooling->inputs[0]].quantization,
            q.graph.tensors[pooling->outputs[0]].quantization);
  EXPECT_EQ(q.graph.tensors[logistic->outputs[0]].quantization,
            (Quantization{{1.0f / 256}, {-128}, 0}));
}

TEST(QuantizeGraph, ConcatenationRequantizesWhatOthersReadToo) {
  Net net;
  const TensorId x = net.In("x", {1, 2, 2, 2}, {-10, 10});
  const TensorId small = net.Add("small", {1, 2, 2, 2}, {0, 0.1f});
  net.Node(Op::kRelu, {x}, small);
  const TensorId joint = net.Add("joint", {1, 2, 2, 4}, {-10, 10});
  ConcatenationAttrs attrs;
  attrs.axis = 3;
  net.Node(Op::kConcatenation, {x, small}, joint, attrs);
  const TensorId other = net.Add("other", {1, 2, 2, 2}, {0, 0.1f});
  net.Node(Op::kRelu, {small}, other);
  const TensorId end = net.Add("end", {1, 2, 2, 4}, {0, 10});
  net.Node(Op::kRelu, {joint}, end);
  net.Out(end);
  net.Out(other);
  const Quantized q = Quantize(net, QuantScheme::kInt8PerTensor);
  const Node* concatenation = Find(q.graph, Op::kConcatenation);
  ASSERT_NE(concatenation, nullptr);
  const Quantization& out = q.graph.tensors[concatenation->outputs[0]].quantization;
  for (const TensorId id : concatenation->inputs) {
    EXPECT_EQ(q.graph.tensors[id].quantization, out);
  }
  EXPECT_NE(Find(q.graph, Op::kQuantize), nullptr);
  EXPECT_TRUE(Compile(q.graph, {}).ok());
}

TEST(QuantizeGraph, AnOpWithoutIntegerFormStaysFloat) {
  Net net;
  const TensorId x = net.In("x", {1, 2, 2, 2});
  const TensorId y = net.Conv(x, "conv", 2);
  const TensorId z = net.Add("sine", {1, 2, 2, 2});
  net.Node(Op::kSin, {y}, z);
  net.Out(net.Conv(z, "last", 2));
  const Quantized q = Quantize(net, QuantScheme::kInt8PerChannel);
  ASSERT_EQ(q.float_nodes, std::vector<std::string>{"SIN 'sine'"});
  EXPECT_NE(Find(q.graph, Op::kDequantize), nullptr);
  EXPECT_TRUE(Compile(q.graph, {}).ok());
}

TEST(QuantizeGraph, BordersInTheTypeAskedFor) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3}, {0, 1});
  net.Out(net.Conv(x, "conv", 2));
  QuantizeOptions options;
  options.input_type = DataType::kUInt8;
  options.output_type = DataType::kFloat32;
  const Result<Quantized> q = QuantizeGraph(net.graph, net.facts, options);
  ASSERT_TRUE(q.ok()) << q.error().message;
  const Tensor& in = q->graph.tensors[q->graph.inputs[0]];
  EXPECT_EQ(in.name, "x");
  EXPECT_EQ(in.type, DataType::kUInt8);
  EXPECT_EQ(in.quantization.zero0(), 0);
  const Tensor& out = q->graph.tensors[q->graph.outputs[0]];
  EXPECT_EQ(out.name, "conv");
  EXPECT_EQ(out.type, DataType::kFloat32);
  EXPECT_TRUE(Compile(q->graph, {}).ok());
}

TEST(QuantizeGraph, MixedTypesAreConvertedBetween) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3});
  net.Out(net.Conv(net.Conv(x, "first", 4), "second", 2));
  QuantizeOptions options;
  options.node_types["second"] = DataType::kInt16;
  const Result<Quantized> q = QuantizeGraph(net.graph, net.facts, options);
  ASSERT_TRUE(q.ok()) << q.error().message;
  EXPECT_EQ(q->graph.tensors[q->graph.outputs[0]].type, DataType::kInt16);
  EXPECT_NE(Find(q->graph, Op::kQuantize), nullptr);
  EXPECT_TRUE(Compile(q->graph, {}).ok());
}

TEST(QuantizeGraph, WhatCannotBeCodedIsNamed) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3});
  net.Out(net.Conv(x, "conv", 2));
  Net broken = net;
  std::vector<float> values = FloatValues(broken.graph.tensors[1]);
  values[5] = std::nanf("");
  SetFloatValues(broken.graph.tensors[1], values);
  const Result<Quantized> nan = QuantizeGraph(broken.graph, broken.facts, {});
  ASSERT_FALSE(nan.ok());
  EXPECT_NE(nan.error().message.find("'conv/w': element 5"), std::string::npos);
  net.facts.ranges[net.graph.outputs[0]].reset();
  const Result<Quantized> unseen = QuantizeGraph(net.graph, net.facts, {});
  ASSERT_FALSE(unseen.ok());
  EXPECT_NE(unseen.error().message.find("'conv' has no range"), std::string::npos);
}

// --- Equalization ---

// All outputs of a float graph for one random input, by the reference kernels.
std::vector<float> Evaluate(Graph graph, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (const TensorId id : graph.inputs) {
    Tensor& tensor = graph.tensors[id];
    std::vector<float> values(static_cast<size_t>(ElementCount(tensor.shape)));
    for (float& v : values) v = uniform(random);
    SetFloatValues(tensor, values);
    tensor.is_constant = true;
  }
  for (const Node& node : graph.nodes) {
    EXPECT_TRUE(InferNode(graph, node).ok());
    const Status status = EvaluateNode(graph, node);
    EXPECT_TRUE(status.ok()) << status.error().message;
  }
  std::vector<float> all;
  for (const TensorId id : graph.outputs) {
    const std::vector<float> values = FloatValues(graph.tensors[id]);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

void ExpectSameFunction(const Graph& before, const Graph& after) {
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    const std::vector<float> a = Evaluate(before, seed), b = Evaluate(after, seed);
    ASSERT_EQ(a.size(), b.size());
    float top = 0;
    for (const float v : a) top = std::max(top, std::fabs(v));
    ASSERT_GT(top, 0);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5f * top) << i;
  }
}

// Blows up the output channels of a layer by 1:1000 and takes that back in the next layer.
void BlowUp(Graph& graph, TensorId weights, TensorId bias, TensorId next, int next_axis) {
  std::vector<float> w = FloatValues(graph.tensors[weights]), b = FloatValues(graph.tensors[bias]),
                     n = FloatValues(graph.tensors[next]);
  const AxisIndex out =
      IndexAlong(graph.tensors[weights].shape, graph.tensors[weights].shape[0] == 1 ? 3 : 0);
  const AxisIndex in = IndexAlong(graph.tensors[next].shape, next_axis);
  const auto scale = [](size_t c) { return c % 2 == 0 ? 1000.0f : 1.0f; };
  for (size_t i = 0; i < w.size(); ++i) w[i] *= scale(out(i));
  for (size_t i = 0; i < b.size(); ++i) b[i] *= scale(i);
  for (size_t i = 0; i < n.size(); ++i) n[i] /= scale(in(i));
  SetFloatValues(graph.tensors[weights], w);
  SetFloatValues(graph.tensors[bias], b);
  SetFloatValues(graph.tensors[next], n);
}

TEST(Equalize, TakesABlowUpBackAndKeepsTheFunction) {
  Net net;
  const TensorId x = net.In("x", {1, 5, 5, 3});
  const TensorId a = net.Conv(x, "a", 8, Activation::kRelu);
  const TensorId b = net.Conv(a, "b", 8, Activation::kRelu, true);
  net.Out(net.Conv(b, "c", 4));
  // Tensors: x, a/w, a/b, a, b/w, b/b, b, c/w, c/b, c.
  BlowUp(net.graph, 1, 2, 4, 3);
  EXPECT_GT(ChannelRangeRatios(net.graph)["a"], 500);
  Graph after = net.graph;
  const Result<Equalization> done = EqualizeLayers(after, net.facts);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->layers, 3);
  EXPECT_GT(done->widest, 100);
  EXPECT_LT(ChannelRangeRatios(after)["a"], 4);
  ExpectSameFunction(net.graph, after);
}

TEST(Equalize, GoesThroughPreluPoolsMeansSumsAndFlattening) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3});
  const TensorId a = net.Conv(x, "a", 6);
  const TensorId slopes = net.Random("slopes", {1, 1, 6}, 0.3f);
  const TensorId p = net.Node(Op::kPrelu, {a, slopes}, net.Add("p", {1, 4, 4, 6}));
  const TensorId b = net.Conv(p, "b", 6);
  const TensorId sum = net.Node(Op::kAdd, {p, b}, net.Add("sum", {1, 4, 4, 6}));
  PoolAttrs pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 2;
  const TensorId q = net.Node(Op::kAveragePool2d, {sum}, net.Add("q", {1, 2, 2, 6}), pool);
  ReshapeAttrs reshape;
  reshape.new_shape = {1, 24};
  const TensorId flat = net.Node(Op::kReshape, {q}, net.Add("flat", {1, 24}), reshape);
  const TensorId w = net.Random("fc/w", {5, 24});
  const TensorId bias = net.Random("fc/b", {5});
  net.Out(net.Node(Op::kFullyConnected, {flat, w, bias}, net.Add("fc", {1, 5})));
  // One channel of the region is far larger than the others.
  std::vector<float> wide = FloatValues(net.graph.tensors[1]);
  for (size_t i = 0; i < 27; ++i) wide[i] *= 100;
  SetFloatValues(net.graph.tensors[1], wide);
  Graph after = net.graph;
  const Result<Equalization> done = EqualizeLayers(after, net.facts);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->layers, 3);
  ExpectSameFunction(net.graph, after);
}

TEST(Equalize, Relu6KeepsChannelsThatReachSix) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3});
  const TensorId a = net.Conv(x, "a", 4, Activation::kRelu6);
  net.Out(net.Conv(a, "b", 2));
  for (const TensorId id : {TensorId{1}, TensorId{2}}) {
    std::vector<float> values = FloatValues(net.graph.tensors[id]);
    for (size_t i = 0; i < values.size(); ++i) {
      if (i / (values.size() / 4) == 0) values[i] *= 50;     // clips
      if (i / (values.size() / 4) == 1) values[i] *= 0.01f;  // tiny
    }
    SetFloatValues(net.graph.tensors[id], values);
  }
  net.facts.highs[a] = {6, 0.1f, 5, 3};
  Graph after = net.graph;
  ASSERT_TRUE(EqualizeLayers(after, net.facts).ok());
  ExpectSameFunction(net.graph, after);
  // The tiny channel was enlarged, as far as it stays below 6.
  EXPECT_LT(ChannelRangeRatios(after)["a"], ChannelRangeRatios(net.graph)["a"] / 3);
}

TEST(Equalize, TakesWeightsFromDeadChannels) {
  Net net;
  const TensorId x = net.In("x", {1, 5, 5, 3});
  const TensorId a = net.Conv(x, "a", 4, Activation::kRelu6);
  const TensorId b = net.Conv(a, "b", 4, Activation::kRelu6, true);
  net.Out(net.Conv(b, "c", 2));
  // Tensors: x, a/w, a/b, a, b/w, b/b, b, c/w, c/b, c.
  const auto edit = [&](TensorId id, size_t inner, const std::vector<float>& factors) {
    std::vector<float> values = FloatValues(net.graph.tensors[id]);
    for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[i / inner % factors.size()];
    SetFloatValues(net.graph.tensors[id], values);
  };
  edit(1, 27, {0, 1, 1, 1});  // channel 0: zero behind RELU6, for its bias is negative,
  SetFloatValues(net.graph.tensors[2], std::vector<float>{-1, 0.1f, 0.1f, 0.1f});
  edit(4, 1, {500, 1, 1, 300});       // which is read with the largest weights
  edit(7, 1, {1, 1, 1, 0});           // channel 3: written with large weights and not read
  net.facts.highs[3] = {0, 2, 2, 2};  // a
  net.facts.highs[6] = {1, 2, 2, 6};  // b
  Graph after = net.graph;
  const Result<Equalization> done = EqualizeLayers(after, net.facts);
  ASSERT_TRUE(done.ok());
  // Channel 0 of a; channel 3 of b and then of a.
  EXPECT_EQ(done->silenced, 3);
  const std::vector<float> weights = FloatValues(after.tensors[4]);
  for (size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(weights[i] == 0, i % 4 == 0 || i % 4 == 3) << i;
  }
  EXPECT_EQ(FloatValues(after.tensors[5])[3], 0);
  ExpectSameFunction(net.graph, after);
}

TEST(Equalize, LeavesWhatTheModelShows) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3});
  const TensorId a = net.Conv(x, "a", 4, Activation::kRelu);
  net.Out(a);
  net.Out(net.Conv(a, "b", 2));
  Graph after = net.graph;
  const Result<Equalization> done = EqualizeLayers(after, net.facts);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->layers, 0);
  EXPECT_EQ(after.tensors[1].data, net.graph.tensors[1].data);
}

TEST(Dequantize, BringsBackWhatCodesStandFor) {
  Net net;
  const TensorId x = net.In("x", {1, 4, 4, 3});
  net.Out(net.Conv(x, "conv", 8, Activation::kRelu));
  const Quantized q = Quantize(net, QuantScheme::kInt8PerChannel);
  const Result<Dequantized> back = DequantizeGraph(q.graph);
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_TRUE(Verify(back->graph).ok());
  const Node* conv = Find(back->graph, Op::kConv2d);
  ASSERT_NE(conv, nullptr);
  const std::vector<float> weights = FloatValues(back->graph.tensors[conv->inputs[1]]);
  const std::vector<float> original = FloatValues(net.graph.tensors[1]);
  ASSERT_EQ(weights.size(), original.size());
  for (size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(weights[i], original[i], 0.5f / 127);
  ASSERT_TRUE(back->ranges[back->graph.inputs[0]].has_value());
  EXPECT_NEAR(back->ranges[back->graph.inputs[0]]->high, 1, 0.01);
}

}  // namespace
}  // namespace dlpu
