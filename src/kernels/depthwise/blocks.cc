// SPDX-License-Identifier: Apache-2.0
// Weight packing of depthwise convolutions.
#include "kernels/depthwise/blocks.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace dlpu {
namespace {

int8_t TakeByte(int32_t& value, int32_t least) {
  const int32_t part = std::clamp(value, least, 127);
  value -= part;
  return static_cast<int8_t>(part);
}

}  // namespace

// What each lane of a block computes: lane i of the block's channel order is channel `channel[i]`.
// Two bands repeat the channels; lanes past the last channel repeat it.
struct DepthwiseBlocks::Lanes {
  std::vector<int32_t> channel;
  std::vector<int32_t> init;
  std::vector<Requantization> requantization;
  std::vector<RequantChannel> forms;
  size_t exist = 0;  // channels to store, of one band
  bool raw = false;
};

DepthwiseBlocks::DepthwiseBlocks(const DepthwiseSpec& spec, const uint8_t* weights,
                                 const int32_t* bias, const DepthwiseTiles& tiles,
                                 int64_t row_bytes, int64_t pixel_bytes, CpuFlags cpu)
    : spec_(spec),
      source_weights_(weights),
      bias_(bias),
      tiles_(tiles),
      row_bytes_(row_bytes),
      pixel_bytes_(pixel_bytes) {
  // Channels below and above the split may round differently: no block spans it.
  const int32_t split = std::clamp(spec.rounding_split, 0, spec.in_c);
  const struct {
    Rounding rounding;
    int32_t begin, end;
  } parts[] = {{spec.rounding, 0, split}, {spec.tail_rounding, split, spec.in_c}};
  const int32_t width = kDepthwiseVectors * tiles.lanes;
  for (const auto& part : parts) {
    RequantPlanner planner(
        {part.rounding, spec.output_zero, spec.low, spec.high, spec.output_signed}, cpu);
    for (int32_t c = part.begin; c < part.end; c += width) {
      AddBlock(planner, c, std::min(width, part.end - c));
    }
  }
}

int32_t DepthwiseBlocks::Weight(int32_t channel, int ky, int kx) const {
  const uint8_t byte = source_weights_[(int64_t{ky} * spec_.kernel_w + kx) * spec_.in_c + channel];
  const int32_t code = spec_.weights_signed ? static_cast<int8_t>(byte) : byte;
  return code - spec_.weights_zero;
}

DepthwiseBlocks::Lanes DepthwiseBlocks::MakeLanes(RequantPlanner& planner, int32_t channel,
                                                  int32_t channels, int bands) const {
  Lanes lanes;
  lanes.exist = static_cast<size_t>(channels);
  const int32_t width = kDepthwiseVectors * tiles_.lanes;
  // As the kernel sees it, which adds up codes 0..255 or -128..127.
  const int32_t lowest = tiles_.signed_input ? -128 : 0;
  const int32_t zero = spec_.input_zero + (spec_.input_signed ? 128 : 0) + lowest;
  const int64_t reach = std::max(zero - lowest, lowest + 255 - zero);
  bool float_only = false, fixed = false;
  for (int32_t i = 0; i < width; ++i) {
    const int32_t c = channel + std::min(i % (width / bands), channels - 1);
    int64_t sum = 0, magnitude = 0;
    for (int ky = 0; ky < spec_.kernel_h; ++ky) {
      for (int kx = 0; kx < spec_.kernel_w; ++kx) {
        const int32_t w = Weight(c, ky, kx);
        sum += w;
        magnitude += std::abs(w);
      }
    }
    const int64_t start = bias_ != nullptr ? bias_[c] : 0;
    const Requantization& r = spec_.requantization[static_cast<size_t>(c)];
    lanes.channel.push_back(c);
    lanes.init.push_back(
        static_cast<int32_t>(static_cast<uint32_t>(start) - static_cast<uint32_t>(zero * sum)));
    lanes.requantization.push_back(r);
    lanes.forms.push_back(planner.Plan(r, start, reach * magnitude));
    const RequantChannel& form = lanes.forms.back();
    lanes.raw = lanes.raw || form.form == RequantForm::kRaw;
    float_only = float_only || form.float_only;
    fixed = fixed || form.form > RequantForm::kFloatSigned;
  }
  lanes.raw = lanes.raw || (float_only && fixed);  // as MakePanel decides, if they share a vector
  return lanes;
}

