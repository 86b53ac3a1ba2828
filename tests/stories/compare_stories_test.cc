// SPDX-License-Identifier: Apache-2.0
// Finding out where the accuracy went, what the application fed, and whether a camera computes what
// it should, on small models built here.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/compare.h"
#include "app/compare_dump.h"
#include "app/device_form.h"
#include "app/interpret.h"
#include "app/known_answers.h"
#include "app/small_net.h"
#include "base/file.h"
#include "formats/tflite.h"
#include "vision/input.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

constexpr int kLayers = 20, kBad = 9, kChannels = 12;

// The same values on every machine, in [-1, 1).
float Noise(uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  return static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f;
}

void SetFloats(Tensor& tensor, const std::vector<float>& values) {
  tensor.data.resize(values.size() * 4);
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
}

std::vector<float> Weights(int layer) {
  uint32_t state = 77u + static_cast<uint32_t>(layer);
  std::vector<float> values(static_cast<size_t>(kChannels) * 9 * kChannels);
  for (float& v : values) v = 0.165f * Noise(state);
  return values;
}

// A chain of convolutions with RELU; float when `ranges` is empty, else int8 with these output
// ranges.
CompareSide Chain(const std::vector<float>& ranges) {
  const bool is_float = ranges.empty();
  SmallNet n;
  const Shape shape = {1, 12, 12, kChannels};
  TensorId x =
      is_float ? n.In(shape, DataType::kFloat32) : n.In(shape, DataType::kInt8, 1 / 127.0f);
  for (int i = 0; i < kLayers; ++i) {
    ConvSpec spec;
    spec.filters = kChannels;
    spec.activation = Activation::kRelu;
    spec.weight_scale = 0.165f / 127;
    x = n.Conv(x, spec);
    const Node& node = n.graph.nodes.back();
    Tensor& weights = n.graph.tensors[node.inputs[1]];
    const std::vector<float> values = Weights(i);
    if (is_float) {
      SetFloats(weights, values);
      continue;
    }
    weights.data = ToBytes(weights, values);
    const float input_scale = n.graph.tensors[node.inputs[0]].quantization.scale0();
    n.graph.tensors[node.inputs[2]].quantization = {{input_scale * spec.weight_scale}, {0}, 0};
    n.graph.tensors[x].quantization = {{ranges[static_cast<size_t>(i)] / 255}, {-128}, 0};
  }
  CompareSide side;
  side.label = is_float ? "float" : "int8";
  side.model = n.Model();
  return side;
}

// The largest value of each layer of the float chain on the sample that Compare makes.
std::vector<float> FloatRanges(const CompareSide& side) {
  Result<Program> program = CompileModel(side.model, side.options);
  EXPECT_TRUE(program.ok());
  Result<Probe> probe = Probe::Load(*std::move(program), {.threads = 1});
  EXPECT_TRUE(probe.ok());
  FillRandom(probe->runner(), 1);
  EXPECT_TRUE(probe->runner().Run().ok());
  std::vector<float> ranges;
  for (const Step& step : probe->program().steps) {
    const TensorId id = step.node.outputs[0];
    const std::vector<float> values = RealValues(probe->tensor(id), probe->bytes(id));
    ranges.push_back(*std::max_element(values.begin(), values.end()));
  }
  return ranges;
}

const ComparedLayer* LayerNamed(const CompareReport& report, const std::string& name) {
  for (const ComparedLayer& layer : report.layers) {
    if (layer.name == name) return &layer;
  }
  return nullptr;
}

