// SPDX-License-Identifier: Apache-2.0
// How far Winograd's method can move a convolution's results. A chip that computes 3x3 convolutions
// of stride 1 as F(2x2, 3x3) (Lavin and Gray, arXiv:1509.09308) gets the exact sums unless it
// rounds on the way, and where it rounds is not published. Assumed here: transformed weights, whose
// exact values are quarters of a weight step, are rounded to whole steps, and nothing else is.
// Under that assumption the bound is exact for one layer: no input moves the sum further, and some
// input moves it so far. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/program.h"

namespace dlpu {

struct WinogradBound {
  int step = -1;
  std::string name;  // of the layer
  // Most codes by which an output of this layer can differ, requantization's rounding included,
  // limited to the range of codes; over all channels, and of the median channel.
  double worst_codes = 0, median_codes = 0;
};

// A step's bound; nullopt for steps that are not 3x3 convolutions of stride and dilation 1 with
// constant 8-bit weights.
std::optional<WinogradBound> WinogradBoundOf(const Program& program, int step);
// Of all such steps on the DLPU.
std::vector<WinogradBound> WinogradBounds(const Program& program);

}  // namespace dlpu
