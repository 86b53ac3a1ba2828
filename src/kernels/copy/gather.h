// SPDX-License-Identifier: Apache-2.0
// Picking and placing slices by indices that are known only when the model runs. Pure functions;
// any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/threads.h"

namespace dlpu {

// Width of the integers in an index tensor.
enum class IndexType : uint8_t { kInt16, kInt32, kInt64 };
// Element i of a packed index tensor.
int64_t ReadIndex(const uint8_t* data, IndexType type, int64_t i);

// in: batch x outer x axis x slice_bytes; indices: batch x count; out: batch x outer x count x
// slice_bytes with out[b][o][i] = in[b][o][indices[b][i]].
struct GatherSpec {
  int64_t batch = 1, outer = 1, axis = 1, count = 1, slice_bytes = 1;
  IndexType index_type = IndexType::kInt32;
};
// Returns -1, or the position of the first index that is not in [0, axis); then out is untouched.
int64_t Gather(const GatherSpec& spec, const uint8_t* in, const uint8_t* indices, uint8_t* out,
               ThreadPool& pool);

// A list of points in a tensor: `count` tuples of extents.size() coordinates, each point a slice
// of slice_elements elements.
struct PointSpec {
  std::vector<int64_t> extents;
  int64_t count = 1, slice_elements = 1;
  IndexType index_type = IndexType::kInt32;
};
// Where point i begins, in elements; -1 when a coordinate is out of range.
int64_t PointOffset(const PointSpec& spec, const uint8_t* indices, int64_t i);

}  // namespace dlpu
