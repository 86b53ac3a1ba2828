// SPDX-License-Identifier: Apache-2.0
// Means of layers: by windows and by running, before and after their biases are corrected.
#include "app/bias_correction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "app/layer_window.h"
#include "app/quantize.h"
#include "app/small_net.h"
#include "app/watch.h"

namespace dlpu {
namespace {

void Randomise(Tensor& tensor, std::mt19937& random) {
  std::vector<float> values(static_cast<size_t>(ElementCount(tensor.shape)));
  for (float& v : values) v = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
  SetFloatValues(tensor, values);
}

// The mean of each output channel, by the window's taps and by the layer's own outputs.
void ExpectSameMeans(const SmallNet& net, bool has_bias) {
  std::mt19937 random(3);
  Graph graph = net.Model().graph;
  for (Tensor& tensor : graph.tensors) {
    if (tensor.is_constant && tensor.type == DataType::kFloat32) Randomise(tensor, random);
  }
  const Node& node = graph.nodes[0];
  const auto window = WindowOf(graph, node);
  ASSERT_TRUE(window.has_value());
  auto watch = Watch::Load(graph, {node.inputs[0], node.outputs[0]}, {.threads = 1});
  ASSERT_TRUE(watch.ok()) << watch.error().message;
  FillRandom(watch->runner(), 11);
  ASSERT_TRUE(watch->runner().Run().ok());
  std::vector<double> taps(static_cast<size_t>(window->taps()), 0.0);
  AddTaps(*window, watch->floats(0), 0.0, taps);
  const std::vector<float> weights = FloatValues(graph.tensors[node.inputs[1]]);
  std::vector<double> sums(static_cast<size_t>(window->outs), 0.0), expected = sums;
  for (size_t i = 0; i < weights.size(); ++i) {
    sums[window->OutOf(i)] += static_cast<double>(weights[i]) * taps[window->TapOf(i)];
  }
  const std::span<const float> out = watch->floats(1);
  ASSERT_EQ(out.size(), static_cast<size_t>(window->positions() * window->outs));
  for (size_t i = 0; i < out.size(); ++i)
    expected[i % expected.size()] += static_cast<double>(out[i]);
  const std::vector<float> bias =
      has_bias ? FloatValues(graph.tensors[node.inputs[2]]) : std::vector<float>(sums.size(), 0.0f);
  for (size_t c = 0; c < sums.size(); ++c) {
    const double biases = static_cast<double>(bias[c]) * static_cast<double>(window->positions());
    EXPECT_NEAR(sums[c] + biases, expected[c], 1e-3) << c;
  }
}

TEST(LayerWindow, MeansOfConvolutionsFollowFromTheirTaps) {
  for (const Padding padding : {Padding::kSame, Padding::kValid}) {
    for (const int groups : {1, 2}) {
      SmallNet net;
      ConvSpec spec;
      spec.kernel_w = 2;
      spec.filters = 6;
      spec.stride_h = 2;
      spec.groups = groups;
      spec.padding = padding;
      net.Conv(net.In({1, 8, 7, 4}, DataType::kFloat32), spec);
      ExpectSameMeans(net, true);
    }
    SmallNet dilated;
    ConvSpec spec;
    spec.filters = 3;
    spec.dilation_w = 2;
    spec.padding = padding;
    if (padding == Padding::kSame) {
      dilated.Conv(dilated.In({1, 6, 6, 2}, DataType::kFloat32), spec);
      ExpectSameMeans(dilated, true);
    }
    SmallNet depthwise;
    depthwise.Conv(depthwise.In({2, 5, 6, 3}, DataType::kFloat32), {.padding = padding}, true, 2);
    ExpectSameMeans(depthwise, true);
  }
}

TEST(LayerWindow, OpsWithoutWeightsHaveNone) {
  SmallNet net;
  const TensorId x = net.In({1, 4, 4, 2}, DataType::kFloat32);
  net.Op1("RELU", {x}, {1, 4, 4, 2});
  EXPECT_FALSE(WindowOf(net.graph, net.graph.nodes[0]).has_value());
}

// Sum over the logits of the squared difference between the means of both models' outputs.
double MeanError(BiasCorrection how) {
  const Result<LoadedModel> model = LoadModel("digits");
  const Result<CalibrationSet> set = FindCalibration("tests/data/digits", 100);
  EXPECT_TRUE(model.ok() && set.ok());
  QuantizeSettings settings;
  settings.scheme = QuantScheme::kInt8PerTensor;
  settings.bias = how;
  settings.cut_at = "SOFTMAX";
  settings.output_type = settings.input_type = DataType::kFloat32;
  const auto report = Quantize(*model, settings, *set, 1, nullptr);
  EXPECT_TRUE(report.ok()) << report.error().message;
  LoadedModel quantized = *model;
  quantized.graph = report->graph;
  ModelOptions cut;
  cut.cut_at = "SOFTMAX";
  const auto a = LoadRunner(*model, cut), b = LoadRunner(quantized, {});
  EXPECT_TRUE(a.ok() && b.ok());
  std::vector<double> means(10, 0.0);
  for (size_t i = 0; i < set->size(); ++i) {
    for (Runner* runner : {a->get(), b->get()}) {
      EXPECT_TRUE(FillSample(*runner, *model, {}, *set, i).ok());
      EXPECT_TRUE(runner->Run().ok());
      const auto* const out = reinterpret_cast<const float*>(runner->output(0).data());
      for (size_t c = 0; c < means.size(); ++c) {
        means[c] += static_cast<double>(out[c]) * (runner == a->get() ? 1 : -1);
      }
    }
  }
  double sum = 0;
  for (const double m : means) sum += m * m;
  return sum;
}

TEST(BiasCorrector, MeanOutputsBecomeThoseOfTheFloatNetwork) {
  const double none = MeanError(BiasCorrection::kNone),
               analytic = MeanError(BiasCorrection::kAnalytic),
               empirical = MeanError(BiasCorrection::kEmpirical);
  EXPECT_LT(empirical, none / 4);
  EXPECT_LT(empirical, analytic);
}

}  // namespace
}  // namespace dlpu
