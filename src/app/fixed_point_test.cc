// SPDX-License-Identifier: Apache-2.0
// The fixed point of virtual CV25 and CV75: chosen as the target's data says, compiled, run, and
// the folder for the vendor's tool with calibration inputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "app/compile.h"
#include "app/convert.h"
#include "app/recipe.h"
#include "base/file.h"
#include "formats/tflite.h"
#include "ir/quantization_style.h"
#include "vision/image.h"

namespace dlpu {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kDigits = "tests/data/digits";

Target Named(const char* name) {
  Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok());
  return *target;
}

LoadedModel Digits() {
  Result<LoadedModel> model = LoadModel("digits");
  EXPECT_TRUE(model.ok());
  return *std::move(model);
}

QuantizedModel Made(const LoadedModel& model, const QuantizeSettings& settings) {
  const auto set = FindCalibration(kDigits, 100);
  EXPECT_TRUE(set.ok());
  auto made = MakeQuantizedModel(model, settings, *set, 1);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return *std::move(made);
}

int Count(const Graph& graph, DataType type) {
  int count = 0;
  for (const Tensor& tensor : graph.tensors) count += !tensor.is_constant && tensor.type == type;
  return count;
}

bool IsPowerOfTwo(float scale) {
  int exponent = 0;
  return std::frexp(scale, &exponent) == 0.5f;
}

TEST(FixedPoint, EveryScaleIsAPowerOfTwoWithoutOffset) {
  const QuantizedModel made = Made(Digits(), *SettingsFor(Named("cv25")));
  const Graph& graph = made.model.graph;
  EXPECT_EQ(made.report.settings.scheme, QuantScheme::kPowerOfTwo);
  EXPECT_TRUE(made.report.float_nodes.empty());
  EXPECT_EQ(SummariseQuantization(graph).style, QuantizationStyle::kFixedPoint);
  EXPECT_EQ(graph.tensors[graph.inputs[0]].type, DataType::kUInt8);
  EXPECT_EQ(graph.tensors[graph.outputs[0]].type, DataType::kFloat32);
  // What turns the camera's pixels into fixed point has the scale of the pixels.
  std::vector<TensorId> pixels = {graph.inputs[0]};
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kQuantize && node.inputs[0] == graph.inputs[0]) {
      pixels.push_back(node.outputs[0]);
    }
  }
  int activations = 0, constants = 0;
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const Tensor& tensor = graph.tensors[t];
    if (!tensor.quantization.present() || std::ranges::find(pixels, t) != pixels.end()) continue;
    ASSERT_EQ(tensor.quantization.scale.size(), 1u) << tensor.name;
    EXPECT_TRUE(IsPowerOfTwo(tensor.quantization.scale[0])) << tensor.name;
    const int64_t zero = tensor.quantization.zero_point[0];
    EXPECT_TRUE(zero == 0 || (zero == -128 && tensor.type == DataType::kInt8)) << tensor.name;
    ++(tensor.is_constant ? constants : activations);
  }
  EXPECT_GE(activations, 5);
  EXPECT_GE(constants, 8);
  ASSERT_EQ(made.report.losses.size(), 1u);
  EXPECT_GT(made.report.losses[0].sqnr_db, 25);
}

TEST(FixedPoint, TheTargetsDataDecidesWhoGets16Bits) {
  const LoadedModel model = Digits();
  QuantizeSettings settings = *SettingsFor(Named("cv25"));
  EXPECT_EQ(settings.wide_below_db, Named("cv25").fixed_point->wide_below_db);
  settings.try_ranges = settings.try_weights = settings.try_bias = false;
  settings.wide_below_db = 0;
  const QuantizedModel narrow = Made(model, settings);
  EXPECT_EQ(Count(narrow.model.graph, DataType::kInt16), 0);
  settings.wide_below_db = 200;
  const QuantizedModel wide = Made(model, settings);
  EXPECT_GT(wide.report.losses[0].sqnr_db, narrow.report.losses[0].sqnr_db);
  EXPECT_EQ(wide.report.bits->wide.size(), static_cast<size_t>(wide.report.bits->tensors));
  ASSERT_GT(wide.report.bits->wide.size(), 4u);
  // The worst tensors first; a limit between two of them parts them.
  const std::vector<TensorSqnr>& all = wide.report.bits->wide;
  EXPECT_LT(all.front().sqnr_db, all.back().sqnr_db);
  settings.wide_below_db = all[1].sqnr_db + 1e-9;
  const QuantizedModel some = Made(model, settings);
  ASSERT_EQ(some.report.bits->wide.size(), 2u);
  EXPECT_EQ(some.report.bits->wide[0].name, all[0].name);
  EXPECT_GT(Count(some.model.graph, DataType::kInt16), 0);
  EXPECT_LT(Count(some.model.graph, DataType::kInt16), Count(wide.model.graph, DataType::kInt16));
}

