// SPDX-License-Identifier: Apache-2.0
// Structural changes of float models on the way to integers: heads, post-processing, replaced ops,
// and networks that one weight scale kills.
#include "app/structure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "app/quantize.h"
#include "app/recipe.h"
#include "app/small_net.h"
#include "ir/text.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

// Values from -1 to 1, or from `low` to `high`.
std::vector<float> Random(int64_t count, uint32_t seed, float low = -1, float high = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> any(low, high);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = any(generator);
  return values;
}

// `samples` random inputs for the model's only input.
CalibrationSet RandomSet(const LoadedModel& model, int samples, float low = -1, float high = 1) {
  Shape shape = model.graph.tensors[static_cast<size_t>(model.graph.inputs[0])].shape;
  NpyArray array;
  array.shape = shape;
  array.shape[0] = samples;
  const std::vector<float> values = Random(ElementCount(array.shape), 7, low, high);
  array.data.resize(values.size() * sizeof(float));
  std::memcpy(array.data.data(), values.data(), array.data.size());
  CalibrationSet set;
  set.source = "random";
  set.arrays["arr_0"] = std::move(array);
  return set;
}

LoadedModel ModelOf(const std::string& text) {
  LoadedModel model;
  model.path = "net";
  model.format = "tflite";
  Result<Graph> graph = ParseGraph(text);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  if (graph.ok()) model.graph = *std::move(graph);
  return model;
}

Result<QuantizeReport> Made(const LoadedModel& model, const QuantizeSettings& settings,
                            const CalibrationSet& set) {
  return Quantize(model, settings, set, 1, nullptr);
}

QuantizeSettings Plain(QuantScheme scheme) {
  QuantizeSettings settings;
  settings.scheme = scheme;
  return settings;
}

// Boxes in pixels beside scores of 0 to 1, as YOLO exports have them, from one input.
constexpr const char* kYolo = R"(dlpu-graph 1
tensor %0 "in" float32 1x4x6
tensor %1 "pixels" float32 1 const=hex:00002044
tensor %2 "boxes" float32 1x4x6
tensor %3 "scores" float32 1x4x6
tensor %4 "head" float32 1x8x6
node MUL "boxes" (%0 %1) -> (%2)
node LOGISTIC "scores" (%0) -> (%3)
node CONCATENATION "head" (%2 %3) -> (%4) {axis=1}
inputs (%0)
outputs (%4)
)";

TEST(Structure, AHeadOfConflictingRangesIsSplitAndItsScoresLive) {
  const LoadedModel model = ModelOf(kYolo);
  const CalibrationSet set = RandomSet(model, 8);
  QuantizeSettings settings = Plain(QuantScheme::kInt8PerTensor);
  const auto fixed = Made(model, settings, set);
  ASSERT_TRUE(fixed.ok()) << fixed.error().message;
  ASSERT_EQ(fixed->graph.outputs.size(), 2u);
  ASSERT_EQ(fixed->structure.done.size(), 1u) << QuantizeText(*fixed);
  EXPECT_THAT(fixed->structure.done[0].what, HasSubstr("'scores'"));
  EXPECT_THAT(fixed->structure.done[0].what, HasSubstr("codes"));
  const StructureProof& proof = fixed->structure.proofs.back();
  EXPECT_EQ(proof.kind, "split-head");
  EXPECT_EQ(proof.inputs, 8);
  EXPECT_EQ(proof.largest, 0);
  EXPECT_TRUE(proof.exact);
  EXPECT_GT(fixed->losses[1].sqnr_db, 40);
  EXPECT_THAT(QuantizeText(*fixed), HasSubstr("proved split-head"));
  EXPECT_EQ(QuantizeJson(*fixed)["structure"]["proofs"].back()["kind"], "split-head");
  settings.fix = false;
  const auto left = Made(model, settings, set);
  ASSERT_TRUE(left.ok()) << left.error().message;
  EXPECT_EQ(left->graph.outputs.size(), 1u);
  EXPECT_TRUE(left->structure.done.empty());
}

