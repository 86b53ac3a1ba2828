// SPDX-License-Identifier: Apache-2.0
// What a model's own metadata says is shown, and normalises pictures unless someone says otherwise.
#include "app/metadata_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/tensor_input.h"

namespace dlpu {
namespace {

using testing::Each;
using testing::FloatEq;
using testing::HasSubstr;

// 1x2x2x3 float -> RELU.
LoadedModel FloatModel() {
  LoadedModel model;
  Graph& g = model.graph;
  g.name = "relu";
  g.tensors.push_back({"in", DataType::kFloat32, {1, 2, 2, 3}, {}, {}, false, false});
  g.tensors.push_back({"out", DataType::kFloat32, {1, 2, 2, 3}, {}, {}, false, false});
  g.nodes.push_back({Op::kRelu, "out", {0}, {1}, {}, DefaultAttrs(Op::kRelu), 1});
  g.inputs = {0};
  g.outputs = {1};
  return model;
}

TfliteMetadata Metadata() {
  TfliteMetadata metadata;
  metadata.inputs.push_back({"image\n", {100}, {50}, "rgb", ""});
  metadata.outputs.push_back({"score", {}, {}, "", "labels.txt"});
  metadata.files["labels.txt"] = "cat\ndog\n";
  return metadata;
}

TEST(MetadataText, SaysEachFactOnALine) {
  LoadedModel model;
  EXPECT_EQ(MetadataText(model), "");
  model.metadata = Metadata();
  const std::string text = MetadataText(model);
  EXPECT_THAT(text, HasSubstr("colours      input \"image\\x0a\": rgb\n"));
  EXPECT_THAT(text, HasSubstr("normalised   input \"image\\x0a\": (pixel - 100) / 50\n"));
  EXPECT_THAT(text, HasSubstr("labels       output \"score\": \"labels.txt\", 2 names\n"));
  model.metadata->files.clear();
  EXPECT_THAT(MetadataText(model), HasSubstr("\"labels.txt\", which is not in the file\n"));
  model.metadata.reset();
  model.metadata_error = "m: its metadata is damaged";
  EXPECT_EQ(MetadataText(model), "metadata     m: its metadata is damaged\n");
}

TEST(MetadataJson, HasTheSameFacts) {
  LoadedModel model;
  EXPECT_TRUE(MetadataJson(model).is_null());
  const std::string version("1.14.0\0\0\0", 9);
  model.graph.metadata["min_runtime_version"] = {version.begin(), version.end()};
  EXPECT_EQ(MetadataJson(model).dump(), R"({"min_runtime_version":"1.14.0"})");
  EXPECT_THAT(MetadataText(model), HasSubstr("TensorFlow Lite 1.14.0 or newer"));
  model.metadata = Metadata();
  const auto json = MetadataJson(model);
  EXPECT_EQ(json["inputs"][0]["mean"][0], 100);
  EXPECT_EQ(json["inputs"][0]["color_space"], "rgb");
  EXPECT_EQ(json["outputs"][0]["labels"], 2);
  model.graph.metadata["min_runtime_version"] = {'\n'};
  EXPECT_EQ(MinRuntimeVersion(model.graph), "");
}

// The first input after a picture of nothing but 200 was given, as floats.
std::vector<float> Filled(const LoadedModel& model, InputOptions options) {
  const std::string path =
      (std::filesystem::path(testing::TempDir()) / "dlpu_metadata_text_test.ppm").string();
  std::ofstream(path, std::ios::binary) << "P6\n2 2\n255\n" << std::string(12, '\xc8');
  options.files = {path};
  const auto runner = LoadRunner(model, {});
  EXPECT_TRUE(runner.ok()) << runner.error().message;
  if (!runner.ok()) return {};
  const auto filled = FillInputs(**runner, model, options);
  EXPECT_TRUE(filled.ok()) << filled.error().message;
  std::vector<float> values((*runner)->input(0).size() / sizeof(float));
  std::memcpy(values.data(), (*runner)->input(0).data(), values.size() * sizeof(float));
  std::filesystem::remove(path);
  return values;
}

TEST(MetadataText, NormalisesUnlessTheUserSaysOtherwise) {
  LoadedModel model = FloatModel();
  EXPECT_THAT(Filled(model, {}), Each(FloatEq(200.0f / 255.0f)));
  model.metadata = Metadata();
  EXPECT_THAT(Filled(model, {}), Each(FloatEq(2)));
  EXPECT_THAT(Filled(model, {{}, {0}, {100}, "", false}), Each(FloatEq(2)));
  EXPECT_THAT(Filled(model, {{}, {0}, {50}, "", false}), Each(FloatEq(4)));
  model.metadata->inputs[0].mean = {1, 2, 3, 4, 5};  // does not fit three channels
  EXPECT_THAT(Filled(model, {}), Each(FloatEq(200.0f / 255.0f)));
}

TEST(LoadModel, TakesLabelsFromTheFile) {
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string path = std::string(shared != nullptr ? shared : "../shared") +
                           "/models/tflite/mobilenet_v2_1.0_224_quant.tflite";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto model = LoadModel(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->metadata_error, "");
  ASSERT_TRUE(model->metadata.has_value());
  EXPECT_GE(model->labels.size(), 1000u);
}

}  // namespace
}  // namespace dlpu
