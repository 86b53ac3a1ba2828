// SPDX-License-Identifier: Apache-2.0
// Softmax and the best classes.
#include "vision/classify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace dlpu {

std::vector<float> Softmax(std::span<const float> logits) {
  double most = -std::numeric_limits<double>::infinity();
  for (const float x : logits) {
    if (x > most) most = x;  // false for a NaN
  }
  std::vector<float> out(logits.size(), 0.0f);
  if (std::isinf(most)) return out;
  double sum = 0;
  std::vector<double> powers(logits.size(), 0.0);
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isnan(logits[i])) powers[i] = std::exp(logits[i] - most);
    sum += powers[i];
  }
  for (size_t i = 0; i < logits.size(); ++i) out[i] = static_cast<float>(powers[i] / sum);
  return out;
}

std::vector<Classification> TopClasses(std::span<const float> scores,
                                       const ClassifyOptions& options, const Labels& labels) {
  std::vector<float> probabilities;
  if (options.softmax) {
    probabilities = Softmax(scores);
    scores = probabilities;
  }
  std::vector<int> order;
  for (int i = 0; i < static_cast<int>(scores.size()); ++i) {
    if (!std::isnan(scores[i]) && i + options.label_offset >= 0) order.push_back(i);
  }
  const size_t count = std::min(order.size(), static_cast<size_t>(std::max(options.top, 0)));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int a, int b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  std::vector<Classification> best;
  for (size_t i = 0; i < count; ++i) {
    const int class_id = order[i] + options.label_offset;
    best.push_back({class_id, scores[order[i]], LabelOf(labels, class_id)});
  }
  return best;
}

}  // namespace dlpu
