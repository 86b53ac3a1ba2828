// SPDX-License-Identifier: Apache-2.0
// What is written is read back; what is damaged or out of scope is refused by name.
#include "formats/tflite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

// 1x4x4x2 uint8 -> CONV_2D 3x3, 3 channels -> RESHAPE.
Graph SmallGraph() {
  Graph g;
  g.name = "small";
  g.signature = "serving_default";
  g.signature_inputs = {"image"};
  g.signature_outputs = {"scores"};
  g.metadata["note"] = {1, 2, 3};
  const Quantization q{{0.5f}, {128}, 0};
  g.tensors.push_back({"in", DataType::kUInt8, {1, 4, 4, 2}, q, {}, false, false});
  g.tensors.push_back(
      {"w", DataType::kUInt8, {3, 3, 3, 2}, q, std::vector<uint8_t>(54, 130), true, false});
  g.tensors.push_back({"b", DataType::kInt32, {3}, {}, std::vector<uint8_t>(12, 1), true, false});
  g.tensors.push_back({"conv", DataType::kUInt8, {1, 4, 4, 3}, q, {}, false, false});
  g.tensors.push_back({"out", DataType::kUInt8, {1, 48}, q, {}, false, false});
  Node conv{Op::kConv2d, "conv", {0, 1, 2}, {3}, {}, ConvAttrs{}, 1};
  std::get<ConvAttrs>(conv.attrs).activation = Activation::kRelu6;
  g.nodes.push_back(conv);
  g.nodes.push_back({Op::kReshape, "out", {3}, {4}, {}, ReshapeAttrs{{1, 48}}, 1});
  g.inputs = {0};
  g.outputs = {4};
  return g;
}

TEST(Tflite, WhatIsWrittenIsReadBack) {
  const Graph graph = SmallGraph();
  const auto bytes = WriteTflite(graph);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  const auto read = ReadTflite(*bytes, "small");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->nodes.size(), graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    EXPECT_EQ(read->nodes[i].op, graph.nodes[i].op);
    EXPECT_EQ(read->nodes[i].attrs, graph.nodes[i].attrs);
    EXPECT_EQ(read->nodes[i].inputs, graph.nodes[i].inputs);
    EXPECT_EQ(read->nodes[i].name, graph.nodes[i].name);
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    EXPECT_EQ(read->tensors[i].shape, graph.tensors[i].shape);
    EXPECT_EQ(read->tensors[i].data, graph.tensors[i].data);
    EXPECT_EQ(read->tensors[i].quantization, graph.tensors[i].quantization);
  }
  EXPECT_EQ(read->signature_inputs, graph.signature_inputs);
  EXPECT_EQ(read->metadata.at("note"), graph.metadata.at("note"));
  const auto again = WriteTflite(*read);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *bytes);
}

// Constants that stay in the file are shared until they are changed, and can be given back.
TEST(Tflite, ReadInPlaceIsTheSameModel) {
  Graph graph = SmallGraph();
  Tensor& weights = graph.tensors[1];
  ASSERT_TRUE(weights.is_constant);
  const auto bytes = WriteTflite(graph);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  const std::string path = std::filesystem::path(testing::TempDir()) / "in_place.tflite";
  ASSERT_TRUE(WriteFile(path, *bytes).ok());
  const auto file = MapFile(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  auto read = ReadTfliteInPlace(*file, "small");
  ASSERT_TRUE(read.ok()) << read.error().message;
  int shared = 0;
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    EXPECT_EQ(read->tensors[i].data, graph.tensors[i].data);
    shared += read->tensors[i].data.is_shared() ? 1 : 0;
  }
  EXPECT_GT(shared, 0);
  ConstantBytes copy = read->tensors[1].data;
  copy[0] ^= 1;
  EXPECT_FALSE(copy.is_shared());
  EXPECT_EQ(read->tensors[1].data, weights.data);
  copy = read->tensors[1].data;
  copy.Drop();
  EXPECT_TRUE(copy.empty());
  EXPECT_EQ(read->tensors[1].data, weights.data);
  file->GiveBack();
  EXPECT_EQ(std::vector<uint8_t>(file->data(), file->data() + file->size()), *bytes);
}

TEST(Tflite, EveryTruncationAndEveryFlippedByteIsAnErrorOrAModel) {
  const auto bytes = WriteTflite(SmallGraph());
  ASSERT_TRUE(bytes.ok());
  size_t refused = 0;
  for (size_t n = 0; n < bytes->size(); ++n) {
    refused += !ReadTflite(std::span(bytes->data(), n), "cut").ok();
    std::vector<uint8_t> flipped = *bytes;
    flipped[n] ^= 0xFF;
    (void)ReadTflite(flipped, "flipped");
  }
  EXPECT_GT(refused, bytes->size() / 2);
}

TEST(Tflite, AFileOfAnotherKindIsRefused) {
  const std::vector<uint8_t> png = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0};
  const auto read = ReadTflite(png, "photo.png");
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message, HasSubstr("photo.png: not a .tflite file"));
}

TEST(Tflite, RealModelsReadAndWriteStably) {
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string folder =
      std::string(shared != nullptr ? shared : "../shared") + "/models/tflite";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no models in " << folder;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto bytes = ReadFile(entry.path());
    ASSERT_TRUE(bytes.ok());
    const auto graph = ReadTflite(*bytes, entry.path().filename());
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    // An op that this build does not know cannot be written.
    bool known = true;
    for (const Node& node : graph->nodes) {
      const auto* unknown = std::get_if<UnknownAttrs>(&node.attrs);
      known = known && (unknown == nullptr || unknown->custom);
    }
    if (!known) continue;
    ++count;
    const auto written = WriteTflite(*graph);
    ASSERT_TRUE(written.ok()) << written.error().message;
    const auto again = ReadTflite(*written, entry.path().filename());
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->nodes.size(), graph->nodes.size()) << entry.path();
    EXPECT_EQ(*WriteTflite(*again), *written) << entry.path();
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace dlpu
