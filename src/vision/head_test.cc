// SPDX-License-Identifier: Apache-2.0
// Which head a model has, from the outputs of real models; and results from outputs to picture.
#include "vision/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "vision/interpret.h"

namespace dlpu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

OutputInfo Out(std::vector<int> shape, std::string name = "output",
               OutputType type = OutputType::kFloat) {
  return {std::move(name), std::move(shape), type};
}

HeadKind KindOf(const std::vector<OutputInfo>& outputs, int width = 0, int height = 0) {
  return RecogniseHead(outputs, width, height).kind;
}

TEST(HeadTest, RecognisesRealModels) {
  // MobileNet V1 and V2, Inception; a TF2 export; ONNX with trailing ones.
  EXPECT_EQ(KindOf({Out({1, 1001})}), HeadKind::kClassify);
  EXPECT_EQ(KindOf({Out({1, 1, 1, 1001})}), HeadKind::kClassify);
  EXPECT_EQ(KindOf({Out({1, 10, 1, 1})}), HeadKind::kClassify);
  // object_detection_ssd_mobilenetv2_oidv4_fp16.tflite; SSD of the CV25 example.
  EXPECT_EQ(KindOf({Out({1, 1917, 4}), Out({1, 1917, 24})}), HeadKind::kSsd);
  EXPECT_THAT(RecogniseHead(std::vector{Out({1, 1917, 91}), Out({1, 1917, 1, 4})}).outputs,
              testing::IsEmpty())
      << "shapes [N, 1, 4] are not taken for boxes";
  EXPECT_THAT(RecogniseHead(std::vector{Out({1, 1917, 91}), Out({1, 1917, 4})}).outputs,
              ElementsAre(1, 0));
  // MediaPipe: face, palm, person.
  EXPECT_EQ(KindOf({Out({1, 896, 16}), Out({1, 896, 1})}), HeadKind::kBlaze);
  EXPECT_THAT(RecogniseHead(std::vector{Out({1, 2016, 1}), Out({1, 2016, 18})}).outputs,
              ElementsAre(1, 0));
  EXPECT_EQ(KindOf({Out({1, 2254, 12}), Out({1, 2254, 1})}), HeadKind::kBlaze);
  // YOLOv5n and v8.
  EXPECT_EQ(KindOf({Out({1, 25200, 85})}, 640, 640), HeadKind::kYolo);
  EXPECT_EQ(RecogniseHead(std::vector{Out({1, 84, 8400})}, 640, 640).yolo->classes(), 80);
  EXPECT_EQ(KindOf({Out({1, 300, 6})}, 640, 640), HeadKind::kEndToEnd);
  // HRNet as ONNX and TFLite, MoveNet, PoseNet with and without its decoder.
  EXPECT_TRUE(RecogniseHead(std::vector{Out({1, 17, 64, 48})}).planar);
  EXPECT_EQ(KindOf({Out({1, 64, 48, 17})}), HeadKind::kHeatmaps);
  EXPECT_EQ(KindOf({Out({1, 1, 17, 3})}), HeadKind::kMoveNet);
  EXPECT_THAT(RecogniseHead(std::vector{Out({1, 23, 31, 34}), Out({1, 23, 31, 17})}).outputs,
              ElementsAre(1, 0));
  EXPECT_EQ(KindOf({Out({}, "poses"), Out({}, "poses:1"), Out({}, "poses:2"), Out({}, "poses:3")}),
            HeadKind::kPosenetPoses);
  // MediaPipe landmarks: body, hand, face.
  EXPECT_EQ(KindOf({Out({1, 195}), Out({1, 1}), Out({1, 256, 256, 1}), Out({1, 64, 64, 39}),
                    Out({1, 117})}),
            HeadKind::kLandmarks);
  EXPECT_EQ(KindOf({Out({1, 63}), Out({1, 1}), Out({1, 1}), Out({1, 63})}), HeadKind::kLandmarks);
  EXPECT_EQ(KindOf({Out({1, 1, 1, 1404}), Out({1, 1, 1, 1})}), HeadKind::kLandmarks);
  // Selfie segmentation, DeepLab with scores, with its ARG_MAX, and a U-Net as ONNX.
  EXPECT_EQ(KindOf({Out({1, 256, 256, 1})}), HeadKind::kSegment);
  EXPECT_EQ(KindOf({Out({1, 65, 65, 21})}), HeadKind::kSegment);
  EXPECT_EQ(KindOf({Out({1, 513, 513}, "ArgMax", OutputType::kInteger)}), HeadKind::kSegmentIds);
  EXPECT_TRUE(RecogniseHead(std::vector{Out({1, 19, 128, 256})}).planar);
}

