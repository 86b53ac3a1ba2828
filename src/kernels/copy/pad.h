// SPDX-License-Identifier: Apache-2.0
// Padding of a packed tensor, with one value or by reflection: a list of strided copies, one for
// the tensor itself and some for its border. Read-only once made: any thread may run one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/threads.h"
#include "kernels/copy/strided_copy.h"

namespace dlpu {

// Extents of the input and how much each axis grows in front and behind; none is negative.
struct PadSpec {
  int64_t element_bytes = 1;
  std::vector<int64_t> extents, before, after;
};

// out has extents before + extents + after; what the input does not cover is `value`.
class ConstantPad {
 public:
  explicit ConstantPad(const PadSpec& spec);
  // value: one element.
  void Run(const uint8_t* in, const uint8_t* value, uint8_t* out, ThreadPool& pool) const;

 private:
  StridedCopy inside_;
  std::vector<StridedCopy> border_;
};

// Rows of `width` floats with zeros in front of and behind each.
struct PaddedChannels {
  int64_t width = 0, before = 0, after = 0;
  // Elements [begin, begin + count) of the output.
  void Copy(const float* in, float* out, int64_t begin, int64_t count) const;
};

// What the input does not cover mirrors it: REFLECT (offset 1) leaves the border itself out,
// SYMMETRIC (offset 0) repeats it. REQUIRES: before and after are at most extent - offset.
class MirrorPad {
 public:
  MirrorPad(const PadSpec& spec, int64_t offset);
  void Run(const uint8_t* in, uint8_t* out, ThreadPool& pool) const;

 private:
  std::vector<StridedCopy> parts_;
};

// Normative, element by element: where[i] is the element of `in` that element i of out is, or -1
// for the padding value.
std::vector<int64_t> ConstantPadReference(const PadSpec& spec);
std::vector<int64_t> MirrorPadReference(const PadSpec& spec, int64_t offset);

}  // namespace dlpu
