// SPDX-License-Identifier: Apache-2.0
// Judging models on labelled pictures: classes, boxes and masks whose result is known by hand, and
// what is said when pictures and labels do not fit.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/eval.h"
#include "app/small_net.h"
#include "base/file.h"
#include "vision/image.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

void SetFloats(Tensor& tensor, const std::vector<float>& values) {
  tensor.data.resize(values.size() * 4);
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
}

// The mean colour of a picture is its class: red, green or blue.
CompareSide ColourClassifier() {
  SmallNet n;
  const TensorId x = n.In({1, 8, 8, 3}, DataType::kFloat32);
  const TensorId mean = n.Op1("MEAN", {x, n.Ints({1, 2})}, {1, 3});
  n.Op1("SOFTMAX", {mean}, {1, 3}, SoftmaxAttrs{1.0f});
  CompareSide side;
  side.label = "colours";
  side.model = n.Model();
  return side;
}

// The channels themselves are scores of three classes; a fourth one is never found.
CompareSide ColourSegmenter() {
  SmallNet n;
  const TensorId x = n.In({1, 32, 32, 3}, DataType::kFloat32);
  n.Op1("PAD", {x, n.Ints({0, 0, 0, 0, 0, 0, 0, 1}, {4, 2})}, {1, 32, 32, 4});
  CompareSide side;
  side.label = "pixels";
  side.model = n.Model();
  return side;
}

// Finds the same two boxes in every picture.
CompareSide FixedDetector() {
  SmallNet n;
  const TensorId x = n.In({1, 8, 8, 3}, DataType::kFloat32);
  const TensorId mean = n.Op1("MEAN", {x, n.Ints({1, 2})}, {1, 3});
  std::vector<TensorId> outputs;
  const auto add = [&](const std::vector<float>& values, Shape shape, const char* name) {
    const auto count = static_cast<int32_t>(values.size());
    const TensorId w = n.Const({count, 3}, DataType::kFloat32);
    const TensorId b = n.Const({count}, DataType::kFloat32);
    SetFloats(n.graph.tensors[b], values);
    const TensorId flat = n.Op1("FULLY_CONNECTED", {mean, w, b}, {1, count}, FullyConnectedAttrs());
    outputs.push_back(n.Op1("RESHAPE", {flat, n.Ints(shape)}, shape, ReshapeAttrs{shape}));
    n.graph.tensors[outputs.back()].name = name;
  };
  // ymin, xmin, ymax, xmax
  add({0.0f, 0.0f, 0.5f, 0.5f, 0.5f, 0.5f, 1.0f, 1.0f}, {1, 2, 4}, "boxes");
  add({0, 1}, {1, 2}, "classes");
  add({0.9f, 0.8f}, {1, 2}, "scores");
  add({2}, {1}, "count");
  CompareSide side;
  side.label = "boxes";
  side.model = n.Model(outputs);
  return side;
}

class EvalStory : public testing::Test {
 protected:
  EvalStory() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectory(folder_).ok());
  }

  void Picture(const std::string& name, Colour colour, int size = 8) {
    Image image = MakeImage(size, size, 3);
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = colour[i % 3];
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(MakeDirectory(std::filesystem::path(path).parent_path().string()).ok());
    EXPECT_TRUE(WritePng(path, image).ok());
  }

  // Three classes with four pictures each; one green one lies with the red.
  void ClassFolders() {
    const Colour colours[] = {{200, 0, 0}, {0, 200, 0}, {0, 0, 200}};
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < 4; ++i) {
        Picture(fmt::format("set/c{}/{}.png", c, i), colours[c == 0 && i == 3 ? 1 : c]);
      }
    }
  }

  Result<EvalResult> Run(const CompareSide& model, EvalTask task, const std::string& truth,
                         EvalRequest request = {}) {
    DLPU_TRY(const EvalSet set, FindEvalSet(task, folder_ + "/set", truth, 0));
    request.model = &model;
    request.task = task;
    return Evaluate(set, request);
  }

  std::string folder_ = testing::TempDir() + "dlpu_eval_story";
};

TEST_F(EvalStory, ClassFolders) {
  ClassFolders();
  const CompareSide model = ColourClassifier();
  const auto result = Run(model, EvalTask::kClassify, "");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->pictures, 12u);
  EXPECT_EQ(result->top1, 11);
  EXPECT_EQ(result->top5, 12);
  EXPECT_NEAR(result->metric(), 11.0 / 12, 1e-12);
}

