// SPDX-License-Identifier: Apache-2.0
// Rules of the convolutions.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx_quant.h"
#include "formats/onnx_window.h"

namespace dlpu {
namespace {

struct ConvInputs {
  TensorId x, weights, bias;  // NC[H]W, OI[H]W, one value a channel; bias may be kNoTensor
};

// Weights with two spatial axes.
TensorId SquareWeights(OnnxBuilder& b, TensorId weights) {
  if (b.rank(weights) != 3) return weights;
  const TensorId constant = b.ConstantBehind(weights);
  const Shape s = b.shape(weights);
  if (constant == weights) return b.Reshape(weights, {s[0], s[1], 1, s[2]});
  return b.Fail(b.Unsupported("quantized weights of one spatial axis; export them in float"));
}

bool ExpectWeights(OnnxBuilder& b, TensorId x, TensorId weights) {
  if (!b.status().ok() || !ExpectPicture(b, x)) return false;
  if (b.ConstantBehind(weights) == kNoTensor) {
    b.Fail(b.Unsupported(
        fmt::format("weights '{}' are computed while the model runs; a DLPU needs them constant",
                    b.tensor(weights).name)));
    return false;
  }
  const Shape &xs = b.shape(x), &ws = b.shape(weights);
  const bool positive = std::all_of(ws.begin(), ws.end(), [](int32_t n) { return n > 0; });
  if (ws.size() != xs.size() || !positive) {
    b.Fail(b.Invalid(fmt::format("weights {} do not fit input {}", ShapeText(ws), ShapeText(xs))));
    return false;
  }
  return true;
}

std::vector<int64_t> SpatialExtents(const Shape& weights) {
  return {weights.begin() + 2, weights.end()};
}

// An NHWC convolution of an NHWC picture.
TensorId EmitConv(OnnxBuilder& b, TensorId x, TensorId weights, TensorId bias, int32_t groups,
                  const OnnxWindow& window, bool same) {
  const Shape ws = b.shape(weights);  // OIHW
  const int32_t in_channels = b.shape(x).size() == 4 ? b.shape(x)[3] : 0;
  ConvAttrs attrs;
  attrs.padding = same ? Padding::kSame : Padding::kValid;
  attrs.stride_h = window.stride[0];
  attrs.stride_w = window.stride[1];
  attrs.dilation_h = window.dilation[0];
  attrs.dilation_w = window.dilation[1];
  const bool depthwise = groups > 1 && groups == in_channels;
  std::vector<TensorId> inputs = {x};
  if (depthwise) {
    attrs.depth_multiplier = ws[0] / groups;
    inputs.push_back(b.TransposeWeights(weights, {1, 2, 3, 0}));
  } else {
    inputs.push_back(b.TransposeWeights(weights, {0, 2, 3, 1}));
  }
  // LiteRT's kernels want a bias.
  if (bias == kNoTensor) {
    bias = b.FloatConstant(std::vector<float>(static_cast<size_t>(ws[0]), 0.0f), {ws[0]});
  }
  inputs.push_back(bias);
  return b.Emit(depthwise ? Op::kDepthwiseConv2d : Op::kConv2d, inputs, attrs);
}

TensorId Convolve(OnnxBuilder& b, const ConvInputs& in) {
  if (!ExpectWeights(b, in.x, in.weights)) return kNoTensor;
  const int64_t groups = b.Int("group", 1);
  const Shape xs = b.shape(in.x), ws = b.shape(in.weights);
  if (groups < 1 || groups > xs[1] || ws[1] * groups != xs[1] || ws[0] % groups != 0) {
    return b.Fail(b.Invalid(fmt::format("weights {} do not fit input {} in {} groups",
                                        ShapeText(ws), ShapeText(xs), groups)));
  }
  const OnnxWindow window = ReadWindow(b, in.x, SpatialExtents(ws));
  const bool same = window.padded() && IsSamePadding(window, PictureSize(b, in.x));
  TensorId y = ToNhwc(b, in.x);
  if (!same) y = PadPicture(b, y, window, 0);
  y = EmitConv(b, y, SquareWeights(b, in.weights), in.bias, static_cast<int32_t>(groups), window,
               same);
  return FromNhwc(b, y, xs.size());
}

Status Conv(OnnxBuilder& b) {
  return b.Set(Convolve(b, {b.in(0), b.in(1), b.has(2) ? b.in(2) : kNoTensor}));
}

// x - zero point, as float32.
TensorId Centred(OnnxBuilder& b, size_t input, size_t zero_point) {
  const TensorId x = b.Cast(b.in(input), DataType::kFloat32);
  if (!b.has(zero_point)) return x;
  TensorId zero = b.Cast(b.in(zero_point), DataType::kFloat32);
  if (b.rank(zero) == 1 && input == 1) {  // one for each output channel
    Shape shape(b.rank(x), 1);
    shape[0] = b.shape(zero)[0];
    zero = b.Reshape(zero, shape);
  }
  return b.Binary(Op::kSub, x, zero);
}

// Exact while the sums stay below 2^24.
Status ConvInteger(OnnxBuilder& b) {
  const TensorId y = Convolve(b, {Centred(b, 0, 2), Centred(b, 1, 3), kNoTensor});
  return b.Set(b.Cast(y, DataType::kInt32));
}

// Weights with zeros between the taps, for transposed convolutions, which have no dilation in the
// IR. Shapes are OIHW.
TensorId DilatedWeights(OnnxBuilder& b, TensorId weights, OnnxWindow& window) {
  if (window.dilation[0] == 1 && window.dilation[1] == 1) return weights;
  const std::vector<float> taps = b.ConstantFloats(weights);
  const Shape s = b.shape(weights);
  Shape wide = s;
  for (int d = 0; d < 2; ++d) {
    wide[2 + d] = window.reach(d);
    window.kernel[d] = wide[2 + d];
  }
  if (ElementCount(wide) > (1 << 26))
    return b.Fail(b.Unsupported("the dilated kernel is too large"));
  std::vector<float> result(static_cast<size_t>(ElementCount(wide)), 0.0f);
  for (size_t i = 0; i < taps.size(); ++i) {
    const auto x = static_cast<int64_t>(i) % s[3], y = static_cast<int64_t>(i) / s[3] % s[2];
    const auto plane = static_cast<int64_t>(i) / s[3] / s[2];
    result[(plane * wide[2] + y * window.dilation[0]) * wide[3] + x * window.dilation[1]] = taps[i];
  }
  window.dilation = {1, 1};
  return b.FloatConstant(result, wide);
}

// How much of the full result (stride * (in - 1) + kernel) a transposed convolution keeps.
struct Crop {
  std::array<int32_t, 2> begin{0, 0}, size{0, 0};
};

Crop ReadCrop(OnnxBuilder& b, const OnnxWindow& window, const std::array<int32_t, 2>& in) {
  Crop crop;
  std::vector<int64_t> extra = b.Ints("output_padding"), wanted = b.Ints("output_shape");
  const size_t axes = b.rank(b.in(0)) - 2;
  if (wanted.size() > axes) wanted.erase(wanted.begin(), wanted.end() - static_cast<int>(axes));
  const std::string mode = b.String("auto_pad", "NOTSET");
  for (int d = 0; d < 2; ++d) {
    const int at = d - (2 - static_cast<int>(axes));  // in the attributes' lists
    const int64_t add = at >= 0 && at < static_cast<int>(extra.size()) ? extra[at] : 0;
    const int64_t full = int64_t{window.stride[d]} * (in[d] - 1) + window.reach(d) + add;
    int64_t begin = window.before[d], size = full - window.before[d] - window.after[d];
    const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
    if (at >= 0 && (same || !wanted.empty())) {
      size = !wanted.empty() ? wanted[at] : int64_t{in[d]} * window.stride[d];
      const int64_t total = std::max<int64_t>(0, full - size);
      begin = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    }
    if (size < 1 || size > (1 << 24) || full > (1 << 25) || add < 0) {
      b.Fail(b.Invalid(fmt::format("an output extent of {}", size)));
      return crop;
    }
    crop.begin[d] = static_cast<int32_t>(begin);
    crop.size[d] = static_cast<int32_t>(size);
  }
  return crop;
}

// The whole result of one group, then the part that is kept; zeros where it is larger.
TensorId TransposedGroup(OnnxBuilder& b, TensorId x, TensorId weights, TensorId bias,
                         const OnnxWindow& window, const Crop& crop) {
  const TensorId ohwi = b.TransposeWeights(weights, {1, 2, 3, 0});
  if (!b.status().ok()) return kNoTensor;
  const Shape in = b.shape(x), ws = b.shape(ohwi);
  ConvAttrs attrs;
  attrs.stride_h = window.stride[0];
  attrs.stride_w = window.stride[1];
  std::array<int32_t, 2> full{}, begin = crop.begin;
  bool same = true;
  for (int d = 0; d < 2; ++d) {
    const int32_t stride = window.stride[d], extent = in[1 + d], kernel = window.kernel[d];
    full[d] = stride * (extent - 1) + kernel;
    const int32_t total = std::max(0, full[d] - crop.size[d]);
    same =
        same && crop.size[d] == stride * extent && crop.begin[d] == total / 2 && kernel >= stride;
  }
  attrs.padding = same ? Padding::kSame : Padding::kValid;
  if (same) {
    full = crop.size;
    begin = {0, 0};
  }
  const TensorId shape = b.IntList({in[0], full[0], full[1], ws[0]});
  // The bias belongs to all of the output, so it comes last unless the whole result is kept.
  const bool whole = full == crop.size && begin == std::array<int32_t, 2>{0, 0};
  std::vector<TensorId> inputs = {shape, ohwi, x};
  if (whole && bias != kNoTensor) inputs.push_back(bias);
  TensorId y = b.EmitMany(Op::kTransposeConv, inputs, attrs, {DataType::kFloat32})[0];
  if (!whole) {
    OnnxWindow more;  // rows and columns that the full result lacks
    std::array<int32_t, 2> keep{};
    for (int d = 0; d < 2; ++d) {
      keep[d] = std::min(crop.size[d], full[d] - begin[d]);
      more.after[d] = crop.size[d] - keep[d];
    }
    y = b.Emit(Op::kSlice, {y, b.IntList({0, begin[0], begin[1], 0}),
                            b.IntList({in[0], keep[0], keep[1], ws[0]})});
    y = PadPicture(b, y, more, 0);
    if (bias != kNoTensor) y = b.Binary(Op::kAdd, y, bias);
  }
  return y;
}

TensorId Channels(OnnxBuilder& b, TensorId x, size_t axis, int32_t begin, int32_t count) {
  if (!b.status().ok()) return kNoTensor;
  const Shape s = b.shape(x);
  std::vector<int32_t> start(s.size(), 0), size(s.begin(), s.end());
  start[axis] = begin;
  size[axis] = count;
  return b.Emit(Op::kSlice, {x, b.IntList(start), b.IntList(size)});
}

Status ConvTranspose(OnnxBuilder& b) {
  if (!ExpectWeights(b, b.in(0), b.in(1))) return b.status();
  const Shape xs = b.shape(b.in(0)), ws = b.shape(b.in(1));
  const int64_t groups = b.Int("group", 1);
  if (ws[0] != xs[1] || groups < 1 || ws[0] % groups != 0) {
    return b.Invalid(fmt::format("weights {} do not fit input {} in {} groups", ShapeText(ws),
                                 ShapeText(xs), groups));
  }
  OnnxWindow window = ReadWindow(b, b.in(0), SpatialExtents(ws));
  if (b.String("auto_pad", "NOTSET") != "NOTSET") window.before = window.after = {0, 0};
  const Crop crop = ReadCrop(b, window, PictureSize(b, b.in(0)));
  const TensorId weights = DilatedWeights(b, SquareWeights(b, b.in(1)), window);
  const TensorId x = ToNhwc(b, b.in(0));
  const TensorId bias = b.has(2) ? b.in(2) : kNoTensor;
  if (!b.status().ok()) return b.status();
  if (groups == 1) {
    return b.Set(FromNhwc(b, TransposedGroup(b, x, weights, bias, window, crop), xs.size()));
  }
  std::vector<TensorId> parts;
  const auto in = static_cast<int32_t>(ws[0] / groups), out = ws[1];
  for (int32_t g = 0; g < groups && b.status().ok(); ++g) {
    const TensorId part_bias = bias == kNoTensor ? kNoTensor : Channels(b, bias, 0, g * out, out);
    parts.push_back(TransposedGroup(b, Channels(b, x, 3, g * in, in),
                                    Channels(b, weights, 0, g * in, in), part_bias, window, crop));
  }
  return b.Set(
      FromNhwc(b, b.Emit(Op::kConcatenation, parts, ConcatenationAttrs{.axis = 3}), xs.size()));
}

// float32 arithmetic between DEQUANTIZE and QUANTIZE; an integer node is made of it later.
Status QLinearConv(OnnxBuilder& b) {
  const TensorId x = DequantizeInput(b, 0, 1);
  const TensorId weights = DequantizeInput(b, 3, 0);
  TensorId bias = kNoTensor;
  if (b.has(8)) bias = FloatBias(b, b.in(8), b.in(1), b.in(4));
  return b.Set(QuantizeOutput(b, Convolve(b, {x, weights, bias}), 6));
}

constexpr OnnxRow kRows[] = {
    {"Conv", Conv, "CONV_2D, DEPTHWISE_CONV_2D (one group a channel); PAD where SAME does not fit"},
    {"ConvInteger", ConvInteger, "CONV_2D in float32, CAST to int32"},
    {"ConvTranspose", ConvTranspose, "TRANSPOSE_CONV; SLICE where SAME does not fit"},
    {"QLinearConv", QLinearConv, "DEQUANTIZE, CONV_2D, QUANTIZE; one int8 node where possible"},
};

}  // namespace

std::span<const OnnxRow> OnnxConvRows() { return kRows; }

}  // namespace dlpu