RequantPanel DepthwiseBlocks::MakePanel(const RequantPlanner& planner, const Lanes& lanes) {
  bytes_.emplace_back(kDepthwiseVectors * RequantBlockBytes(tiles_.lanes));
  RequantPanel panel = planner.MakePanel(tiles_.lanes, kDepthwiseVectors, lanes.init,
                                         lanes.requantization, lanes.forms, bytes_.back().data());
  panel.mask = lanes.exist == 64 ? ~uint64_t{0} : (uint64_t{1} << lanes.exist) - 1;
  return panel;
}

void DepthwiseBlocks::AddBlock(RequantPlanner& planner, int32_t channel, int32_t channels) {
  DepthwiseBlock block;
  block.channel = channel;
  block.channels = channels;
  const uint32_t flip = spec_.input_signed != tiles_.signed_input ? 0x80808080u : 0;
  const bool window = spec_.kernel_h == 3 && spec_.kernel_w == 3 && spec_.dilation_h == 1 &&
                      spec_.dilation_w == 1 && spec_.stride_h == spec_.stride_w &&
                      spec_.stride_h <= 2;
  // Two bands of half a block's channels need rows for both.
  const int32_t band_rows = spec_.stride_h == 1 ? 2 : 1;
  block.bands = channels <= kDepthwiseVectors * tiles_.lanes / 2 && spec_.out_h > band_rows ? 2 : 1;
  if (window && tiles_.slide[spec_.stride_h - 1][block.bands - 1] != nullptr) {
    const Lanes lanes = MakeLanes(planner, channel, channels, block.bands);
    if (!lanes.raw && PackSlide(lanes, spec_.stride_h, block)) {
      block.slide = tiles_.slide[spec_.stride_h - 1][block.bands - 1];
      DepthwiseSlideArgs& args = block.slide_args;
      args.input_flip = flip;
      args.input_zero = static_cast<uint8_t>(spec_.input_zero);
      args.in_w = spec_.in_w;
      args.out_w = spec_.out_w;
      args.pad_left = spec_.pad_left;
      args.in_step = args.out_step = spec_.in_c;
      args.requant = MakePanel(planner, lanes);
      blocks_.push_back(block);
      return;
    }
  }
  block.bands = 1;
  const Lanes lanes = MakeLanes(planner, channel, channels, 1);
  PackTaps(lanes, block);
  block.tap_args.input_flip = flip;
  block.tap_args.requant = MakePanel(planner, lanes);
  blocks_.push_back(block);
  uses_taps_ = true;
}

// Byte b of a lane is input row b of the column; the second output row is one row lower. False if
// weights need more than one excess byte.
bool DepthwiseBlocks::PackSlide(const Lanes& lanes, int stride, DepthwiseBlock& block) {
  const int rows = stride == 1 ? 2 : 1;
  const int64_t size = int64_t{rows} * 3 * kDepthwiseVectors * tiles_.lanes * 4;
  AlignedBytes weights(size), excess(size);
  uint32_t excess_columns = 0;
  uint8_t *to = weights.data(), *rest = excess.data();
  for (int r = 0; r < rows; ++r) {
    for (int kx = 0; kx < 3; ++kx) {
      for (int j = 0; j < kDepthwiseVectors; ++j) {
        for (int lane = 0; lane < tiles_.lanes; ++lane, to += 4, rest += 4) {
          const int32_t c =
              lanes.channel[static_cast<size_t>(PanelChannel(kDepthwiseVectors, j, lane))];
          for (int ky = 0; ky < 3; ++ky) {
            int32_t value = Weight(c, ky, kx);
            to[r + ky] = static_cast<uint8_t>(TakeByte(value, -128));
            if (value != 0) excess_columns |= 1u << (3 * j + kx);
            rest[r + ky] = static_cast<uint8_t>(TakeByte(value, -128));
            if (value != 0) return false;
          }
        }
      }
    }
  }
  block.slide_args.weights = reinterpret_cast<const int8_t*>(weights.data());
  bytes_.push_back(std::move(weights));
  if (excess_columns != 0) {
    block.slide_args.excess_columns = excess_columns;
    block.slide_args.excess = reinterpret_cast<const int8_t*>(excess.data());
    bytes_.push_back(std::move(excess));
  }
  return true;
}

