// SPDX-License-Identifier: Apache-2.0
// Scalar decoding and suppression of boxes.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/detection/detection.h"

namespace dlpu {
namespace {

struct Candidate {
  int32_t index;  // anchor * columns + column
  float score;
};

// The parts of the scratch memory.
struct Memory {
  DetectionBox* decoded;  // boxes
  float* scores;          // boxes * columns, for uint8 scores
  float* class_scores;    // boxes
  int32_t* order;         // boxes
  int32_t* selected;      // boxes
  int32_t* ranks;         // boxes * classes
  Candidate* best;        // 2 * (max_detections + per class), the second half for merging
  uint8_t* active;        // boxes
};

// With no base only the bytes are counted.
int64_t Layout(const DetectionSpec& s, uint8_t* base, Memory* memory) {
  int64_t used = 0;
  const auto take = [&](auto*& pointer, int64_t count) {
    using T = std::remove_reference_t<decltype(*pointer)>;
    pointer = base == nullptr ? nullptr : reinterpret_cast<T*>(base + used);
    used += (count * static_cast<int64_t>(sizeof(T)) + 63) / 64 * 64;
  };
  const int64_t n = s.boxes;
  take(memory->decoded, n);
  take(memory->scores, n * s.columns);
  take(memory->class_scores, n);
  take(memory->order, n);
  take(memory->selected, n);
  take(memory->ranks, n * s.classes);
  take(memory->best, 2 * (static_cast<int64_t>(s.max_detections) +
                          std::min(s.max_detections, s.detections_per_class)));
  take(memory->active, n);
  return used;
}

struct Encoding {
  float y, x, h, w;
};

Encoding Load(const float* values, const DetectionSpec&, int) {
  return {values[0], values[1], values[2], values[3]};
}
Encoding Load(const uint8_t* codes, const DetectionSpec& s, int input) {
  const float zero = static_cast<float>(s.input_zero[input]), scale = s.input_scale[input];
  const auto real = [&](uint8_t code) { return (static_cast<float>(code) - zero) * scale; };
  return {real(codes[0]), real(codes[1]), real(codes[2]), real(codes[3])};
}

// Center and size relative to an anchor, in binary64, each coordinate rounded to binary32.
DetectionBox Decode(const DetectionSpec& s, const Encoding& box, const Encoding& anchor) {
  const auto center = [](float v, float scale, float size, float origin) {
    return static_cast<float>(static_cast<double>(v) / static_cast<double>(scale) *
                                  static_cast<double>(size) +
                              static_cast<double>(origin));
  };
  const auto half = [](float v, float scale, float size) {
    return static_cast<float>(0.5 * std::exp(static_cast<double>(v) / static_cast<double>(scale)) *
                              static_cast<double>(size));
  };
  const float y = center(box.y, s.y_scale, anchor.h, anchor.y);
  const float x = center(box.x, s.x_scale, anchor.w, anchor.x);
  const float h = half(box.h, s.h_scale, anchor.h);
  const float w = half(box.w, s.w_scale, anchor.w);
  return {y - h, x - w, y + h, x + w};
}

float IntersectionOverUnion(const DetectionBox& a, const DetectionBox& b) {
  const float area_a = (a.ymax - a.ymin) * (a.xmax - a.xmin);
  const float area_b = (b.ymax - b.ymin) * (b.xmax - b.xmin);
  if (area_a <= 0 || area_b <= 0) return 0;
  const float height = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin);
  const float width = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin);
  const float both = std::max(height, 0.0f) * std::max(width, 0.0f);
  return both / (area_a + area_b - both);
}

