// SPDX-License-Identifier: Apache-2.0
#include "vision/average_precision.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

namespace dlpu {
namespace {

constexpr int kThresholds = 10, kRecalls = 101;
constexpr size_t kMostFound = 100;
constexpr double kTiny = 2.220446049250313e-16;  // numpy's spacing(1)

// numpy.linspace(0.5, 0.95, 10) and (0, 1, 101).
double Threshold(int t) { return t == 9 ? 0.95 : 0.5 + t * ((0.95 - 0.5) / 9); }
double Recall(int r) { return r == 100 ? 1.0 : r * 0.01; }

struct AreaRange {
  double low, high;
};
constexpr AreaRange kAreas[] = {
    {0, 1e10}, {0, 32.0 * 32}, {32.0 * 32, 96.0 * 96}, {96.0 * 96, 1e10}};

double Overlap(const FoundBox& d, const TruthBox& g) {
  const double w = std::min(d.x + d.width, g.x + g.width) - std::max(d.x, g.x);
  const double h = std::min(d.y + d.height, g.y + g.height) - std::max(d.y, g.y);
  if (w <= 0 || h <= 0) return 0;
  const double both = w * h, found = d.width * d.height;
  return both / (g.crowd ? found : found + g.width * g.height - both);
}

// One detection after matching, for each threshold.
struct Matched {
  double score = 0;
  std::array<bool, kThresholds> hit = {}, ignored = {};
};

// Boxes of one category in one picture: detections, best first, and objects.
struct CategoryBoxes {
  std::vector<FoundBox> found;
  std::vector<TruthBox> truth;
};

void Match(const CategoryBoxes& boxes, const AreaRange& area, std::vector<Matched>& out,
           int64_t& objects) {
  const auto outside = [&](double a) { return a < area.low || a > area.high; };
  std::vector<TruthBox> truth = boxes.truth;
  const auto ignored = [&](const TruthBox& g) { return g.crowd || outside(g.area); };
  std::stable_sort(truth.begin(), truth.end(),
                   [&](const TruthBox& a, const TruthBox& b) { return !ignored(a) && ignored(b); });
  for (const TruthBox& g : truth) objects += ignored(g) ? 0 : 1;
  std::vector<std::vector<double>> overlaps(boxes.found.size());
  for (size_t d = 0; d < boxes.found.size(); ++d) {
    for (const TruthBox& g : truth) overlaps[d].push_back(Overlap(boxes.found[d], g));
  }
  const size_t first = out.size();
  for (const FoundBox& d : boxes.found) out.push_back({d.score, {}, {}});
  for (int t = 0; t < kThresholds; ++t) {
    std::vector<bool> taken(truth.size(), false);
    for (size_t d = 0; d < boxes.found.size(); ++d) {
      double least = std::min(Threshold(t), 1 - 1e-10);
      int best = -1;
      for (size_t g = 0; g < truth.size(); ++g) {
        if (taken[g] && !truth[g].crowd) continue;
        if (best >= 0 && !ignored(truth[static_cast<size_t>(best)]) && ignored(truth[g])) break;
        if (overlaps[d][g] < least) continue;
        least = overlaps[d][g];
        best = static_cast<int>(g);
      }
      Matched& matched = out[first + d];
      if (best >= 0) {
        taken[static_cast<size_t>(best)] = true;
        matched.hit[t] = true;
        matched.ignored[t] = ignored(truth[static_cast<size_t>(best)]);
      } else {
        matched.ignored[t] = outside(boxes.found[d].width * boxes.found[d].height);
      }
    }
  }
}

// Precision at each recall, for one threshold.
double Precision(const std::vector<Matched>& found, int t, int64_t objects) {
  std::vector<double> recall, precision;
  double hits = 0, misses = 0;
  for (const Matched& d : found) {
    if (!d.ignored[t]) (d.hit[t] ? hits : misses) += 1;
    recall.push_back(hits / static_cast<double>(objects));
    precision.push_back(hits / (misses + hits + kTiny));
  }
  for (size_t i = precision.size(); i-- > 1;) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  double sum = 0;
  for (int r = 0; r < kRecalls; ++r) {
    const auto at = std::lower_bound(recall.begin(), recall.end(), Recall(r));
    if (at != recall.end()) sum += precision[static_cast<size_t>(at - recall.begin())];
  }
  return sum / kRecalls;
}

// By threshold; empty when there is no object of that category and size.
std::vector<double> CategoryPrecision(const std::vector<CategoryBoxes>& pictures,
                                      const AreaRange& area) {
  std::vector<Matched> found;
  int64_t objects = 0;
  for (const CategoryBoxes& picture : pictures) Match(picture, area, found, objects);
  if (objects == 0) return {};
  std::stable_sort(found.begin(), found.end(),
                   [](const Matched& a, const Matched& b) { return a.score > b.score; });
  std::vector<double> by_threshold;
  for (int t = 0; t < kThresholds; ++t) by_threshold.push_back(Precision(found, t, objects));
  return by_threshold;
}

std::vector<CategoryBoxes> Select(const std::vector<PictureBoxes>& pictures, int64_t category) {
  std::vector<CategoryBoxes> selected;
  for (const PictureBoxes& picture : pictures) {
    CategoryBoxes boxes;
    for (const TruthBox& g : picture.truth) {
      if (g.category == category) boxes.truth.push_back(g);
    }
    for (const FoundBox& d : picture.found) {
      if (d.category == category) boxes.found.push_back(d);
    }
    std::stable_sort(boxes.found.begin(), boxes.found.end(),
                     [](const FoundBox& a, const FoundBox& b) { return a.score > b.score; });
    if (boxes.found.size() > kMostFound) boxes.found.resize(kMostFound);
    selected.push_back(std::move(boxes));
  }
  return selected;
}

double Mean(const std::vector<double>& values) {
  if (values.empty()) return -1;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

MeanPrecision AveragePrecision(const std::vector<PictureBoxes>& pictures) {
  std::set<int64_t> categories;
  for (const PictureBoxes& picture : pictures) {
    for (const TruthBox& g : picture.truth) categories.insert(g.category);
  }
  MeanPrecision result;
  std::array<std::vector<double>, 4> by_area;
  std::vector<double> at50, at75;
  for (const int64_t category : categories) {
    const std::vector<CategoryBoxes> boxes = Select(pictures, category);
    for (size_t a = 0; a < 4; ++a) {
      const std::vector<double> precision = CategoryPrecision(boxes, kAreas[a]);
      if (precision.empty()) continue;
      by_area[a].insert(by_area[a].end(), precision.begin(), precision.end());
      if (a != 0) continue;
      result.categories[category] = Mean(precision);
      at50.push_back(precision[0]);
      at75.push_back(precision[5]);
    }
  }
  result.map = Mean(by_area[0]);
  result.small = Mean(by_area[1]);
  result.medium = Mean(by_area[2]);
  result.large = Mean(by_area[3]);
  result.ap50 = Mean(at50);
  result.ap75 = Mean(at75);
  return result;
}

}  // namespace dlpu
