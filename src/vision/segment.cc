// SPDX-License-Identifier: Apache-2.0
// Class maps from the outputs of segmentation models.
#include "vision/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "vision/decoders.h"

namespace dlpu {
namespace {

constexpr int kMaxClasses = 65535;

Status CheckMapSize(size_t values, int height, int width, int depth) {
  DLPU_RETURN_IF_ERROR(CheckPictureSize(width, height, "segmentation"));
  const size_t pixels = static_cast<size_t>(width) * height;
  if (depth < 1 || depth > kMaxClasses || values / pixels != static_cast<size_t>(depth) ||
      values % pixels != 0) {
    return InvalidError(fmt::format("segmentation: {} values are not {}x{} pixels with {} classes",
                                    values, width, height, depth));
  }
  return OkStatus();
}

ClassMap EmptyMap(int width, int height) {
  return {width, height, std::vector<uint16_t>(static_cast<size_t>(width) * height)};
}

// For each pixel of the source part: the map's pixel under its middle, along one axis.
std::vector<int> MapIndices(int source_size, int target, int target_size, int canvas,
                            int map_size) {
  std::vector<int> indices(std::max(source_size, 0));
  for (int i = 0; i < source_size; ++i) {
    const double on_canvas = target + (i + 0.5) * target_size / source_size;
    indices[i] = std::clamp(static_cast<int>(on_canvas * map_size / canvas), 0, map_size - 1);
  }
  return indices;
}

}  // namespace

Result<ClassMap> ClassMapFromScores(std::span<const float> scores, int height, int width,
                                    int classes, bool planar) {
  DLPU_RETURN_IF_ERROR(CheckMapSize(scores.size(), height, width, classes));
  ClassMap map = EmptyMap(width, height);
  const size_t pixels = map.classes.size();
  const size_t pixel_step = planar ? 1 : classes, class_step = planar ? pixels : 1;
  for (size_t i = 0; i < pixels; ++i) {
    const float* at = scores.data() + i * pixel_step;
    float most = at[0];
    for (int c = 1; c < classes; ++c) {
      const float score = at[c * class_step];
      if (score > most || (std::isnan(most) && !std::isnan(score))) {
        most = score;
        map.classes[i] = static_cast<uint16_t>(c);
      }
    }
  }
  return map;
}

Result<ClassMap> ClassMapFromIds(std::span<const float> ids, int height, int width) {
  DLPU_RETURN_IF_ERROR(CheckMapSize(ids.size(), height, width, 1));
  ClassMap map = EmptyMap(width, height);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!(ids[i] >= 0 && ids[i] <= kMaxClasses) || ids[i] != std::floor(ids[i])) {
      return InvalidError(
          fmt::format("segmentation: value {} of pixel {} is not a class 0 to 65535", ids[i], i));
    }
    map.classes[i] = static_cast<uint16_t>(ids[i]);
  }
  return map;
}

Result<ClassMap> ClassMapFromMask(std::span<const float> mask, int height, int width,
                                  float threshold) {
  DLPU_RETURN_IF_ERROR(CheckMapSize(mask.size(), height, width, 1));
  ClassMap map = EmptyMap(width, height);
  for (size_t i = 0; i < mask.size(); ++i) map.classes[i] = mask[i] > threshold ? 1 : 0;
  return map;
}

ClassMap ToPicture(const Placement& p, const ClassMap& map) {
  DLPU_CHECK(map.width >= 1 && map.height >= 1 && p.canvas_width >= 1 && p.canvas_height >= 1);

  ClassMap out = EmptyMap(p.picture_width, p.picture_height);
  const std::vector<int> rows =
      MapIndices(p.source.height, p.target.y, p.target.height, p.canvas_height, map.height);
  const std::vector<int> columns =
      MapIndices(p.source.width, p.target.x, p.target.width, p.canvas_width, map.width);
  for (int y = 0; y < p.source.height; ++y) {
    const uint16_t* from = map.classes.data() + static_cast<size_t>(rows[y]) * map.width;
    uint16_t* to =
        out.classes.data() + static_cast<size_t>(p.source.y + y) * out.width + p.source.x;
    for (int x = 0; x < p.source.width; ++x) to[x] = from[columns[x]];
  }
  return out;
}

std::vector<ClassShare> CountClasses(const ClassMap& map) {
  std::vector<int64_t> counts(kMaxClasses + 1);
  for (const uint16_t c : map.classes) ++counts[c];
  std::vector<ClassShare> shares;
  for (int c = 0; c <= kMaxClasses; ++c) {
    if (counts[c] > 0) shares.push_back({c, counts[c]});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const ClassShare& a, const ClassShare& b) { return a.pixels > b.pixels; });
  return shares;
}

}  // namespace dlpu