TEST(CompareStories, GrowingError) {
  const CompareSide exact = Chain({});
  std::vector<float> ranges = FloatRanges(exact);
  ASSERT_EQ(ranges.size(), static_cast<size_t>(kLayers));
  const auto good = Compare(exact, Chain(ranges), {});
  ASSERT_TRUE(good.ok()) << good.error().message;
  ASSERT_EQ(good->layers.size(), static_cast<size_t>(kLayers));
  for (const ComparedLayer& layer : good->layers) {
    EXPECT_FALSE(layer.bad) << layer.name;
    EXPECT_GT(layer.isolated->sqnr_db(), 30) << layer.name;
  }
  ranges[kBad] /= 8;
  const CompareSide bad = Chain(ranges);
  const auto report = Compare(exact, bad, {});
  ASSERT_TRUE(report.ok()) << report.error().message;
  // That layer alone is flagged, first, and with its reason.
  const std::string name = bad.model.graph.nodes[kBad].name;
  EXPECT_EQ(report->layers[0].name, name);
  EXPECT_THAT(report->layers[0].reason, HasSubstr("clipping"));
  int flagged = 0;
  for (const ComparedLayer& layer : report->layers) flagged += layer.bad ? 1 : 0;
  EXPECT_EQ(flagged, 1);
  EXPECT_TRUE(report->layers[0].bad);
  EXPECT_LT(report->layers[0].isolated->sqnr_db(), 15);
  // Layers after it are good alone and bad with what they inherit; those before it are untouched.
  int after = 0;
  for (int i = 0; i < kLayers; ++i) {
    const ComparedLayer* layer = LayerNamed(*report, bad.model.graph.nodes[i].name);
    const ComparedLayer* before = LayerNamed(*good, bad.model.graph.nodes[i].name);
    ASSERT_NE(layer, nullptr);
    ASSERT_NE(before, nullptr);
    if (i < kBad) {
      EXPECT_EQ(layer->accumulated.sqnr_db(), before->accumulated.sqnr_db());
    }
    if (i <= kBad) continue;
    EXPECT_GT(layer->isolated->sqnr_db(), 30);
    EXPECT_LT(layer->accumulated.sqnr_db(), before->accumulated.sqnr_db() - 10);
    ++after;
  }
  EXPECT_EQ(after, kLayers - kBad - 1);
  const std::string text = CompareText(*report, 5);
  EXPECT_THAT(text, HasSubstr("bad layer  CONV_2D " + name));
  EXPECT_THAT(text, HasSubstr("and 15 more layers"));
}

TEST(CompareStories, ReasonsAreToldApart) {
  const CompareSide exact = Chain({});
  const std::vector<float> ranges = FloatRanges(exact);
  std::vector<float> wide = ranges;
  wide[4] *= 40;  // few codes are used
  auto report = Compare(exact, Chain(wide), {});
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->layers[0].reason, HasSubstr("range: its codes reach"));
  // Other weights than the reference's.
  CompareSide scrambled = Chain(ranges);
  Tensor& weights = scrambled.model.graph.tensors[scrambled.model.graph.nodes[6].inputs[1]];
  std::reverse(weights.data.begin(), weights.data.end());
  report = Compare(exact, scrambled, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->layers[0].name, scrambled.model.graph.nodes[6].name);
  EXPECT_THAT(report->layers[0].reason, HasSubstr("weights: they are not the reference's"));
  // A bias that is lost is neither range nor rounding.
  CompareSide shifted = Chain(ranges);
  Tensor& bias = shifted.model.graph.tensors[shifted.model.graph.nodes[3].inputs[2]];
  for (size_t i = 0; i < bias.data.size(); i += 4) {
    const int32_t code = 9000;
    std::memcpy(bias.data.data() + i, &code, 4);
  }
  report = Compare(exact, shifted, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->layers[0].name, shifted.model.graph.nodes[3].name);
  EXPECT_TRUE(report->layers[0].bad);
}

TEST(CompareStories, LayersWithOtherNamesAreFoundByTheirWeights) {
  const CompareSide exact = Chain({});
  CompareSide renamed = Chain(FloatRanges(exact));
  for (Tensor& tensor : renamed.model.graph.tensors) tensor.name = "renamed/" + tensor.name;
  for (Node& node : renamed.model.graph.nodes) node.name = "renamed/" + node.name;
  const auto report = Compare(exact, renamed, {});
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->layers.size(), static_cast<size_t>(kLayers));
  for (const ComparedLayer& layer : report->layers) {
    EXPECT_EQ("renamed/" + layer.reference, layer.name);
    EXPECT_GT(layer.isolated->sqnr_db(), 30);
  }
}

