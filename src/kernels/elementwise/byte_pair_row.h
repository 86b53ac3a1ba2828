// SPDX-License-Identifier: Apache-2.0
// What an instruction set provides for functions of two 8-bit codes. Plain structs only: files
// with instruction-set flags include this.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/requant/blocks.h"

namespace dlpu {

enum class BytePairForm : uint8_t {
  kSum,      // convert(fma(x, scale_x, fma(y, scale_y, offset)))
  kProduct,  // p = (x - zero_x) (y - zero_y); convert(fma(p, scale_x, offset with the sign of p))
  // v = x - zero_x; where v >= 0 convert(fma(v, scale_x, offset)), else kProduct with scale_y and
  // offset_y.
  kPrelu,
};

struct BytePairArgs {
  BytePairForm form = BytePairForm::kSum;
  bool input_signed = false;
  float scale_x = 0, scale_y = 0, offset = 0, offset_y = 0;
  float zero_x = 0, zero_y = 0;
  RequantStore store;  // late zero point, type and bounds of the output
};

// out[i] = code of x[i] and y[i] for i < n; an operand that does not advance is one byte. Nothing
// beyond the n bytes is touched.
using BytePairRun = void (*)(const BytePairArgs& args, const uint8_t* x, bool x_advances,
                             const uint8_t* y, bool y_advances, uint8_t* out, int64_t n);

// nullptr when the library was built for another processor.
BytePairRun BytePairRunAvx512();
BytePairRun BytePairRunAvx2();
BytePairRun BytePairRunNeon();

}  // namespace dlpu
