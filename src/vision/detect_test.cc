// SPDX-License-Identifier: Apache-2.0
// Suppression, labels, classes and every detection decoder against values worked out by hand, and
// with sizes, counts and numbers that make no sense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "vision/blazeface.h"
#include "vision/classify.h"
#include "vision/labels.h"
#include "vision/nms.h"
#include "vision/postprocess.h"
#include "vision/ssd.h"
#include "vision/yolo.h"

namespace dlpu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Detection Box(float ymin, float xmin, float ymax, float xmax, float score, int class_id = 0) {
  return {ymin, xmin, ymax, xmax, score, class_id};
}

float Logit(float p) { return std::log(p / (1 - p)); }

TEST(NmsTest, Overlap) {
  // 2x2 and 2x2 sharing 1x2: 2 / (4 + 4 - 2).
  EXPECT_FLOAT_EQ(IntersectionOverUnion(Box(0, 0, 2, 2, 1), Box(0, 1, 2, 3, 1)), 1.0f / 3);
  EXPECT_EQ(IntersectionOverUnion(Box(0, 0, 1, 1, 1), Box(0, 1, 1, 2, 1)), 0);
  EXPECT_EQ(IntersectionOverUnion(Box(0, 0, 0, 1, 1), Box(0, 0, 0, 1, 1)), 0);
  EXPECT_EQ(IntersectionOverUnion(Box(kNan, 0, 1, 1, 1), Box(0, 0, 1, 1, 1)), 0);
}

TEST(NmsTest, KeepsTheBestOfEachClass) {
  const std::vector<Detection> in = {Box(0, 0, 2, 2, 0.5f, 1), Box(0, 0, 2, 2, 0.9f, 1),
                                     Box(0, 0, 2, 2, 0.7f, 2), Box(5, 5, 6, 6, 0.6f, 1)};
  const auto kept = SuppressNonMaxima(in, {});
  ASSERT_THAT(kept, SizeIs(3));
  EXPECT_EQ(kept[0].score, 0.9f);
  EXPECT_EQ(kept[1].class_id, 2);
  EXPECT_EQ(kept[2].ymin, 5);
  NmsOptions across;
  across.per_class = false;
  EXPECT_THAT(SuppressNonMaxima(in, across), SizeIs(2));
  across.max_detections = 1;
  EXPECT_THAT(SuppressNonMaxima(in, across), SizeIs(1));
}

TEST(NmsTest, AnOverlapOfExactlyTheThresholdStays) {
  NmsOptions options;
  options.iou_threshold = 1.0f / 3;
  EXPECT_THAT(SuppressNonMaxima({Box(0, 0, 2, 2, 1), Box(0, 1, 2, 3, 1)}, options), SizeIs(2));
  options.iou_threshold = 0.33f;
  EXPECT_THAT(SuppressNonMaxima({Box(0, 0, 2, 2, 1), Box(0, 1, 2, 3, 1)}, options), SizeIs(1));
}

TEST(NmsTest, TiesKeepTheirOrderAndNonsenseIsDropped) {
  std::vector<Detection> in;
  for (int i = 0; i < 50; ++i) in.push_back(Box(i * 2.0f, 0, i * 2.0f + 1, 1, 0.5f));
  in.push_back(Box(0, 0, 1, 1, kNan));
  in.push_back(Box(kInf, 0, kInf, 1, 0.9f));
  in.push_back(Box(1, 0, 0, 1, 0.9f));
  const auto kept = SuppressNonMaxima(in, {});
  ASSERT_THAT(kept, SizeIs(50));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(kept[i].ymin, i * 2.0f);
}

TEST(NmsTest, MergesByScore) {
  Detection a = Box(0, 0, 1, 1, 0.75f), b = Box(0, 0.2f, 1, 1.2f, 0.25f);
  a.keypoints = {{0.0f, 0.4f, 1}};
  b.keypoints = {{0.4f, 0.8f, 1}};
  NmsOptions options;
  options.iou_threshold = 0.3f;
  const auto merged = MergeNonMaxima({b, a, Box(3, 3, 4, 4, 0.1f)}, options);
  ASSERT_THAT(merged, SizeIs(2));
  EXPECT_FLOAT_EQ(merged[0].xmin, 0.05f);
  EXPECT_FLOAT_EQ(merged[0].xmax, 1.05f);
  EXPECT_EQ(merged[0].score, 0.75f);
  EXPECT_FLOAT_EQ(merged[0].keypoints[0].x, 0.1f);
  EXPECT_FLOAT_EQ(merged[0].keypoints[0].y, 0.5f);
}