TEST(CompareStories, ScaledChannelsAreUndone) {
  // One channel of layer 2 is 16 times larger, and the weights that read it 16 times smaller.
  CompareSide exact = Chain({}), scaled = Chain({});
  Graph& graph = scaled.model.graph;
  Tensor& first = graph.tensors[graph.nodes[2].inputs[1]];
  Tensor& second = graph.tensors[graph.nodes[3].inputs[1]];
  std::vector<float> a = Weights(2), b = Weights(3);
  for (size_t i = 0; i < 9 * kChannels; ++i) a[i] *= 16;
  for (size_t i = 0; i < b.size(); i += kChannels) b[i] /= 16;
  SetFloats(first, a);
  SetFloats(second, b);
  const auto plain = Compare(exact, scaled, {});
  ASSERT_TRUE(plain.ok());
  EXPECT_LT(plain->layers[0].isolated->sqnr_db(), 10);
  CompareOptions options;
  options.equalized = true;
  const auto undone = Compare(exact, scaled, options);
  ASSERT_TRUE(undone.ok());
  EXPECT_GT(undone->layers[0].isolated->sqnr_db(), 100);
}

// The same model in two arithmetics: how each rounds is said, and codes part by one at most.
TEST(CompareStories, TheWrongArithmeticIsNamed) {
  const CompareSide side = Chain(FloatRanges(Chain({})));
  CompareSide other = side;
  other.label = "xnnpack";
  other.options.profile = "xnnpack";
  const auto same = Compare(side, side, {});
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same->outputs[0].stats.equal());
  EXPECT_THAT(CompareText(*same, 5), testing::Not(HasSubstr("rounds")));
  CompareOptions options;
  options.noise = 4;
  const auto report = Compare(side, other, options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->layers[0].isolated->equal());
  EXPECT_EQ(report->layers[0].isolated->worst_code, 1);
  EXPECT_GT(report->layers[0].isolated->code_distance[1], 0);
  EXPECT_THAT(report->layers[0].reason,
              HasSubstr("rounding rule: tflite-reference rounds twice, the second time half away "
                        "from zero (R2); xnnpack rounds once"));
  EXPECT_THAT(CompareText(*report, 5), HasSubstr("half to even (XF)"));
}

// A picture with structure, larger than the input.
Image Photo() {
  Image image = MakeImage(90, 70, 3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      uint8_t* p = image.At(x, y);
      p[0] = static_cast<uint8_t>(2 * x + y);
      p[1] = static_cast<uint8_t>((x * y) / 7 + 40);
      p[2] = static_cast<uint8_t>(x / 9 % 2 == y / 9 % 2 ? 200 : 30);
    }
  }
  return image;
}

class InputStory : public testing::Test {
 protected:
  InputStory() {
    folder_ = testing::TempDir() + "dlpu_input_story";
    EXPECT_TRUE(MakeDirectory(folder_).ok());
    EXPECT_TRUE(WritePng(folder_ + "/photo.png", Photo()).ok());
    SmallNet n;
    const TensorId x = n.In({1, 33, 37, 3}, DataType::kFloat32);
    n.Op1("RELU", {x}, {1, 33, 37, 3});
    side_.model = n.Model();
    options_.mean = {127.5f};
    options_.std = {127.5f};
    spec_.width = 37;
    spec_.height = 33;
    spec_.type = PixelType::kFloat32;
    spec_.mean.fill(127.5f);
    spec_.std.fill(127.5f);
  }

  // What is said of a tensor made with that specification.
  std::string Said(const InputSpec& spec) {
    const Result<ModelInput> made = MakeModelInput(Photo(), spec);
    EXPECT_TRUE(made.ok());
    return SaidOf(made->bytes);
  }
  std::string SaidOf(const std::vector<uint8_t>& bytes) {
    EXPECT_TRUE(WriteFile(folder_ + "/theirs.bin", bytes).ok());
    const auto comparison =
        CompareInputs(side_, folder_ + "/photo.png", folder_ + "/theirs.bin", "", options_);
    EXPECT_TRUE(comparison.ok()) << comparison.error().message;
    return comparison.ok() ? CompareInputsText(*comparison) : "";
  }

  std::string folder_;
  CompareSide side_;
  InputOptions options_;
  InputSpec spec_;
};

