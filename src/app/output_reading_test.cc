// SPDX-License-Identifier: Apache-2.0
// Outputs as decoders read them: which those are, and that quantizing spends its codes on what is
// read.
#include "app/output_reading.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "app/quantize.h"
#include "ir/text.h"

namespace dlpu {
namespace {

constexpr int kInputs = 8;
constexpr int kRows = 100;

LoadedModel ModelOf(const std::string& text) {
  LoadedModel model;
  model.path = "net";
  model.format = "tflite";
  Result<Graph> graph = ParseGraph(text);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  if (graph.ok()) model.graph = *std::move(graph);
  return model;
}

// Boxes and three classes for each of 100 anchors.
constexpr const char* kDetector = R"(dlpu-graph 1
tensor %0 "a" float32 1x100x4
tensor %1 "b" float32 1x100x3
tensor %2 "two" float32 1 const=hex:00000040
tensor %3 "boxes" float32 1x100x4
tensor %4 "scores" float32 1x100x3
node MUL "boxes" (%0 %2) -> (%3)
node MUL "scores" (%1 %2) -> (%4)
inputs (%0 %1)
outputs (%3 %4)
)";

NpyArray Array(int values, const std::vector<float>& data) {
  NpyArray array;
  array.shape = {kInputs, kRows, values};
  array.data.resize(data.size() * sizeof(float));
  std::memcpy(array.data.data(), data.data(), array.data.size());
  return array;
}

// Half of the scores of each class are `low`, the others spread over -1..1.
CalibrationSet Scores(float low) {
  std::mt19937 generator(3);
  std::uniform_real_distribution<float> any(-1, 1);
  std::vector<float> a(kInputs * kRows * 4), b(kInputs * kRows * 3);
  for (float& v : a) v = any(generator);
  for (size_t i = 0; i < b.size(); ++i) b[i] = i % 2 == 0 ? low : any(generator);
  CalibrationSet set;
  set.source = "scores";
  set.arrays["a"] = Array(4, a);
  set.arrays["b"] = Array(3, b);
  return set;
}

QuantizeSettings Plain(QuantScheme scheme) {
  QuantizeSettings settings;
  settings.scheme = scheme;
  return settings;
}

TEST(OutputReading, ADetectorsScoresAreReadThroughASigmoidAndItsBoxesByScore) {
  const auto report =
      Quantize(ModelOf(kDetector), Plain(QuantScheme::kInt8PerChannel), Scores(-250), 1, nullptr);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->losses.size(), 2u);
  EXPECT_EQ(report->losses[0].read, "rows by score");
  EXPECT_EQ(report->losses[1].read, "sigmoid");
  EXPECT_FALSE(report->dead());
}

TEST(OutputReading, ScoresFrom0To1AreNoLogits) {
  CalibrationSet set = Scores(0);
  std::vector<uint8_t>& data = set.arrays["b"].data;
  for (size_t at = 0; at < data.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, data.data() + at, sizeof(float));
    value = std::fabs(value) / 2;
    std::memcpy(data.data() + at, &value, sizeof(float));
  }
  const auto report =
      Quantize(ModelOf(kDetector), Plain(QuantScheme::kInt8PerChannel), set, 1, nullptr);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->losses[0].read, "rows by score");
  EXPECT_EQ(report->losses[1].read, "");
}

TEST(OutputReading, CodesAreNotSpentWhereASigmoidIsFlat) {
  for (const QuantScheme scheme : {QuantScheme::kInt8PerChannel, QuantScheme::kUint8PerTensor}) {
    const auto report = Quantize(ModelOf(kDetector), Plain(scheme), Scores(-250), 1, nullptr);
    ASSERT_TRUE(report.ok()) << report.error().message;
    const Graph& graph = report->graph;
    // The least logit is -500; the highest 2.
    EXPECT_NEAR(graph.tensors[graph.outputs[1]].quantization.scale0(), 10.0 / 255, 0.001);
  }
  const auto wide =
      Quantize(ModelOf(kDetector), Plain(QuantScheme::kInt16x8), Scores(-250), 1, nullptr);
  ASSERT_TRUE(wide.ok()) << wide.error().message;
  EXPECT_NEAR(wide->graph.tensors[wide->graph.outputs[1]].quantization.scale0(), 500.0 / 32767,
              0.001);
}

