// SPDX-License-Identifier: Apache-2.0
// Greedy and weighted suppression on boxes sorted by score.
#include "vision/nms.h"

#include <algorithm>
#include <cmath>

namespace dlpu {
namespace {

bool IsUsable(const Detection& d) {
  const bool finite = std::isfinite(d.ymin) && std::isfinite(d.xmin) && std::isfinite(d.ymax) &&
                      std::isfinite(d.xmax) && !std::isnan(d.score);
  return finite && d.xmin <= d.xmax && d.ymin <= d.ymax;
}

// Best first; a stable sort is what makes ties deterministic.
void SortUsable(std::vector<Detection>& detections) {
  std::erase_if(detections, [](const Detection& d) { return !IsUsable(d); });
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
}

// The score-weighted mean of `group`, whose first member is the best.
Detection WeightedMean(const std::vector<Detection>& group) {
  Detection mean = group.front();
  float total = 0;
  mean.ymin = mean.xmin = mean.ymax = mean.xmax = 0;
  for (Keypoint& k : mean.keypoints) k.x = k.y = 0;
  for (const Detection& d : group) {
    total += d.score;
    mean.ymin += d.ymin * d.score;
    mean.xmin += d.xmin * d.score;
    mean.ymax += d.ymax * d.score;
    mean.xmax += d.xmax * d.score;
    for (size_t i = 0; i < std::min(mean.keypoints.size(), d.keypoints.size()); ++i) {
      mean.keypoints[i].x += d.keypoints[i].x * d.score;
      mean.keypoints[i].y += d.keypoints[i].y * d.score;
    }
  }
  if (!(total > 0)) return group.front();
  mean.ymin /= total;
  mean.xmin /= total;
  mean.ymax /= total;
  mean.xmax /= total;
  for (Keypoint& k : mean.keypoints) {
    k.x /= total;
    k.y /= total;
  }
  return mean;
}

}  // namespace

float IntersectionOverUnion(const Detection& a, const Detection& b) {
  const float height = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin);
  const float width = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin);
  if (!(height > 0) || !(width > 0)) return 0;
  const float both = height * width;
  const float area_a = (a.ymax - a.ymin) * (a.xmax - a.xmin);
  const float area_b = (b.ymax - b.ymin) * (b.xmax - b.xmin);
  const float either = area_a + area_b - both;
  return either > 0 ? both / either : 0;
}

std::vector<Detection> SuppressNonMaxima(std::vector<Detection> detections,
                                         const NmsOptions& options) {
  SortUsable(detections);
  std::vector<Detection> kept;
  for (Detection& d : detections) {
    if (static_cast<int>(kept.size()) >= options.max_detections) break;
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      if (options.per_class && better.class_id != d.class_id) return false;
      return IntersectionOverUnion(better, d) > options.iou_threshold;
    });
    if (!suppressed) kept.push_back(std::move(d));
  }
  return kept;
}

std::vector<Detection> MergeNonMaxima(std::vector<Detection> detections,
                                      const NmsOptions& options) {
  SortUsable(detections);
  std::vector<Detection> merged, group, rest;
  while (!detections.empty() && static_cast<int>(merged.size()) < options.max_detections) {
    group.assign(1, detections.front());
    rest.clear();
    for (size_t i = 1; i < detections.size(); ++i) {
      const bool same =
          IntersectionOverUnion(detections.front(), detections[i]) > options.iou_threshold;
      (same ? group : rest).push_back(std::move(detections[i]));
    }
    merged.push_back(WeightedMean(group));
    detections.swap(rest);
  }
  return merged;
}

void ToPicture(const Placement& placement, Keypoint& point) {
  point.x = placement.PictureX(point.x);
  point.y = placement.PictureY(point.y);
}

void ToPicture(const Placement& placement, std::vector<Detection>& detections) {
  for (Detection& d : detections) {
    d.xmin = placement.PictureX(d.xmin);
    d.xmax = placement.PictureX(d.xmax);
    d.ymin = placement.PictureY(d.ymin);
    d.ymax = placement.PictureY(d.ymax);
    for (Keypoint& k : d.keypoints) ToPicture(placement, k);
  }
}

void ClipToPicture(std::vector<Detection>& detections) {
  for (Detection& d : detections) {
    for (float* edge : {&d.ymin, &d.xmin, &d.ymax, &d.xmax}) *edge = std::clamp(*edge, 0.0f, 1.0f);
  }
}

}  // namespace dlpu
