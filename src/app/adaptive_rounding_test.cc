// SPDX-License-Identifier: Apache-2.0
// Rounding the digit classifier's weights so that its layers' sums change least.
#include "app/adaptive_rounding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "app/quantize.h"
#include "app/quantize_trials.h"
#include "app/recipe.h"
#include "app/small_net.h"
#include "app/watch.h"
#include "formats/tflite.h"

namespace dlpu {
namespace {

std::vector<float> Random(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  for (float& v : values) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<int32_t>(seed)) / 2147483648.0f;
  }
  return values;
}

struct Digits {
  LoadedModel model = *LoadModel("digits");
  CalibrationSet set = *FindCalibration("tests/data/digits", 100);
  InputOptions input;
  std::vector<size_t> samples;
  Digits() {
    for (size_t i = 0; i < set.size(); ++i) samples.push_back(i);
  }
  std::unique_ptr<AdaptiveRounder> Rounder(int threads) const {
    auto rounder = AdaptiveRounder::Make(model.graph, {model, input, set, samples, threads}, true);
    EXPECT_TRUE(rounder.ok()) << rounder.error().message;
    return *std::move(rounder);
  }
};

// A layer's outputs on all pictures, before its activation.
std::vector<float> Outputs(const Digits& digits, Graph graph, size_t layer) {
  if (auto* conv = std::get_if<ConvAttrs>(&graph.nodes[layer].attrs)) {
    conv->activation = Activation::kNone;
  }
  auto watch = Watch::Load(graph, {graph.nodes[layer].outputs[0]}, {.threads = 1});
  EXPECT_TRUE(watch.ok()) << watch.error().message;
  std::vector<float> all;
  for (const size_t sample : digits.samples) {
    EXPECT_TRUE(FillSample(watch->runner(), digits.model, digits.input, digits.set, sample).ok());
    EXPECT_TRUE(watch->runner().Run().ok());
    all.insert(all.end(), watch->floats(0).begin(), watch->floats(0).end());
  }
  return all;
}

// Squared differences of a layer's outputs from the float ones, without their means, which biases
// take away.
double ErrorOf(const Digits& digits, size_t layer, const std::vector<float>& weights) {
  Graph changed = digits.model.graph;
  const size_t channels =
      static_cast<size_t>(changed.tensors[changed.nodes[layer].outputs[0]].shape.back());
  SetFloatValues(changed.tensors[changed.nodes[layer].inputs[1]], weights);
  const std::vector<float> a = Outputs(digits, digits.model.graph, layer),
                           b = Outputs(digits, changed, layer);
  std::vector<double> sums(channels, 0.0);
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(b[i]) - static_cast<double>(a[i]);
    sums[i % channels] += d;
    squares += d * d;
  }
  for (const double sum : sums)
    squares -= sum * sum * static_cast<double>(channels) / static_cast<double>(a.size());
  return squares;
}

TEST(AdaptiveRounding, LowersTheErrorOfEveryLayer) {
  const Digits digits;
  const auto rounder = digits.Rounder(1), threaded = digits.Rounder(2);
  int layers = 0;
  for (size_t n = 0; n < digits.model.graph.nodes.size(); ++n) {
    const Node& node = digits.model.graph.nodes[n];
    const auto layer = WeightedLayerOf(digits.model.graph, node);
    if (!layer) continue;
    ++layers;
    const Tensor& weights = digits.model.graph.tensors[node.inputs[1]];
    const std::vector<float> values = FloatValues(weights);
    for (const bool is_unsigned : {false, true}) {
      const QuantizedWeights nearest = QuantizeWeights(weights, layer->channel_axis, false,
                                                       is_unsigned, WeightRange::kMinMax, {});
      QuantizedWeights adaptive = nearest, again = nearest, other = nearest;
      rounder->Round(node.name, values, adaptive);
      rounder->Round(node.name, values, again);
      threaded->Round(node.name, values, other);
      EXPECT_EQ(adaptive.codes, again.codes);
      EXPECT_EQ(adaptive.codes, other.codes);
      EXPECT_LT(ErrorOf(digits, n, adaptive.real), 0.9 * ErrorOf(digits, n, nearest.real))
          << node.name;
      const double step = nearest.quantization.scale0();
      for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_LT(std::fabs(static_cast<double>(adaptive.real[i] - values[i])), 1.001 * step);
      }
    }
  }
  EXPECT_GE(layers, 3);
}

