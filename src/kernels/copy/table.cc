// SPDX-License-Identifier: Apache-2.0
// The table of uint8 CONCATENATION, and copying through it.
#include "kernels/copy/table.h"

#include <algorithm>

#include "base/fixed_point.h"

namespace dlpu {

CodeTable ConcatenationTable(float in_scale, int32_t in_zero, float out_scale, int32_t out_zero) {
  const float inverse = 1.0f / out_scale;
  const float a = in_scale * inverse;
  const float b = static_cast<float>(-in_zero) * a;
  CodeTable table;
  for (int32_t code = 0; code < 256; ++code) {
    const float scaled = static_cast<float>(code) * a;
    const int64_t value = static_cast<int64_t>(RoundToInt32(std::round(scaled + b))) + out_zero;
    table[code] = static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255));
  }
  return table;
}

void CopyRowsThroughTable(const CodeTable& table, const uint8_t* in, int64_t rows, int64_t width,
                          uint8_t* out, int64_t out_stride, ThreadPool& pool) {
  const int64_t grain = 1 + 32 * 1024 / std::max<int64_t>(1, width);
  pool.ParallelFor(rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      const uint8_t* from = in + r * width;
      uint8_t* to = out + r * out_stride;
      for (int64_t i = 0; i < width; ++i) to[i] = table[from[i]];
    }
  });
}

}  // namespace dlpu