TEST_F(EvalStory, ShardsThreadsAndInterruptionsLeaveNoTrace) {
  ClassFolders();
  const CompareSide model = ColourClassifier();
  EvalRequest request;
  const auto whole = Run(model, EvalTask::kClassify, "", request);
  ASSERT_TRUE(whole.ok());
  request.shards = 5;
  std::vector<std::string> states;
  for (request.shard = 1; request.shard <= 5; ++request.shard) {
    request.state = fmt::format("{}/s{}.jsonl", folder_, request.shard);
    request.threads = request.shard % 2 + 1;
    states.push_back(request.state);
    ASSERT_TRUE(Run(model, EvalTask::kClassify, "", request).ok());
  }
  const auto merged = MergeEvaluations(states);
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_EQ(EvalJson(*merged)["correct_top1"], EvalJson(*whole)["correct_top1"]);
  EXPECT_EQ(merged->pictures, 12u);
  // One file is missing; then one was cut off in the middle of a line, and goes on.
  const auto partial = MergeEvaluations({states[0], states[1]});
  ASSERT_FALSE(partial.ok());
  EXPECT_THAT(partial.error().message, HasSubstr("6 of 12 pictures have no record"));
  const Result<std::string> text = ReadTextFile(states[0]);
  ASSERT_TRUE(text.ok());
  ASSERT_TRUE(WriteTextFile(states[0], text->substr(0, text->size() - 9)).ok());
  EXPECT_FALSE(MergeEvaluations(states).ok());
  request.shard = 1;
  request.state = states[0];
  ASSERT_TRUE(Run(model, EvalTask::kClassify, "", request).ok());
  const Result<std::string> again = ReadTextFile(states[0]);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *text);
  // Records of another run are refused.
  EvalRequest changed = request;
  changed.input.bgr = true;
  const auto refused = Run(model, EvalTask::kClassify, "", changed);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("another run"));
}

TEST_F(EvalStory, DamagedPicturesAreNamedAndCounted) {
  ClassFolders();
  for (const char* name : {"/set/c1/9.png", "/set/c2/8.jpg"}) {
    ASSERT_TRUE(WriteTextFile(folder_ + name, "no picture").ok());
  }
  const auto result = Run(ColourClassifier(), EvalTask::kClassify, "");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->pictures, 12u);
  ASSERT_EQ(result->skipped.size(), 2u);
  EXPECT_THAT(EvalText(*result), HasSubstr("c1/9.png"));
}

TEST_F(EvalStory, ListsOfLabels) {
  ClassFolders();
  std::string list;
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 4; ++i) list += fmt::format("{}\n", c + 1);
  }
  const std::string path = folder_ + "/truth.txt";
  ASSERT_TRUE(WriteTextFile(path, list).ok());
  const auto numbered = FindEvalSet(EvalTask::kClassify, folder_ + "/set", path, 1);
  ASSERT_TRUE(numbered.ok()) << numbered.error().message;
  EXPECT_EQ(numbered->classes, 3);
  EXPECT_EQ(*numbered->items[11].label, 2);
  ASSERT_TRUE(WriteTextFile(path, list + "1\n").ok());
  const auto longer = FindEvalSet(EvalTask::kClassify, folder_ + "/set", path, 1);
  ASSERT_FALSE(longer.ok());
  EXPECT_THAT(longer.error().message, HasSubstr("13 labels for 12 pictures"));
  ASSERT_TRUE(WriteTextFile(path, "0.png 0\n1.png x\n").ok());
  const auto words = FindEvalSet(EvalTask::kClassify, folder_ + "/set", path, 0);
  ASSERT_FALSE(words.ok());
  EXPECT_THAT(words.error().message, HasSubstr("truth.txt:2"));
  // Labels beyond the model's classes.
  ASSERT_TRUE(WriteTextFile(path, "0.png 0\n1.png 1\n2.png 2\n3.png 7\n").ok());
  const auto beyond = Run(ColourClassifier(), EvalTask::kClassify, path);
  ASSERT_FALSE(beyond.ok());
  EXPECT_THAT(beyond.error().message, HasSubstr("the labels do not match: they go to class 7"));
}

