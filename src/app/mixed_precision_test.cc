// SPDX-License-Identifier: Apache-2.0
// Layers of the digit classifier that get more bits, under prices made up for the test.
#include "app/mixed_precision.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/quantize.h"
#include "app/recipe.h"
#include "formats/tflite.h"

namespace dlpu {
namespace {

// Milliseconds by the name of each node with a float32 output and weights.
Result<double> PriceOf(const Graph& graph, const std::map<std::string, double>& prices) {
  double ms = 1;
  for (const Node& node : graph.nodes) {
    const auto price = prices.find(node.name);
    const bool is_float = graph.tensors[node.outputs[0]].type == DataType::kFloat32;
    if (price != prices.end() && is_float) ms += price->second;
  }
  return ms;
}

const std::map<std::string, double> kAlike = {
    {"conv1", 1}, {"conv2", 1}, {"conv3", 1}, {"logits", 1}, {"probabilities", 1}};

QuantizeReport Made(const MixedRequest& mixed) {
  const Result<LoadedModel> model = LoadModel("digits");
  const Result<CalibrationSet> set = FindCalibration("tests/data/digits", 100);
  EXPECT_TRUE(model.ok() && set.ok());
  QuantizeSettings settings;
  settings.scheme = QuantScheme::kInt8PerTensor;
  settings.mixed = mixed;
  const auto report = Quantize(*model, settings, *set, 1, nullptr);
  EXPECT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->mixed.has_value());
  return *report;
}

MixedRequest Request(std::optional<double> min_sqnr, std::optional<double> max_ms,
                     const std::map<std::string, double>& prices) {
  return {min_sqnr, max_ms, [prices](const Graph& graph) { return PriceOf(graph, prices); },
          "the test"};
}

TEST(MixedPrecision, TakesLayersUntilTheAccuracyIsReached) {
  const QuantizeReport plain = Made(Request(-60, {}, kAlike));
  EXPECT_TRUE(plain.mixed->reached);
  EXPECT_EQ(plain.mixed->after_ms, 1);
  EXPECT_TRUE(plain.settings.node_types.empty());
  EXPECT_EQ(plain.mixed->looked_at, 0);  // enough as it is
  const double wanted = plain.mixed->before_db + 6;
  const QuantizeReport better = Made(Request(wanted, {}, kAlike));
  EXPECT_TRUE(better.mixed->reached);
  EXPECT_GE(better.mixed->after_db, wanted);
  EXPECT_GE(better.losses[0].sqnr_db, wanted - 0.01);
  EXPECT_FALSE(better.settings.node_types.empty());
  EXPECT_EQ(static_cast<size_t>(
                std::ranges::count_if(better.mixed->layers, [](const auto& l) { return l.taken; })),
            better.settings.node_types.size());
  EXPECT_NE(QuantizeText(better).find("taken"), std::string::npos);
}

TEST(MixedPrecision, NeverSpendsMoreThanAllowed) {
  std::map<std::string, double> prices = kAlike;
  const QuantizeReport none = Made(Request(60, 0.0, prices));
  EXPECT_FALSE(none.mixed->reached);
  EXPECT_EQ(none.mixed->after_ms, none.mixed->before_ms);
  const QuantizeReport some = Made(Request({}, 2.0, prices));
  EXPECT_LE(some.mixed->after_ms, some.mixed->before_ms + 2);
  EXPECT_GT(some.mixed->after_db, some.mixed->before_db);
  ASSERT_TRUE(some.mixed->layers[0].taken);
  // The same layer at a price that is not allowed is left alone.
  const std::string first = some.mixed->layers[0].name;
  prices[first] = 1000;
  const QuantizeReport other = Made(Request({}, 2.0, prices));
  const auto type = other.settings.node_types.find(first);
  EXPECT_TRUE(type == other.settings.node_types.end() || type->second == DataType::kInt16);
  EXPECT_LE(other.mixed->after_ms, other.mixed->before_ms + 2);
}

TEST(MixedPrecision, TheRecipeRepeatsTheChoice) {
  const Result<LoadedModel> model = LoadModel("digits");
  ASSERT_TRUE(model.ok());
  const QuantizeReport first = Made(Request({}, 2.0, kAlike)),
                       again = Made(Request({}, 2.0, kAlike));
  const auto recipe = RecipeOf(*model, first, "");
  ASSERT_TRUE(recipe.ok());
  const auto read = ParseRecipe(RecipeText(*recipe), "recipe");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->settings.node_types, first.settings.node_types);
  const auto set = CalibrationOf(*read);
  ASSERT_TRUE(set.ok());
  const auto repeated = Quantize(*model, read->settings, *set, 2, nullptr);
  ASSERT_TRUE(repeated.ok());
  const auto bytes = WriteTflite(first.graph);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, *WriteTflite(again.graph));
  EXPECT_EQ(*bytes, *WriteTflite(repeated->graph));
}

}  // namespace
}  // namespace dlpu