TEST(DetectionTest, GoesBackToThePicture) {
  // 200x100 in a 100x100 letterbox: the content is rows 25..75.
  const Placement p = PlanFit(200, 100, 100, 100, FitMode::kLetterbox);
  std::vector<Detection> d = {Box(0.25f, 0.5f, 0.75f, 1.0f, 1)};
  d[0].keypoints = {{0.5f, 0.5f, 1}};
  ToPicture(p, d);
  EXPECT_FLOAT_EQ(d[0].ymin, 0);
  EXPECT_FLOAT_EQ(d[0].ymax, 1);
  EXPECT_FLOAT_EQ(d[0].xmin, 0.5f);
  EXPECT_FLOAT_EQ(d[0].keypoints[0].y, 0.5f);
  d = {Box(-1, 0.5f, 2, 3, 1)};
  ClipToPicture(d);
  EXPECT_EQ(d[0].ymin, 0);
  EXPECT_EQ(d[0].xmax, 1);
}

TEST(LabelsTest, ParsesBothForms) {
  EXPECT_THAT(ParseLabels("cat\r\n dog \n\nbird\n\n"), ElementsAre("cat", "dog", "", "bird"));
  EXPECT_THAT(ParseLabels("0  cat\n2: dog\n"), ElementsAre("cat", "", "dog"));
  // One line without a number: the numbers are part of the names.
  EXPECT_THAT(ParseLabels("3 wheeler\ncar"), ElementsAre("3 wheeler", "car"));
  EXPECT_THAT(ParseLabels("99999999999 x"), ElementsAre("99999999999 x"));
  EXPECT_THAT(ParseLabels(""), IsEmpty());
  EXPECT_EQ(LabelOf({"a", ""}, 0), "a");
  EXPECT_EQ(LabelOf({"a", ""}, 1), "class 1");
  EXPECT_EQ(LabelOf({"a"}, -7), "class -7");
}

TEST(LabelsTest, ReadsFiles) {
  const std::string path = std::filesystem::temp_directory_path() / "dlpu_labels_test.txt";
  ASSERT_TRUE(WriteTextFile(path, "a\nb\n").ok());
  EXPECT_THAT(*ReadLabels(path), ElementsAre("a", "b"));
  ASSERT_TRUE(WriteTextFile(path, "\n\n").ok());
  EXPECT_THAT(ReadLabels(path).error().message, HasSubstr("no labels"));
  std::filesystem::remove(path);
  EXPECT_FALSE(ReadLabels(path).ok());
}

TEST(ClassifyTest, TopClassesAndTies) {
  const float scores[] = {0.1f, 0.4f, kNan, 0.4f, 0.2f};
  ClassifyOptions options;
  options.top = 3;
  const auto best = TopClasses(scores, options, {"a", "b", "c", "d"});
  ASSERT_THAT(best, SizeIs(3));
  EXPECT_EQ(best[0].label, "b");
  EXPECT_EQ(best[1].label, "d");
  EXPECT_EQ(best[2].label, "class 4");
  options.label_offset = -1;
  options.top = 100;
  const auto shifted = TopClasses(scores, options, {"a", "b", "c", "d"});
  ASSERT_THAT(shifted, SizeIs(3));  // class 0 becomes -1 and the NaN is left out
  EXPECT_EQ(shifted[0].label, "a");
  options.top = -1;
  EXPECT_THAT(TopClasses(scores, options), IsEmpty());
}

TEST(ClassifyTest, Softmax) {
  // e^0, e^ln2, e^ln5 over 8, and a shift changes nothing.
  for (const float shift : {0.0f, 500.0f}) {
    const float logits[] = {shift, shift + std::log(2.0f), shift + std::log(5.0f)};
    EXPECT_THAT(Softmax(logits),
                ElementsAre(testing::FloatNear(0.125f, 1e-4f), testing::FloatNear(0.25f, 1e-4f),
                            testing::FloatNear(0.625f, 1e-4f)));
  }
  EXPECT_THAT(Softmax(std::vector<float>{kNan, 1}), ElementsAre(0, 1));
  EXPECT_THAT(Softmax(std::vector<float>{kNan}), ElementsAre(0));
  EXPECT_THAT(Softmax({}), IsEmpty());
}

