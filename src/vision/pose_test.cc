// SPDX-License-Identifier: Apache-2.0
// Keypoint and segmentation heads against values worked out by hand.
#include "vision/pose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "vision/segment.h"

namespace dlpu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(HeatmapTest, MovesAQuarterTowardsTheHigherNeighbour) {
  // 4 columns x 3 rows: peak at (1, 1), right higher than left, above higher than below.
  const std::vector<float> map = {0, 0.3f, 0, 0, 0.1f, 0.9f, 0.5f, 0, 0, 0.2f, 0, 0};
  const auto pose = DecodeHeatmaps(map, 3, 4, 1, true);
  ASSERT_TRUE(pose.ok());
  EXPECT_FLOAT_EQ(pose->keypoints[0].x, 1.25f / 4);
  EXPECT_FLOAT_EQ(pose->keypoints[0].y, 0.75f / 3);
  EXPECT_FLOAT_EQ(pose->keypoints[0].score, 0.9f);
  EXPECT_FLOAT_EQ(pose->score, 0.9f);
}

TEST(HeatmapTest, BothLayoutsAgreeAndBordersStay) {
  // Two maps of 1 row x 2 columns: peaks at 0 and 1.
  const auto planar = DecodeHeatmaps(std::vector<float>{1, 0, 0, 2}, 1, 2, 2, true);
  const auto last = DecodeHeatmaps(std::vector<float>{1, 0, 0, 2}, 1, 2, 2, false);
  for (const auto& pose : {planar, last}) {
    ASSERT_TRUE(pose.ok());
    EXPECT_EQ(pose->keypoints[0].x, 0);
    EXPECT_EQ(pose->keypoints[1].x, 0.5f);
    EXPECT_EQ(pose->keypoints[1].score, 2);
  }
  EXPECT_EQ(DecodeHeatmaps(std::vector<float>{kNan, 1}, 1, 2, 1, true)->keypoints[0].x, 0.5f);
  EXPECT_THAT(DecodeHeatmaps(std::vector<float>(5), 1, 2, 2, true).error().message,
              HasSubstr("not 2 heatmaps of 2x1"));
  EXPECT_FALSE(DecodeHeatmaps({}, 0, 0, 0, true).ok());
}

TEST(PosenetTest, AddsTheOffset) {
  // 2x3 cells of a 33x17 input: strides 16. One keypoint, peak in row 1, column 2.
  const std::vector<float> heat = {-5, -5, -5, -5, -5, 0};
  std::vector<float> offsets(12, 0.0f);
  offsets[2 * 5] = -4;     // y
  offsets[2 * 5 + 1] = 1;  // x
  const auto pose = DecodePosenet(heat, offsets, 2, 3, 33, 17);
  ASSERT_TRUE(pose.ok()) << pose.error().message;
  EXPECT_FLOAT_EQ(pose->keypoints[0].y, 12.0f / 17);
  EXPECT_FLOAT_EQ(pose->keypoints[0].x, 33.0f / 33);
  EXPECT_FLOAT_EQ(pose->keypoints[0].score, 0.5f);
  EXPECT_FALSE(DecodePosenet(heat, {offsets.data(), 11}, 2, 3, 33, 17).ok());
  EXPECT_FALSE(DecodePosenet(heat, offsets, 0, 3, 33, 17).ok());
}

TEST(PosenetTest, ReadsDecodedPoses) {
  std::vector<float> poses(2 * 17 * 2, 0.5f), scores(2 * 17, 0.9f);
  poses[0] = 0.25f;  // y of the first keypoint
  const std::vector<float> pose_scores = {0.8f, 0.1f};
  const float count = 2;
  const auto found = DecodePosenetPoses(poses, scores, pose_scores, {&count, 1}, 100, 50, 0.3f);
  ASSERT_TRUE(found.ok());
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ((*found)[0].keypoints[0].y, 0.25f);
  EXPECT_EQ((*found)[0].keypoints[0].x, 0.5f);
  for (float& v : poses) v *= 50;
  const auto pixels = DecodePosenetPoses(poses, scores, pose_scores, {&count, 1}, 100, 50, 0.3f);
  EXPECT_EQ((*pixels)[0].keypoints[0].y, 0.25f);
  EXPECT_EQ((*pixels)[0].keypoints[0].x, 0.25f);
  const float none = kNan;
  EXPECT_THAT(*DecodePosenetPoses(poses, scores, pose_scores, {&none, 1}, 100, 50, 0), SizeIs(2));
  EXPECT_FALSE(DecodePosenetPoses(poses, scores, pose_scores, {}, 100, 50, 0).ok());
}

