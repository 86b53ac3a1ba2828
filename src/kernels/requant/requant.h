// SPDX-License-Identifier: Apache-2.0
// Chooses for every output channel the cheapest requantization that is exact, and fills the
// constants kernels read. Runs when a layer is prepared. A planner belongs to one thread.
//
// Why the forms are exact; x is the accumulator, m and e = -shift the multiplier:
//  * Nested floors merge, so the reference's two roundings are one floor,
//    floor((x m + 2^(30+e) + s 2^30) / 2^(31+e)), s = -1 for x < 0 with ties away from zero
//    (e > 0), else +1; 64 bits compute it.
//  * The reference and convert(fma(float(x), scale, offset)) are both monotone step functions of
//    x: they are equal everywhere if they are equal on both sides of each of at most 255 steps.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "base/fixed_point.h"
#include "kernels/requant/blocks.h"
#include "kernels/requant/certify.h"

namespace dlpu {

// What a layer's channels share; zero, low and high as in ConvSpec, in the output's own type.
struct RequantLayer {
  Rounding rounding = Rounding::kDouble;
  int32_t zero = 0, low = 0, high = 255;
  bool output_signed = false;
};

// The form chosen for one channel.
struct RequantChannel {
  RequantForm form = RequantForm::kRaw;
  float scale = 0.0f, offset = 0.0f;  // float forms
  // The sum may be too large, or its scale, for the fixed forms that others of its vector may need.
  bool float_only = false;
  // All sums give this code, less a late zero point; any form can give it.
  bool constant = false;
  int32_t code = 0;
};

class RequantPlanner {
 public:
  // `cpu` holds the flags of the row whose constants are made; float forms need kCpuAvx2 or
  // kCpuNeon.
  RequantPlanner(const RequantLayer& layer, CpuFlags cpu);

  // Accumulators lie in [middle - reach, middle + reach], which leaves int32 if they may wrap.
  // Channels with equal multipliers in a row share one proof.
  RequantChannel Plan(const Requantization& r, int64_t middle, int64_t reach);

  // Writes the blocks of one panel of consecutive channels (at most lanes x vectors; element i of
  // each span is its channel i) and says how to requantize it. `blocks` holds vectors x
  // RequantBlockBytes(lanes) zeroed bytes and must outlive the panel. init: where accumulators
  // start; channels: what Plan returned; half: as in PanelChannel.
  RequantPanel MakePanel(int lanes, int vectors, std::span<const int32_t> init,
                         std::span<const Requantization> requantization,
                         std::span<const RequantChannel> channels, uint8_t* blocks,
                         bool half = false) const;

 private:
  template <int kLanes>
  void Fill(RequantForm form, int lane, int32_t init, const Requantization& r,
            const RequantChannel& channel, RequantBlock<kLanes>& block) const;
  RequantStore Store() const;
  RequantForm FixedForm() const;
  bool FixedFits(const QuantizedMultiplier& m, int64_t max_abs) const;
  bool FloatFits(const Requantization& r, int64_t max_abs) const;
  bool IsConstant(const Requantization& r, int64_t least, int64_t most,
                  RequantChannel& channel) const;
  bool Certify(const Requantization& r, RequantChannel& channel);

  const RequantLayer layer_;
  // Values of both signs matter and ties go away from zero.
  const bool signed_;
  const RequantProof* const proof_;  // null: no float forms
  bool cached_ = false, cached_result_ = false;
  std::vector<int32_t> steps_;  // of Certify
  Requantization cached_key_;
  RequantChannel cached_channel_;
};

// The requantization's channel order: the channel of a lane of a vector among `vectors`. It is the
// order in which packs within 128 bits leave the codes. half: of the last vector, of 16 lanes, only
// the lower 8 have a channel; the others get one that no panel has.
inline int PanelChannel(int vectors, int vector, int lane, bool half = false) {
  if (!half || lane < 8) return 4 * vectors * (lane / 4) + 4 * vector + lane % 4;
  if (vector == vectors - 1) return INT32_MAX;
  return 8 * vectors + 4 * (vectors - 1) * (lane / 4 - 2) + 4 * vector + lane % 4;
}

// Size of one RequantBlock of 8 or 16 lanes.
int64_t RequantBlockBytes(int lanes);

// Steps of the reference without its zero point: element i is the smallest accumulator whose value
// is at least first + i, for values first..last; steps beyond int32 are left out at either end and
// `first` moves accordingly. `proof` may be null and changes no step. REQUIRES: multiplier > 0,
// -31 <= shift <= 30 or rounding kFloat64; accumulators shifted left do not wrap.
void RequantSteps(const Requantization& r, Rounding rounding, int32_t& first, int32_t last,
                  const RequantProof* proof, std::vector<int32_t>& steps);

}  // namespace dlpu
