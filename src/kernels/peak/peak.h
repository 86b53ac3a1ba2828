// SPDX-License-Identifier: Apache-2.0
// The most multiply-accumulates a core does in registers, measured: what the time of a layer is
// compared with. Loops of the instruction that convolutions are made of, on independent
// accumulators, without memory. Constant data; the functions take time, one thread at a time.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace dlpu {

enum class PeakKind : uint8_t { kInt8, kFloat32 };

struct PeakRow {
  const char* name;  // "avx512vnni"
  CpuFlags cpu;      // flags it needs
  PeakKind kind;
  int64_t macs;                 // in one iteration
  void (*loop)(int64_t count);  // iterations
};

struct PeakRowList {
  const PeakRow* rows;
  int32_t count;
};
// None when the compiler does not target the CPU.
PeakRowList PeakAvx512Vnni();
PeakRowList PeakAvxVnni();
PeakRowList PeakAvx2();

// The best row of a kind that `cpu` has; null when there is none.
const PeakRow* ChoosePeak(PeakKind kind, CpuFlags cpu);
// Multiply-accumulates a second of one thread, the best of a few tries of some milliseconds.
double MeasurePeak(const PeakRow& row);

}  // namespace dlpu
