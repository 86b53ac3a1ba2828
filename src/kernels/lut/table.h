// SPDX-License-Identifier: Apache-2.0
// Tables of all codes: any function of one 8- or 16-bit code is one load for each element.
// Tables are made once and read by any thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/cpu.h"
#include "base/fixed_point.h"

namespace dlpu {

// out[i] = table[in[i]] for n bytes; in and out may be the same. Normative.
void ByteTableReference(const uint8_t table[256], const uint8_t* in, uint8_t* out, int64_t n);

// A row of the byte table family: `in` and `out` have n bytes, nothing beyond is touched.
struct ByteTableRow {
  const char* name;
  CpuFlags flags;
  void (*run)(const uint8_t* table, const uint8_t* in, uint8_t* out, int64_t n);
};
// Every row that was compiled in, best first; the last is the reference.
const std::vector<ByteTableRow>& ByteTableRows();
// The best row that `cpu` has.
const ByteTableRow& ChooseByteTable(CpuFlags cpu);

// Scale and zero point of one side of a table.
struct CodeScale {
  float scale = 1;
  int32_t zero = 0;
};

// Output code of LiteRT's 8-bit tables for input code `code`: y = fn(scale * (code - zero)), then
// round-half-away(y / out.scale) + out.zero, all in binary32, clamped to [low, high].
// Source: LUTPopulateInt8 in LiteRT's kernels/internal/common.h.
template <typename Fn>
int32_t TableCode8(const Fn& fn, int32_t code, CodeScale in, CodeScale out, int32_t low,
                   int32_t high) {
  const float inverse = 1 / out.scale;
  const float x = in.scale * static_cast<float>(code - in.zero);
  const float y = fn(x);
  const float rescaled = std::round(y * inverse);
  const float shifted = rescaled + static_cast<float>(out.zero);
  return std::min(std::max(RoundToInt32(std::trunc(shifted)), low), high);
}

// LiteRT's 16-bit tables: 513 samples over the input's range, each shifted by half the error that
// linear interpolation would make in the middle of its interval, all in Real (float or double).
// Source: LUTPopulateInt16 in LiteRT's kernels/internal/common.h.
template <typename Real, typename Fn>
std::vector<int16_t> MakeTable16(const Fn& fn, Real in_scale, int32_t in_zero, Real out_scale,
                                 int32_t out_zero) {
  constexpr int kSteps = 512;
  static constexpr Real kLow = -32768, kHigh = 32767;
  const Real in_low = in_scale * static_cast<Real>(-32768 - in_zero);
  const Real in_high = in_scale * static_cast<Real>(32767 - in_zero);
  const Real out_low = out_scale * static_cast<Real>(-32768 - out_zero);
  const Real out_high = out_scale * static_cast<Real>(32767 - out_zero);
  const Real step = (in_high - in_low) / kSteps;
  const Real half_step = step / 2;
  const Real inverse = static_cast<Real>(65536) / (out_high - out_low);
  const auto clamp = [](Real v) {
    return static_cast<int16_t>(std::min(std::max(v == v ? v : Real{0}, kLow), kHigh));
  };
  std::vector<int16_t> table(kSteps + 1);
  for (int i = 0; i < kSteps; ++i) {
    const Real value = fn(in_low + static_cast<Real>(i) * step);
    const Real middle = fn(in_low + static_cast<Real>(i) * step + half_step);
    const Real next = fn(in_low + static_cast<Real>(i + 1) * step);
    const Real sample = std::round(value * inverse);
    const Real interpolated = std::round((next * inverse + std::round(value * inverse)) / 2);
    const Real error = interpolated - std::round(middle * inverse);
    table[i] = clamp(sample - std::round(error / 2));
  }
  table[kSteps] = clamp(std::round(fn(in_high) * inverse));
  return table;
}

// The value a table of MakeTable16 gives for a code: linear interpolation between two samples.
inline int16_t LookUp16(const std::vector<int16_t>& table, int16_t code) {
  const int index = 256 + (code >> 7);
  const int offset = code & 127;
  const int32_t slope = static_cast<int16_t>(table[index + 1] - table[index]);
  return static_cast<int16_t>(table[index] + ((slope * offset + 64) >> 7));
}

}  // namespace dlpu