TEST(SsdTest, AnchorsOfMobileNet300) {
  const auto anchors = MakeAnchors({});
  ASSERT_TRUE(anchors.ok());
  // 19^2 * 3 + (10^2 + 5^2 + 3^2 + 2^2 + 1) * 6.
  ASSERT_THAT(*anchors, SizeIs(1917));
  const Anchor& first = (*anchors)[0];
  EXPECT_FLOAT_EQ(first.y_center, 0.5f / 19);
  EXPECT_FLOAT_EQ(first.width, 0.1f);
  EXPECT_FLOAT_EQ((*anchors)[1].width, 0.2f * std::sqrt(2.0f));
  EXPECT_FLOAT_EQ((*anchors)[1].height, 0.2f / std::sqrt(2.0f));
  EXPECT_FLOAT_EQ((*anchors)[2].height, 0.2f / std::sqrt(0.5f));
  // Second layer: scale 0.2 + 0.75 / 5 = 0.35, next 0.5; last box sqrt(0.35 * 0.5).
  EXPECT_FLOAT_EQ((*anchors)[19 * 19 * 3].width, 0.35f);
  EXPECT_FLOAT_EQ((*anchors)[19 * 19 * 3 + 5].width, std::sqrt(0.35f * 0.5f));
  EXPECT_FLOAT_EQ((*anchors)[1916].width, std::sqrt(0.95f));  // next scale of the last is 1
  EXPECT_FLOAT_EQ((*anchors)[1916].x_center, 0.5f);
}

TEST(SsdTest, RefusesImpossibleAnchors) {
  AnchorOptions options;
  options.strides = {};
  EXPECT_FALSE(MakeAnchors(options).ok());
  options.strides = {0};
  EXPECT_THAT(MakeAnchors(options).error().message, HasSubstr("stride of 0"));
  options.strides = {1};
  options.input_width = options.input_height = 1 << 30;
  EXPECT_THAT(MakeAnchors(options).error().message, HasSubstr("too many"));
  options.input_width = 0;
  EXPECT_FALSE(MakeAnchors(options).ok());
}

TEST(SsdTest, DecodesBoxes) {
  const Anchor anchor = {0.5f, 0.4f, 0.2f, 0.1f};
  const float raw[] = {5, -10, 5 * std::log(2.0f), 0};
  const Detection d = DecodeBox(raw, anchor, {});
  // y: 5 / 10 * 0.2 + 0.5 = 0.6, height 0.4; x: -0.1 + 0.4 = 0.3, width 0.1.
  EXPECT_NEAR(d.ymin, 0.4f, 1e-6);
  EXPECT_NEAR(d.ymax, 0.8f, 1e-6);
  EXPECT_NEAR(d.xmin, 0.25f, 1e-6);
  EXPECT_NEAR(d.xmax, 0.35f, 1e-6);
}

TEST(SsdTest, DecodesScores) {
  const std::vector<Anchor> anchors = {{0.5f, 0.5f, 0.2f, 0.2f}, {0.1f, 0.1f, 0.1f, 0.1f}};
  const std::vector<float> boxes(8, 0.0f);
  SsdOptions options;
  options.classes = 3;
  // The background is certain in both and counts for nothing.
  const std::vector<float> scores = {Logit(0.99f), Logit(0.8f), Logit(0.6f),
                                     Logit(0.99f), Logit(0.4f), Logit(0.1f)};
  const auto found = DecodeSsd(boxes, scores, anchors, options);
  ASSERT_TRUE(found.ok());
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ((*found)[0].class_id, 1);
  EXPECT_NEAR((*found)[0].score, 0.8f, 1e-5);
  options.best_class_only = false;
  EXPECT_THAT(*DecodeSsd(boxes, scores, anchors, options), SizeIs(2));
  options.background = false;
  EXPECT_THAT(*DecodeSsd(boxes, scores, anchors, options), SizeIs(4));
  EXPECT_THAT(DecodeSsd(boxes, scores, {anchors.data(), 1}, options).error().message,
              HasSubstr("do not fit 1 anchors"));
  const std::vector<float> nonsense(6, kNan);
  EXPECT_THAT(*DecodeSsd(std::vector<float>(8, kNan), nonsense, anchors, options), IsEmpty());
}