// Displacements to 60 and a score to 1 that one convolution makes, beside a channel that none
// reads.
constexpr const char* kSliced = R"(dlpu-graph 1
tensor %0 "in" float32 1x4x4x1
tensor %1 "w" float32 4x1x1x1 const=hex:0000803f000070420000704200007a44
tensor %2 "b" float32 4 const=hex:00000000000000000000803f00000000
tensor %3 "size" int32 2 const=hex:0800000008000000
tensor %4 "zero" int32 4 const=hex:00000000000000000000000000000000
tensor %5 "one" int32 4 const=hex:00000000000000000000000001000000
tensor %6 "size1" int32 4 const=hex:ffffffffffffffffffffffff01000000
tensor %7 "size2" int32 4 const=hex:ffffffffffffffffffffffff02000000
tensor %8 "map" float32 1x4x4x4
tensor %9 "wide" float32 1x8x8x4
tensor %10 "score" float32 1x8x8x1
tensor %11 "moves" float32 1x8x8x2
node CONV_2D "map" (%0 %1 %2) -> (%8) {padding=same}
node RESIZE_BILINEAR "wide" (%8 %3) -> (%9)
node SLICE "score" (%9 %4 %6) -> (%10)
node SLICE "moves" (%9 %5 %7) -> (%11)
inputs (%0)
outputs (%10 %11)
)";

TEST(Structure, ChannelsThatAreSlicedApartGetAConvolutionAndAScaleEach) {
  const LoadedModel model = ModelOf(kSliced);
  const CalibrationSet set = RandomSet(model, 8);
  for (const QuantScheme scheme : {QuantScheme::kInt8PerTensor, QuantScheme::kInt8PerChannel}) {
    QuantizeSettings settings = Plain(scheme);
    settings.keep_outputs = true;
    const auto made = Made(model, settings, set);
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_EQ(made->structure.done.size(), 1u) << QuantizeText(*made);
    EXPECT_EQ(made->structure.done[0].kind, "split-channels");
    EXPECT_THAT(made->structure.done[0].what, HasSubstr("'score'"));
    EXPECT_EQ(made->structure.proofs.back().largest, 0);
    EXPECT_EQ(made->graph.outputs.size(), 2u);
    ASSERT_EQ(made->losses.size(), 2u);
    EXPECT_GT(made->losses[0].sqnr_db, 35);
    EXPECT_GT(made->losses[1].sqnr_db, 35);
    const auto is_slice = [](const Node& node) { return node.op == Op::kSlice; };
    EXPECT_EQ(std::ranges::count_if(made->graph.nodes, is_slice), 0);
  }
  QuantizeSettings none = Plain(QuantScheme::kInt8PerTensor);
  none.fix = false;
  const auto asked_not = Made(model, none, set);
  ASSERT_TRUE(asked_not.ok()) << asked_not.error().message;
  EXPECT_TRUE(asked_not->structure.done.empty());
  // 16 bits have codes enough; a slice of places rather than channels stays.
  const auto wide = Made(model, Plain(QuantScheme::kInt16x8), set);
  ASSERT_TRUE(wide.ok()) << wide.error().message;
  EXPECT_TRUE(wide->structure.done.empty());
  LoadedModel places = model;
  places.graph.tensors[6].data[4] = 4;
  std::fill_n(places.graph.tensors[6].data.begin() + 5, 3, uint8_t{0});
  places.graph.tensors[10].shape = {1, 4, 8, 1};
  const auto left = Made(places, Plain(QuantScheme::kInt8PerTensor), set);
  ASSERT_TRUE(left.ok()) << left.error().message;
  EXPECT_TRUE(left->structure.done.empty()) << QuantizeText(*left);
}

