// SPDX-License-Identifier: Apache-2.0
// Rules of the poolings.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "formats/onnx_window.h"

namespace dlpu {
namespace {

PoolAttrs Attributes(const OnnxWindow& window, bool same) {
  return {same ? Padding::kSame : Padding::kValid,
          window.stride[0],
          window.stride[1],
          window.kernel[0],
          window.kernel[1],
          Activation::kNone};
}

bool ExpectPlain(OnnxBuilder& b, const OnnxWindow& window) {
  if (!b.status().ok()) return false;
  if (window.dilation[0] != 1 || window.dilation[1] != 1) {
    b.Fail(b.Unsupported("a dilated pooling window; use one without dilations"));
    return false;
  }
  return true;
}

// Whether no value of the tensor can be negative, so that a zero is a neutral padding for MAX.
bool IsNonNegative(const OnnxBuilder& b, const Graph& graph, TensorId id, int depth = 0) {
  if (depth > 8) return false;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::find(node->outputs.begin(), node->outputs.end(), id) == node->outputs.end()) continue;
    switch (node->op) {
      case Op::kRelu:
      case Op::kRelu6:
      case Op::kRelu0To1:
      case Op::kLogistic:
      case Op::kAbs:
      case Op::kSoftmax:
        return true;
      case Op::kTranspose:
      case Op::kReshape:
      case Op::kMaxPool2d:
      case Op::kAveragePool2d:
        return IsNonNegative(b, graph, node->inputs[0], depth + 1);
      default:
        return false;
    }
  }
  return false;
}

Status MaxPool(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  if (b.wants(1)) {
    return b.Unsupported("indices of the largest elements; export without the second output");
  }
  if (!ExpectPicture(b, x)) return b.status();
  const OnnxWindow window = ReadWindow(b, x, {});
  if (!ExpectPlain(b, window)) return b.status();
  const DataType type = b.type(x);
  const size_t rank = b.rank(x);
  const bool same = window.padded() && IsSamePadding(window, PictureSize(b, x));
  // Integers that are no codes are exact in float32.
  const bool codes = b.tensor(x).quantization.present();
  TensorId y = codes ? x : b.Cast(x, DataType::kFloat32);
  const float lowest = IsNonNegative(b, b.graph(), x) ? 0.0f : std::numeric_limits<float>::lowest();
  y = ToNhwc(b, y);
  if (!same) y = PadPicture(b, y, window, lowest);
  y = b.Emit(Op::kMaxPool2d, {y}, Attributes(window, same));
  return b.Set(b.Cast(FromNhwc(b, y, rank), type));
}

// How many elements of the picture (and, when `padding` counts, of its stated padding) each window
// covers, along one axis.
std::vector<float> CoveredExtents(const OnnxWindow& window, int d, int32_t size, int32_t counted,
                                  bool padding) {
  const int32_t padded = size + window.before[d] + window.after[d];
  std::vector<float> covered;
  for (int32_t at = 0; at + window.kernel[d] <= padded; at += window.stride[d]) {
    const int32_t low = padding ? 0 : window.before[d];
    const int32_t high = padding ? counted : window.before[d] + size;
    covered.push_back(
        static_cast<float>(std::min(at + window.kernel[d], high) - std::max(at, low)));
  }
  return covered;
}

// Sums over a padded picture divided by the number of elements that count.
TensorId DividedAverage(OnnxBuilder& b, TensorId x, const OnnxWindow& window,
                        const std::array<int32_t, 2>& size, bool count_padding,
                        const std::vector<int64_t>& pads) {
  std::array<std::vector<float>, 2> covered;
  for (int d = 0; d < 2; ++d) {
    // Rows that ceil_mode adds beyond the stated padding never count.
    const int32_t stated = pads.size() == 4
                               ? static_cast<int32_t>(pads[2 + d])
                               : (pads.size() == 2 && d == 1 ? static_cast<int32_t>(pads[1]) : 0);
    const int32_t after = pads.empty() ? window.after[d] : stated;
    covered[d] =
        CoveredExtents(window, d, size[d], size[d] + window.before[d] + after, count_padding);
  }
  const TensorId y =
      b.Emit(Op::kAveragePool2d, {PadPicture(b, x, window, 0)}, Attributes(window, false));
  const float all = static_cast<float>(window.kernel[0]) * static_cast<float>(window.kernel[1]);
  if (!b.status().ok() || covered[0].size() * covered[1].size() > (size_t{1} << 26)) {
    return b.Fail(b.Unsupported("an average of over 2^26 windows"));
  }
  std::vector<float> correction;
  for (const float rows : covered[0]) {
    for (const float columns : covered[1])
      correction.push_back(all / std::max(rows * columns, 1.f));
  }
  if (std::all_of(correction.begin(), correction.end(), [](float c) { return c == 1; })) return y;
  return b.Binary(Op::kMul, y,
                  b.FloatConstant(correction, {1, static_cast<int32_t>(covered[0].size()),
                                               static_cast<int32_t>(covered[1].size()), 1}));
}