TEST(ListTest, MoveNetAndLandmarks) {
  const auto move = DecodeMoveNet(std::vector<float>{0.1f, 0.2f, 0.9f});
  EXPECT_EQ(move->keypoints[0].x, 0.2f);
  EXPECT_EQ(move->keypoints[0].y, 0.1f);
  EXPECT_FALSE(DecodeMoveNet(std::vector<float>(4)).ok());
  const auto body = DecodeLandmarks(std::vector<float>{64, 128, 9, 0, 3}, 5, 256, 256);
  EXPECT_EQ(body->keypoints[0].x, 0.25f);
  EXPECT_EQ(body->keypoints[0].score, 0.5f);
  EXPECT_EQ(DecodeLandmarks(std::vector<float>{1, 2, 3}, 3, 2, 2)->keypoints[0].score, 1);
  EXPECT_FALSE(DecodeLandmarks(std::vector<float>(7), 5, 256, 256).ok());
  EXPECT_FALSE(DecodeLandmarks(std::vector<float>(7), 0, 256, 256).ok());
  EXPECT_EQ(LandmarkValues(195), 5);
  EXPECT_EQ(LandmarkValues(63), 3);
  EXPECT_EQ(LandmarkValues(1001), 0);
}

TEST(SkeletonTest, ConnectsExistingKeypoints) {
  for (const int count : {17, 21, 33, 39}) {
    ASSERT_FALSE(SkeletonOf(count).empty());
    for (const auto& [a, b] : SkeletonOf(count)) EXPECT_TRUE(a < count && b < count && a != b);
  }
  EXPECT_TRUE(SkeletonOf(5).empty());
  EXPECT_EQ(KeypointName(17, 0), "nose");
  EXPECT_EQ(KeypointName(17, 16), "right ankle");
  EXPECT_EQ(KeypointName(17, 17), "point 17");
}

TEST(SegmentTest, LargestScoreWinsFirstOnTies) {
  // 1x2 pixels, 3 classes.
  const auto last = ClassMapFromScores(std::vector<float>{1, 5, 5, 9, kNan, 2}, 1, 2, 3, false);
  ASSERT_TRUE(last.ok());
  EXPECT_THAT(last->classes, ElementsAre(1, 0));
  const auto planar = ClassMapFromScores(std::vector<float>{1, 9, 5, kNan, 5, 2}, 1, 2, 3, true);
  EXPECT_EQ(*planar, *last);
  EXPECT_THAT(ClassMapFromScores(std::vector<float>{kNan, 1}, 1, 1, 2, false)->classes,
              ElementsAre(1));
  EXPECT_FALSE(ClassMapFromScores(std::vector<float>(5), 1, 2, 3, false).ok());
  EXPECT_FALSE(ClassMapFromScores({}, 1, 2, 0, false).ok());
  EXPECT_FALSE(ClassMapFromScores({}, -1, 2, 3, false).ok());
}

TEST(SegmentTest, IdsAndMasks) {
  EXPECT_THAT(ClassMapFromIds(std::vector<float>{3, 0}, 1, 2)->classes, ElementsAre(3, 0));
  for (const float bad : {-1.0f, 0.5f, 70000.0f, kNan}) {
    EXPECT_THAT(ClassMapFromIds(std::vector<float>{0, bad}, 1, 2).error().message,
                HasSubstr("of pixel 1"));
  }
  EXPECT_THAT(ClassMapFromMask(std::vector<float>{0.5f, 0.6f, kNan}, 1, 3)->classes,
              ElementsAre(0, 1, 0));
}

TEST(SegmentTest, GoesBackToThePicture) {
  // Picture 4x2 letterboxed into 4x4: rows 1 and 2 hold it. The map has half the size.
  const Placement box = PlanFit(4, 2, 4, 4, FitMode::kLetterbox);
  const ClassMap rows{1, 4, {9, 1, 2, 9}};
  EXPECT_THAT(ToPicture(box, rows).classes, ElementsAre(1, 1, 1, 1, 2, 2, 2, 2));
  const ClassMap half{2, 2, {1, 2, 3, 4}};
  EXPECT_THAT(ToPicture(box, half).classes, ElementsAre(1, 1, 2, 2, 3, 3, 4, 4));
  // Crop: what the model did not see is class 0.
  const Placement crop = PlanFit(4, 2, 2, 2, FitMode::kCrop);
  EXPECT_THAT(ToPicture(crop, half).classes, ElementsAre(0, 1, 2, 0, 0, 3, 4, 0));
}

TEST(SegmentTest, CountsClasses) {
  const ClassMap map{3, 2, {5, 0, 5, 0, 65535, 5}};
  EXPECT_THAT(CountClasses(map),
              ElementsAre(ClassShare{5, 3}, ClassShare{0, 2}, ClassShare{65535, 1}));
  EXPECT_THAT(CountClasses({}), IsEmpty());
}

}  // namespace
}  // namespace dlpu