TEST(FixedPoint, ExpectedSqnrIsWhatRoundingGives) {
  TensorStatistics statistics;
  std::vector<float> values;
  for (int i = 0; i < 50000; ++i) {
    values.push_back(static_cast<float>(std::pow(std::fmod(i * 0.6180339887, 1.0), 2) * 3));
  }
  statistics.low = 0;
  statistics.high = 3;
  statistics.histogram.Add(values);
  const Quantization codes{{1.0f / 64}, {-128}, 0};
  double signal = 0, noise = 0;
  for (const float v : values) {
    const double rounded = std::round(v * 64.0) / 64;
    signal += static_cast<double>(v) * v;
    noise += (v - rounded) * (v - rounded);
  }
  EXPECT_NEAR(ExpectedSqnr(statistics, codes), 10 * std::log10(signal / noise), 0.5);
  EXPECT_TRUE(std::isinf(ExpectedSqnr(TensorStatistics(), codes)));
}

TEST(FixedPoint, TheSameBytesTwiceAndFromTheRecipe) {
  const LoadedModel model = Digits();
  const QuantizeSettings settings = *SettingsFor(Named("cv75"));
  const QuantizedModel first = Made(model, settings), second = Made(model, settings);
  EXPECT_EQ(first.model.sha256, second.model.sha256);
  const auto recipe = ParseRecipe(first.recipe, "recipe");
  ASSERT_TRUE(recipe.ok()) << recipe.error().message;
  EXPECT_EQ(Made(model, recipe->settings).model.sha256, first.model.sha256);
}

TEST(FixedPoint, AFileThatOnlyClaimsItIsNot) {
  LoadedModel model = *LoadModel("data/models/digits_int8.tflite");
  model.graph.metadata[std::string(kFixedPointKey)] = {'1'};
  EXPECT_NE(SummariseQuantization(model.graph).style, QuantizationStyle::kFixedPoint);
  ModelOptions options;
  options.target = "cv25";
  const auto runner = LoadRunner(model, options);
  ASSERT_FALSE(runner.ok());
  EXPECT_THAT(runner.error().message, HasSubstr("dlpu quantize MODEL --target cv25"));
}

class HandOffTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "fixed_point_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    request_.output = folder_ + "/out";
    request_.calibration = kDigits;
    request_.model.threads = 1;
  }
  void TearDown() override { fs::remove_all(folder_); }

  CompiledTarget Compiled(const LoadedModel& model, const char* target) {
    target_ = Named(target);
    request_.targets = {target_};
    auto outcome = CompileForTargets(model, request_);
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return outcome.ok() ? std::move(outcome->targets[0]) : CompiledTarget();
  }

  static std::vector<uint8_t> OutputOf(const LoadedModel& model, const std::string& target) {
    ModelOptions options;
    options.target = target;
    const auto runner = LoadRunner(model, options);
    EXPECT_TRUE(runner.ok()) << runner.error().message;
    if (!runner.ok()) return {};
    const auto set = FindCalibration(kDigits, 100);
    EXPECT_TRUE(FillSample(**runner, model, {}, *set, 3).ok());
    EXPECT_TRUE((*runner)->Run().ok());
    const auto output = (*runner)->output(0);
    return {output.begin(), output.end()};
  }

  std::string folder_;
  Target target_;
  CompileRequest request_;
};

TEST_F(HandOffTest, TheProgramComputesWhatTheQuantizedModelDoes) {
  const LoadedModel model = Digits();
  const CompiledTarget compiled = Compiled(model, "cv25");
  ASSERT_TRUE(compiled.quantized.has_value());
  ASSERT_FALSE(compiled.artifacts.empty());
  EXPECT_TRUE(fs::exists(request_.output + "/digits_cv25.recipe.toml"));
  const auto program = LoadModel(request_.output + "/digits_cv25.dlpu");
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_EQ(program->program->target, "cv25");
  const QuantizedModel made = Made(model, *SettingsFor(target_));
  const std::vector<uint8_t> expected = OutputOf(made.model, "cv25");
  EXPECT_EQ(expected.size(), 40u);
  EXPECT_EQ(OutputOf(*program, ""), expected);
  // The quantized model by itself compiles as well; there is nothing to hand over then.
  request_.calibration.clear();
  request_.output = folder_ + "/again";
  const CompiledTarget again = Compiled(made.model, "cv25");
  EXPECT_EQ(again.refusal, "");
  ASSERT_EQ(again.artifacts.size(), 1u);
  ASSERT_FALSE(again.notes.empty());
  EXPECT_THAT(again.notes[0], HasSubstr("wants the float model"));
}

