// SPDX-License-Identifier: Apache-2.0
// Windows of convolutions and poolings.
#include "formats/onnx_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dlpu {
namespace {

constexpr int64_t kMaxExtent = 1 << 20;  // of kernels, strides, dilations and padding

// Two values, height first, from an attribute of one or two; `otherwise` when it is left out.
std::array<int32_t, 2> ReadPair(OnnxBuilder& b, const char* name, std::vector<int64_t> values,
                                size_t axes, int32_t otherwise) {
  if (values.empty()) return {otherwise, otherwise};
  if (values.size() != axes) {
    b.Fail(
        b.Invalid(fmt::format("{} has {} values for {} spatial axes", name, values.size(), axes)));
    return {1, 1};
  }
  for (const int64_t value : values) {
    if (value < 1 || value > kMaxExtent) {
      b.Fail(b.Invalid(fmt::format("{} is {}", name, value)));
      return {1, 1};
    }
  }
  if (axes == 1) return {1, static_cast<int32_t>(values[0])};
  return {static_cast<int32_t>(values[0]), static_cast<int32_t>(values[1])};
}

void ReadPads(OnnxBuilder& b, size_t axes, OnnxWindow& window) {
  const std::vector<int64_t> pads = b.Ints("pads");
  if (pads.empty()) return;
  if (pads.size() != axes * 2) {
    b.Fail(b.Invalid(fmt::format("pads has {} values for {} spatial axes", pads.size(), axes)));
    return;
  }
  for (size_t i = 0; i < axes; ++i) {
    for (const int64_t pad : {pads[i], pads[i + axes]}) {
      if (pad < 0 || pad > kMaxExtent) {
        b.Fail(b.Invalid(fmt::format("pads holds {}", pad)));
        return;
      }
    }
    window.before[2 - axes + i] = static_cast<int32_t>(pads[i]);
    window.after[2 - axes + i] = static_cast<int32_t>(pads[i + axes]);
  }
}

void AutoPad(const std::string& mode, const std::array<int32_t, 2>& size, OnnxWindow& window) {
  for (int d = 0; d < 2; ++d) {
    const int64_t out = (int64_t{size[d]} + window.stride[d] - 1) / window.stride[d];
    const int64_t total =
        std::max<int64_t>(0, (out - 1) * window.stride[d] + window.reach(d) - size[d]);
    const auto less = static_cast<int32_t>(total / 2), more = static_cast<int32_t>(total - less);
    window.before[d] = mode == "SAME_UPPER" ? less : more;
    window.after[d] = mode == "SAME_UPPER" ? more : less;
  }
}

// ceil_mode: one window more when the last one begins inside the picture or its front padding.
void RoundUp(const std::array<int32_t, 2>& size, OnnxWindow& window) {
  for (int d = 0; d < 2; ++d) {
    const int32_t stride = window.stride[d];
    const int32_t room = size[d] + window.before[d] + window.after[d] - window.reach(d);
    if (room < 0 || room % stride == 0) continue;
    const int32_t begin = (room / stride + 1) * stride;
    if (begin < size[d] + window.before[d]) window.after[d] += begin - room;
  }
}

}  // namespace

bool ExpectPicture(OnnxBuilder& b, TensorId x) {
  const size_t rank = b.rank(x);
  if (rank == 3 || rank == 4) {
    // So that sums of extents and padding stay in 32 bits.
    for (const int32_t extent : PictureSize(b, x)) {
      if (extent < 0 || extent > (1 << 24)) {
        b.Fail(b.Unsupported(fmt::format("a picture of {}", ShapeText(b.shape(x)))));
        return false;
      }
    }
    return true;
  }
  b.Fail(b.Unsupported(
      fmt::format("input {} has {} spatial axes; a DLPU computes pictures (two) and signals (one)",
                  ShapeText(b.shape(x)), static_cast<int>(rank) - 2)));
  return false;
}

std::array<int32_t, 2> PictureSize(const OnnxBuilder& b, TensorId x) {
  const Shape& shape = b.shape(x);
  return shape.size() == 3 ? std::array<int32_t, 2>{1, shape[2]}
                           : std::array<int32_t, 2>{shape[2], shape[3]};
}

OnnxWindow ReadWindow(OnnxBuilder& b, TensorId x, std::vector<int64_t> kernel_shape) {
  const size_t axes = b.rank(x) - 2;
  const std::array<int32_t, 2> size = PictureSize(b, x);
  OnnxWindow window;
  if (b.HasAttribute("kernel_shape")) kernel_shape = b.Ints("kernel_shape");
  window.kernel = ReadPair(b, "kernel_shape", kernel_shape, axes, 1);
  window.stride = ReadPair(b, "strides", b.Ints("strides"), axes, 1);
  window.dilation = ReadPair(b, "dilations", b.Ints("dilations"), axes, 1);
  if (axes == 1) window.stride[0] = window.dilation[0] = 1;
  for (int d = 0; d < 2; ++d) {
    if (int64_t{window.kernel[d] - 1} * window.dilation[d] > kMaxExtent) {
      b.Fail(b.Invalid(
          fmt::format("a kernel of {} dilated by {}", window.kernel[d], window.dilation[d])));
      return {};
    }
  }
  const std::string mode = b.String("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    AutoPad(mode, size, window);
  } else if (mode != "VALID") {
    ReadPads(b, axes, window);
  }
  if (b.Int("ceil_mode", 0) != 0) RoundUp(size, window);
  return window;
}

bool IsSamePadding(const OnnxWindow& window, const std::array<int32_t, 2>& size) {
  OnnxWindow same = window;
  AutoPad("SAME_UPPER", size, same);
  return same.before == window.before && same.after == window.after;
}

TensorId ToNhwc(OnnxBuilder& b, TensorId x) {
  if (b.rank(x) == 3) {
    const Shape s = b.shape(x);
    x = b.Reshape(x, {s[0], s[1], 1, s[2]});
  }
  return b.Transpose(x, kNchwToNhwc);
}

TensorId FromNhwc(OnnxBuilder& b, TensorId y, size_t rank) {
  y = b.Transpose(y, kNhwcToNchw);
  const Shape s = b.shape(y);
  return rank == 3 && s.size() == 4 ? b.Reshape(y, {s[0], s[1], s[3]}) : y;
}

TensorId PadPicture(OnnxBuilder& b, TensorId x, const OnnxWindow& window, float value) {
  if (!window.padded()) return x;
  const TensorId pads = b.IntConstant(
      {0, 0, window.before[0], window.after[0], window.before[1], window.after[1], 0, 0}, {4, 2});
  if (value == 0) return b.Emit(Op::kPad, {x, pads});
  if (b.type(x) == DataType::kFloat32) {
    return b.Emit(Op::kPadV2, {x, pads, b.FloatScalar(value)});
  }
  // Codes: the one nearest to the value.
  const auto low = static_cast<double>(LowestCode(b.type(x)));
  const auto high = static_cast<double>(HighestCode(b.type(x)));
  const Quantization& q = b.tensor(x).quantization;
  double code = static_cast<double>(value);
  if (q.present()) {
    code = std::nearbyint(code / static_cast<double>(q.scale0()));
    if (!q.zero_point.empty()) code += static_cast<double>(q.zero_point[0]);
  }
  return b.Emit(Op::kPadV2, {x, pads, b.Scalar(b.type(x), std::clamp(code, low, high))});
}

}  // namespace dlpu
