// SPDX-License-Identifier: Apache-2.0
// The specification of StridedCopy and the loops that are quick.
#include "kernels/copy/strided_copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace dlpu {
namespace {

// Bytes a thread should move before a second thread is worth it. Little: what the threads wrote in
// the step before is in their own caches, from which another thread reads far slower.
constexpr int64_t kGrainBytes = 8 * 1024;
// Extent of the square that a blocked transpose moves at once: both sides stay in the L1 cache.
constexpr int64_t kTile = 16;

// One output row: `count` elements of kBytes, each at its own stride.
template <int kBytes>
void CopyRow(const uint8_t* in, int64_t in_stride, uint8_t* out, int64_t out_stride,
             int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(out + i * out_stride, in + i * in_stride, kBytes);
  }
}

// The same for elements of kPart to 2 kPart bytes, as two parts that overlap.
template <int kPart>
void CopyRowInParts(const uint8_t* in, int64_t in_stride, uint8_t* out, int64_t out_stride,
                    int64_t bytes, int64_t count) {
  const int64_t rest = bytes - kPart;
  for (int64_t i = 0; i < count; ++i, in += in_stride, out += out_stride) {
    uint8_t first[kPart], last[kPart];
    std::memcpy(first, in, kPart);
    std::memcpy(last, in + rest, kPart);
    std::memcpy(out, first, kPart);
    std::memcpy(out + rest, last, kPart);
  }
}

// The same with both strides known, so that the compiler can use vectors.
template <typename T>
void FillRow(const uint8_t* in, uint8_t* out, int64_t count) {
  T value;
  std::memcpy(&value, in, sizeof(T));
  for (int64_t i = 0; i < count; ++i) std::memcpy(out + i * sizeof(T), &value, sizeof(T));
}

void CopyRowAnyWidth(const uint8_t* in, int64_t in_stride, uint8_t* out, int64_t out_stride,
                     int64_t bytes, int64_t count) {
  if (in_stride == 0 && out_stride == bytes) {
    switch (bytes) {
      case 1:
        std::memset(out, *in, static_cast<size_t>(count));
        return;
      case 2:
        return FillRow<uint16_t>(in, out, count);
      case 4:
        return FillRow<uint32_t>(in, out, count);
      case 8:
        return FillRow<uint64_t>(in, out, count);
      default:
        break;
    }
  }
  switch (bytes) {
    case 1:
      return CopyRow<1>(in, in_stride, out, out_stride, count);
    case 2:
      return CopyRow<2>(in, in_stride, out, out_stride, count);
    case 3:
      return CopyRow<3>(in, in_stride, out, out_stride, count);
    case 4:
      return CopyRow<4>(in, in_stride, out, out_stride, count);
    case 8:
      return CopyRow<8>(in, in_stride, out, out_stride, count);
    case 12:
      return CopyRow<12>(in, in_stride, out, out_stride, count);
    case 16:
      return CopyRow<16>(in, in_stride, out, out_stride, count);
    case 32:
      return CopyRow<32>(in, in_stride, out, out_stride, count);
    case 64:
      return CopyRow<64>(in, in_stride, out, out_stride, count);
    default:
      break;
  }
  if (bytes < 8) return CopyRowInParts<4>(in, in_stride, out, out_stride, bytes, count);
  if (bytes < 16) return CopyRowInParts<8>(in, in_stride, out, out_stride, bytes, count);
  if (bytes < 32) return CopyRowInParts<16>(in, in_stride, out, out_stride, bytes, count);
  if (bytes < 64) return CopyRowInParts<32>(in, in_stride, out, out_stride, bytes, count);
  if (bytes < 128) return CopyRowInParts<64>(in, in_stride, out, out_stride, bytes, count);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(out + i * out_stride, in + i * in_stride, static_cast<size_t>(bytes));
  }
}

// A full kTile x kTile square of an input whose columns are `in_stride` bytes apart, into rows
// `out_stride` bytes apart.
template <typename T>
void TransposeTile(const uint8_t* in, int64_t in_stride, uint8_t* out, int64_t out_stride) {
  T tile[kTile][kTile];
  for (int64_t c = 0; c < kTile; ++c) {
    T column[kTile];
    std::memcpy(column, in + c * in_stride, sizeof(column));
    for (int64_t r = 0; r < kTile; ++r) tile[r][c] = column[r];
  }
  for (int64_t r = 0; r < kTile; ++r) std::memcpy(out + r * out_stride, tile[r], sizeof(tile[r]));
}

