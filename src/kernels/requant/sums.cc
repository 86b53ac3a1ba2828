// SPDX-License-Identifier: Apache-2.0
// Sums to codes, outside of layers.
#include "kernels/requant/sums.h"

#include <algorithm>

#include "base/check.h"

namespace dlpu {

void RequantizeSums(const RequantLayer& layer, const QuantizedMultiplier& multiplier,
                    std::span<const int32_t> sums, uint8_t* codes, CpuFlags cpu) {
  DLPU_CHECK(layer.rounding == Rounding::kDouble || layer.rounding == Rounding::kDoubleUp);
  const RequantProof* vectors = (cpu & kCpuAvx2) != 0 ? RequantProofAvx2() : nullptr;
  size_t done = 0;
  if (vectors != nullptr && vectors->codes != nullptr) {
    RequantBlock<8> block = {};
    std::fill(std::begin(block.raw.multiplier), std::end(block.raw.multiplier),
              multiplier.multiplier);
    std::fill(std::begin(block.raw.left), std::end(block.raw.left), std::max(multiplier.shift, 0));
    std::fill(std::begin(block.raw.right), std::end(block.raw.right),
              std::max(-multiplier.shift, 0));
    RequantStore store;
    store.output_signed = layer.output_signed;
    store.low = layer.low;
    store.high = layer.high;
    store.zero = layer.zero;
    store.rounding = static_cast<RequantRounding>(layer.rounding);
    done = sums.size() / 32 * 32;
    vectors->codes(block, store, sums.data(), static_cast<int32_t>(done), codes);
  }
  for (size_t i = done; i < sums.size(); ++i) {
    codes[i] = static_cast<uint8_t>(
        Requantize(sums[i], {multiplier, 0.0}, layer.rounding, layer.zero, layer.low, layer.high));
  }
}

}  // namespace dlpu