TEST_F(InputStory, PcVersusApp) {
  EXPECT_THAT(Said(spec_), HasSubstr("the tensors are the same"));
  InputSpec swapped = spec_;
  swapped.bgr = true;
  EXPECT_THAT(Said(swapped), HasSubstr("cause      red and blue are exchanged; undone: equal"));
  InputSpec twice = spec_;
  for (int c = 0; c < 4; ++c) {
    twice.mean[c] += twice.mean[c] * twice.std[c];
    twice.std[c] *= twice.std[c];
  }
  EXPECT_THAT(Said(twice),
              HasSubstr("cause      the normalisation is applied twice; undone: equal"));
  InputSpec nearest = spec_;
  nearest.filter = ResizeFilter::kNearest;
  EXPECT_THAT(Said(nearest), HasSubstr("cause      the picture is resized with the nearest filter; "
                                       "undone: equal"));
  // Rows of 37 x 3 floats stand 512 bytes apart in the frame, and the stride was ignored.
  const Result<ModelInput> right = MakeModelInput(Photo(), spec_);
  ASSERT_TRUE(right.ok());
  std::vector<uint8_t> padded;
  for (size_t at = 0; at < right->bytes.size(); at += 37 * 12) {
    padded.insert(padded.end(), right->bytes.begin() + static_cast<int64_t>(at),
                  right->bytes.begin() + static_cast<int64_t>(at + 37 * 12));
    padded.resize(padded.size() + 512 - 37 * 12);
  }
  padded.resize(right->bytes.size());
  EXPECT_THAT(SaidOf(padded), HasSubstr("rows are padded to 512 bytes"));
}

// YCbCr of BT.601 in full range taken for limited range: (c - 16) * 255 / 219 of grey pixels.
TEST_F(InputStory, ColourMatrix) {
  Image photo = Photo();
  for (size_t i = 0; i < photo.pixels.size(); i += 3) {
    const double r = photo.pixels[i], g = photo.pixels[i + 1], b = photo.pixels[i + 2];
    const double y = 0.299 * r + 0.587 * g + 0.114 * b;
    const double cb = (b - y) / 1.772, cr = (r - y) / 1.402;
    const double light = (y - 16) * 255 / 219, scale = 255.0 / 224;
    const double red = light + 1.402 * cr * scale, blue = light + 1.772 * cb * scale;
    const double green = (light - 0.299 * red - 0.114 * blue) / 0.587;
    for (const auto& [c, v] : {std::pair{0, red}, {1, green}, {2, blue}}) {
      photo.pixels[i + static_cast<size_t>(c)] =
          static_cast<uint8_t>(std::lround(std::clamp(v, 0.0, 255.0)));
    }
  }
  const Result<ModelInput> made = MakeModelInput(photo, spec_);
  ASSERT_TRUE(made.ok());
  EXPECT_THAT(SaidOf(made->bytes), HasSubstr("cause      the colour matrix: YUV of BT.601 full "
                                             "range is read as BT.601 limited range"));
}

class PackStory : public testing::Test {
 protected:
  PackStory() {
    folder_ = testing::TempDir() + "dlpu_pack_story";
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectory(folder_).ok());
    const CompareSide exact = Chain({});
    model_ = Chain(FloatRanges(exact)).model;
    const Result<std::vector<uint8_t>> bytes = WriteTflite(model_.graph);
    EXPECT_TRUE(bytes.ok());
    model_.path = folder_ + "/chain.tflite";
    EXPECT_TRUE(WriteFile(model_.path, *bytes).ok());
    PackRequest request;
    request.model.model = model_.path;
    request.model.target = "artpec8";
    request.noise = 2;
    request.folder = folder_ + "/pack";
    const Result<PackSummary> summary = WritePack(model_, request);
    EXPECT_TRUE(summary.ok()) << summary.error().message;
    if (summary.ok()) summary_ = *summary;
    EXPECT_TRUE(MakeDirectory(results_).ok());
  }

  // What a camera answers: the expected codes, `change` applied to each.
  template <typename Change>
  void Answer(const Change& change) {
    for (int i = 0; i < 2; ++i) {
      auto bytes = ReadFile(fmt::format("{}/pack/expected_s{}_out0.bin", folder_, i));
      ASSERT_TRUE(bytes.ok());
      for (size_t k = 0; k < bytes->size(); ++k) (*bytes)[k] = change(k, (*bytes)[k]);
      ASSERT_TRUE(WriteFile(fmt::format("{}/s{}_out0.bin", results_, i), *bytes).ok());
    }
  }

  JudgedPack Judged() {
    const Result<JudgedPack> judged = JudgePack(folder_ + "/pack", results_);
    EXPECT_TRUE(judged.ok()) << judged.error().message;
    return judged.ok() ? *judged : JudgedPack();
  }

  LoadedModel model_;
  PackSummary summary_;
  std::string folder_, results_ = testing::TempDir() + "dlpu_pack_story/results";
};

