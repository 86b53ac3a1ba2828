// SPDX-License-Identifier: Apache-2.0
// A layer with one channel that never comes near zero, and what moving its bias gains.
#include "passes/absorb_bias.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "app/quantize.h"
#include "app/recipe.h"
#include "app/small_net.h"
#include "formats/tflite.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

constexpr float kFar = 40;  // the bias of channel 0

std::vector<float> Random(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  for (float& v : values) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<int32_t>(seed)) / 2147483648.0f;
  }
  return values;
}

struct TwoLayersSpec {
  Activation activation = Activation::kRelu;
  int kernel = 1;  // of the second layer
  Padding padding = Padding::kSame;
  float far = kFar;
};

// Two convolutions.
LoadedModel TwoLayers(const TwoLayersSpec& shape) {
  SmallNet net;
  const TensorId x = net.In({1, 6, 6, 3}, DataType::kFloat32);
  ConvSpec first, second;
  first.kernel_h = first.kernel_w = 1;
  first.filters = 8;
  first.activation = shape.activation;
  second.kernel_h = second.kernel_w = shape.kernel;
  second.padding = shape.padding;
  second.filters = 5;
  const TensorId middle = net.Conv(x, first);
  net.Conv(middle, second);
  LoadedModel model = net.Model();
  for (size_t n = 0; n < 2; ++n) {
    Tensor& weights = model.graph.tensors[static_cast<size_t>(model.graph.nodes[n].inputs[1])];
    SetFloatValues(weights, Random(static_cast<size_t>(ElementCount(weights.shape)),
                                   static_cast<uint32_t>(n + 3)));
  }
  std::vector<float> bias(8, 0.1f);
  bias[0] = shape.far;
  SetFloatValues(model.graph.tensors[static_cast<size_t>(model.graph.nodes[0].inputs[2])], bias);
  return model;
}

CalibrationSet Set() {
  NpyArray array;
  array.type = DataType::kFloat32;
  array.shape = {12, 6, 6, 3};
  const std::vector<float> values = Random(12 * 6 * 6 * 3, 9);
  array.data.resize(values.size() * sizeof(float));
  std::memcpy(array.data.data(), values.data(), array.data.size());
  CalibrationSet set;
  set.source = "random";
  set.arrays["arr_0"] = std::move(array);
  return set;
}

QuantizeReport Made(const LoadedModel& model, const QuantizeSettings& settings) {
  auto report = Quantize(model, settings, Set(), 1, nullptr);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return report.ok() ? *std::move(report) : QuantizeReport();
}

QuantizeSettings Trying() {
  QuantizeSettings settings;
  settings.scheme = QuantScheme::kInt8PerTensor;
  settings.try_absorb = true;
  return settings;
}

TEST(AbsorbBias, IsTakenWhereItGainsAndKeepsTheFunction) {
  const LoadedModel model = TwoLayers({});
  QuantizeSettings settings = Trying();
  const QuantizeReport with = Made(model, settings);
  settings.try_absorb = false;
  const QuantizeReport without = Made(model, settings);
  ASSERT_EQ(with.losses.size(), 1u);
  EXPECT_EQ(with.absorption.layers, 1);
  EXPECT_EQ(with.absorption.channels, 1);
  EXPECT_TRUE(with.settings.absorb);
  EXPECT_LT(with.float_change, 1e-5);
  EXPECT_GT(with.losses[0].sqnr_db, without.losses[0].sqnr_db + 1.5);
  EXPECT_EQ(without.absorption.layers, 0);
  EXPECT_NE(QuantizeText(with).find("biases of 1 layers absorbed"), std::string::npos);
  EXPECT_EQ(QuantizeJson(with)["absorbed_layers"], 1);
  // Its recipe makes the same bytes.
  Recipe recipe;
  recipe.settings = with.settings;
  const auto read = ParseRecipe(RecipeText(recipe), "recipe");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const QuantizeReport again = Made(model, read->settings);
  EXPECT_EQ(*WriteTflite(again.graph), *WriteTflite(with.graph));
}

TEST(AbsorbBias, LeavesWhatItWouldChange) {
  // Nothing to gain; zeros in the padding; a range that RELU6 ends; no activation.
  for (const TwoLayersSpec& shape :
       {TwoLayersSpec{
            .activation = Activation::kRelu, .kernel = 1, .padding = Padding::kSame, .far = 0.1f},
        TwoLayersSpec{
            .activation = Activation::kRelu, .kernel = 3, .padding = Padding::kSame, .far = kFar},
        TwoLayersSpec{
            .activation = Activation::kRelu6, .kernel = 1, .padding = Padding::kSame, .far = kFar},
        TwoLayersSpec{.activation = Activation::kNone,
        .kernel = 1,
        .padding = Padding::kSame,
        .far = kFar}}) {
    QuantizeSettings settings = Trying();
    settings.absorb = true;
    EXPECT_EQ(Made(TwoLayers(shape), settings).absorption.layers, 0);
  }
  // Without padding a window is as good as a point.
  QuantizeSettings settings = Trying();
  settings.absorb = true;
  const QuantizeReport window = Made(
      TwoLayers(
          {.activation = Activation::kRelu, .kernel = 3, .padding = Padding::kValid, .far = 40}),
      settings);
  EXPECT_EQ(window.absorption.layers, 1);
  EXPECT_LT(window.float_change, 1e-5);
}

}  // namespace
}  // namespace dlpu