// out[r][c] = in[c][r] for `rows` x `columns` elements of T.
template <typename T>
void TransposeBlock(const uint8_t* in, int64_t in_stride, uint8_t* out, int64_t out_stride,
                    int64_t rows, int64_t columns) {
  int64_t c = 0;
  if (rows == kTile) {
    for (; c + kTile <= columns; c += kTile) {
      TransposeTile<T>(in + c * in_stride, in_stride, out + c * sizeof(T), out_stride);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    CopyRow<sizeof(T)>(in + c * in_stride + r * sizeof(T), in_stride,
                       out + r * out_stride + c * sizeof(T), sizeof(T), columns - c);
  }
}

}  // namespace

std::vector<int64_t> PackedStrides(const std::vector<int64_t>& extents) {
  std::vector<int64_t> strides(extents.size());
  int64_t stride = 1;
  for (size_t d = extents.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= extents[d];
  }
  return strides;
}

void StridedCopyReference(const CopySpec& spec, const uint8_t* in, uint8_t* out) {
  for (const int64_t extent : spec.extents) {
    if (extent == 0) return;
  }
  std::vector<int64_t> index(spec.extents.size(), 0);
  for (;;) {
    int64_t from = spec.in_offset, to = spec.out_offset;
    for (size_t d = 0; d < index.size(); ++d) {
      from += index[d] * spec.in_strides[d];
      to += index[d] * spec.out_strides[d];
    }
    std::memcpy(out + to * spec.element_bytes, in + from * spec.element_bytes,
                static_cast<size_t>(spec.element_bytes));
    size_t d = index.size();
    while (d > 0 && ++index[d - 1] == spec.extents[d - 1]) index[--d] = 0;
    if (d == 0) return;
  }
}

StridedCopy::StridedCopy(const CopySpec& spec) {
  DLPU_CHECK(spec.in_strides.size() == spec.extents.size() &&
             spec.out_strides.size() == spec.extents.size());
  bytes_ = spec.element_bytes;
  in_offset_ = spec.in_offset * bytes_;
  out_offset_ = spec.out_offset * bytes_;
  for (size_t d = 0; d < spec.extents.size(); ++d) {
    if (spec.extents[d] == 0) return;  // kNothing
    axes_.push_back({spec.extents[d], spec.in_strides[d] * bytes_, spec.out_strides[d] * bytes_});
  }
  Simplify();
  ChooseLoop();
}

// Drops axes of extent 1, orders the others by output stride and merges neighbours that both
// sides step through as one.
void StridedCopy::Simplify() {
  std::erase_if(axes_, [](const Axis& axis) { return axis.extent == 1; });
  std::stable_sort(axes_.begin(), axes_.end(),
                   [](const Axis& a, const Axis& b) { return std::abs(a.out) > std::abs(b.out); });
  std::vector<Axis> merged;
  for (const Axis& axis : axes_) {
    if (!merged.empty() && merged.back().in == axis.in * axis.extent &&
        merged.back().out == axis.out * axis.extent) {
      merged.back() = {merged.back().extent * axis.extent, axis.in, axis.out};
    } else {
      merged.push_back(axis);
    }
  }
  axes_ = std::move(merged);
  if (!axes_.empty() && axes_.back().in == bytes_ && axes_.back().out == bytes_) {
    bytes_ *= axes_.back().extent;
    axes_.pop_back();
  }
}

void StridedCopy::ChooseLoop() {
  loop_ = Loop::kBlock;
  if (!axes_.empty()) {
    inner_ = axes_.back();
    axes_.pop_back();
    loop_ = Loop::kRows;
    const bool typed = bytes_ == 1 || bytes_ == 2 || bytes_ == 4 || bytes_ == 8;
    const auto contiguous = [&](const Axis& axis) { return axis.in == bytes_ && axis.extent > 2; };
    const auto cross = std::find_if(axes_.begin(), axes_.end(), contiguous);
    if (typed && inner_.out == bytes_ && inner_.in > bytes_ && cross != axes_.end()) {
      cross_ = *cross;
      axes_.erase(cross);
      loop_ = Loop::kTranspose;
    }
  }
  count_ = 1;
  for (const Axis& axis : axes_) count_ *= axis.extent;
}