// Greedy suppression by descending score, lower anchors first among equals. Writes the anchors
// that stay to memory.selected and returns how many.
int32_t Suppress(const DetectionSpec& s, const Memory& memory, const float* scores, int32_t most) {
  int32_t kept = 0;
  for (int32_t i = 0; i < s.boxes; ++i) {
    if (scores[i] >= s.score_threshold) memory.order[kept++] = i;
  }
  std::sort(memory.order, memory.order + kept, [scores](int32_t a, int32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  std::fill(memory.active, memory.active + kept, uint8_t{1});
  int32_t count = 0;
  for (int32_t i = 0; i < kept && count < most; ++i) {
    if (memory.active[i] == 0) continue;
    const DetectionBox& box = memory.decoded[memory.order[i]];
    memory.selected[count++] = memory.order[i];
    for (int32_t j = i + 1; j < kept; ++j) {
      if (memory.active[j] != 0 &&
          IntersectionOverUnion(box, memory.decoded[memory.order[j]]) > s.iou_threshold) {
        memory.active[j] = 0;
      }
    }
  }
  return count;
}

// Suppression in each class; the best of all classes, earlier classes first among equals.
void Regular(const DetectionSpec& s, const float* scores, const Memory& memory,
             const DetectionOutputs& out) {
  const int32_t offset = s.columns - s.classes;
  const int32_t per_class = std::min(s.detections_per_class, s.max_detections);
  Candidate* best = memory.best;
  Candidate* merged = memory.best + s.max_detections + per_class;
  int32_t count = 0;
  for (int32_t c = 0; c < s.classes; ++c) {
    for (int32_t i = 0; i < s.boxes; ++i) {
      memory.class_scores[i] = scores[static_cast<int64_t>(i) * s.columns + c + offset];
    }
    const int32_t found = Suppress(s, memory, memory.class_scores, per_class);
    for (int32_t i = 0; i < found; ++i) {
      const int32_t anchor = memory.selected[i];
      best[count + i] = {anchor * s.columns + c + offset, memory.class_scores[anchor]};
    }
    std::merge(best, best + count, best + count, best + count + found, merged,
               [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    count = std::min(count + found, s.max_detections);
    std::copy(merged, merged + count, best);
  }
  for (int32_t i = 0; i < count; ++i) {
    const int32_t anchor = best[i].index / s.columns;
    out.boxes[i] = memory.decoded[anchor];
    out.classes[i] = static_cast<float>(best[i].index - anchor * s.columns - offset);
    out.scores[i] = best[i].score;
  }
  *out.count = static_cast<float>(count);
}

// The best `most` classes of an anchor into ranks.
void RankClasses(const float* scores, int32_t classes, int32_t most, int32_t* ranks) {
  if (most == 1) {
    int32_t best = 0;
    for (int32_t c = 1; c < classes; ++c) {
      if (scores[c] > scores[best]) best = c;
    }
    ranks[0] = best;
    return;
  }
  std::iota(ranks, ranks + classes, 0);
  std::partial_sort(ranks, ranks + most, ranks + classes,
                    [scores](int32_t a, int32_t b) { return scores[a] > scores[b]; });
}

// One suppression over the best class of each anchor.
void Fast(const DetectionSpec& s, const float* scores, const Memory& memory,
          const DetectionOutputs& out) {
  const int32_t offset = s.columns - s.classes;
  const int32_t most = std::min(s.max_classes_per_detection, s.classes);
  for (int64_t i = 0; i < s.boxes; ++i) {
    const float* row = scores + i * s.columns + offset;
    RankClasses(row, s.classes, most, memory.ranks + i * s.classes);
    memory.class_scores[i] = row[memory.ranks[i * s.classes]];
  }
  const int32_t count = Suppress(s, memory, memory.class_scores, s.max_detections);
  for (int32_t i = 0; i < count; ++i) {
    const int64_t anchor = memory.selected[i];
    for (int32_t c = 0; c < most; ++c) {
      const int64_t slot = static_cast<int64_t>(i) * s.max_classes_per_detection + c;
      const int32_t rank = memory.ranks[anchor * s.classes + c];
      out.boxes[slot] = memory.decoded[anchor];
      out.classes[slot] = static_cast<float>(rank);
      out.scores[slot] = scores[anchor * s.columns + offset + rank];
    }
  }
  *out.count = static_cast<float>(count);
}

template <typename T>
bool Run(const DetectionSpec& s, const T* boxes, const float* scores, const T* anchors,
         const DetectionOutputs& out, const Memory& memory) {
  for (int64_t i = 0; i < s.boxes; ++i) {
    const DetectionBox box =
        Decode(s, Load(boxes + i * s.box_columns, s, 0), Load(anchors + i * 4, s, 2));
    if (box.ymin > box.ymax || box.xmin > box.xmax) return false;
    memory.decoded[i] = box;
  }
  const int64_t slots = static_cast<int64_t>(s.max_detections) * s.max_classes_per_detection;
  std::fill(out.boxes, out.boxes + slots, DetectionBox{0, 0, 0, 0});
  std::fill(out.classes, out.classes + slots, 0.0f);
  std::fill(out.scores, out.scores + slots, 0.0f);
  (s.regular ? Regular : Fast)(s, scores, memory, out);
  return true;
}

// Class scores go through LiteRT's optimized DEQUANTIZE: groups of eight as code * scale +
// (-zero * scale), each step rounded to binary32; the rest rounded once.
void DequantizeScores(const DetectionSpec& s, const uint8_t* codes, float* scores) {
  const int64_t count = static_cast<int64_t>(s.boxes) * s.columns;
  const float scale = s.input_scale[1];
  const double zero = s.input_zero[1];
  const float shift = static_cast<float>(-zero * static_cast<double>(scale));
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int64_t k = i; k < i + 8; ++k) scores[k] = static_cast<float>(codes[k]) * scale + shift;
  }
  for (; i < count; ++i) {
    scores[i] = static_cast<float>(static_cast<double>(scale) * (codes[i] - zero));
  }
}

}  // namespace

int64_t DetectionScratchBytes(const DetectionSpec& spec) {
  Memory memory;
  return Layout(spec, nullptr, &memory);
}

bool Detect(const DetectionSpec& spec, const float* boxes, const float* scores,
            const float* anchors, const DetectionOutputs& out, uint8_t* scratch) {
  Memory memory;
  Layout(spec, scratch, &memory);
  return Run(spec, boxes, scores, anchors, out, memory);
}
bool Detect(const DetectionSpec& spec, const uint8_t* boxes, const uint8_t* scores,
            const uint8_t* anchors, const DetectionOutputs& out, uint8_t* scratch) {
  Memory memory;
  Layout(spec, scratch, &memory);
  DequantizeScores(spec, scores, memory.scores);
  return Run(spec, boxes, memory.scores, anchors, out, memory);
}
bool Detect(const DetectionSpec& spec, const uint8_t* boxes, const float* scores,
            const uint8_t* anchors, const DetectionOutputs& out, uint8_t* scratch) {
  Memory memory;
  Layout(spec, scratch, &memory);
  return Run(spec, boxes, scores, anchors, out, memory);
}

}  // namespace dlpu
