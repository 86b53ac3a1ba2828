// SPDX-License-Identifier: Apache-2.0
// SIN: the sine of an angle in radians.
#include <cmath>

#include "ops/unary.h"

namespace dlpu {
namespace {

float Sin(float x) { return std::sin(x); }

}  // namespace

const OpDef kSinOp = {
    .op = Op::kSin,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<8>,
    .prepare = PrepareFloatOnly<Sin>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