const char* StridedCopy::row() const {
  switch (loop_) {
    case Loop::kRows:
      return "rows";
    case Loop::kTranspose:
      return "transpose";
    default:
      return "memcpy";
  }
}

// Elements [begin, end) in the order of the axes, the inner one last.
void StridedCopy::RunRows(const uint8_t* in, uint8_t* out, int64_t begin, int64_t end) const {
  int64_t index[64];
  const size_t rank = axes_.size();
  DLPU_CHECK(rank <= 64);
  int64_t rest = begin / inner_.extent, at = begin % inner_.extent;
  for (size_t d = rank; d-- > 0;) {
    index[d] = rest % axes_[d].extent;
    rest /= axes_[d].extent;
    in += index[d] * axes_[d].in;
    out += index[d] * axes_[d].out;
  }
  while (begin < end) {
    const int64_t count = std::min(inner_.extent - at, end - begin);
    CopyRowAnyWidth(in + at * inner_.in, inner_.in, out + at * inner_.out, inner_.out, bytes_,
                    count);
    begin += count;
    at = 0;
    for (size_t d = rank; d-- > 0;) {
      in += axes_[d].in;
      out += axes_[d].out;
      if (++index[d] < axes_[d].extent) break;
      in -= axes_[d].extent * axes_[d].in;
      out -= axes_[d].extent * axes_[d].out;
      index[d] = 0;
    }
  }
}

// Tile rows [begin, end): each outer index has ceil(cross extent / kTile) of them.
void StridedCopy::RunTranspose(const uint8_t* in, uint8_t* out, int64_t begin, int64_t end) const {
  const int64_t tiles = (cross_.extent + kTile - 1) / kTile;
  for (int64_t t = begin; t < end; ++t) {
    const uint8_t* from = in;
    uint8_t* to = out;
    int64_t rest = t / tiles;
    for (size_t d = axes_.size(); d-- > 0;) {
      const int64_t i = rest % axes_[d].extent;
      rest /= axes_[d].extent;
      from += i * axes_[d].in;
      to += i * axes_[d].out;
    }
    const int64_t first = t % tiles * kTile;
    const int64_t rows = std::min(kTile, cross_.extent - first);
    from += first * cross_.in;
    to += first * cross_.out;
    switch (bytes_) {
      case 1:
        TransposeBlock<uint8_t>(from, inner_.in, to, cross_.out, rows, inner_.extent);
        break;
      case 2:
        TransposeBlock<uint16_t>(from, inner_.in, to, cross_.out, rows, inner_.extent);
        break;
      case 4:
        TransposeBlock<uint32_t>(from, inner_.in, to, cross_.out, rows, inner_.extent);
        break;
      default:
        TransposeBlock<uint64_t>(from, inner_.in, to, cross_.out, rows, inner_.extent);
        break;
    }
  }
}

void StridedCopy::Run(const uint8_t* in, uint8_t* out, ThreadPool& pool) const {
  if (loop_ == Loop::kNothing) return;
  in += in_offset_;
  out += out_offset_;
  switch (loop_) {
    case Loop::kNothing:
      return;
    case Loop::kBlock:
      pool.ParallelFor(bytes_, kGrainBytes, [&](int64_t begin, int64_t end, int) {
        std::memcpy(out + begin, in + begin, static_cast<size_t>(end - begin));
      });
      return;
    case Loop::kRows: {
      const int64_t grain = 1 + kGrainBytes / bytes_;
      pool.ParallelFor(count_ * inner_.extent, grain,
                       [&](int64_t begin, int64_t end, int) { RunRows(in, out, begin, end); });
      return;
    }
    case Loop::kTranspose: {
      const int64_t tiles = (cross_.extent + kTile - 1) / kTile;
      const int64_t grain = 1 + kGrainBytes / (bytes_ * inner_.extent * kTile);
      pool.ParallelFor(count_ * tiles, grain,
                       [&](int64_t begin, int64_t end, int) { RunTranspose(in, out, begin, end); });
      return;
    }
  }
}

}  // namespace dlpu