TEST(HeadTest, RecognisesPostProcessingByShapeAndName) {
  const std::vector<OutputInfo> by_name = {
      Out({}, "TFLite_Detection_PostProcess"), Out({}, "TFLite_Detection_PostProcess:1"),
      Out({}, "TFLite_Detection_PostProcess:2"), Out({}, "TFLite_Detection_PostProcess:3")};
  EXPECT_EQ(KindOf(by_name), HeadKind::kDetectionPostProcess);
  const Head by_shape = RecogniseHead(
      std::vector{Out({1, 10}, "scores"), Out({1, 10, 4}), Out({1}), Out({1, 10}, "classes")});
  EXPECT_EQ(by_shape.kind, HeadKind::kDetectionPostProcess);
  EXPECT_THAT(by_shape.outputs, ElementsAre(1, 3, 0, 2));
  EXPECT_EQ(KindOf({Out({1, 10}), Out({1, 10, 4}), Out({1}), Out({1, 20})}), HeadKind::kUnknown);
}

TEST(HeadTest, IsUnknownWhenUnsure) {
  EXPECT_EQ(KindOf({}), HeadKind::kUnknown);
  EXPECT_EQ(KindOf({Out({})}), HeadKind::kUnknown);
  EXPECT_EQ(KindOf({Out({1, 1})}), HeadKind::kUnknown);
  EXPECT_EQ(KindOf({Out({1, 224, 224, 3})}), HeadKind::kUnknown) << "a picture?";
  EXPECT_EQ(KindOf({Out({1, 7, 7, 1024})}), HeadKind::kUnknown) << "features";
  EXPECT_EQ(KindOf({Out({1, 1, 1, 1024}, "MobilenetV1/Logits/AvgPool_1a/AvgPool")}),
            HeadKind::kUnknown);
  EXPECT_EQ(KindOf({Out({1, 40, 6625})}, 320, 48), HeadKind::kUnknown) << "text recognition";
  EXPECT_EQ(KindOf({Out({1, 10}), Out({1, 20})}), HeadKind::kUnknown) << "two classifiers";
  EXPECT_EQ(KindOf({Out({1, -1, 85})}), HeadKind::kUnknown);
  EXPECT_EQ(KindOf({Out({1, 100, 4}), Out({1, 100, 4})}), HeadKind::kUnknown);
  for (const HeadKind kind : {HeadKind::kUnknown, HeadKind::kYolo, HeadKind::kSegmentIds}) {
    EXPECT_STRNE(HeadName(kind), "");
  }
}

InterpretOptions OptionsFor(int picture_width, int picture_height, int width, int height,
                            FitMode fit) {
  InterpretOptions options;
  options.input_width = width;
  options.input_height = height;
  options.placement = PlanFit(picture_width, picture_height, width, height, fit);
  return options;
}

TEST(InterpretTest, LogitsBecomeProbabilities) {
  const std::vector<float> logits = {0, 10, 0};
  const OutputValues output = {{1, 3}, logits};
  InterpretOptions options = OptionsFor(10, 10, 10, 10, FitMode::kStretch);
  options.labels = {"a", "b", "c"};
  const auto result = Interpret({HeadKind::kClassify, {0}}, {&output, 1}, options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->classes[0].label, "b");
  EXPECT_GT(result->classes[0].score, 0.999f);
}

