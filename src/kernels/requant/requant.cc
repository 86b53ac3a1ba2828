// SPDX-License-Identifier: Apache-2.0
// Forms and constants of requantization.
#include "kernels/requant/requant.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "kernels/requant/certify.h"

namespace dlpu {
namespace {

using Wide = __int128;

static_assert(static_cast<int>(RequantRounding::kDouble) == static_cast<int>(Rounding::kDouble));
static_assert(static_cast<int>(RequantRounding::kDoubleUp) ==
              static_cast<int>(Rounding::kDoubleUp));
static_assert(static_cast<int>(RequantRounding::kFloat64) == static_cast<int>(Rounding::kFloat64));
static_assert(static_cast<int>(RequantRounding::kFloat32Even) ==
              static_cast<int>(Rounding::kFloat32Even));

// Floats around a scale that are tried: itself, the one above, the one below, ...
constexpr int kScaleTries = 5;

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt32Min = std::numeric_limits<int32_t>::min();

// Smallest x with floor((x m + addend) / 2^(31+e)) >= value, for value = first..: an arithmetic
// progression rounded up, walked with quotient and remainder instead of divisions.
class StepWalk {
 public:
  StepWalk(const QuantizedMultiplier& m, Wide addend, int32_t value) {
    const Wide unit = Wide{1} << (31 - m.shift);
    p_.multiplier = m.multiplier;
    // ceil(a / m) = floor((a + m - 1) / m)
    const Wide start = unit * value - addend + p_.multiplier - 1;
    if (start == static_cast<int64_t>(start) && unit == static_cast<int64_t>(unit)) {
      Divide(static_cast<int64_t>(start), static_cast<int64_t>(unit));
    } else {
      Divide(start, unit);
    }
  }
  const StepProgression& progression() const { return p_; }
  int64_t x() const { return p_.x; }
  void Next() {
    p_.x += p_.step;
    p_.remainder += p_.step_remainder;
    if (p_.remainder >= p_.multiplier) {
      p_.remainder -= p_.multiplier;
      ++p_.x;
    }
  }
  // Whether the elements lie well inside int32.
  bool Narrow(int32_t count) const {
    constexpr int64_t kMost = kInt32Max - 1024;
    return p_.step < kMost && p_.x > -kMost && p_.x + count * (p_.step + 1) < kMost;
  }

 private:
  template <typename Int>
  void Divide(Int start, Int unit) {
    Int quotient = start / p_.multiplier, rest = start % p_.multiplier;
    if (rest < 0) {
      rest += p_.multiplier;
      --quotient;
    }
    p_.x = static_cast<int64_t>(quotient);
    p_.remainder = static_cast<int64_t>(rest);
    p_.step = static_cast<int64_t>(unit / p_.multiplier);
    p_.step_remainder = static_cast<int64_t>(unit % p_.multiplier);
  }

