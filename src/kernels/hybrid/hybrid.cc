// SPDX-License-Identifier: Apache-2.0
// Hybrid layers: quantize every batch item, add up in integers, scale back. The reference and the
// prepared layers share the code that computes one output row, so they cannot differ.
#include "kernels/hybrid/hybrid.h"

#include <algorithm>

namespace dlpu {
namespace {

int64_t RoundUp64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Sums wrap like the originals'; int8 products fit for any layer that exists.
int32_t Add(int32_t sum, int32_t product) {
  return static_cast<int32_t>(static_cast<uint32_t>(sum) + static_cast<uint32_t>(product));
}

float Clamp(float v, float low, float high) { return std::min(std::max(v, low), high); }

int64_t OutputRows(const HybridConvSpec& s) { return int64_t{s.shape.batch} * s.shape.out_h; }
int64_t OutputRows(const HybridDepthwiseSpec& s) { return int64_t{s.shape.batch} * s.shape.out_h; }
int64_t InputSize(const HybridConvSpec& s) {
  return int64_t{s.shape.in_h} * s.shape.in_w * s.shape.in_c;
}
int64_t InputSize(const HybridDepthwiseSpec& s) {
  return int64_t{s.shape.in_h} * s.shape.in_w * s.shape.in_c;
}
int64_t WeightCount(const HybridConvSpec& s) {
  return int64_t{s.shape.out_c} * s.shape.kernel_h * s.shape.kernel_w * s.shape.in_c /
         s.shape.groups;
}
int64_t WeightCount(const HybridDepthwiseSpec& s) {
  return int64_t{s.shape.kernel_h} * s.shape.kernel_w * s.shape.in_c * s.shape.multiplier;
}
int64_t Channels(const HybridConvSpec& s) { return s.shape.out_c; }
int64_t Channels(const HybridDepthwiseSpec& s) {
  return int64_t{s.shape.in_c} * s.shape.multiplier;
}
std::string_view Name(const HybridConvSpec&) { return "hybrid_conv"; }
std::string_view Name(const HybridDepthwiseSpec&) { return "hybrid_depthwise"; }

void Quantize(const HybridConvSpec& s, std::span<const float> item, int8_t* codes,
              HybridScale* scale) {
  *scale =
      s.asymmetric ? QuantizeHybridAsymmetric(item, codes) : QuantizeHybridSymmetric(item, codes);
}
void Quantize(const HybridDepthwiseSpec&, std::span<const float> item, int8_t* codes,
              HybridScale* scale) {
  *scale = QuantizeHybridAsymmetric(item, codes);
}

int32_t Dot(const int8_t* x, const int8_t* w, int64_t count, int32_t zero) {
  int32_t dot = 0, sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    dot += x[i] * w[i];
    sum += w[i];
  }
  return static_cast<int32_t>(static_cast<uint32_t>(dot) -
                              static_cast<uint32_t>(zero) * static_cast<uint32_t>(sum));
}

// One output row; `row` counts over all batch items. `scales` has one entry for each item.
void Row(const HybridConvSpec& spec, int64_t row, const int8_t* codes, const HybridScale* scales,
         const int8_t* weights, const float* bias, float* output) {
  const ConvF32Spec& s = spec.shape;
  const int64_t n = row / s.out_h, oy = row % s.out_h;
  const int64_t group_in = s.in_c / s.groups, group_out = s.out_c / s.groups;
  const HybridScale input = scales[n];
  float* out = output + row * s.out_w * s.out_c;
  for (int64_t ox = 0; ox < s.out_w; ++ox) {
    for (int64_t o = 0; o < s.out_c; ++o) {
      int32_t sum = 0;
      for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
        const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
        if (iy < 0 || iy >= s.in_h) continue;
        for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
          const int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
          if (ix < 0 || ix >= s.in_w) continue;
          sum = Add(sum, Dot(codes + ((n * s.in_h + iy) * s.in_w + ix) * s.in_c +
                                 o / group_out * group_in,
                             weights + ((o * s.kernel_h + ky) * s.kernel_w + kx) * group_in,
                             group_in, input.zero_point));
        }
      }
      const float weight_scale =
          spec.weight_scales[spec.weight_scales.size() == 1 ? 0 : static_cast<size_t>(o)];
      const float scaled = spec.scale_in_two_steps
                               ? static_cast<float>(sum) * weight_scale * input.scale
                               : static_cast<float>(sum) * (input.scale * weight_scale);
      *out++ = Clamp(bias != nullptr ? scaled + bias[o] : scaled, s.low, s.high);
    }
  }
}