void DepthwiseBlocks::PackTaps(const Lanes& lanes, DepthwiseBlock& block) {
  const int taps = spec_.kernel_h * spec_.kernel_w;
  const int regular = (taps + tiles_.taps - 1) / tiles_.taps;
  const size_t width = lanes.channel.size();
  const auto weight_bytes = static_cast<size_t>(tiles_.weight_bytes);
  const size_t group_bytes = width * tiles_.taps * weight_bytes;
  std::vector<int32_t> offsets;
  // rest[tap * width + i]: what is still to be packed of a weight.
  std::vector<int32_t> rest(static_cast<size_t>(regular) * tiles_.taps * width, 0);
  for (int t = 0; t < taps; ++t) {
    for (size_t i = 0; i < width; ++i) {
      rest[static_cast<size_t>(t) * width + i] =
          Weight(lanes.channel[i], t / spec_.kernel_w, t % spec_.kernel_w);
    }
  }
  std::vector<uint8_t> packed;
  for (bool first = true, more = true; more; first = false) {
    more = false;
    for (int g = 0; g < regular; ++g) {
      int32_t* values = rest.data() + static_cast<size_t>(g) * tiles_.taps * width;
      const bool any = std::any_of(values, values + static_cast<size_t>(tiles_.taps) * width,
                                   [](int32_t v) { return v != 0; });
      if (!first && !any) continue;
      for (int t = g * tiles_.taps; t < (g + 1) * tiles_.taps; ++t) {
        const int tap = std::min(t, taps - 1);  // a tap of weight 0 may read anywhere
        offsets.push_back(
            static_cast<int32_t>(tap / spec_.kernel_w * spec_.dilation_h * row_bytes_ +
                                 tap % spec_.kernel_w * spec_.dilation_w * pixel_bytes_));
      }
      packed.resize(packed.size() + group_bytes, 0);
      uint8_t* to = packed.data() + packed.size() - group_bytes;
      for (size_t at = 0; at < width * static_cast<size_t>(tiles_.taps); ++at) {
        // Tap by tap, or the taps of a channel side by side in the panel's order.
        size_t t = at / width, i = at % width;
        if (!tiles_.by_tap) {
          t = at % static_cast<size_t>(tiles_.taps);
          const int lane = static_cast<int>(at) / tiles_.taps;
          i = static_cast<size_t>(
              PanelChannel(kDepthwiseVectors, lane / tiles_.lanes, lane % tiles_.lanes));
        }
        int32_t& value = values[t * width + i];
        if (weight_bytes == 2) {
          const auto wide = static_cast<int16_t>(value);
          std::memcpy(to + 2 * at, &wide, 2);
          value = 0;
        } else {
          to[at] = static_cast<uint8_t>(TakeByte(value, tiles_.least_weight));
          more = more || value != 0;
        }
      }
    }
  }
  block.tap_args.groups = static_cast<int32_t>(offsets.size()) / tiles_.taps;
  offsets_.push_back(std::move(offsets));
  block.tap_args.offsets = offsets_.back().data();
  AlignedBytes bytes(static_cast<int64_t>(packed.size()));
  std::memcpy(bytes.data(), packed.data(), packed.size());
  block.tap_args.weights = reinterpret_cast<const int8_t*>(bytes.data());
  bytes_.push_back(std::move(bytes));
}

}  // namespace dlpu