// No score is high in the calibration set: that says nothing about what the model still finds.
TEST(OutputReading, ASetWithoutAnyObjectMakesNoDeadModel) {
  CalibrationSet set = Scores(-250);
  std::vector<uint8_t>& data = set.arrays["b"].data;
  for (size_t at = 0; at < data.size(); at += sizeof(float)) {
    const float value = -20 - static_cast<float>(at % 64);
    std::memcpy(data.data() + at, &value, sizeof(float));
  }
  const auto report =
      Quantize(ModelOf(kDetector), Plain(QuantScheme::kInt8PerChannel), set, 1, nullptr);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->dead());
  EXPECT_GT(report->losses[1].sqnr_db, 20);
}

TEST(OutputReading, RowsWeighByTheirBestScoreWithoutTheBackground) {
  OutputReading reading;
  reading.scores = 1;
  reading.classes = 3;
  reading.background = 0;
  reading.scores_are_logits = true;
  const std::vector<float> scores = {9, 0, -5, 9, -9, -90};
  const std::vector<float> weights = RowWeights(reading, scores);
  ASSERT_EQ(weights.size(), 2u);
  EXPECT_FLOAT_EQ(weights[0], 0.5f);
  EXPECT_FLOAT_EQ(weights[1], 0.02f);
}

// A flag that stays near 0 in every calibration picture, as that of a hand where there is none.
constexpr const char* kFlag = R"(dlpu-graph 1
tensor %0 "a" float32 1x100x4
tensor %1 "scale" float32 1 const=hex:0000803f
tensor %2 "lower" float32 1 const=hex:000020c1
tensor %3 "x" float32 1x100x4
tensor %4 "y" float32 1x100x4
tensor %5 "flag" float32 1x100x4
node MUL "x" (%0 %1) -> (%3)
node ADD "y" (%3 %2) -> (%4)
node LOGISTIC "flag" (%4) -> (%5)
inputs (%0)
outputs (%5)
)";

TEST(OutputReading, AFlagThatNeverRisesMakesNoDeadModel) {
  CalibrationSet set = Scores(0);
  set.arrays.erase("b");
  const auto report = Quantize(ModelOf(kFlag), Plain(QuantScheme::kInt8PerTensor), set, 1, nullptr);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->dead());
}

// Values that move on their way to the sigmoid, and values that something else reads as well.
constexpr const char* kSigmoids = R"(dlpu-graph 1
tensor %0 "in" float32 1x4x6x1
tensor %1 "two" float32 1 const=hex:00000040
tensor %2 "moved" float32 1x4x6x1
tensor %3 "flat" float32 1x24
tensor %4 "score" float32 1x24
tensor %5 "used" float32 1x4x6x1
tensor %6 "gate" float32 1x4x6x1
tensor %7 "swish" float32 1x4x6x1
node MUL "m" (%0 %1) -> (%2)
node RESHAPE "r" (%2) -> (%3) {new_shape=[1,24]}
node LOGISTIC "s" (%3) -> (%4)
node ADD "a" (%0 %1) -> (%5)
node LOGISTIC "g" (%5) -> (%6)
node MUL "w" (%5 %6) -> (%7)
inputs (%0)
outputs (%4 %7)
)";

TEST(OutputReading, OnlyWhatNothingElseReadsIsASigmoids) {
  const LoadedModel model = ModelOf(kSigmoids);
  const std::vector<bool> read = ReadBySigmoids(model.graph, std::vector<OutputReading>(2));
  const auto is_read = [&](const std::string& name) {
    for (size_t t = 0; t < model.graph.tensors.size(); ++t) {
      if (model.graph.tensors[t].name == name) return static_cast<bool>(read[t]);
    }
    ADD_FAILURE() << name;
    return false;
  };
  EXPECT_TRUE(is_read("moved"));
  EXPECT_TRUE(is_read("flat"));
  EXPECT_FALSE(is_read("in"));
  EXPECT_FALSE(is_read("score"));
  EXPECT_FALSE(is_read("used"));  // x * sigmoid(x)
}

}  // namespace
}  // namespace dlpu