// ImageNet as it is downloaded: the development kit numbers classes in an order of its own, models
// have them by sorted WordNet ids, Kaggle names them.
TEST_F(EvalStory, ImageNetsLists) {
  const Colour colours[] = {{200, 0, 0}, {0, 200, 0}, {0, 0, 200}};
  for (int i = 0; i < 6; ++i) Picture(fmt::format("set/val_{}.png", i), colours[i % 3]);
  const std::string kit = folder_ + "/map_clsloc.txt", truth = folder_ + "/truth.txt";
  ASSERT_TRUE(WriteTextFile(kit, "n02 1 green\nn03 2 blue\nn01 3 red\n").ok());
  ASSERT_TRUE(WriteTextFile(truth, "3\n1\n2\n3\n1\n1\n").ok());
  const auto set = FindEvalSet(EvalTask::kClassify, folder_ + "/set", truth, 0, kit);
  ASSERT_TRUE(set.ok()) << set.error().message;
  EXPECT_EQ(set->class_names, (std::vector<std::string>{"n01", "n02", "n03"}));
  const CompareSide model = ColourClassifier();
  EvalRequest request;
  request.model = &model;
  const auto result = Evaluate(*set, request);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->top1, 5);  // the last one is blue and said to be green
  ASSERT_TRUE(WriteTextFile(truth, "3\n1\n2\n3\n1\n4\n").ok());
  const auto beyond = FindEvalSet(EvalTask::kClassify, folder_ + "/set", truth, 0, kit);
  ASSERT_FALSE(beyond.ok());
  EXPECT_THAT(beyond.error().message, HasSubstr("truth.txt:6: class 4 has no line in"));
  // By name, without the pictures' endings, with boxes behind.
  std::string solution = "ImageId,PredictionString\n";
  const char* const ids[] = {"n00000001", "n00000002", "n00000003"};
  for (int i = 0; i < 6; ++i) solution += fmt::format("val_{},{} 1 2 3 4\n", i, ids[i % 3]);
  ASSERT_TRUE(WriteTextFile(truth, solution).ok());
  const auto named = Run(model, EvalTask::kClassify, truth);
  ASSERT_TRUE(named.ok()) << named.error().message;
  EXPECT_EQ(named->top1, 6);
  // Some of the classes only: their numbers cannot be known without the list of all.
  ASSERT_TRUE(WriteTextFile(truth,
                            "val_0.png n00000001\nval_1.png n00000001\nval_2.png "
                            "n00000001\nval_3.png n00000001\nval_4.png n00000001\n"
                            "val_5.png n00000001\n")
                  .ok());
  const auto some = Run(model, EvalTask::kClassify, truth);
  ASSERT_FALSE(some.ok());
  EXPECT_THAT(some.error().message, HasSubstr("--classes"));
}

TEST_F(EvalStory, FoldersOfSomeClassesNeedTheListOfAll) {
  Picture("set/blue/0.png", {0, 0, 200});
  const auto refused = Run(ColourClassifier(), EvalTask::kClassify, "");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("1 classes are named ('blue', ...)"));
  const std::string all = folder_ + "/all.txt";
  ASSERT_TRUE(WriteTextFile(all, "red\ngreen\nblue\n").ok());
  const auto set = FindEvalSet(EvalTask::kClassify, folder_ + "/set", "", 0, all);
  ASSERT_TRUE(set.ok()) << set.error().message;
  EXPECT_EQ(*set->items[0].label, 2);
  ASSERT_TRUE(WriteTextFile(all, "red\ngreen\n").ok());
  EXPECT_FALSE(FindEvalSet(EvalTask::kClassify, folder_ + "/set", "", 0, all).ok());
}

TEST_F(EvalStory, WhatIsNotThereIsNamed) {
  ASSERT_TRUE(MakeDirectory(folder_ + "/set").ok());
  const auto empty = Run(ColourClassifier(), EvalTask::kClassify, "");
  ASSERT_FALSE(empty.ok());
  EXPECT_THAT(empty.error().message, HasSubstr("no picture in it"));
  Picture("set/lone.png", {200, 0, 0});
  const auto unlabelled = Run(ColourClassifier(), EvalTask::kClassify, "");
  ASSERT_FALSE(unlabelled.ok());
  EXPECT_THAT(unlabelled.error().message, HasSubstr("--truth"));
  ASSERT_TRUE(WriteTextFile(folder_ + "/coco.json", "{\"images\": 3}").ok());
  const auto broken = Run(FixedDetector(), EvalTask::kDetect, folder_ + "/coco.json");
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().message, HasSubstr("not COCO's JSON"));
}

