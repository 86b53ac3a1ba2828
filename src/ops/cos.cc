// SPDX-License-Identifier: Apache-2.0
// COS: the cosine of an angle in radians.
#include <cmath>

#include "ops/unary.h"

namespace dlpu {
namespace {

float Cos(float x) { return std::cos(x); }

}  // namespace

const OpDef kCosOp = {
    .op = Op::kCos,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<8>,
    .prepare = PrepareFloatOnly<Cos>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
