// SPDX-License-Identifier: Apache-2.0
// A worked box, suppression at and above the threshold, equal scores, boxes turned inside out.
#include "kernels/detection/detection.h"

#include <gtest/gtest.h>

#include <vector>

namespace dlpu {
namespace {

struct Detections {
  bool valid;
  std::vector<DetectionBox> boxes;
  std::vector<float> classes, scores;
  float count;
};

Detections DetectAll(const DetectionSpec& spec, const std::vector<float>& boxes,
                     const std::vector<float>& scores, const std::vector<float>& anchors) {
  const size_t slots = static_cast<size_t>(spec.max_detections) * spec.max_classes_per_detection;
  Detections d{false, std::vector<DetectionBox>(slots), std::vector<float>(slots),
               std::vector<float>(slots), -1};
  std::vector<uint64_t> scratch(static_cast<size_t>(DetectionScratchBytes(spec)) / 8 + 8);
  d.valid = Detect(spec, boxes.data(), scores.data(), anchors.data(),
                   {d.boxes.data(), d.classes.data(), d.scores.data(), &d.count},
                   reinterpret_cast<uint8_t*>(scratch.data()));
  return d;
}

DetectionSpec Spec(int32_t boxes, int32_t classes) {
  DetectionSpec spec;
  spec.boxes = boxes;
  spec.classes = spec.columns = classes;
  spec.max_detections = 3;
  spec.iou_threshold = 0.5f;
  spec.y_scale = spec.x_scale = 10;
  spec.h_scale = spec.w_scale = 5;
  return spec;
}

TEST(Detection, WorkedDecode) {
  const Detections d =
      DetectAll(Spec(1, 1), {0.3f, -0.2f, 0.1f, 0.4f}, {0.9f}, {0.5f, 0.5f, 0.2f, 0.2f});
  ASSERT_TRUE(d.valid);
  EXPECT_EQ(d.count, 1);
  EXPECT_NEAR(d.boxes[0].ymin, 0.40398, 1e-5);
  EXPECT_NEAR(d.boxes[0].ymax, 0.60802, 1e-5);
  EXPECT_EQ(d.scores[1], 0);  // unused slots are zero
}

// Two boxes of which one is half of the other: their overlap is exactly the threshold.
TEST(Detection, OverlapAtTheThresholdStays) {
  DetectionSpec spec = Spec(2, 2);
  const std::vector<float> zeros(8, 0.0f);
  const std::vector<float> anchors = {0.5f, 0.5f, 1, 1, 0.5f, 0.25f, 1, 0.5f};
  const std::vector<float> scores = {0.5f, 0.5f, 0.25f, 0.75f};
  EXPECT_EQ(DetectAll(spec, zeros, scores, anchors).count, 2);
  spec.iou_threshold = 0.49f;
  const Detections fast = DetectAll(spec, zeros, scores, anchors);
  EXPECT_EQ(fast.count, 1);
  EXPECT_EQ(fast.classes[0], 1);  // of the second anchor
  spec.regular = true;
  const Detections regular = DetectAll(spec, zeros, scores, anchors);
  EXPECT_EQ(regular.count, 2);  // one for each class
  EXPECT_EQ(regular.scores[0], 0.75f);
  EXPECT_EQ(regular.classes[1], 0);
}

TEST(Detection, RefusesABoxTurnedInsideOut) {
  EXPECT_FALSE(DetectAll(Spec(1, 1), {0, 0, 0, 0}, {1}, {0.5f, 0.5f, -1, 1}).valid);
}

}  // namespace
}  // namespace dlpu
