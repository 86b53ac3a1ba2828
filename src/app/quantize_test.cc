// SPDX-License-Identifier: Apache-2.0
// Quantizing the built-in digit classifier end to end, and what may be wrong with what users bring.
#include "app/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "app/recipe.h"
#include "base/file.h"
#include "formats/tflite.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDigits = "tests/data/digits";
constexpr QuantScheme kAllSchemes[] = {QuantScheme::kInt8PerChannel, QuantScheme::kInt8PerTensor,
                                       QuantScheme::kUint8PerTensor, QuantScheme::kInt16x8,
                                       QuantScheme::kPowerOfTwo};

LoadedModel Digits() {
  Result<LoadedModel> model = LoadModel("digits");
  EXPECT_TRUE(model.ok());
  return *std::move(model);
}

CalibrationSet Pictures(const std::string& where = kDigits) {
  Result<CalibrationSet> set = FindCalibration(where, 100);
  EXPECT_TRUE(set.ok()) << set.error().message;
  return *std::move(set);
}

QuantizeSettings With(QuantScheme scheme, bool equalize = false) {
  QuantizeSettings settings;
  settings.scheme = scheme;
  settings.equalize = equalize;
  return settings;
}

Result<QuantizeReport> Made(const LoadedModel& model, const QuantizeSettings& settings,
                            const CalibrationSet& set, int threads = 1) {
  return Quantize(model, settings, set, threads, nullptr);
}

std::vector<uint8_t> Bytes(const QuantizeReport& report) {
  const Result<std::vector<uint8_t>> bytes = WriteTflite(report.graph);
  EXPECT_TRUE(bytes.ok());
  return *bytes;
}

// The classes of the digit pictures under a graph, in the order of their files.
std::vector<int> Classes(const LoadedModel& model, const Graph& graph) {
  LoadedModel other = model;
  other.graph = graph;
  const auto runner = LoadRunner(other, {});
  EXPECT_TRUE(runner.ok()) << runner.error().message;
  const CalibrationSet set = Pictures();
  std::vector<int> classes;
  for (size_t i = 0; i < set.size(); ++i) {
    EXPECT_TRUE(FillSample(**runner, other, {}, set, i).ok());
    EXPECT_TRUE((*runner)->Run().ok());
    const std::span<const uint8_t> out = (*runner)->output(0);
    const Tensor& tensor = (*runner)->output_tensor(0);
    int best = 0;
    double top = -1e30;
    for (int c = 0; c < 10; ++c) {
      double value = 0;
      if (tensor.type == DataType::kFloat32) {
        float f = 0;
        std::memcpy(&f, out.data() + c * 4, 4);
        value = f;
      } else if (tensor.type == DataType::kInt16) {
        int16_t v = 0;
        std::memcpy(&v, out.data() + c * 2, 2);
        value = v;
      } else {
        value = tensor.type == DataType::kInt8 ? static_cast<int8_t>(out[c]) : out[c];
      }
      if (value > top) top = value, best = c;
    }
    classes.push_back(best);
  }
  return classes;
}

TEST(Quantize, DigitsKeepTheirClassesInEveryScheme) {
  const LoadedModel model = Digits();
  const std::vector<int> expected = Classes(model, model.graph);
  ASSERT_EQ(expected.size(), 20u);
  for (const QuantScheme scheme : kAllSchemes) {
    SCOPED_TRACE(SchemeName(scheme));
    const auto report = Made(model, With(scheme, true), Pictures());
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->used.size(), 20u);
    EXPECT_TRUE(report->float_nodes.empty());
    EXPECT_FALSE(report->dead());
    ASSERT_EQ(report->losses.size(), 1u);
    EXPECT_GT(report->losses[0].sqnr_db, 27);  // probabilities have steps of 1/256
    EXPECT_EQ(Classes(model, report->graph), expected);
  }
}

// The same function with output channels of the first layer 1000 times apart, taken back in the
// second.
LoadedModel BlownUp(LoadedModel model) {
  std::vector<Node*> layers;
  for (Node& node : model.graph.nodes) {
    if (node.op == Op::kConv2d) layers.push_back(&node);
  }
  for (size_t l = 0; l + 1 < layers.size(); ++l) {
    Tensor &w = model.graph.tensors[layers[l]->inputs[1]],
           &b = model.graph.tensors[layers[l]->inputs[2]],
           &n = model.graph.tensors[layers[l + 1]->inputs[1]];
    std::vector<float> weights = FloatValues(w), bias = FloatValues(b), next = FloatValues(n);
    const AxisIndex out = IndexAlong(w.shape, 0), in = IndexAlong(n.shape, 3);
    const auto scale = [](size_t c) { return c % 2 == 0 ? 1000.0f : 1.0f; };
    for (size_t i = 0; i < weights.size(); ++i) weights[i] *= scale(out(i));
    for (size_t i = 0; i < bias.size(); ++i) bias[i] *= scale(i);
    for (size_t i = 0; i < next.size(); ++i) next[i] /= scale(in(i));
    SetFloatValues(w, weights);
    SetFloatValues(b, bias);
    SetFloatValues(n, next);
  }
  return model;
}