TEST(BlazeTest, KnowsMediaPipesModels) {
  EXPECT_STREQ(FindBlazeModel(896, 16)->name, "face");
  EXPECT_EQ(FindBlazeModel(2304, 16)->input_size, 192);
  EXPECT_STREQ(FindBlazeModel(2016, 18)->name, "palm");
  EXPECT_STREQ(FindBlazeModel(2254, 12)->name, "person");
  EXPECT_EQ(FindBlazeModel(896, 18), nullptr);
}

// Every model decodes as many anchors as it says: a score on the last anchor is found where that
// anchor lies.
TEST(BlazeTest, DecodesTheLastAnchorOfEveryModel) {
  const struct {
    int anchors, values, size, cells;  // cells: of the last layer's side
  } models[] = {{896, 16, 128, 8},
                {896, 16, 256, 8},
                {2304, 16, 192, 48},
                {2016, 18, 192, 12},
                {2254, 12, 224, 7}};
  for (const auto& m : models) {
    std::vector<float> boxes(m.anchors * m.values, 0.0f), scores(m.anchors, -1000.0f);
    float* last = &boxes[(m.anchors - 1) * m.values];
    last[0] = 0.25f * m.size;  // x
    last[2] = 0.1f * m.size;   // width
    last[3] = 0.2f * m.size;   // height
    last[4] = -0.5f * m.size;  // x of the first keypoint
    scores.back() = 1000.0f;   // clipped, not an overflow
    const auto found = DecodeBlaze(boxes, scores, m.values, m.size);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_THAT(*found, SizeIs(1));
    const float centre = 1 - 0.5f / m.cells;
    const Detection& d = (*found)[0];
    EXPECT_NEAR((d.xmin + d.xmax) / 2, centre + 0.25f, 1e-5);
    EXPECT_NEAR((d.ymin + d.ymax) / 2, centre, 1e-5);
    EXPECT_NEAR(d.xmax - d.xmin, 0.1f, 1e-5);
    EXPECT_NEAR(d.ymax - d.ymin, 0.2f, 1e-5);
    EXPECT_FLOAT_EQ(d.score, 1.0f);
    ASSERT_THAT(d.keypoints, SizeIs((m.values - 4) / 2));
    EXPECT_NEAR(d.keypoints[0].x, centre - 0.5f, 1e-5);
  }
  EXPECT_FALSE(DecodeBlaze(std::vector<float>(16), std::vector<float>(1), 16, 128).ok());
  EXPECT_FALSE(DecodeBlaze(std::vector<float>(896), std::vector<float>(896), 16, 128).ok());
}

TEST(PostProcessTest, ReadsRowsUpToTheCount) {
  const float boxes[] = {0.1f, 0.2f, 0.3f, 0.4f, 0, 0, 1, 1, 0, 0, 1, 1};
  const float classes[] = {2, 0, 5}, scores[] = {0.9f, 0.6f, 0.8f};
  PostProcessOptions options;
  const auto read = [&](float count) {
    return DecodePostProcess(boxes, classes, scores, {&count, 1}, options);
  };
  ASSERT_THAT(*read(2), SizeIs(2));
  EXPECT_EQ((*read(2))[0].class_id, 2);
  EXPECT_EQ((*read(2))[0].ymin, 0.1f);
  EXPECT_EQ((*read(2))[0].xmax, 0.4f);
  EXPECT_THAT(*read(1000), SizeIs(3));
  EXPECT_THAT(*read(kNan), SizeIs(3));
  EXPECT_THAT(*read(-4), IsEmpty());
  options.score_threshold = 0.7f;
  options.label_offset = 1;
  ASSERT_THAT(*read(3), SizeIs(2));
  EXPECT_EQ((*read(3))[1].class_id, 6);
  const float count = 3;
  EXPECT_THAT(*DecodePostProcess(boxes, scores, classes, {&count, 1}, options), SizeIs(2))
      << "exchanged classes and scores";
  EXPECT_FALSE(DecodePostProcess(boxes, classes, {scores, 2}, {&count, 1}, options).ok());
  const float odd[] = {kNan, kInf, 1e30f}, fine[] = {0.9f, 0.9f, 0.9f};
  EXPECT_THAT(*DecodePostProcess(boxes, odd, fine, {&count, 1}, options), IsEmpty());
}