TEST_F(EvalStory, BoxesOfCoco) {
  Picture("set/a.png", {0, 0, 0}, 100);
  Picture("set/b.png", {0, 0, 0}, 200);
  // In a, both boxes are right; in b one is, and the other object is elsewhere.
  const std::string truth = R"({"images": [{"id": 4, "file_name": "b.png"},
      {"id": 3, "file_name": "a.png"}],
    "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "car"}],
    "annotations": [
      {"image_id": 3, "category_id": 2, "bbox": [0, 0, 50, 50], "area": 2500, "iscrowd": 0},
      {"image_id": 3, "category_id": 18, "bbox": [50, 50, 50, 50], "area": 2500, "iscrowd": 0},
      {"image_id": 4, "category_id": 2, "bbox": [0, 0, 100, 100], "area": 10000, "iscrowd": 0},
      {"image_id": 4, "category_id": 18, "bbox": [0, 0, 40, 40], "area": 1600, "iscrowd": 0}]})";
  ASSERT_TRUE(WriteTextFile(folder_ + "/coco.json", truth).ok());
  const CompareSide model = FixedDetector();
  auto result = Run(model, EvalTask::kDetect, folder_ + "/coco.json");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->pictures, 2u);
  EXPECT_NEAR(result->precision.categories.at(2), 1, 1e-9);
  // Equal scores in the order of the pictures: a hit, then a miss, of two objects.
  EXPECT_NEAR(result->precision.categories.at(18), 51.0 / 101, 1e-9);
  EXPECT_NEAR(result->metric(), (1 + 51.0 / 101) / 2, 1e-9);
  // By the names of the model's labels.
  CompareSide named = model;
  named.model.labels = {"Dog", "Car"};
  result = Run(named, EvalTask::kDetect, folder_ + "/coco.json");
  ASSERT_TRUE(result.ok());
  EXPECT_NEAR(result->metric(), 0, 1e-9);
  // Without truth: a model agrees with itself.
  EvalRequest request;
  request.reference = &model;
  const auto agreement = Run(model, EvalTask::kDetect, "", request);
  ASSERT_TRUE(agreement.ok()) << agreement.error().message;
  EXPECT_TRUE(agreement->agreement);
  EXPECT_NEAR(agreement->metric(), 1, 1e-9);
}

TEST_F(EvalStory, MasksAndAgreement) {
  Picture("set/a.png", {200, 0, 0});
  Picture("set/b.png", {0, 200, 0});
  Image mask = MakeImage(8, 8, 1);
  ASSERT_TRUE(MakeDirectory(folder_ + "/masks").ok());
  for (size_t i = 0; i < 16; ++i) mask.pixels[i] = 1;  // a quarter of a is said to be green
  for (size_t i = 16; i < 24; ++i) mask.pixels[i] = 255;
  ASSERT_TRUE(WritePng(folder_ + "/masks/a.png", mask).ok());
  std::fill(mask.pixels.begin(), mask.pixels.end(), uint8_t{1});
  ASSERT_TRUE(WritePng(folder_ + "/masks/b.png", mask).ok());
  const CompareSide model = ColourSegmenter();
  const auto result = Run(model, EvalTask::kSegment, folder_ + "/masks");
  ASSERT_TRUE(result.ok()) << result.error().message;
  // Red: 40 of 56; green: 64 of 80.
  EXPECT_NEAR(result->metric(), (40.0 / 56 + 64.0 / 80) / 2, 1e-12);
  std::filesystem::remove(folder_ + "/masks/b.png");
  const auto missing = Run(model, EvalTask::kSegment, folder_ + "/masks");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("b.png"));
  EvalRequest request;
  request.reference = &model;
  const auto outputs = Run(model, EvalTask::kOutputs, "", request);
  ASSERT_TRUE(outputs.ok());
  ASSERT_EQ(outputs->outputs.size(), 1u);
  EXPECT_TRUE(outputs->outputs[0].equal());
  EXPECT_GT(outputs->outputs[0].values, 0);
}

// No class is greater than NaN: such a model agreed with everything.
TEST_F(EvalStory, AModelThatGivesNoNumbersIsRefused) {
  ClassFolders();
  CompareSide model = ColourClassifier();
  Graph& graph = model.model.graph;
  Tensor factor;
  factor.name = "nan";
  factor.shape = {1, 3};
  factor.is_constant = true;
  SetFloats(factor, {1, std::nanf(""), 1});
  graph.tensors.push_back(std::move(factor));
  Tensor spoiled = graph.tensors[static_cast<size_t>(graph.nodes[0].outputs[0])];
  spoiled.name = "spoiled";
  graph.tensors.push_back(std::move(spoiled));
  const auto count = static_cast<TensorId>(graph.tensors.size());
  Node mul;
  mul.name = "mul";
  mul.op = Op::kMul;
  mul.attrs = ArithmeticAttrs{};
  mul.inputs = {graph.nodes[0].outputs[0], count - 2};
  mul.outputs = {count - 1};
  graph.nodes[1].inputs[0] = count - 1;
  graph.nodes.insert(graph.nodes.begin() + 1, mul);
  const auto result = Run(model, EvalTask::kClassify, "");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("has NaN for c0/0.png"));
}

TEST_F(EvalStory, AnotherTaskThatFitsIsNamed) {
  Picture("set/a.png", {200, 0, 0});
  const CompareSide model = FixedDetector();
  EvalRequest request;
  request.reference = &model;
  const auto result = Run(model, EvalTask::kSegment, "", request);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("give --task detect"));
}

}  // namespace
}  // namespace dlpu
