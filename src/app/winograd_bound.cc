// SPDX-License-Identifier: Apache-2.0
// The bound, one output channel after another.
#include "app/winograd_bound.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace dlpu {
namespace {

// Y = A' [(G g G') * (B' d B)] A, with the matrices of arXiv:1509.09308, section 4.1.
constexpr double kG[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
constexpr double kB[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
constexpr double kA[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};

using Kernel = std::array<double, 9>;
using Tile = std::array<double, 16>;

// Rounded minus exact transformed weights.
Tile RoundingOf(const Kernel& g) {
  Tile error;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      double u = 0;
      for (int a = 0; a < 3; ++a) {
        for (int b = 0; b < 3; ++b) u += kG[i][a] * g[a * 3 + b] * kG[j][b];
      }
      error[i * 4 + j] = std::round(u) - u;
    }
  }
  return error;
}

// What input pixel (r, s) of a tile adds to output (p, q) through the rounding.
double Share(const Tile& error, int p, int q, int r, int s) {
  double share = 0;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      share += kA[p][i] * kA[q][j] * error[i * 4 + j] * kB[i][r] * kB[j][s];
    }
  }
  return share;
}

// The least and most that inputs of [low, high] move each of the four outputs.
struct Reach {
  std::array<double, 4> least{}, most{};

  void Add(const Tile& error, double low, double high) {
    for (int at = 0; at < 4; ++at) {
      for (int r = 0; r < 4; ++r) {
        for (int s = 0; s < 4; ++s) {
          const double share = Share(error, at / 2, at % 2, r, s);
          least[at] += std::min(share * low, share * high);
          most[at] += std::max(share * low, share * high);
        }
      }
    }
  }
  double Widest() const {
    double widest = 0;
    for (int at = 0; at < 4; ++at) widest = std::max({widest, -least[at], most[at]});
    return widest;
  }
};

bool IsByte(const Tensor& tensor) {
  return tensor.type == DataType::kInt8 || tensor.type == DataType::kUInt8;
}

bool Applies(const Program& program, const Node& node) {
  if (node.op != Op::kConv2d || node.inputs.size() < 2) return false;
  const auto& attrs = std::get<ConvAttrs>(node.attrs);
  const Tensor &input = program.tensors[node.inputs[0]], &weights = program.tensors[node.inputs[1]];
  const Tensor& output = program.tensors[node.outputs[0]];
  return attrs.stride_h == 1 && attrs.stride_w == 1 && attrs.dilation_h == 1 &&
         attrs.dilation_w == 1 && weights.is_constant && weights.shape.size() == 4 &&
         weights.shape[1] == 3 && weights.shape[2] == 3 && IsByte(input) && IsByte(weights) &&
         IsByte(output) && input.quantization.present() && weights.quantization.present() &&
         output.quantization.present() && weights.shape[3] == input.shape.back();
}

}  // namespace

std::optional<WinogradBound> WinogradBoundOf(const Program& program, int step) {
  const Node& node = program.steps[step].node;
  if (!Applies(program, node)) return std::nullopt;
  const Tensor &input = program.tensors[node.inputs[0]], &weights = program.tensors[node.inputs[1]];
  const Tensor& output = program.tensors[node.outputs[0]];
  const Quantization& q = weights.quantization;
  const double low = LowestCode(input.type) - input.quantization.zero0();
  const double high = HighestCode(input.type) - input.quantization.zero0();
  const int64_t outputs = weights.shape[0], channels = weights.shape[3];
  std::vector<double> codes;
  for (int64_t o = 0; o < outputs; ++o) {
    const size_t at = q.per_channel() ? static_cast<size_t>(o) : 0;
    const double zero =
        q.zero_point.empty()
            ? 0
            : static_cast<double>(q.zero_point[std::min(at, q.zero_point.size() - 1)]);
    Reach reach;
    for (int64_t c = 0; c < channels; ++c) {
      Kernel kernel;
      for (int64_t k = 0; k < 9; ++k) {
        const uint8_t byte = weights.data[static_cast<size_t>((o * 9 + k) * channels + c)];
        const int code = weights.type == DataType::kInt8 ? static_cast<int8_t>(byte) : byte;
        kernel[static_cast<size_t>(k)] = code - zero;
      }
      reach.Add(RoundingOf(kernel), low, high);
    }
    const double factor = static_cast<double>(input.quantization.scale0()) * q.scale[at] /
                          output.quantization.scale0();
    // Two sums that differ by x steps of the output round to codes that differ by less than x + 1.
    const double moved = reach.Widest() * factor;
    codes.push_back(std::min(255.0, moved > 0 ? std::floor(moved) + 1 : 0.0));
  }
  std::ranges::sort(codes);
  WinogradBound bound;
  bound.step = step;
  bound.name = node.name;
  bound.worst_codes = codes.back();
  bound.median_codes = codes[codes.size() / 2];
  return bound;
}

std::vector<WinogradBound> WinogradBounds(const Program& program) {
  std::vector<WinogradBound> bounds;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    if (program.steps[i].engine != Engine::kDlpu) continue;
    if (const auto bound = WinogradBoundOf(program, static_cast<int>(i))) bounds.push_back(*bound);
  }
  return bounds;
}

}  // namespace dlpu
