// SPDX-License-Identifier: Apache-2.0
// One kernel for everything that only moves elements: slices, splits, transposes, tiles, pads,
// block rearrangements, broadcasts. StridedCopyReference is the specification; StridedCopy does
// the same with merged axes, memcpy, blocked transposes and threads. A StridedCopy is read-only
// once made: any thread may run it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/threads.h"

namespace dlpu {

// For every index i with 0 <= i[d] < extents[d]:
//   out[out_offset + sum_d i[d] * out_strides[d]] = in[in_offset + sum_d i[d] * in_strides[d]]
// All in elements of element_bytes bytes. Input strides may be zero (a broadcast) or negative (a
// reversal); output strides must give every index its own place. Extents outermost first.
struct CopySpec {
  int64_t element_bytes = 1;
  std::vector<int64_t> extents;
  std::vector<int64_t> in_strides, out_strides;  // as many as extents
  int64_t in_offset = 0, out_offset = 0;
};

void StridedCopyReference(const CopySpec& spec, const uint8_t* in, uint8_t* out);

class StridedCopy {
 public:
  explicit StridedCopy(const CopySpec& spec);

  // Input and output must not overlap.
  void Run(const uint8_t* in, uint8_t* out, ThreadPool& pool) const;

  // "memcpy", "rows" or "transpose": which loop the copy became.
  const char* row() const;

 private:
  struct Axis {
    int64_t extent, in, out;  // strides in bytes
  };
  enum class Loop { kNothing, kBlock, kRows, kTranspose };

  void Simplify();
  void ChooseLoop();
  void RunRows(const uint8_t* in, uint8_t* out, int64_t begin, int64_t end) const;
  void RunTranspose(const uint8_t* in, uint8_t* out, int64_t begin, int64_t end) const;

  int64_t bytes_ = 1;       // of one element
  std::vector<Axis> axes_;  // those outside the inner loop, outermost first
  Axis inner_ = {1, 0, 0};  // the output's innermost axis
  Axis cross_ = {1, 0, 0};  // kTranspose: the axis along which the input is contiguous
  int64_t in_offset_ = 0, out_offset_ = 0;  // in bytes
  int64_t count_ = 0;                       // product of the extents in axes_
  Loop loop_ = Loop::kNothing;
};

// Row-major strides, in elements, of a packed tensor with these extents.
std::vector<int64_t> PackedStrides(const std::vector<int64_t>& extents);

}  // namespace dlpu
