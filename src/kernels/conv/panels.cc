// SPDX-License-Identifier: Apache-2.0
// Weight packing.
#include "kernels/conv/panels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/requant/requant.h"

namespace dlpu {
namespace {

// The reduction of one group as the tiles walk it: segments of consecutive bytes of the source.
struct Reduction {
  int32_t segments = 0;
  int32_t length = 0;  // input channels x taps in one segment
  int32_t steps = 0;   // of the tiles' step_bytes of the source
  int32_t per_step = 0;
  std::vector<int32_t> offsets;
};

Reduction MakeReduction(const ConvSpec& spec, const ConvSource& source, int step_bytes) {
  Reduction r;
  const int32_t group_in = spec.in_c / spec.groups;
  // A kernel row is contiguous unless taps or groups leave gaps.
  const bool rows = spec.kernel_w == 1 || (spec.dilation_w == 1 && spec.groups == 1);
  r.segments = rows ? spec.kernel_h : spec.kernel_h * spec.kernel_w;
  r.length = rows ? spec.kernel_w * group_in : group_in;
  // 1 x n kernels over full rows: one segment serves all (a 1x1 convolution has one anyway).
  r.per_step = step_bytes / source.element_bytes;
  r.steps = (r.length + r.per_step - 1) / r.per_step;
  for (int32_t s = 0; s < r.segments; ++s) {
    const int64_t ky = rows ? s : s / spec.kernel_w;
    const int64_t kx = rows ? 0 : s % spec.kernel_w;
    r.offsets.push_back(static_cast<int32_t>(ky * spec.dilation_h * source.row_bytes +
                                             kx * spec.dilation_w * source.pixel_bytes));
  }
  return r;
}

// weight - weights_zero, at most 9 bits.
class WeightReader {
 public:
  WeightReader(const ConvSpec& spec, const uint8_t* weights)
      : weights_(weights),
        flip_(spec.weights_signed ? 0x80 : 0),
        zero_(spec.weights_zero + (spec.weights_signed ? 128 : 0)) {}
  int32_t operator()(int64_t index) const { return (weights_[index] ^ flip_) - zero_; }