TEST(AdaptiveRounding, TheRecipeMakesTheSameBytes) {
  const Digits digits;
  QuantizeSettings settings;
  settings.scheme = QuantScheme::kInt8PerTensor;
  settings.equalize = true;
  settings.rounding = Rounding::kAdaptive;
  settings.try_bias = true;
  const auto first = Quantize(digits.model, settings, digits.set, 1, nullptr);
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto recipe = RecipeOf(digits.model, *first, "");
  ASSERT_TRUE(recipe.ok());
  const auto read = ParseRecipe(RecipeText(*recipe), "recipe");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->settings.rounding, Rounding::kAdaptive);
  EXPECT_EQ(RecipeText(*read), RecipeText(*recipe));
  const auto set = CalibrationOf(*read);
  ASSERT_TRUE(set.ok()) << set.error().message;
  const auto second = Quantize(digits.model, read->settings, *set, 2, nullptr);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(*WriteTflite(first->graph), *WriteTflite(second->graph));
  settings.rounding = Rounding::kNearest;
  const auto nearest = Quantize(digits.model, settings, digits.set, 1, nullptr);
  ASSERT_TRUE(nearest.ok());
  EXPECT_NE(*WriteTflite(first->graph), *WriteTflite(nearest->graph));
}

constexpr size_t kChannels = 48, kPlaces = 64, kInputs = 40;

// A 1x1 convolution, a channel of which makes the scale of the others coarse.
LoadedModel OneLayer() {
  SmallNet net;
  ConvSpec spec;
  spec.kernel_h = spec.kernel_w = 1;
  spec.filters = 8;
  net.Conv(net.In({1, 8, 8, kChannels}, DataType::kFloat32), spec);
  LoadedModel model = net.Model();
  Tensor& weights = model.graph.tensors[model.graph.nodes[0].inputs[1]];
  std::vector<float> values = Random(8 * kChannels, 5);
  values[0] = 30;
  SetFloatValues(weights, values);
  return model;
}

// Every input is two patterns over the channels, mixed anew at each place: the same two in all of
// them, or two for the inputs of one half and two others for those of the other half.
CalibrationSet Mixed(bool alike) {
  std::vector<size_t> numbers(kInputs);
  std::iota(numbers.begin(), numbers.end(), 0u);
  const std::vector<size_t> second = HalfOf(numbers, true);
  EXPECT_EQ(second.size(), kInputs / 2);
  const std::vector<float> patterns = Random(4 * kChannels, 7);
  const std::vector<float> shares = Random(kInputs * kPlaces * 2, 11);
  std::vector<float> values;
  for (size_t n = 0; n < kInputs; ++n) {
    const bool other = !alike && std::ranges::find(second, n) != second.end();
    const float* pattern = patterns.data() + (other ? 2 * kChannels : 0);
    for (size_t p = 0; p < kPlaces; ++p) {
      const float* share = shares.data() + (n * kPlaces + p) * 2;
      for (size_t c = 0; c < kChannels; ++c) {
        values.push_back(c == 0 ? 0 : share[0] * pattern[c] + share[1] * pattern[kChannels + c]);
      }
    }
  }
  NpyArray array;
  array.type = DataType::kFloat32;
  array.shape = {kInputs, 8, 8, kChannels};
  array.data.resize(values.size() * sizeof(float));
  std::memcpy(array.data.data(), values.data(), array.data.size());
  CalibrationSet set;
  set.source = "mixed";
  set.arrays["arr_0"] = std::move(array);
  return set;
}

TEST(AdaptiveRounding, IsTakenWhereItGainsOnInputsItWasNotLearntFrom) {
  const LoadedModel model = OneLayer();
  QuantizeSettings settings;
  settings.scheme = QuantScheme::kInt8PerTensor;
  for (const bool alike : {true, false}) {
    SCOPED_TRACE(alike);
    const CalibrationSet set = Mixed(alike);
    settings.try_rounding = false;
    settings.rounding = Rounding::kNearest;
    const auto nearest = Quantize(model, settings, set, 1, nullptr);
    ASSERT_TRUE(nearest.ok()) << nearest.error().message;
    settings.rounding = Rounding::kAdaptive;
    const auto adaptive = Quantize(model, settings, set, 1, nullptr);
    ASSERT_TRUE(adaptive.ok()) << adaptive.error().message;
    // On what it learns from it gains in both cases.
    EXPECT_GT(adaptive->losses.at(0).sqnr_db, nearest->losses.at(0).sqnr_db + 1);
    settings.try_rounding = true;
    settings.rounding = Rounding::kNearest;
    const auto chosen = Quantize(model, settings, set, 1, nullptr);
    ASSERT_TRUE(chosen.ok()) << chosen.error().message;
    EXPECT_EQ(chosen->settings.rounding, alike ? Rounding::kAdaptive : Rounding::kNearest);
  }
}

TEST(AdaptiveRounding, HalvesKeepNeighboursTogether) {
  std::vector<size_t> used;
  for (size_t i = 0; i < 16; ++i) used.push_back(100 + i);
  EXPECT_EQ(HalfOf(used, false), (std::vector<size_t>{100, 101, 104, 105, 108, 109, 112, 113}));
  EXPECT_EQ(HalfOf(used, true), (std::vector<size_t>{102, 103, 106, 107, 110, 111, 114, 115}));
  EXPECT_TRUE(HalfOf({}, true).empty());
}

}  // namespace
}  // namespace dlpu
