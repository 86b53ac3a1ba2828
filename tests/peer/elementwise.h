// SPDX-License-Identifier: Apache-2.0
// Helpers of the generators of elementwise ops: broadcasting shapes, data with every code, floats
// with infinities and NaNs.
#pragma once

#include <vector>

#include "cases.h"

namespace dlpu::peer {

// Two shapes that broadcast: equal, with a scalar, with a vector along the last axis, or with
// extents of 1 anywhere, of rank 1 to `max_rank`; now and then one extent is 0 in both.
struct ShapePair {
  Shape a, b;
};
ShapePair RandomShapePair(Random& random, int max_rank = 6);

// Adds both inputs of a quantized binary op: random codes of random broadcasting shapes, and one
// time in ten every pair of 8-bit codes (256 x 1 with 1 x 256). Sometimes one is a constant.
std::vector<TensorId> CodePair(Random& random, CaseBuilder& builder, DataType type,
                               const Quantization& a, const Quantization& b);
// The same for unquantized types.
std::vector<TensorId> ValuePair(Random& random, CaseBuilder& builder, DataType type,
                                double limit = 4, double specials = 0);

// Adds an input with every 8-bit code, or (int16) every code one time in eight, else many codes.
TensorId AllCodes(Random& random, CaseBuilder& builder, DataType type, const Quantization& q);
// Adds a float32 input; with probability `specials` some values are infinities, NaNs, huge or tiny.
TensorId FloatInput(Random& random, CaseBuilder& builder, Shape shape, double limit,
                    double specials);

Activation RandomActivation(Random& random);

}  // namespace dlpu::peer