void Row(const HybridDepthwiseSpec& spec, int64_t row, const int8_t* codes,
         const HybridScale* scales, const int8_t* weights, const float* bias, float* output) {
  const DepthwiseF32Spec& s = spec.shape;
  const int64_t n = row / s.out_h, oy = row % s.out_h, channels = Channels(spec);
  const HybridScale input = scales[n];
  float* out = output + row * s.out_w * channels;
  for (int64_t ox = 0; ox < s.out_w; ++ox) {
    for (int64_t o = 0; o < channels; ++o) {
      int32_t sum = 0;
      for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
        const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
        if (iy < 0 || iy >= s.in_h) continue;
        for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
          const int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
          if (ix < 0 || ix >= s.in_w) continue;
          const int32_t x = codes[((n * s.in_h + iy) * s.in_w + ix) * s.in_c + o / s.multiplier];
          sum = Add(sum, (x - input.zero_point) * weights[(ky * s.kernel_w + kx) * channels + o]);
        }
      }
      const float scaled =
          static_cast<float>(sum) * (spec.weight_scales[static_cast<size_t>(o)] * input.scale);
      *out++ = Clamp(bias != nullptr ? scaled + bias[o] : scaled, s.low, s.high);
    }
  }
}

template <typename Spec>
void Reference(const Spec& spec, const float* input, const int8_t* weights, const float* bias,
               float* output) {
  const int64_t size = InputSize(spec);
  std::vector<int8_t> codes(static_cast<size_t>(spec.shape.batch * size));
  std::vector<HybridScale> scales(static_cast<size_t>(spec.shape.batch));
  for (int64_t n = 0; n < spec.shape.batch; ++n) {
    Quantize(spec, {input + n * size, static_cast<size_t>(size)}, codes.data() + n * size,
             &scales[static_cast<size_t>(n)]);
  }
  for (int64_t row = 0; row < OutputRows(spec); ++row) {
    Row(spec, row, codes.data(), scales.data(), weights, bias, output);
  }
}

template <typename Spec>
class Hybrid : public PreparedHybrid {
 public:
  Hybrid(const Spec& spec, const int8_t* weights, const float* bias)
      : spec_(spec), weights_(weights, weights + WeightCount(spec)) {
    if (bias != nullptr) bias_.assign(bias, bias + Channels(spec));
  }
  std::string_view row() const override { return Name(spec_); }
  int64_t ScratchBytes(int) const override {
    return RoundUp64(spec_.shape.batch * static_cast<int64_t>(sizeof(HybridScale))) +
           RoundUp64(spec_.shape.batch * InputSize(spec_));
  }
  void Run(const float* input, float* output, uint8_t* scratch, ThreadPool& pool) const override {
    const int64_t size = InputSize(spec_), batch = spec_.shape.batch;
    HybridScale* scales = reinterpret_cast<HybridScale*>(scratch);
    int8_t* codes = reinterpret_cast<int8_t*>(
        scratch + RoundUp64(batch * static_cast<int64_t>(sizeof(HybridScale))));
    pool.ParallelFor(batch, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t n = begin; n < end; ++n) {
        Quantize(spec_, {input + n * size, static_cast<size_t>(size)}, codes + n * size,
                 scales + n);
      }
    });
    pool.ParallelFor(OutputRows(spec_), 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        Row(spec_, row, codes, scales, weights_.data(), bias_.empty() ? nullptr : bias_.data(),
            output);
      }
    });
  }

 private:
  const Spec spec_;
  const std::vector<int8_t> weights_;
  std::vector<float> bias_;
};

}  // namespace

HybridConvSpec HybridConv2d(const ConvF32Spec& shape, std::vector<float> weight_scales,
                            bool per_channel) {
  return {shape, std::move(weight_scales), per_channel, per_channel};
}

HybridConvSpec HybridFullyConnected(int32_t rows, int32_t depth, int32_t units,
                                    std::vector<float> weight_scales, bool asymmetric, float low,
                                    float high) {
  HybridConvSpec spec;
  spec.shape.batch = rows;
  spec.shape.in_c = depth;
  spec.shape.out_c = units;
  spec.shape.low = low;
  spec.shape.high = high;
  spec.weight_scales = std::move(weight_scales);
  spec.asymmetric = asymmetric;
  return spec;
}

void HybridConvReference(const HybridConvSpec& spec, const float* input, const int8_t* weights,
                         const float* bias, float* output) {
  Reference(spec, input, weights, bias, output);
}

void HybridDepthwiseReference(const HybridDepthwiseSpec& spec, const float* input,
                              const int8_t* weights, const float* bias, float* output) {
  Reference(spec, input, weights, bias, output);
}

std::unique_ptr<PreparedHybrid> PrepareHybridConv(const HybridConvSpec& spec, const int8_t* weights,
                                                  const float* bias) {
  return std::make_unique<Hybrid<HybridConvSpec>>(spec, weights, bias);
}

std::unique_ptr<PreparedHybrid> PrepareHybridDepthwise(const HybridDepthwiseSpec& spec,
                                                       const int8_t* weights, const float* bias) {
  return std::make_unique<Hybrid<HybridDepthwiseSpec>>(spec, weights, bias);
}

}  // namespace dlpu
