// SPDX-License-Identifier: Apache-2.0
// Picking slices by indices.
#include "kernels/copy/gather.h"

#include <cstring>

namespace dlpu {
namespace {

template <typename T>
int64_t Load(const uint8_t* data, int64_t i) {
  T value;
  std::memcpy(&value, data + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

}  // namespace

int64_t ReadIndex(const uint8_t* data, IndexType type, int64_t i) {
  switch (type) {
    case IndexType::kInt16:
      return Load<int16_t>(data, i);
    case IndexType::kInt32:
      return Load<int32_t>(data, i);
    case IndexType::kInt64:
      return Load<int64_t>(data, i);
  }
  return -1;
}

int64_t Gather(const GatherSpec& s, const uint8_t* in, const uint8_t* indices, uint8_t* out,
               ThreadPool& pool) {
  for (int64_t i = 0; i < s.batch * s.count; ++i) {
    const int64_t index = ReadIndex(indices, s.index_type, i);
    if (index < 0 || index >= s.axis) return i;
  }
  const int64_t rows = s.batch * s.outer * s.count;
  const int64_t grain = 1 + 64 * 1024 / (s.slice_bytes + 16);
  pool.ParallelFor(rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t block = row / s.count;  // batch and outer
      const int64_t i = block / s.outer * s.count + row % s.count;
      const int64_t from = block * s.axis + ReadIndex(indices, s.index_type, i);
      std::memcpy(out + row * s.slice_bytes, in + from * s.slice_bytes,
                  static_cast<size_t>(s.slice_bytes));
    }
  });
  return -1;
}

int64_t PointOffset(const PointSpec& spec, const uint8_t* indices, int64_t i) {
  const auto rank = static_cast<int64_t>(spec.extents.size());
  int64_t offset = 0;
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t index = ReadIndex(indices, spec.index_type, i * rank + d);
    if (index < 0 || index >= spec.extents[d]) return -1;
    offset = offset * spec.extents[d] + index;
  }
  return offset * spec.slice_elements;
}

}  // namespace dlpu
