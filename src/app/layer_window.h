// SPDX-License-Identifier: Apache-2.0
// Which input values the weights of a layer meet: CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED as
// windows over the input. A *tap* is a place in the window and an input channel; taps are numbered
// [kernel_h][kernel_w][channels]. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "passes/quantize_numbers.h"

namespace dlpu {

struct LayerWindow {
  int64_t batch = 1, in_h = 1, in_w = 1, channels = 1;
  int64_t out_h = 1, out_w = 1, kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_h = 0, pad_w = 0;
  int64_t outs = 1;            // output channels
  int64_t group_outs = 1;      // output channels that read the same input channels
  int64_t group_ins = 1;       // how many those are; 1: depthwise
  bool channels_last = false;  // of the weights: depthwise, [1][kernel_h][kernel_w][outs]

  int64_t taps() const { return kernel_h * kernel_w * channels; }
  int64_t positions() const { return batch * out_h * out_w; }
  // Of element i of the weights: its output channel, and the tap it is multiplied with.
  size_t OutOf(size_t i) const;
  size_t TapOf(size_t i) const;

  // The input's row-major index under a place of the window at an output position, of its first
  // channel; -1 in the padding.
  int64_t Place(int64_t position, int64_t ky, int64_t kx) const;
};

// Absent for nodes without float32 weights, and for TRANSPOSE_CONV, where how often a weight counts
// depends on the place. REQUIRES: shapes are inferred.
std::optional<LayerWindow> WindowOf(const Graph& graph, const Node& node);

// Adds value - zero of each tap over all output positions to `sums` (taps of them); padding adds
// nothing. T: float with double sums, or a code type with int64_t sums, which are exact.
template <typename T, typename Sum>
void AddTaps(const LayerWindow& window, std::span<const T> values, Sum zero,
             std::vector<Sum>& sums) {
  for (int64_t position = 0; position < window.positions(); ++position) {
    Sum* to = sums.data();
    for (int64_t ky = 0; ky < window.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < window.kernel_w; ++kx, to += window.channels) {
        const int64_t at = window.Place(position, ky, kx);
        if (at < 0) continue;
        const T* const from = values.data() + at;
        for (int64_t c = 0; c < window.channels; ++c) to[c] += static_cast<Sum>(from[c]) - zero;
      }
    }
  }
}

}  // namespace dlpu
