// SPDX-License-Identifier: Apache-2.0
// Choosing and timing the loops.
#include "kernels/peak/peak.h"

#include <algorithm>
#include <chrono>

namespace dlpu {

const PeakRow* ChoosePeak(PeakKind kind, CpuFlags cpu) {
  for (const PeakRowList& list : {PeakAvx512Vnni(), PeakAvxVnni(), PeakAvx2()}) {
    for (int32_t i = 0; i < list.count; ++i) {
      const PeakRow& row = list.rows[i];
      if (row.kind == kind && (row.cpu & ~cpu) == 0) return &row;
    }
  }
  return nullptr;
}

double MeasurePeak(const PeakRow& row) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t kCount = 200000;
  double best = 0;
  row.loop(kCount);
  for (int i = 0; i < 20; ++i) {
    const Clock::time_point begin = Clock::now();
    row.loop(kCount);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, static_cast<double>(row.macs * kCount) / std::max(seconds, 1e-9));
  }
  return best;
}

}  // namespace dlpu