TEST(PostProcessTest, EndToEnd) {
  const float pixels[] = {64, 0, 128, 320, 0.9f, 3, 0, 0, 640, 640, 0.1f, 1};
  const auto found = DecodeEndToEnd(pixels, 640, 320, {});
  ASSERT_TRUE(found.ok());
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_FLOAT_EQ((*found)[0].xmin, 0.1f);
  EXPECT_FLOAT_EQ((*found)[0].ymax, 1.0f);
  const float relative[] = {0.1f, 0, 0.2f, 1, 0.9f, 3};
  EXPECT_FLOAT_EQ((*DecodeEndToEnd(relative, 640, 320, {}))[0].xmax, 0.2f);
  EXPECT_FALSE(DecodeEndToEnd({pixels, 5}, 640, 320, {}).ok());
}

TEST(YoloTest, RecognisesLayouts) {
  const auto recognise = [](int a, int b, int w, int h) {
    return RecogniseYolo(std::vector<int>{1, a, b}, w, h);
  };
  EXPECT_EQ(recognise(25200, 85, 640, 640), (YoloLayout{YoloFormat::kV5, 25200, 85, false, 0}));
  EXPECT_EQ(recognise(25200, 85, 0, 0), (YoloLayout{YoloFormat::kV5, 25200, 85, false, 0}));
  EXPECT_EQ(recognise(84, 8400, 640, 640), (YoloLayout{YoloFormat::kV8, 8400, 84, true, 0}));
  EXPECT_EQ(recognise(84, 8400, 0, 0), (YoloLayout{YoloFormat::kV8, 8400, 84, true, 0}));
  EXPECT_EQ(recognise(56, 8400, 640, 640)->classes(), 1);
  EXPECT_EQ(recognise(8400, 85, 640, 640)->format, YoloFormat::kYolox);
  EXPECT_EQ(recognise(3549, 85, 416, 416)->format, YoloFormat::kYolox);
  EXPECT_EQ(recognise(5, 5040, 640, 384)->classes(), 1);
  EXPECT_EQ(recognise(8400, 7, 640, 640), std::nullopt) << "YOLOX or a transposed v8";
  EXPECT_EQ(recognise(1917, 91, 300, 300), std::nullopt);
  EXPECT_EQ(recognise(25200, 85, 320, 320), std::nullopt) << "the boxes of another input";
  EXPECT_EQ(RecogniseYolo(std::vector<int>{2, 84, 8400}, 640, 640), std::nullopt);
  EXPECT_EQ(RecogniseYolo(std::vector<int>{}, 640, 640), std::nullopt);
}

TEST(YoloTest, DecodesVersion5) {
  const YoloLayout layout = {YoloFormat::kV5, 3, 7, false, 0};
  YoloOptions options;
  options.input_width = 100;
  options.input_height = 200;
  // Objectness times class: 0.72 (class 1), 0.2 (too low), 0.35 on the same place as the first.
  std::vector<float> values = {50,   100,  20,   40, 0.9f, 0.1f, 0.8f, 10,   10,   4,   4,
                               0.4f, 0.5f, 0.1f, 50, 100,  20,   40,   0.5f, 0.0f, 0.7f};
  const auto pixels = DecodeYolo(values, layout, options);
  ASSERT_TRUE(pixels.ok());
  ASSERT_THAT(*pixels, SizeIs(1));
  const Detection& d = (*pixels)[0];
  EXPECT_EQ(d.class_id, 1);
  EXPECT_NEAR(d.score, 0.72f, 1e-6);
  EXPECT_FLOAT_EQ(d.xmin, 0.4f);
  EXPECT_FLOAT_EQ(d.xmax, 0.6f);
  EXPECT_FLOAT_EQ(d.ymin, 0.4f);
  EXPECT_FLOAT_EQ(d.ymax, 0.6f);
  // The same in 0..1.
  for (int box = 0; box < 3; ++box) {
    for (const int v : {0, 2}) values[box * 7 + v] /= 100;
    for (const int v : {1, 3}) values[box * 7 + v] /= 200;
  }
  const auto relative = DecodeYolo(values, layout, options);
  ASSERT_THAT(*relative, SizeIs(1));
  EXPECT_FLOAT_EQ((*relative)[0].xmin, 0.4f);
}