TEST(Quantize, ABlownUpNetworkIsDeadWithoutEqualizationAndWholeWithIt) {
  const LoadedModel model = Digits(), blown_up = BlownUp(model);
  const auto naive = Made(blown_up, With(QuantScheme::kInt8PerTensor, false), Pictures());
  const auto ours = Made(blown_up, With(QuantScheme::kInt8PerTensor, true), Pictures());
  const auto original = Made(model, With(QuantScheme::kInt8PerTensor, true), Pictures());
  ASSERT_TRUE(naive.ok() && ours.ok() && original.ok());
  EXPECT_LT(naive->losses[0].sqnr_db, 10);
  EXPECT_GT(ours->losses[0].sqnr_db, original->losses[0].sqnr_db - 0.5);
  EXPECT_LT(ours->float_change, 1e-5);
  EXPECT_GT(ours->equalization.layers, 1);
}

TEST(Quantize, GivesTheSameBytesTwiceAndWithAnyNumberOfThreads) {
  const LoadedModel model = Digits();
  QuantizeSettings settings = With(QuantScheme::kInt8PerTensor, true);
  settings.try_bias = settings.try_ranges = settings.try_weights = true;
  const auto one = Made(model, settings, Pictures(), 1),
             again = Made(model, settings, Pictures(), 1),
             two = Made(model, settings, Pictures(), 2);
  ASSERT_TRUE(one.ok() && again.ok() && two.ok());
  EXPECT_EQ(Bytes(*one), Bytes(*again));
  EXPECT_EQ(Bytes(*one), Bytes(*two));
}

TEST(Quantize, ARecipeMakesTheSameModelAgain) {
  const LoadedModel model = Digits();
  QuantizeSettings settings = With(QuantScheme::kInt8PerTensor, true);
  settings.try_bias = settings.try_ranges = settings.try_weights = true;
  settings.input_type = DataType::kUInt8;
  settings.node_types["logits"] = DataType::kFloat32;
  const auto first = Made(model, settings, Pictures());
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto recipe = RecipeOf(model, *first, "");
  ASSERT_TRUE(recipe.ok());
  const auto read = ParseRecipe(RecipeText(*recipe), "recipe");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(RecipeText(*read), RecipeText(*recipe));
  const auto set = CalibrationOf(*read);
  ASSERT_TRUE(set.ok()) << set.error().message;
  const auto second = Made(model, read->settings, *set);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(Bytes(*first), Bytes(*second));
  Recipe changed = *read;
  changed.files[3].sha256 = "0";
  const auto refused = CalibrationOf(changed);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find(changed.files[3].path), std::string::npos);
  EXPECT_FALSE(ParseRecipe("version = 1\nscheme = \"int4\"\n", "r").ok());
  EXPECT_FALSE(ParseRecipe("version = 1\nscheme = \"int16x8\"\nrange = \"mse\"\n", "r").ok());
}

// A folder that goes away with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / "dlpu_quantize_test") {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string At(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST(Quantize, ThreeCorruptPicturesAmongAHundredAreNamedSkippedAndCounted) {
  const Folder folder;
  std::vector<fs::path> digits;
  for (const auto& entry : fs::directory_iterator(kDigits)) digits.push_back(entry.path());
  std::sort(digits.begin(), digits.end());
  ASSERT_FALSE(digits.empty());
  for (size_t i = 0; i < 97; ++i) {
    const fs::path& from = digits[i % digits.size()];
    fs::copy(from, folder.At("p" + std::to_string(i) + from.extension().string()));
  }
  for (const char* name : {"a.png", "m.jpg", "z.bmp"}) {
    ASSERT_TRUE(WriteTextFile(folder.At(name), "no picture").ok());
  }
  const auto report = Made(Digits(), With(QuantScheme::kInt8PerChannel), Pictures(folder.path()));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->used.size(), 97u);
  ASSERT_EQ(report->skipped.size(), 3u);
  EXPECT_EQ(report->skipped[0].name, folder.At("a.png"));
  EXPECT_EQ(report->skipped[1].name, folder.At("m.jpg"));
  EXPECT_EQ(report->skipped[2].name, folder.At("z.bmp"));
  EXPECT_NE(QuantizeText(*report).find("3 of 100 inputs skipped"), std::string::npos);
}