TEST_F(PackStory, KnownAnswersForTheCamera) {
  EXPECT_EQ(summary_.samples, 2);
  EXPECT_EQ(summary_.device, "axis-a8-dlpu-tflite");
  const Result<std::string> script = ReadTextFile(folder_ + "/pack/run.sh");
  ASSERT_TRUE(script.ok());
  EXPECT_THAT(*script, HasSubstr("larod-client -g \"$MODEL\" -c axis-a8-dlpu-tflite -i s0_in0.bin "
                                 "-o results/s0_out0.bin"));
  Answer([](size_t, uint8_t code) { return code; });
  JudgedPack judged = Judged();
  EXPECT_TRUE(judged.passed());
  EXPECT_EQ(judged.confidence, "assumed");
  ASSERT_FALSE(judged.ops.empty());
  EXPECT_THAT(JudgedText(judged), HasSubstr("20 CONV_2D on the dlpu: arithmetic assumed"));
  // One code off here and there is within what arithmetics differ by.
  Answer([](size_t k, uint8_t code) { return k % 50 == 0 ? code ^ 1 : code; });
  EXPECT_TRUE(Judged().passed());
  // Three codes are not: how many values by how much.
  const auto tolerance = static_cast<uint8_t>(summary_.tolerance_codes);
  Answer([&](size_t k, uint8_t code) {
    const auto moved = static_cast<uint8_t>(static_cast<int8_t>(code) > 0 ? code - tolerance - 2
                                                                          : code + tolerance + 2);
    return k % 10 == 0 ? moved : code;
  });
  judged = Judged();
  EXPECT_FALSE(judged.passed());
  EXPECT_EQ(judged.answers[0].verdict, AnswerVerdict::kOff);
  EXPECT_THAT(JudgedText(judged), HasSubstr("equal 89.99 %, more 10.01 %"));
  Answer([](size_t k, uint8_t) { return static_cast<uint8_t>(37 * k); });
  EXPECT_EQ(Judged().answers[1].verdict, AnswerVerdict::kWrong);
}

TEST_F(PackStory, WhatIsMissingOrCutIsNamed) {
  Answer([](size_t, uint8_t code) { return code; });
  ASSERT_TRUE(WriteFile(results_ + "/s0_out0.bin", std::vector<uint8_t>(7)).ok());
  std::filesystem::remove(results_ + "/s1_out0.bin");
  const JudgedPack judged = Judged();
  ASSERT_EQ(judged.answers.size(), 2u);
  EXPECT_THAT(judged.answers[0].problem, HasSubstr("7 bytes instead of"));
  EXPECT_THAT(judged.answers[1].problem, HasSubstr("s1_out0.bin"));
  EXPECT_FALSE(judged.passed());
  // A pack whose expected codes were changed is refused.
  ASSERT_TRUE(WriteFile(folder_ + "/pack/expected_s0_out0.bin", std::vector<uint8_t>(7)).ok());
  const Result<JudgedPack> broken = JudgePack(folder_ + "/pack", results_);
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().message, HasSubstr("write the pack again"));
}

