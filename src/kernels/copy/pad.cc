// SPDX-License-Identifier: Apache-2.0
// Padding as strided copies.
#include "kernels/copy/pad.h"

#include <algorithm>

namespace dlpu {
namespace {

std::vector<int64_t> PaddedExtents(const PadSpec& spec) {
  std::vector<int64_t> padded(spec.extents);
  for (size_t d = 0; d < padded.size(); ++d) padded[d] += spec.before[d] + spec.after[d];
  return padded;
}

// The input, placed inside the output.
CopySpec Inside(const PadSpec& spec) {
  CopySpec copy{.element_bytes = spec.element_bytes,
                .extents = spec.extents,
                .in_strides = PackedStrides(spec.extents),
                .out_strides = PackedStrides(PaddedExtents(spec))};
  for (size_t d = 0; d < spec.extents.size(); ++d) {
    copy.out_offset += spec.before[d] * copy.out_strides[d];
  }
  return copy;
}

// Calls visit(index) for every index of a tensor, in order.
template <typename Visit>
void ForEachIndex(const std::vector<int64_t>& extents, const Visit& visit) {
  for (const int64_t extent : extents) {
    if (extent == 0) return;
  }
  std::vector<int64_t> index(extents.size(), 0);
  for (;;) {
    visit(index);
    size_t d = index.size();
    while (d > 0 && ++index[d - 1] == extents[d - 1]) index[--d] = 0;
    if (d == 0) return;
  }
}

}  // namespace

// The border is cut into two boxes for each axis: in front of and behind the input along that
// axis, inside it along the axes before, everywhere along the axes after.
ConstantPad::ConstantPad(const PadSpec& spec) : inside_(Inside(spec)) {
  const std::vector<int64_t> padded = PaddedExtents(spec);
  const std::vector<int64_t> strides = PackedStrides(padded);
  CopySpec box{.element_bytes = spec.element_bytes,
               .extents = padded,
               .in_strides = std::vector<int64_t>(padded.size(), 0),
               .out_strides = strides};
  int64_t corner = 0;
  for (size_t d = 0; d < padded.size(); ++d) {
    const auto add = [&](int64_t begin, int64_t extent) {
      if (extent == 0) return;
      box.extents[d] = extent;
      box.out_offset = corner + begin * strides[d];
      border_.emplace_back(box);
    };
    add(0, spec.before[d]);
    add(spec.before[d] + spec.extents[d], spec.after[d]);
    box.extents[d] = spec.extents[d];
    corner += spec.before[d] * strides[d];
  }
}

void ConstantPad::Run(const uint8_t* in, const uint8_t* value, uint8_t* out,
                      ThreadPool& pool) const {
  for (const StridedCopy& box : border_) box.Run(value, out, pool);
  inside_.Run(in, out, pool);
}

void PaddedChannels::Copy(const float* in, float* out, int64_t begin, int64_t count) const {
  const int64_t padded = before + width + after, end = before + width;
  int64_t channel = begin % padded;
  in += begin / padded * width;
  for (; count > 0; channel = 0, in += width) {
    const int64_t until = std::min(channel + count, padded);
    count -= until - channel;
    const auto zeros = [&](int64_t stop) {
      if (stop <= channel) return;
      out = std::fill_n(out, stop - channel, 0.0f);
      channel = stop;
    };
    zeros(std::min(before, until));
    if (const int64_t stop = std::min(end, until); stop > channel) {
      out = std::copy(in + channel - before, in + stop - before, out);
      channel = stop;
    }
    zeros(until);
  }
}

// Along each axis the output has up to three parts: mirrored, the input itself, mirrored. Every
// combination of parts is one copy.
MirrorPad::MirrorPad(const PadSpec& spec, int64_t offset) {
  struct Part {
    int64_t begin, extent;  // in the output
    int64_t first, step;    // in the input
  };
  const size_t rank = spec.extents.size();
  const std::vector<int64_t> in_strides = PackedStrides(spec.extents);
  const std::vector<int64_t> out_strides = PackedStrides(PaddedExtents(spec));
  std::vector<std::vector<Part>> parts(rank);
  std::vector<int64_t> counts(rank);
  for (size_t d = 0; d < rank; ++d) {
    const int64_t n = spec.extents[d], before = spec.before[d], after = spec.after[d];
    if (before > 0) parts[d].push_back({0, before, before - 1 + offset, -1});
    parts[d].push_back({before, n, 0, 1});
    if (after > 0) parts[d].push_back({before + n, after, n - 1 - offset, -1});
    counts[d] = static_cast<int64_t>(parts[d].size());
  }
  ForEachIndex(counts, [&](const std::vector<int64_t>& choice) {
    CopySpec copy{.element_bytes = spec.element_bytes,
                  .extents = std::vector<int64_t>(rank),
                  .in_strides = std::vector<int64_t>(rank),
                  .out_strides = out_strides};
    for (size_t d = 0; d < rank; ++d) {
      const Part& part = parts[d][choice[d]];
      copy.extents[d] = part.extent;
      copy.in_strides[d] = part.step * in_strides[d];
      copy.in_offset += part.first * in_strides[d];
      copy.out_offset += part.begin * out_strides[d];
    }
    parts_.emplace_back(copy);
  });
}

void MirrorPad::Run(const uint8_t* in, uint8_t* out, ThreadPool& pool) const {
  for (const StridedCopy& part : parts_) part.Run(in, out, pool);
}

std::vector<int64_t> ConstantPadReference(const PadSpec& spec) {
  std::vector<int64_t> where;
  const std::vector<int64_t> strides = PackedStrides(spec.extents);
  ForEachIndex(PaddedExtents(spec), [&](const std::vector<int64_t>& index) {
    int64_t from = 0;
    for (size_t d = 0; d < index.size() && from >= 0; ++d) {
      const int64_t i = index[d] - spec.before[d];
      from = i < 0 || i >= spec.extents[d] ? -1 : from + i * strides[d];
    }
    where.push_back(from);
  });
  return where;
}

std::vector<int64_t> MirrorPadReference(const PadSpec& spec, int64_t offset) {
  std::vector<int64_t> where;
  const std::vector<int64_t> strides = PackedStrides(spec.extents);
  ForEachIndex(PaddedExtents(spec), [&](const std::vector<int64_t>& index) {
    int64_t from = 0;
    for (size_t d = 0; d < index.size(); ++d) {
      const int64_t n = spec.extents[d];
      int64_t i = index[d] - spec.before[d];
      if (i < 0) i = -i - 1 + offset;
      if (i >= n) i = 2 * n - 1 - offset - i;
      from += i * strides[d];
    }
    where.push_back(from);
  });
  return where;
}

}  // namespace dlpu