// A convolution, then boxes, scores and the detection post-processing.
LoadedModel Ssd() {
  LoadedModel model = ModelOf(R"(dlpu-graph 1
tensor %0 "in" float32 1x20x30x1
tensor %1 "w4" float32 4x1x1x1 const=hex:0000803f000000bf0000003f0000403f
tensor %2 "b4" float32 4 const=hex:00000000000000000000000000000000
tensor %3 "w3" float32 3x1x1x1 const=hex:000080bf0000a0400000a0c0
tensor %4 "b3" float32 3 const=hex:000000000000003f0000003f
tensor %5 "box_map" float32 1x20x30x4
tensor %6 "score_map" float32 1x20x30x3
tensor %7 "boxes" float32 1x600x4
tensor %8 "logits" float32 1x600x3
tensor %9 "scores" float32 1x600x3
tensor %10 "anchors" float32 600x4
tensor %11 "boxes_out" float32 1x10x4
tensor %12 "classes_out" float32 1x10
tensor %13 "scores_out" float32 1x10
tensor %14 "count_out" float32 1
node CONV_2D "box_map" (%0 %1 %2) -> (%5) {padding=same}
node CONV_2D "score_map" (%0 %3 %4) -> (%6) {padding=same}
node RESHAPE "boxes" (%5) -> (%7) {new_shape=[1,600,4]}
node RESHAPE "logits" (%6) -> (%8) {new_shape=[1,600,3]}
node LOGISTIC "scores" (%8) -> (%9)
node TFLite_Detection_PostProcess "boxes_out" (%7 %9 %10) -> (%11 %12 %13 %14) {max_detections=10 num_classes=2 nms_score_threshold=0.1 nms_iou_threshold=0.6 y_scale=10 x_scale=10 h_scale=5 w_scale=5}
inputs (%0)
outputs (%11 %12 %13 %14)
)");
  Tensor& anchors = model.graph.tensors[10];
  anchors.is_constant = true;
  anchors.data.resize(600 * 4 * sizeof(float));
  SetFloatValues(anchors, Random(600 * 4, 3, 0.1f, 0.9f));
  return model;
}

TEST(Structure, PostProcessingWithoutAnIntegerFormIsCutOffWhereADecoderTakesOver) {
  const LoadedModel model = Ssd();
  const CalibrationSet set = RandomSet(model, 5);
  const auto cut = Made(model, Plain(QuantScheme::kInt8PerChannel), set);
  ASSERT_TRUE(cut.ok()) << cut.error().message;
  ASSERT_EQ(cut->graph.outputs.size(), 2u) << QuantizeText(*cut);
  EXPECT_EQ(cut->structure.decoder, "SSD detection");
  EXPECT_TRUE(cut->float_nodes.empty());
  EXPECT_EQ(cut->structure.proofs.back().kind, "cut-post-processing");
  EXPECT_EQ(cut->structure.proofs.back().inputs, 5);
  EXPECT_EQ(cut->structure.proofs.back().largest, 0);
  QuantizeSettings settings = Plain(QuantScheme::kInt8PerChannel);
  settings.fix = false;
  const auto whole = Made(model, settings, set);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(whole->graph.outputs.size(), 4u);
  EXPECT_EQ(whole->float_nodes.size(), 1u);
}

TEST(Structure, PostProcessingThatNothingHereDecodesStaysUnlessAskedFor) {
  SmallNet net;
  const TensorId x = net.In({1, 4, 4, 1}, DataType::kFloat32);
  const TensorId y = net.Conv(x, {.kernel_h = 1, .kernel_w = 1, .filters = 3});
  net.Op1("ROUND", {y}, {1, 4, 4, 3});
  LoadedModel model = net.Model();
  SetFloatValues(model.graph.tensors[1], Random(3, 1, -9, 9));
  const CalibrationSet set = RandomSet(model, 4);
  QuantizeSettings settings = Plain(QuantScheme::kInt8PerTensor);
  const auto kept = Made(model, settings, set);
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_TRUE(kept->structure.done.empty());
  ASSERT_EQ(kept->structure.left.size(), 1u);
  EXPECT_THAT(kept->structure.left[0].what, HasSubstr("--cut-post-processing"));
  settings.cut_post_processing = true;
  const auto cut = Made(model, settings, set);
  ASSERT_TRUE(cut.ok()) << cut.error().message;
  EXPECT_EQ(cut->structure.done.size(), 1u);
  EXPECT_EQ(cut->graph.nodes.size(), 1u);
}

// x of -8 to 8 through one activation: "hard-swish", "silu", ...
LoadedModel Activation1(const std::string& name) {
  SmallNet net;
  const Shape shape = {1, 8, 8, 4};
  const TensorId x = net.In(shape, DataType::kFloat32);
  if (name == "hard-swish") net.Op1("HARD_SWISH", {x}, shape);
  if (name == "leaky-relu") net.Op1("LEAKY_RELU", {x}, shape, LeakyReluAttrs{0.1f});
  if (name == "gelu") net.Op1("GELU", {x}, shape);
  if (name == "logistic") net.Op1("LOGISTIC", {x}, shape);
  if (name == "silu") net.Op1("MUL", {x, net.Op1("LOGISTIC", {x}, shape)}, shape);
  if (name == "prelu") net.Op1("PRELU", {x, net.Const({1, 1, 4}, DataType::kFloat32)}, shape);
  LoadedModel model = net.Model();
  for (Tensor& tensor : model.graph.tensors) {
    if (tensor.is_constant) SetFloatValues(tensor, std::vector<float>{0.25f, 0, 0.5f, -0.125f});
  }
  return model;
}