  StepProgression p_;
};

// Smallest x with ScaleFloat64(x, scale) >= value; the estimate is off by a few at most.
int64_t FloatStep(double scale, int32_t value) {
  int64_t x = static_cast<int64_t>(std::clamp((value - 0.5) / scale, -3e9, 3e9));
  const auto reached = [&](int64_t at) {
    return std::round(static_cast<double>(at) * scale) >= value;
  };
  while (reached(x)) --x;
  while (!reached(x)) ++x;
  return x;
}

void Append(int64_t x, int32_t& first, std::vector<int32_t>& steps) {
  if (x - 1 < kInt32Min) {
    ++first;  // every accumulator is past this step
  } else if (x <= kInt32Max) {
    steps.push_back(static_cast<int32_t>(x));
  }
}

// Evaluated with the instructions of the row's kernels.
const RequantProof* ProofFor(CpuFlags cpu) {
  if ((cpu & kCpuAvx2) != 0) return RequantProofAvx2();
  return (cpu & kCpuNeon) != 0 ? RequantProofNeon() : nullptr;
}

// The next `count` steps of a walk, none above `most`.
void AppendWalk(StepWalk walk, int32_t count, int64_t most, const RequantProof* proof,
                int32_t& first, std::vector<int32_t>& steps) {
  if (proof != nullptr && proof->walk != nullptr && count > 0 && walk.Narrow(count)) {
    const size_t at = steps.size();
    steps.resize(at + static_cast<size_t>(count) + 8);
    proof->walk(walk.progression(), count, static_cast<int32_t>(most), steps.data() + at);
    steps.resize(at + static_cast<size_t>(count));
    return;
  }
  for (int32_t i = 0; i < count; ++i, walk.Next()) Append(std::min(walk.x(), most), first, steps);
}

}  // namespace

void RequantSteps(const Requantization& r, Rounding rounding, int32_t& first, int32_t last,
                  const RequantProof* proof, std::vector<int32_t>& steps) {
  steps.clear();
  steps.reserve(static_cast<size_t>(std::max(last - first + 17, 8)));
  const int32_t from = first;
  if (rounding == Rounding::kFloat64) {
    for (int32_t value = from; value <= last; ++value) {
      Append(FloatStep(r.scale, value), first, steps);
    }
  } else {
    const int e = -r.multiplier.shift;
    const Wide half = e > 0 ? Wide{1} << (30 + e) : Wide{0};
    const Wide tie = Wide{1} << (30 + std::min(e, 0));  // of x shifted left, if it is
    const bool split = rounding == Rounding::kDouble && e > 0;
    // Values up to 0 are reached at x <= 0, the others above it.
    const int32_t middle = std::clamp(1, from, last + 1);
    AppendWalk(StepWalk(r.multiplier, half + (split ? -tie : tie), from), middle - from,
               split ? 0 : kInt32Max, proof, first, steps);
    AppendWalk(StepWalk(r.multiplier, half + tie, middle), last + 1 - middle, kInt32Max, proof,
               first, steps);
  }
}

RequantPlanner::RequantPlanner(const RequantLayer& layer, CpuFlags cpu)
    : layer_(layer),
      signed_(layer.rounding == Rounding::kFloat32Even || layer.rounding == Rounding::kFloat64 ||
              (layer.rounding == Rounding::kDouble && layer.low < layer.zero)),
      proof_(ProofFor(cpu)) {}

RequantStore RequantPlanner::Store() const {
  RequantStore store;
  const int32_t least = layer_.output_signed ? -128 : 0;
  store.late_zero = signed_ ? layer_.zero : 0;
  store.output_signed = layer_.output_signed;
  store.low = layer_.low;
  store.high = layer_.high;
  store.bounded = layer_.low > least || layer_.high < least + 255;
  store.zero = layer_.zero;
  store.rounding = static_cast<RequantRounding>(layer_.rounding);
  return store;
}

RequantForm RequantPlanner::FixedForm() const {
  return signed_ ? RequantForm::kFixedSigned : RequantForm::kFixed;
}

// 64 bits hold x m + addend, and the sum after the first shift holds 32 bits with the zero point.
bool RequantPlanner::FixedFits(const QuantizedMultiplier& m, int64_t max_abs) const {
  if (layer_.rounding != Rounding::kDouble && layer_.rounding != Rounding::kDoubleUp) return false;
  if (m.multiplier < 0 || m.shift > 0 || m.shift < -30 || max_abs > kInt32Max) return false;
  const double product = static_cast<double>(max_abs) * m.multiplier / 2147483648.0;
  return product + std::ldexp(std::abs(layer_.zero) + 2.0, -m.shift) < 2147483000.0;
}

bool RequantPlanner::Certify(const Requantization& r, RequantChannel& channel) {
  const bool real = layer_.rounding == Rounding::kFloat64;
  const double exact =
      real ? r.scale
           : std::ldexp(static_cast<double>(r.multiplier.multiplier), r.multiplier.shift - 31);
  channel.form = signed_ ? RequantForm::kFloatSigned : RequantForm::kFloat;
  const int32_t late = signed_ ? layer_.zero : 0;  // what is added after the conversion
  if (exact == 0.0) {
    channel.scale = 0.0f;
    channel.offset = static_cast<float>(layer_.zero - late);
    return true;
  }
  // Finer scales fail, as near 255 a float has 16 bits after the point.
  if (!(exact > 1e-5)) return false;
  int32_t first = layer_.low + 1 - layer_.zero;
  RequantSteps(r, layer_.rounding, first, layer_.high - layer_.zero, proof_, steps_);
  if (steps_.empty()) return false;
  StepFunction f{nullptr, static_cast<int32_t>(steps_.size()), first + layer_.zero - late, signed_};
  steps_.resize(steps_.size() + 8, 0);
  f.steps = steps_.data();
  const float nearest = static_cast<float>(exact);
  float below = nearest, above = nearest;
  for (int step = 0; step < kScaleTries; ++step) {
    const float scale = step % 2 != 0 ? above : below;
    double low = 0.0, high = 0.0;
    proof_->bounds(f, scale, &low, &high);
    if (signed_) low = std::max(low, 0.0);
    for (int part = 2; low < high && part < 5; ++part) {  // middle, then off it
      const float offset = static_cast<float>(low + (high - low) * (part % 4 == 0 ? 1 : part) / 4);
      if (!proof_->holds(f, scale, offset)) continue;
      channel.scale = scale;
      channel.offset = offset;
      return true;
    }
    if (step % 2 == 0) above = std::nextafter(above, 1.0f);
    if (step % 2 == 1) below = std::nextafter(below, 0.0f);
  }
  return false;
}

// No step of the reference wraps for sums up to max_abs, and no conversion of the float form
// overflows.
bool RequantPlanner::FloatFits(const Requantization& r, int64_t max_abs) const {
  if (layer_.rounding == Rounding::kFloat64) return r.scale >= 0.0 && r.scale < 0.99;
  const int shift = r.multiplier.shift;
  if (r.multiplier.multiplier < 0 || shift > 30 || max_abs > kInt32Max) return false;
  return static_cast<double>(max_abs) * std::ldexp(1.0, std::max(shift, 0)) < 2147480000.0;
}

// The reference never falls as the sum grows: if both ends of its range give one code, all do, and
// a scale of 0 with that offset is the reference. So it is for channels that are all but dead,
// whose weights are fine beside their bias.
bool RequantPlanner::IsConstant(const Requantization& r, int64_t least, int64_t most,
                                RequantChannel& channel) const {
  const auto value = [&](int64_t sum) {
    return Requantize(static_cast<int32_t>(sum), r, layer_.rounding, 0,
                      static_cast<int32_t>(kInt32Min), static_cast<int32_t>(kInt32Max));
  };
  const int32_t code = value(least);
  if (code != value(most) || std::abs(int64_t{code}) > 1 << 20) return false;
  channel.constant = true;
  channel.code = signed_ ? code : code + layer_.zero;
  // With late zero points the offset takes the sign of the sum, which is that of the code.
  channel.form = signed_ ? RequantForm::kFloatSigned : RequantForm::kFloat;
  channel.scale = 0.0f;
  channel.offset = static_cast<float>(signed_ ? std::abs(code) : code + layer_.zero);
  return true;
}

RequantChannel RequantPlanner::Plan(const Requantization& r, int64_t middle, int64_t reach) {
  const int64_t max_abs = std::abs(middle) + reach;
  if (layer_.rounding == Rounding::kFloat32Even) {
    // This rule is the float form itself as long as the conversion stays in int32.
    const float scale = static_cast<float>(r.scale);
    const bool fits = scale >= 0 && static_cast<double>(max_abs) * scale < 2147000000.0;
    return {fits ? RequantForm::kFloatSigned : RequantForm::kRaw, scale, 0.0f};
  }
  const bool real = layer_.rounding == Rounding::kFloat64;
  const bool fixed = !real && FixedFits(r.multiplier, max_abs);
  if (proof_ != nullptr && FloatFits(r, max_abs)) {
    RequantChannel constant;
    if (!real && IsConstant(r, middle - reach, middle + reach, constant)) return constant;
    const bool same =
        cached_ && (real ? cached_key_.scale == r.scale : cached_key_.multiplier == r.multiplier);
    if (!same) {
      cached_result_ = Certify(r, cached_channel_);
      cached_key_ = r;
      cached_ = true;
    }
    cached_channel_.float_only = !fixed;
    if (cached_result_) return cached_channel_;
  }
  return {fixed ? FixedForm() : RequantForm::kRaw, 0.0f, 0.0f};
}

template <int kLanes>
void RequantPlanner::Fill(RequantForm form, int lane, int32_t init, const Requantization& r,
                          const RequantChannel& channel, RequantBlock<kLanes>& block) const {
  block.init[lane] = init;
  switch (form) {
    case RequantForm::kFloat:
    case RequantForm::kFloatSigned:
      block.real.scale[lane] = channel.scale;
      block.real.offset[lane] = channel.offset;
      return;
    case RequantForm::kFixed:
    case RequantForm::kFixedSigned: {
      const bool with_sign = form == RequantForm::kFixedSigned;
      const int e = channel.constant ? 0 : -r.multiplier.shift;
      const int32_t multiplier = channel.constant ? 0 : r.multiplier.multiplier;
      const Wide m = multiplier;
      // x arrives as x + 2^31 and is multiplied by 2m, so all is scaled by 2 against the formula
      // above. kFixed has s = +1; kFixedSigned folds s = -1 and adds 1 back where x >= 0.
      Wide add = -(m << 32) + (Wide{with_sign ? 0 : layer_.zero} << (32 + e)) + (Wide{1} << 31);
      if (channel.constant) add = Wide{channel.code} << 32;
      if (e > 0) add += with_sign ? ((Wide{1} << (e - 1)) - 1) << 32 : Wide{1} << (31 + e);
      block.init[lane] = static_cast<int32_t>(static_cast<uint32_t>(init) ^ 0x80000000u);
      block.fixed.even[lane] = static_cast<uint32_t>(multiplier) * 2u;
      if (lane % 2 == 1) {
        block.fixed.odd[lane - 1] = block.fixed.even[lane];
        block.fixed.add_odd[lane / 2] = static_cast<int64_t>(add);
      } else {
        block.fixed.add_even[lane / 2] = static_cast<int64_t>(add);
      }
      block.fixed.shift[lane] = static_cast<uint32_t>(e);
      block.fixed.sign_shift[lane] = e > 0 ? 31 : 32;
      return;
    }
    case RequantForm::kRaw:
      block.raw.scale[lane] = r.scale;
      block.raw.multiplier[lane] = r.multiplier.multiplier;
      block.raw.left[lane] = std::max(r.multiplier.shift, 0);
      block.raw.right[lane] = std::max(-r.multiplier.shift, 0);
      return;
  }
}

RequantPanel RequantPlanner::MakePanel(int lanes, int vectors, std::span<const int32_t> init,
                                       std::span<const Requantization> requantization,
                                       std::span<const RequantChannel> channels, uint8_t* blocks,
                                       bool half) const {
  RequantPanel panel;
  panel.blocks = blocks;
  panel.store = Store();
  panel.mask = channels.size() == 64 ? ~uint64_t{0} : (uint64_t{1} << channels.size()) - 1;
  // A vector takes the form that serves all its lanes: forms are ordered so that the later one
  // does, or the raw one does. Vectors without channels only have to be quick.
  bool raw = false;
  for (int j = 0; j < vectors; ++j) {
    panel.forms[j] = RequantForm::kFloat;
    bool float_only = false;
    for (int lane = 0; lane < lanes; ++lane) {
      const auto c = static_cast<size_t>(PanelChannel(vectors, j, lane, half));
      if (c >= channels.size()) continue;
      panel.forms[j] = std::max(panel.forms[j], channels[c].form);
      float_only = float_only || channels[c].float_only;
    }
    raw = raw || panel.forms[j] == RequantForm::kRaw ||
          (float_only && panel.forms[j] > RequantForm::kFloatSigned);
  }
  for (int j = 0; j < vectors; ++j) {
    if (raw) panel.forms[j] = RequantForm::kRaw;
    for (int lane = 0; lane < lanes; ++lane) {
      const auto c = static_cast<size_t>(PanelChannel(vectors, j, lane, half));
      if (c >= channels.size()) continue;
      if (lanes == 16) {
        Fill(panel.forms[j], lane, init[c], requantization[c], channels[c],
             reinterpret_cast<RequantBlock<16>*>(blocks)[j]);
      } else {
        Fill(panel.forms[j], lane, init[c], requantization[c], channels[c],
             reinterpret_cast<RequantBlock<8>*>(blocks)[j]);
      }
    }
  }
  return panel;
}

int64_t RequantBlockBytes(int lanes) {
  return lanes == 16 ? sizeof(RequantBlock<16>) : sizeof(RequantBlock<8>);
}

}  // namespace dlpu
