// SPDX-License-Identifier: Apache-2.0
// Constants with which kernels turn int32 accumulators into 8-bit codes, laid out by vector lane.
// Plain structs only: files with instruction-set flags include this. Filled by requant.cc when a
// layer is prepared, read-only afterwards.
//
// All forms equal Requantize of base/fixed_point.h bit for bit.
#pragma once

#include <cstdint>

namespace dlpu {

// How one vector of channels is requantized.
enum class RequantForm : uint8_t {
  kFloat,        // convert(fma(float(x), scale, offset)), proven equal when the layer is prepared
  kFloatSigned,  // the same with the sign of x on the offset
  kFixed,        // floor((x * m + addend) / 2^n) in 64 bits, where no sign term is needed
  kFixedSigned,  // the same with the term that makes ties of negative values go down
  kRaw,          // slow and general; one raw vector makes its whole panel raw
};

// The rules of base/fixed_point.h's Rounding, which files with instruction-set flags must not
// include (requant.cc asserts that the values agree).
enum class RequantRounding : uint8_t { kDouble, kDoubleUp, kFloat64, kFloat32Even };

// One vector of channels. In the fixed forms accumulators are offset by 2^31 from the start, so
// that one unsigned multiplication covers their range.
template <int kLanes>
struct alignas(64) RequantBlock {
  int32_t init[kLanes];  // where the accumulator starts: the bias with the zero points folded in
  union {
    struct {
      float scale[kLanes];
      float offset[kLanes];
    } real;
    struct {
      uint32_t even[kLanes];  // 2m of every lane; the product reads the even ones
      uint32_t odd[kLanes];   // 2m of lane i+1 in even lane i
      int64_t add_even[kLanes / 2];
      int64_t add_odd[kLanes / 2];
      uint32_t shift[kLanes];
      uint32_t sign_shift[kLanes];  // 31: subtract the sign; 32: shift it out
    } fixed;
    struct {
      double scale[kLanes];
      int32_t multiplier[kLanes];
      int32_t left[kLanes];
      int32_t right[kLanes];
    } raw;
  };
};

// What all channels of a layer share; codes in the output's own type.
struct RequantStore {
  // Added after the pack to 16 bits: the zero point of the signed forms.
  int32_t late_zero = 0;
  bool output_signed = false;
  bool bounded = false;  // the bounds are narrower than the type, to which packing saturates
  int32_t low = 0, high = 255;
  int32_t zero = 0;                                     // for kRaw
  RequantRounding rounding = RequantRounding::kDouble;  // for kRaw
};

inline constexpr int kMaxPanelVectors = 4;

// A panel: up to 4 vectors of channels that are packed and stored together.
struct RequantPanel {
  const void* blocks = nullptr;  // RequantBlock<lanes>, one for each vector
  RequantForm forms[kMaxPanelVectors] = {};
  uint64_t mask = 0;  // the channels that exist
  RequantStore store;
};

}  // namespace dlpu