TEST(Quantize, AnEmptyFolderIsRefused) {
  const Folder folder;
  const auto set = FindCalibration(folder.path(), 100);
  ASSERT_FALSE(set.ok());
  EXPECT_NE(set.error().message.find("has no picture"), std::string::npos);
  EXPECT_FALSE(FindCalibration(folder.At("missing"), 100).ok());
  EXPECT_FALSE(FindCalibration("", 100).ok());
}

TEST(Quantize, OneConstantPictureIsWarnedAbout) {
  const Folder folder;
  ASSERT_TRUE(WriteTextFile(folder.At("grey.pgm"), "P2\n1 1\n255\n7\n").ok());
  std::string pgm = "P5\n28 28\n255\n";
  pgm.append(28 * 28, static_cast<char>(7));
  ASSERT_TRUE(WriteTextFile(folder.At("grey.pgm"), pgm).ok());
  const auto report = Made(Digits(), With(QuantScheme::kInt8PerChannel), Pictures(folder.path()));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->warnings.size(), 2u);
  EXPECT_NE(report->warnings[0].find("only 1 calibration input"), std::string::npos);
  EXPECT_NE(report->warnings[1].find("one value"), std::string::npos);
}

TEST(Quantize, WeightsThatAreNoNumbersAreNamed) {
  LoadedModel model = Digits();
  Tensor& weights = model.graph.tensors[model.graph.nodes[0].inputs[1]];
  std::vector<float> values = FloatValues(weights);
  values[3] = std::nanf("");
  SetFloatValues(weights, values);
  const auto report = Made(model, With(QuantScheme::kInt8PerChannel), Pictures());
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("'conv1/weights': element 3 is nan"), std::string::npos)
      << report.error().message;
}

TEST(Quantize, OfQuantizedModelsOnlyPerChannelBecomesPerTensor) {
  const LoadedModel model = Digits();
  const auto first = Made(model, With(QuantScheme::kInt8PerChannel), Pictures());
  ASSERT_TRUE(first.ok());
  LoadedModel quantized = model;
  quantized.graph = first->graph;
  const auto refused = Made(quantized, With(QuantScheme::kInt8PerChannel), Pictures());
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("is quantized already (int8 per-channel)"),
            std::string::npos);
  for (const bool equalize : {false, true}) {
    const auto second = Made(quantized, With(QuantScheme::kInt8PerTensor, equalize), Pictures());
    ASSERT_TRUE(second.ok()) << second.error().message;
    EXPECT_EQ(Classes(model, second->graph), Classes(model, model.graph));
  }
}

TEST(Histogram, DoesNotDependOnTheOrder) {
  const std::vector<float> small = {0.1f, -0.2f, 0.3f}, large = {5, -70, 0};
  Histogram a, b;
  a.Add(small);
  a.Add(large);
  b.Add(large);
  b.Add(small);
  EXPECT_EQ(a.width(), b.width());
  EXPECT_EQ(a.counts(), b.counts());
  EXPECT_EQ(a.total(), 6);
}

TEST(ChooseRange, ClipsOutliersAndNothingElse) {
  TensorStatistics statistics;
  std::vector<float> values;
  for (int i = 0; i < 100000; ++i) values.push_back(static_cast<float>(i % 1000) / 1000);
  values.push_back(50);
  statistics.low = 0;
  statistics.high = 50;
  statistics.histogram.Add(values);
  RangeOptions options;
  EXPECT_EQ(ChooseRange(statistics, options).high, 50);
  for (const RangeMethod method : {RangeMethod::kPercentile, RangeMethod::kEntropy}) {
    options.method = method;
    const RealRange range = ChooseRange(statistics, options);
    EXPECT_LT(range.high, 10) << RangeMethodName(method);
    EXPECT_GE(range.high, 0.99f) << RangeMethodName(method);
    EXPECT_EQ(range.low, 0);
  }
  options.method = RangeMethod::kMse;
  EXPECT_LE(ChooseRange(statistics, options).high, 50);
  // 9 inputs from 0 to 1 and one to 50.
  options.method = RangeMethod::kAverage;
  statistics.inputs = 10;
  statistics.high_sum = 59;
  EXPECT_FLOAT_EQ(ChooseRange(statistics, options).high, 5.9f);
  EXPECT_EQ(ChooseRange(statistics, options).low, 0);
}

TEST(SchemeFor, FollowsTheTargetsData) {
  EXPECT_EQ(*SchemeFor(*FindTarget("artpec8")), QuantScheme::kInt8PerTensor);
  EXPECT_EQ(*SchemeFor(*FindTarget("artpec9")), QuantScheme::kInt8PerChannel);
  EXPECT_EQ(*SchemeFor(*FindTarget("cv25")), QuantScheme::kPowerOfTwo);
  const auto none = SchemeFor(*FindTarget("cpu"));
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("--scheme"), std::string::npos);
}

}  // namespace
}  // namespace dlpu