TEST_F(HandOffTest, CalibrationFilesArePlanesOfPixels) {
  const CompiledTarget compiled = Compiled(Digits(), "cv25");
  const std::string folder = request_.output + "/digits_cv25_handoff";
  const std::string list = *ReadTextFile(folder + "/calibration_list.txt");
  EXPECT_EQ(std::ranges::count(list, '\n'), 20);
  EXPECT_THAT(list, testing::StartsWith("calibration/00000.bin\ncalibration/00001.bin\n"));
  const auto set = FindCalibration(kDigits, 100);
  const auto picture = DecodeRgb(*ReadFile(set->files[5]), set->files[5]);
  ASSERT_TRUE(picture.ok());
  const std::vector<uint8_t> bytes = *ReadFile(folder + "/calibration/00005.bin");
  ASSERT_EQ(bytes.size(), 784u);
  EXPECT_EQ(bytes[10 * 28 + 14], picture->pixels[(10 * 28 + 14) * 3]);
  const std::string commands = *ReadTextFile(folder + "/commands.sh");
  EXPECT_THAT(commands, HasSubstr("tfparser.py -p model.tflite"));
  EXPECT_THAT(commands, HasSubstr("is:1,1,28,28|iq|i:"));
  EXPECT_THAT(commands, HasSubstr("=calibration_list.txt|im:0|ic:255|idf:0,0,0,0"));
  EXPECT_THAT(commands, HasSubstr("|odf:fp32"));
  EXPECT_THAT(commands, HasSubstr("cavalry_gen -d vas_output -f digits_cavalry.bin"));
  EXPECT_EQ(commands.find('{'), std::string::npos);
  EXPECT_THAT(*ReadTextFile(folder + "/facts.txt"), HasSubstr("20 files in calibration_list.txt"));
}

TEST_F(HandOffTest, Cv75TakesTheOnnxFileItself) {
  const std::string path = folder_ + "/net.onnx";
  ASSERT_TRUE(Convert(Digits(), {}, path).ok());
  const auto model = LoadModel(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const CompiledTarget compiled = Compiled(*model, "cv75");
  EXPECT_EQ(compiled.refusal, "");
  const std::string folder = request_.output + "/net_cv75_handoff";
  EXPECT_EQ(*ReadFile(folder + "/model.onnx"), *ReadFile(path));
  EXPECT_THAT(*ReadTextFile(folder + "/commands.sh"), HasSubstr("onnxparser.py -m model.onnx"));
  const auto program = LoadModel(request_.output + "/net_cv75.dlpu");
  ASSERT_TRUE(program.ok());
  EXPECT_TRUE(LoadRunner(*program, {}).ok());
}

TEST_F(HandOffTest, Cv75GetsAFloatTfliteAsOnnx) {
  const CompiledTarget compiled = Compiled(Digits(), "cv75");
  EXPECT_EQ(compiled.refusal, "");
  const std::string folder = request_.output + "/digits_cv75_handoff";
  const auto given = LoadModel(folder + "/model.onnx");
  ASSERT_TRUE(given.ok()) << given.error().message;
  EXPECT_EQ(given->format, "onnx");
  EXPECT_THAT(*ReadTextFile(folder + "/commands.sh"), HasSubstr("onnxparser.py -m model.onnx"));
  ASSERT_FALSE(compiled.notes.empty());
  EXPECT_THAT(compiled.notes[0], HasSubstr("takes no .tflite"));
  EXPECT_TRUE(fs::exists(request_.output + "/digits_cv75.dlpu"));
}

TEST_F(HandOffTest, WhatCannotBeUsedIsNamed) {
  const std::string pictures = folder_ + "/pictures";
  fs::create_directories(pictures);
  for (const auto& entry : fs::directory_iterator(kDigits)) {
    fs::copy(entry.path(), fs::path(pictures) / entry.path().filename());
  }
  const std::string broken = pictures + "/broken.png";
  ASSERT_TRUE(WriteTextFile(broken, "\x89PNG\r\n\x1a\n no picture").ok());
  request_.calibration = pictures;
  const CompiledTarget compiled = Compiled(Digits(), "cv25");
  const std::string folder = request_.output + "/digits_cv25_handoff";
  const std::string list = *ReadTextFile(folder + "/calibration_list.txt");
  EXPECT_EQ(std::ranges::count(list, '\n'), 20);
  EXPECT_THAT(*ReadTextFile(folder + "/facts.txt"),
              HasSubstr("left out of the calibration: " + broken));
  // Nothing at all.
  const std::string empty = folder_ + "/empty";
  fs::create_directories(empty);
  request_.calibration = empty;
  const auto refused = CompileForTargets(Digits(), request_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("has no picture"));
}

}  // namespace
}  // namespace dlpu