TEST(YoloTest, DecodesVersion8BothWays) {
  YoloLayout layout = {YoloFormat::kV8, 2, 6, true, 0};
  YoloOptions options;
  options.input_width = options.input_height = 100;
  const std::vector<float> values_first = {50, 20, 50, 20, 10, 4, 10, 8, 0.1f, 0.3f, 0.9f, 0.2f};
  const std::vector<float> boxes_first = {50, 50, 10, 10, 0.1f, 0.9f, 20, 20, 4, 8, 0.3f, 0.2f};
  for (const bool first : {true, false}) {
    layout.values_first = first;
    const auto found = DecodeYolo(first ? values_first : boxes_first, layout, options);
    ASSERT_TRUE(found.ok());
    ASSERT_THAT(*found, SizeIs(2));
    EXPECT_EQ((*found)[0].class_id, 1);
    EXPECT_FLOAT_EQ((*found)[0].xmin, 0.45f);
    EXPECT_FLOAT_EQ((*found)[1].ymax, 0.24f);
    EXPECT_FLOAT_EQ((*found)[1].xmax, 0.22f);
  }
}

TEST(YoloTest, DecodesKeypoints) {
  const YoloLayout layout = {YoloFormat::kV8, 1, 8, true, 1};
  YoloOptions options;
  options.input_width = options.input_height = 100;
  const auto found =
      DecodeYolo(std::vector<float>{50, 50, 10, 10, 0.9f, 30, 70, 0.6f}, layout, options);
  ASSERT_TRUE(found.ok());
  ASSERT_THAT((*found)[0].keypoints, SizeIs(1));
  EXPECT_FLOAT_EQ((*found)[0].keypoints[0].x, 0.3f);
  EXPECT_FLOAT_EQ((*found)[0].keypoints[0].y, 0.7f);
}

TEST(YoloTest, DecodesYoloxGrids) {
  // 64x32: 8x4 cells of stride 8, 4x2 of 16, 2x1 of 32; boxes 0..31, 32..39, 40..41.
  const YoloLayout layout = {YoloFormat::kYolox, 42, 6, false, 0};
  YoloOptions options;
  options.input_width = 64;
  options.input_height = 32;
  std::vector<float> values(42 * 6, 0.0f);
  const int box = 32 + 4 + 2;  // stride 16, row 1, column 2
  values[box * 6] = 0.5f;
  values[box * 6 + 1] = -0.25f;
  values[box * 6 + 2] = std::log(2.0f);
  values[box * 6 + 4] = values[box * 6 + 5] = 1.0f;
  const auto found = DecodeYolo(values, layout, options);
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  // Centre (2.5 * 16, 0.75 * 16) = (40, 12); size 32 x 16.
  EXPECT_NEAR((*found)[0].xmin, 24 / 64.0f, 1e-6);
  EXPECT_NEAR((*found)[0].xmax, 56 / 64.0f, 1e-6);
  EXPECT_NEAR((*found)[0].ymin, 4 / 32.0f, 1e-6);
  EXPECT_NEAR((*found)[0].ymax, 20 / 32.0f, 1e-6);
  options.input_width = 32;
  EXPECT_THAT(DecodeYolo(values, layout, options).error().message,
              HasSubstr("do not fit the grids"));
}

TEST(YoloTest, RefusesWrongSizesAndSkipsNonsense) {
  YoloOptions options;
  EXPECT_FALSE(DecodeYolo(std::vector<float>(11), {YoloFormat::kV8, 2, 6, true, 0}, options).ok());
  EXPECT_FALSE(DecodeYolo(std::vector<float>(8), {YoloFormat::kV8, 2, 4, true, 0}, options).ok());
  EXPECT_FALSE(DecodeYolo({}, {YoloFormat::kV5, 0, 85, false, 0}, options).ok());
  const std::vector<float> nonsense(12, kNan);
  EXPECT_THAT(*DecodeYolo(nonsense, {YoloFormat::kV8, 2, 6, true, 0}, options), IsEmpty());
}

}  // namespace
}  // namespace dlpu
