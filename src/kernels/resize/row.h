// SPDX-License-Identifier: Apache-2.0
// The inner loop of bilinear resizing in binary32 as rows for CPU families: one output row from two
// source rows that carry their vertical weights. Plain structs only: files with CPU flags include
// this. Constant; any thread.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace dlpu {

// Two neighbours of an output position and the weight of the second; the first has the rest to
// `one`. A weight may lie outside [0, one] at the border, where both neighbours are alike.
template <typename Weight>
struct BilinearTap {
  int32_t low, high;
  Weight weight;
};

// Output pixel i, channel c: upper[low] * (1 - w) + lower[low] * (1 - w) + upper[high] * w +
// lower[high] * w with the taps of pixel i, summed in this order, each product rounded; codes add
// a half and are truncated.
struct BilinearRowArgs {
  const float* upper;
  const float* lower;
  const BilinearTap<float>* taps;
  int64_t pixels, channels;
};

struct BilinearRow {
  const char* name;
  CpuFlags cpu;  // flags it needs
  void (*codes)(const BilinearRowArgs& args, uint8_t* out);
  void (*floats)(const BilinearRowArgs& args, float* out);
};

struct BilinearRowList {
  const BilinearRow* rows;
  int32_t count;
};
// None when the compiler does not target the CPU.
BilinearRowList BilinearAvx512();
BilinearRowList BilinearAvx2();
// All rows that were compiled in, best first; the last one is scalar and fits every CPU.
BilinearRowList BilinearRows();
const BilinearRow& ChooseBilinear(CpuFlags cpu);

}  // namespace dlpu