TEST(Structure, EveryReplacementBringsTheErrorItSays) {
  // The largest |f(x) - g(x)| over [-8, 8], as a part of f's range there; 0: exact.
  const std::map<std::string, double> bounds = {
      {"hard-swish=relu", 0.05}, {"leaky-relu=relu", 0.1}, {"prelu=relu", 0.4},
      {"silu=hard-swish", 0.02}, {"silu=relu6", 0.02},     {"silu=relu", 0.04},
      {"gelu=sigmoid", 0.003},   {"gelu=relu", 0.03},      {"logistic=hard-sigmoid", 0.08}};
  size_t seen = 0;
  for (const Replacement& replacement : Replacements()) {
    const std::string text = ReplacementText(replacement);
    SCOPED_TRACE(text);
    const LoadedModel model = Activation1(std::string(replacement.name));
    QuantizeSettings settings = Plain(QuantScheme::kInt8PerTensor);
    settings.replace = {text};
    const auto report = Made(model, settings, RandomSet(model, 6, -8, 8));
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(report->structure.done.size(), 1u);
    const StructureProof& proof = report->structure.proofs.back();
    EXPECT_EQ(proof.kind, text);
    EXPECT_EQ(proof.exact, replacement.exact);
    EXPECT_EQ(proof.inputs, 6);
    if (replacement.exact) {
      EXPECT_LT(proof.largest, 1e-6);
    } else {
      ASSERT_TRUE(bounds.contains(text));
      EXPECT_LT(proof.largest, bounds.at(text));
      EXPECT_GT(proof.largest, bounds.at(text) / 20);
      ++seen;
    }
    for (const Node& node : report->graph.nodes) {
      if (replacement.name == "silu") continue;  // its MUL may stay
      EXPECT_NE(node.op, model.graph.nodes[0].op);
    }
    EXPECT_GT(report->losses[0].sqnr_db, proof.exact ? 35 : 10);
    EXPECT_THAT(QuantizeText(*report), HasSubstr((proof.exact ? "proved " : "measured ") + text));
  }
  EXPECT_EQ(seen, bounds.size());
}

TEST(Structure, ReplacementsAreOnlyMadeWhereTheyAreTrue) {
  LoadedModel model = Activation1("leaky-relu");
  std::get<LeakyReluAttrs>(model.graph.nodes[0].attrs).alpha = 1.5f;
  QuantizeSettings settings = Plain(QuantScheme::kInt8PerTensor);
  settings.replace = {"leaky-relu"};
  const auto report = Made(model, settings, RandomSet(model, 3));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->structure.done.empty());
  EXPECT_THAT(report->structure.left.at(0).what, HasSubstr("slope of 1.5"));
  settings.replace = {"hard-swish"};
  const auto none = Made(model, settings, RandomSet(model, 3));
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("no such op"));
  EXPECT_THAT(ParseReplacement("swish").error().message, HasSubstr("hard-swish=relu6"));
  EXPECT_THAT(ParseReplacement("silu=max").error().message, HasSubstr("silu=relu6"));
}

TEST(Structure, ARecipeRepeatsReplacements) {
  Recipe recipe;
  recipe.settings = Plain(QuantScheme::kInt8PerTensor);
  recipe.settings.replace = {"silu=relu6", "leaky-relu=max"};
  recipe.settings.fix = false;
  recipe.settings.keep_outputs = true;
  recipe.settings.cut_post_processing = true;
  const auto read = ParseRecipe(RecipeText(recipe), "recipe");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->settings.replace, recipe.settings.replace);
  EXPECT_FALSE(read->settings.fix);
  EXPECT_TRUE(read->settings.keep_outputs);
  EXPECT_TRUE(read->settings.cut_post_processing);
  EXPECT_FALSE(ParseRecipe("version = 1\nscheme = \"int16x8\"\nreplace = [\"tanh\"]\n", "r").ok());
}