Status AveragePool(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  if (!ExpectPicture(b, x)) return b.status();
  const OnnxWindow window = ReadWindow(b, x, {});
  if (!ExpectPlain(b, window)) return b.status();
  const size_t rank = b.rank(x);
  const std::array<int32_t, 2> size = PictureSize(b, x);
  const bool count_padding = b.Int("count_include_pad", 0) != 0;
  const bool same = window.padded() && !count_padding && IsSamePadding(window, size);
  TensorId y = ToNhwc(b, x);
  y = same || !window.padded() ? b.Emit(Op::kAveragePool2d, {y}, Attributes(window, same))
                               : DividedAverage(b, y, window, size, count_padding, b.Ints("pads"));
  return b.Set(FromNhwc(b, y, rank));
}

std::vector<int32_t> SpatialAxes(const OnnxBuilder& b, TensorId x) {
  std::vector<int32_t> axes;
  for (size_t d = 2; d < b.rank(x); ++d) axes.push_back(static_cast<int32_t>(d));
  return axes;
}

Status GlobalAveragePool(OnnxBuilder& b) {
  return b.Set(b.Reduce(Op::kMean, b.in(0), SpatialAxes(b, b.in(0)), true));
}

Status GlobalMaxPool(OnnxBuilder& b) {
  return b.Set(b.Reduce(Op::kReduceMax, b.in(0), SpatialAxes(b, b.in(0)), true));
}

TensorId Root(OnnxBuilder& b, TensorId sum, int64_t p) {
  if (p == 1) return sum;
  if (p == 2) return b.Unary(Op::kSqrt, sum);
  return b.Binary(Op::kPow, sum, b.FloatScalar(1.0f / static_cast<float>(p)));
}

TensorId Power(OnnxBuilder& b, TensorId x, int64_t p) {
  if (p == 2) return b.Unary(Op::kSquare, x);
  const TensorId magnitude = b.Unary(Op::kAbs, x);
  return p == 1 ? magnitude : b.Binary(Op::kPow, magnitude, b.FloatScalar(static_cast<float>(p)));
}

Status GlobalLpPool(OnnxBuilder& b) {
  const int64_t p = b.Int("p", 2);
  const TensorId sum = b.Reduce(Op::kSum, Power(b, b.in(0), p), SpatialAxes(b, b.in(0)), true);
  return b.Set(Root(b, sum, p));
}

// The p-th root of a window's sum of p-th powers: an average times the window's size.
Status LpPool(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  if (!ExpectPicture(b, x)) return b.status();
  const OnnxWindow window = ReadWindow(b, x, {});
  if (!ExpectPlain(b, window)) return b.status();
  const int64_t p = b.Int("p", 2);
  const size_t rank = b.rank(x);
  TensorId y = PadPicture(b, ToNhwc(b, Power(b, x, p)), window, 0);
  y = b.Emit(Op::kAveragePool2d, {y}, Attributes(window, false));
  const float count = static_cast<float>(window.kernel[0]) * static_cast<float>(window.kernel[1]);
  y = Root(b, b.Binary(Op::kMul, y, b.FloatScalar(count)), p);
  return b.Set(FromNhwc(b, y, rank));
}

constexpr OnnxRow kRows[] = {
    {"AveragePool", AveragePool, "AVERAGE_POOL_2D; PAD and MUL where SAME does not fit"},
    {"GlobalAveragePool", GlobalAveragePool, "MEAN"},
    {"GlobalLpPool", GlobalLpPool, "SUM of powers"},
    {"GlobalMaxPool", GlobalMaxPool, "REDUCE_MAX"},
    {"LpPool", LpPool, "AVERAGE_POOL_2D of powers"},
    {"MaxPool", MaxPool, "MAX_POOL_2D; PADV2 where SAME does not fit"},
};

}  // namespace

std::span<const OnnxRow> OnnxPoolRows() { return kRows; }

}  // namespace dlpu
