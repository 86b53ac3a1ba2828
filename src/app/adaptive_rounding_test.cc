// SPDX-License-Identifier: Apache-2.0
// Rounding the digit classifier's weights so that its layers' sums change least.
#include "app/adaptive_rounding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "app/quantize.h"
#include "app/recipe.h"
#include "app/watch.h"
#include "formats/tflite.h"

namespace dlpu {
namespace {

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

}  // namespace
}  // namespace dlpu