TEST(Structure, MediaPipesTransposedConvolutionIsQuantized) {
  SmallNet net;
  const TensorId x = net.In({1, 5, 5, 2}, DataType::kFloat32);
  const TensorId w = net.Const({3, 2, 2, 2}, DataType::kFloat32),
                 b = net.Const({3}, DataType::kFloat32);
  ConvAttrs attrs;
  attrs.stride_h = attrs.stride_w = 2;
  net.Op1("Convolution2DTransposeBias", {x, w, b}, {1, 10, 10, 3}, attrs);
  LoadedModel model = net.Model();
  SetFloatValues(model.graph.tensors[1], Random(24, 1));
  SetFloatValues(model.graph.tensors[2], Random(3, 2));
  const auto report = Made(model, Plain(QuantScheme::kInt8PerChannel), RandomSet(model, 5));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->float_nodes.empty());
  EXPECT_EQ(report->graph.nodes.back().op, Op::kTransposeConv);
  EXPECT_LT(report->structure.proofs.at(0).largest, 1e-6);
  EXPECT_GT(report->losses[0].sqnr_db, 35);
}

// Depthwise and pointwise layers as MobileNet v1 has them. Batch normalization left one channel of
// each depthwise layer with weights 1,000 times the others', for an input that hardly moves.
LoadedModel MobileNetLike() {
  SmallNet net;
  TensorId x = net.In({1, 16, 16, 3}, DataType::kFloat32);
  x = net.Conv(x, {.filters = 16, .activation = Activation::kRelu});
  for (int i = 0; i < 3; ++i) {
    x = net.Conv(x, {.activation = Activation::kRelu}, true);
    x = net.Conv(x, {.kernel_h = 1, .kernel_w = 1, .filters = 16, .activation = Activation::kRelu});
  }
  net.Conv(x, {.kernel_h = 16, .kernel_w = 16, .filters = 10, .padding = Padding::kValid});
  LoadedModel model = net.Model();
  constexpr size_t kOdd = 3;
  const std::vector<Node>& nodes = model.graph.nodes;
  for (size_t n = 0; n < nodes.size(); ++n) {
    Tensor& weights = model.graph.tensors[static_cast<size_t>(nodes[n].inputs[1])];
    std::vector<float> values =
        Random(ElementCount(weights.shape), static_cast<uint32_t>(n + 1), -0.3f, 0.5f);
    const bool depthwise = nodes[n].op == Op::kDepthwiseConv2d;
    const bool before = n + 1 < nodes.size() && nodes[n + 1].op == Op::kDepthwiseConv2d;
    const AxisIndex out = IndexAlong(weights.shape, depthwise ? 3 : 0);
    for (size_t i = 0; i < values.size(); ++i) {
      if (out(i) == kOdd && (depthwise || before)) values[i] *= depthwise ? 1e3f : 1e-3f;
    }
    SetFloatValues(weights, values);
  }
  return model;
}

TEST(Structure, ANetworkLikeMobileNetIsDeadWithOneScaleUnlessItIsEqualized) {
  const LoadedModel model = MobileNetLike();
  const CalibrationSet set = RandomSet(model, 12);
  QuantizeSettings settings = DefaultSettings(QuantScheme::kInt8PerTensor);
  const auto ours = Made(model, settings, set);
  const auto channels = Made(model, DefaultSettings(QuantScheme::kInt8PerChannel), set);
  settings.equalize = false;
  const auto naive = Made(model, settings, set);
  ASSERT_TRUE(ours.ok() && channels.ok() && naive.ok());
  EXPECT_FALSE(ours->dead());
  EXPECT_FALSE(channels->dead());
  EXPECT_GT(ours->losses[0].sqnr_db, channels->losses[0].sqnr_db - 3);
  ASSERT_EQ(ours->flattened.size(), 6u) << QuantizeText(*ours);  // three pairs of layers
  for (const FlattenedLayer& layer : ours->flattened) {
    if (layer.op != "DEPTHWISE_CONV_2D") continue;
    EXPECT_GT(layer.ratio, 500);
    EXPECT_LT(layer.ratio_equalized, kFlattening);
    EXPECT_THAT(QuantizeText(*ours), HasSubstr("DEPTHWISE_CONV_2D '" + layer.name + "'"));
  }
  EXPECT_TRUE(naive->dead()) << QuantizeText(*naive);
  EXPECT_THAT(QuantizeText(*naive), HasSubstr("nearly constant over the calibration set"));
}

}  // namespace
}  // namespace dlpu