// A dump that was computed in another arithmetic says which.
TEST_F(PackStory, TheArithmeticOfADumpIsFound) {
  CompareSide side, xnnpack;
  side.label = "chain";
  side.model = xnnpack.model = model_;
  xnnpack.options.profile = "xnnpack";
  CompareOptions options;
  options.input.files = {folder_ + "/pack/s0_in0.bin"};
  Result<std::unique_ptr<Runner>> runner = LoadRunner(xnnpack.model, xnnpack.options);
  ASSERT_TRUE(runner.ok());
  const auto input = ReadFile(options.input.files[0]);
  ASSERT_TRUE(input.ok());
  std::copy(input->begin(), input->end(), (*runner)->input(0).begin());
  ASSERT_TRUE((*runner)->Run().ok());
  const auto output = (*runner)->output(0);
  ASSERT_TRUE(WriteFile(folder_ + "/other.out0", {output.begin(), output.end()}).ok());
  const auto report = CompareOutputs({"chain", &side, ""},
                                     {"dump", nullptr, folder_ + "/other.out0"}, nullptr, options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->outputs[0].stats.equal());
  EXPECT_THAT(CompareText(*report, 5), HasSubstr("give --profile xnnpack"));
}

// CVflow's files hold planes of padded rows, and floats.
TEST_F(PackStory, ADumpOfCvflowIsTakenApart) {
  CompareSide side;
  side.label = "chain@cv25";
  side.model = model_;
  side.options.target = "cv25";
  const DeviceForm form = DeviceFormOf("cv25");
  ASSERT_TRUE(form.planar);
  const Tensor& in = model_.graph.tensors[model_.graph.inputs[0]];
  const Tensor& out = model_.graph.tensors[model_.graph.outputs[0]];
  EXPECT_EQ(DeviceBytes(in, form, false), static_cast<size_t>(kChannels) * 12 * 32);
  EXPECT_EQ(DeviceBytes(out, form, true), static_cast<size_t>(kChannels) * 12 * 64);
  const auto codes = ReadFile(folder_ + "/pack/expected_s0_out0.bin");
  const auto input = ReadFile(folder_ + "/pack/s0_in0.bin");
  ASSERT_TRUE(codes.ok() && input.ok());
  const std::vector<uint8_t> file = ToDevice(out, *codes, form, true);
  EXPECT_EQ(FromDevice(out, file, form, true), *codes);
  // Value (y, x, channel) of the model lies in plane `channel`, row y.
  float value = 0;
  std::memcpy(&value, &file[(7 * 12 + 3) * 64 + 5 * 4], 4);
  EXPECT_EQ(value, RealValues(out, *codes)[(3 * 12 + 5) * kChannels + 7]);
  ASSERT_TRUE(WriteFile(folder_ + "/cv.out0", file).ok());
  ASSERT_TRUE(WriteFile(folder_ + "/cv.in0", ToDevice(in, *input, form, false)).ok());
  CompareOptions options;
  options.input.files = {folder_ + "/cv.in0"};
  const OutputsSide dump{"dump", nullptr, folder_ + "/cv.out0"};
  CompareSide here = side;
  here.options.target = "";
  const auto report = CompareOutputs({"chain", &here, ""}, dump, &side, options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->outputs[0].stats.values, 0);
  EXPECT_TRUE(report->outputs[0].stats.equal());
  // Without the target the file does not fit, and the remedy is said.
  options.input.files = {folder_ + "/pack/s0_in0.bin"};
  const auto refused = CompareOutputs({"chain", &here, ""}, dump, nullptr, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("@cv25"));
}

TEST_F(PackStory, ADumpIsComparedWithAModel) {
  CompareSide side;
  side.label = "chain";
  side.model = model_;
  CompareOptions options;
  options.input.files = {folder_ + "/pack/s0_in0.bin"};
  const OutputsSide mine{"chain", &side, ""};
  const OutputsSide dump{"dump", nullptr, folder_ + "/pack/expected_s0_out0.bin"};
  const auto report = CompareOutputs(mine, dump, nullptr, options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->outputs.size(), 1u);
  EXPECT_TRUE(report->outputs[0].stats.equal());
  EXPECT_GT(report->outputs[0].stats.values, 0);
  // Codes are no float32.
  const CompareSide exact = Chain({});
  CompareOptions noise = options;
  noise.input.files = {folder_ + "/float.bin"};
  ASSERT_TRUE(WriteFile(noise.input.files[0], std::vector<uint8_t>(12 * 12 * kChannels * 4)).ok());
  const auto refused = CompareOutputs({"float", &exact, ""}, dump, nullptr, noise);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("--of"));
  EXPECT_TRUE(CompareOutputs({"float", &exact, ""}, dump, &side, noise).ok());
}

}  // namespace
}  // namespace dlpu