 private:
  const uint8_t* weights_;
  const uint8_t flip_;
  const int32_t zero_;
};

// A weight that does not fit 8 bits: what is left of it after clamping.
struct Excess {
  int32_t segment, step, at, value;  // at: byte of the step
};

int8_t TakeByte(int32_t& value, int32_t least) {
  const int32_t part = std::clamp(value, least, 127);
  value -= part;
  return static_cast<int8_t>(part);
}

// How the vectors of a group's channels are cut into panels: as few and as even as possible.
std::vector<int> SplitVectors(int vectors, const ConvTiles& tiles) {
  int widest = kMaxTileVectors;
  while (tiles.max_rows[widest - 1] == 0) --widest;
  const int count = (vectors + widest - 1) / widest;
  std::vector<int> sizes(static_cast<size_t>(count), vectors / count);
  for (int i = 0; i < vectors % count; ++i) ++sizes[static_cast<size_t>(i)];
  return sizes;
}

// Everything that is equal for all panels while they are packed.
struct Packing {
  const ConvSpec& spec;
  const ConvTiles& tiles;
  const ConvSource& source;
  const WeightReader read;
  const int32_t* bias;
  const Reduction reduction;
  RequantPlanner planner;
  // A segment's weights, padded with zeros to whole steps; all segments have the same length.
  std::vector<int16_t> wide = {};
  std::vector<int8_t> narrow = {};
};

// Where the weight of byte `byte` of a step lies among the bytes of its lane's vector.
int32_t ByteOfLane(const ConvTiles& tiles, int lane, int byte) {
  return (byte / tiles.lane_bytes * tiles.lanes + lane) * tiles.lane_bytes +
         byte % tiles.lane_bytes;
}

// Spreads a segment's weights of one channel over the steps of a panel, step_bytes apart.
void CopySteps(const ConvTiles& tiles, int lane, int32_t steps, const uint8_t* from, uint8_t* to,
               int64_t step_bytes) {
  if (tiles.step_bytes == 4 && tiles.lane_bytes == 4) {
    to += 4 * lane;
    for (int32_t step = 0; step < steps; ++step)
      std::memcpy(to + step * step_bytes, from + 4 * step, 4);
    return;
  }
  for (int32_t step = 0; step < steps; ++step, to += step_bytes) {
    for (int byte = 0; byte < tiles.step_bytes; byte += tiles.lane_bytes) {
      std::memcpy(to + ByteOfLane(tiles, lane, byte), from, static_cast<size_t>(tiles.lane_bytes));
      from += tiles.lane_bytes;
    }
  }
}

struct PackedPanel {
  ConvPanel panel;
  std::vector<int32_t> offsets;
  std::vector<uint8_t> extra;  // the steps after the regular ones
};

// Per channel: the weights' sums, which decide the folded bias and the accumulator's bound.
struct ChannelSums {
  int64_t sum = 0, magnitude = 0;
};

// Packs one channel into the panel's regular segments; notes what did not fit.
ChannelSums PackChannel(Packing& p, int32_t channel, int vectors, int vector, int lane,
                        uint8_t* out, std::vector<Excess>& excess) {
  const Reduction& r = p.reduction;
  const ConvTiles& tiles = p.tiles;
  const int32_t vector_bytes = tiles.step_bytes * tiles.lanes;
  const int64_t step_bytes = int64_t{vectors} * vector_bytes;
  p.wide.resize(static_cast<size_t>(r.steps) * tiles.step_bytes);
  p.narrow.resize(p.wide.size());
  // Copies, which a store of a byte is known not to change.
  int16_t* const wide = p.wide.data();
  int8_t* const narrow = p.narrow.data();
  const WeightReader read = p.read;
  const int32_t length = r.length;
  ChannelSums sums;
  uint8_t* at = out + int64_t{vector} * vector_bytes;
  for (int32_t s = 0; s < r.segments; ++s) {
    const int64_t index = (int64_t{channel} * r.segments + s) * r.length;
    int32_t sum = 0, magnitude = 0, most = 0, least = 0;
    for (int32_t i = 0; i < length; ++i) {
      const int32_t value = read(index + i);
      sum += value;
      magnitude += std::abs(value);
      most = std::max(most, value);
      least = std::min(least, value);
      wide[i] = static_cast<int16_t>(value);
      narrow[i] = static_cast<int8_t>(value);
    }
    sums.sum += sum;
    sums.magnitude += magnitude;
    if ((most > 127 || least < tiles.least_weight) && !tiles.widened) {
      for (int32_t i = 0; i < length; ++i) {
        int32_t value = wide[i];
        narrow[i] = TakeByte(value, tiles.least_weight);
        if (value == 0) continue;
        const int32_t byte = ByteOfLane(tiles, lane, i % tiles.step_bytes);
        excess.push_back({s, i / tiles.step_bytes, vector * vector_bytes + byte, value});
      }
    }
    const auto* from = tiles.widened ? reinterpret_cast<const uint8_t*>(wide)
                                     : reinterpret_cast<const uint8_t*>(narrow);
    CopySteps(tiles, lane, r.steps, from, at, step_bytes);
    at += r.steps * step_bytes;
  }
  return sums;
}

// Turns what did not fit into extra steps after the regular ones; a weight may need several.
void PackExcess(const Packing& p, int vectors, std::vector<Excess> excess, PackedPanel& out) {
  const ConvTiles& tiles = p.tiles;
  const size_t step_bytes = static_cast<size_t>(vectors) * tiles.step_bytes * tiles.lanes;
  while (!excess.empty()) {
    std::sort(excess.begin(), excess.end(), [](const Excess& a, const Excess& b) {
      return a.segment != b.segment ? a.segment < b.segment : a.step < b.step;
    });
    std::vector<Excess> rest;
    int32_t segment = -1, step = -1;
    for (Excess& e : excess) {
      if (e.segment != segment || e.step != step) {
        segment = e.segment;
        step = e.step;
        out.offsets.push_back(p.reduction.offsets[static_cast<size_t>(segment)] +
                              tiles.step_bytes * step);
        out.extra.resize(out.extra.size() + step_bytes, 0);
      }
      uint8_t* at = out.extra.data() + out.extra.size() - step_bytes;
      at[e.at] = static_cast<uint8_t>(TakeByte(e.value, tiles.least_weight));
      if (e.value != 0) rest.push_back(e);
    }
    excess = std::move(rest);
  }
}

// Bytes of a panel's regular steps.
int64_t RegularBytes(const Packing& p, int vectors) {
  return int64_t{p.reduction.segments} * p.reduction.steps * vectors * p.tiles.step_bytes *
         p.tiles.lanes;
}

// Packs a panel's regular steps to `weights`.
PackedPanel PackPanel(Packing& p, int32_t group, int32_t channel, int32_t channels, int vectors,
                      bool half, uint8_t* weights, uint8_t* blocks) {
  const ConvSpec& spec = p.spec;
  const Reduction& r = p.reduction;
  const int lanes = p.tiles.lanes;
  PackedPanel out;
  out.panel.channel = channel;
  out.panel.channels = channels;
  out.panel.vectors = vectors;
  out.panel.half = half;
  const int64_t group_bytes = int64_t{spec.in_c / spec.groups} * group * p.source.element_bytes;
  out.offsets = r.offsets;
  std::memset(weights, 0, static_cast<size_t>(RegularBytes(p, vectors)));

  std::vector<Excess> excess;
  std::vector<int32_t> init(static_cast<size_t>(channels));
  std::vector<RequantChannel> forms(static_cast<size_t>(channels));
  // As the tile sees it; sums are taken over codes 0..255 or -128..127.
  const bool flips = spec.input_signed != p.tiles.signed_input;
  const int32_t zero = spec.input_zero + (flips ? (spec.input_signed ? 128 : -128) : 0);
  const int32_t lowest = p.tiles.signed_input ? -128 : 0;
  const int64_t reach = std::max(std::abs(zero - lowest), std::abs(lowest + 255 - zero));
  for (int j = 0; j < vectors; ++j) {
    for (int lane = 0; lane < lanes; ++lane) {
      const int32_t c = PanelChannel(vectors, j, lane, half);
      if (c >= channels) continue;
      const ChannelSums sums = PackChannel(p, channel + c, vectors, j, lane, weights, excess);
      const int64_t start = p.bias != nullptr ? p.bias[channel + c] : 0;
      init[static_cast<size_t>(c)] = static_cast<int32_t>(static_cast<uint32_t>(start) -
                                                          static_cast<uint32_t>(zero * sums.sum));
      forms[static_cast<size_t>(c)] = p.planner.Plan(
          spec.requantization[static_cast<size_t>(channel + c)], start, reach * sums.magnitude);
    }
  }
  PackExcess(p, vectors, std::move(excess), out);
  for (int32_t& offset : out.offsets) offset += static_cast<int32_t>(group_bytes);

  out.panel.weight_bytes = RegularBytes(p, vectors) + static_cast<int64_t>(out.extra.size());
  ConvTileArgs& args = out.panel.args;
  args.weights = reinterpret_cast<const int8_t*>(weights);
  args.segments = r.segments;
  args.steps = r.steps;
  args.all_segments = static_cast<int32_t>(out.offsets.size());
  args.input_flip = flips && !p.tiles.widened ? 0x80808080u : 0;
  args.output_stride = spec.out_c;
  args.requant = p.planner.MakePanel(
      lanes, vectors, init,
      std::span(spec.requantization).subspan(static_cast<size_t>(channel), init.size()), forms,
      blocks, half);
  return out;
}

}  // namespace

ConvPanels::ConvPanels(const ConvSpec& spec, const uint8_t* weights, const int32_t* bias,
                       const ConvTiles& tiles, const ConvSource& source, CpuFlags cpu) {
  const int lanes = tiles.lanes;
  Packing packing{
      spec,
      tiles,
      source,
      WeightReader(spec, weights),
      bias,
      MakeReduction(spec, source, tiles.step_bytes),
      RequantPlanner({spec.rounding, spec.output_zero, spec.low, spec.high, spec.output_signed},
                     cpu)};
  const int32_t group_out = spec.out_c / spec.groups;
  const int group_vectors = (group_out + lanes - 1) / lanes;
  const int64_t block_bytes = RequantBlockBytes(lanes);
  blocks_ = AlignedBytes(block_bytes * group_vectors * spec.groups);

  // Behind the weights prefetching reads a line further.
  weights_ = AlignedBytes::Untouched(RegularBytes(packing, group_vectors) * spec.groups + 64);
  std::vector<PackedPanel> packed;
  uint8_t *blocks = blocks_.data(), *at = weights_.data();
  for (int32_t g = 0; g < spec.groups; ++g) {
    int32_t first = 0;
    for (const int vectors : SplitVectors(group_vectors, tiles)) {
      // The last panel may do without the upper half of its last vector.
      const int32_t rest = group_out - first;
      const bool half = tiles.half_tiles != nullptr && rest <= vectors * lanes - lanes / 2;
      const int32_t channels = std::min(vectors * lanes, rest);
      PackedPanel panel =
          PackPanel(packing, g, g * group_out + first, channels, vectors, half, at, blocks);
      weight_bytes_ += panel.panel.weight_bytes;
      const int64_t regular = RegularBytes(packing, vectors);
      if (panel.extra.empty()) {
        at += regular;
      } else {  // needs more than its place, which the next one takes
        AlignedBytes& own = apart_.emplace_back(AlignedBytes::Untouched(panel.panel.weight_bytes));
        std::memcpy(own.data(), at, static_cast<size_t>(regular));
        std::memcpy(own.data() + regular, panel.extra.data(), panel.extra.size());
        panel.panel.args.weights = reinterpret_cast<const int8_t*>(own.data());
      }
      packed.push_back(std::move(panel));
      blocks += block_bytes * vectors;
      first += channels;
    }
  }
  for (const PackedPanel& p : packed) {
    offsets_.insert(offsets_.end(), p.offsets.begin(), p.offsets.end());
  }
  const int32_t* offsets = offsets_.data();
  for (PackedPanel& p : packed) {
    p.panel.args.offsets = offsets;
    offsets += p.offsets.size();
    panels_.push_back(p.panel);
  }
}

}  // namespace dlpu
