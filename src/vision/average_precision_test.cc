// SPDX-License-Identifier: Apache-2.0
// Cases worked out by hand from COCO's definition. tests/eval/coco_map.py compares random ones with
// pycocotools.
#include "vision/average_precision.h"

#include <gtest/gtest.h>

namespace dlpu {
namespace {

TruthBox Object(int64_t category, double x, double y, double size) {
  return {category, x, y, size, size, size * size, false};
}

FoundBox Found(int64_t category, double score, double x, double y, double size) {
  return {category, score, x, y, size, size};
}

TEST(AveragePrecision, OfTwoObjectsAndThreeDetections) {
  PictureBoxes picture;
  picture.truth = {Object(7, 0, 0, 50), Object(7, 100, 0, 50)};
  picture.found = {Found(7, 0.7, 100, 0, 50), Found(7, 0.9, 0, 0, 50), Found(7, 0.8, 0, 300, 50)};
  const MeanPrecision p = AveragePrecision({picture});
  // Recall 0 to 0.50 at precision 1 (51 points), 0.51 to 1 at 2/3 (50 points).
  const double expected = (51 + 50 * 2.0 / 3) / 101;
  EXPECT_NEAR(p.map, expected, 1e-12);
  EXPECT_NEAR(p.ap50, expected, 1e-12);
  EXPECT_NEAR(p.medium, expected, 1e-12);
  EXPECT_EQ(p.small, -1);  // there is no such object
  EXPECT_NEAR(p.categories.at(7), expected, 1e-12);
}

TEST(AveragePrecision, AHitOnlyAtLooseThresholds) {
  PictureBoxes picture;
  picture.truth = {Object(1, 0, 0, 10)};
  picture.found = {{1, 0.5, 0, 0, 10, 7.2}};  // overlap 0.72: above five of ten thresholds
  const MeanPrecision p = AveragePrecision({picture});
  EXPECT_NEAR(p.map, 0.5, 1e-12);
  EXPECT_NEAR(p.ap50, 1, 1e-12);
  EXPECT_NEAR(p.ap75, 0, 1e-12);
}

TEST(AveragePrecision, CrowdsAreNeitherRightNorWrong) {
  PictureBoxes picture;
  picture.truth = {Object(1, 0, 0, 50), Object(1, 200, 200, 100)};
  picture.truth[1].crowd = true;
  picture.found = {Found(1, 0.9, 210, 210, 20), Found(1, 0.8, 240, 240, 20),
                   Found(1, 0.7, 0, 0, 50)};
  EXPECT_NEAR(AveragePrecision({picture}).map, 1, 1e-12);
}

TEST(AveragePrecision, MissesAndOtherCategoriesCount) {
  PictureBoxes with, without;
  with.truth = {Object(1, 0, 0, 50), Object(2, 0, 0, 50)};
  with.found = {Found(1, 0.9, 0, 0, 50), Found(3, 0.9, 0, 0, 50)};
  without.found = {Found(1, 0.95, 0, 0, 50)};  // a better score, and nothing there
  const MeanPrecision p = AveragePrecision({with, without});
  EXPECT_NEAR(p.categories.at(1), 0.5, 1e-12);
  EXPECT_NEAR(p.categories.at(2), 0, 1e-12);
  EXPECT_FALSE(p.categories.contains(3));
  EXPECT_NEAR(p.map, 0.25, 1e-12);
  EXPECT_EQ(AveragePrecision({}).map, -1);
}

}  // namespace
}  // namespace dlpu