TEST(InterpretTest, SsdBoxesReachThePicture) {
  std::vector<float> boxes(1917 * 4, 0.0f), scores(1917 * 24, -10.0f);
  scores[1916 * 24 + 4] = 10;  // the last anchor: centre 0.5, size sqrt(0.95)
  const std::vector<OutputValues> outputs = {{{1, 1917, 4}, boxes}, {{1, 1917, 24}, scores}};
  InterpretOptions options = OptionsFor(600, 300, 300, 300, FitMode::kLetterbox);
  options.labels = {"???", "Bicycle", "Boot", "Laptop", "Person"};
  const auto result = Interpret({HeadKind::kSsd, {0, 1}}, outputs, options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_THAT(result->detections, SizeIs(1));
  const Detection& d = result->detections[0];
  EXPECT_EQ(d.label, "Person");
  const float half = std::sqrt(0.95f) / 2;
  EXPECT_NEAR(d.xmin, 0.5f - half, 1e-4);
  EXPECT_NEAR(d.ymin, 0.5f - 2 * half, 1e-4);  // the letterbox is twice as high as the content
  Image picture = MakeImage(600, 300, 3);
  DrawInterpretation(picture, *result);
  EXPECT_NE(picture, MakeImage(600, 300, 3));
}

TEST(InterpretTest, MasksAndClassIds) {
  const InterpretOptions options = OptionsFor(2, 2, 2, 2, FitMode::kStretch);
  const std::vector<float> probabilities = {0.4f, 0.6f, 0.5f, 1.0f}, logits = {-3, 3, 0.1f, -0.1f};
  const std::vector<float> ids = {7, 0, 0, 1};
  const OutputValues mask = {{1, 2, 2, 1}, probabilities}, raw = {{1, 1, 2, 2}, logits};
  const OutputValues map = {{1, 2, 2, 1}, ids};
  EXPECT_THAT(Interpret({HeadKind::kSegment, {0}}, {&mask, 1}, options)->map->classes,
              ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(Interpret({HeadKind::kSegment, {0}, true}, {&raw, 1}, options)->map->classes,
              ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(Interpret({HeadKind::kSegmentIds, {0}}, {&map, 1}, options)->map->classes,
              ElementsAre(7, 0, 0, 1));
}

TEST(InterpretTest, PosesReachThePicture) {
  std::vector<float> values(17 * 3, 0.5f);
  const OutputValues output = {{1, 1, 17, 3}, values};
  const auto result = Interpret({HeadKind::kMoveNet, {0}}, {&output, 1},
                                OptionsFor(100, 50, 192, 192, FitMode::kLetterbox));
  ASSERT_TRUE(result.ok());
  EXPECT_NEAR(result->poses[0].keypoints[0].y, 0.5f, 1e-6);
}

TEST(InterpretTest, RefusesWhatDoesNotFit) {
  const std::vector<float> values(24, 0.0f);
  const std::vector<OutputValues> outputs = {
      {{1, 6, 4}, values}, {{1, 6, 4}, values}, {{24}, values}};
  const InterpretOptions options = OptionsFor(10, 10, 10, 10, FitMode::kStretch);
  const auto error = [&](const Head& head) {
    const auto result = Interpret(head, outputs, options);
    return result.ok() ? std::string("no error") : result.error().message;
  };
  EXPECT_THAT(error({}), HasSubstr("no kind known"));
  EXPECT_THAT(error({HeadKind::kSsd, {0}}), HasSubstr("takes 2 outputs, 1 are named"));
  EXPECT_THAT(error({HeadKind::kSsd, {0, 5}}), HasSubstr("output 5 is wanted"));
  EXPECT_THAT(error({HeadKind::kSsd, {0, 1}}), HasSubstr("1917"));
  EXPECT_THAT(error({HeadKind::kYolo, {0}}), HasSubstr("without a layout"));
  EXPECT_THAT(error({HeadKind::kBlaze, {0, 1}}), HasSubstr("fit none"));
  EXPECT_THAT(error({HeadKind::kLandmarks, {0}}), HasSubstr("rows of 0"));
  EXPECT_THAT(error({HeadKind::kSegment, {2}}), HasSubstr("shape [24] with 24 values"));
  EXPECT_FALSE(Interpret({HeadKind::kClassify, {0}}, outputs, {}).ok());
}

}  // namespace
}  // namespace dlpu
