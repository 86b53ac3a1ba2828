// SPDX-License-Identifier: Apache-2.0
// SQUARE: x * x.
#include "ops/unary.h"

namespace dlpu {
namespace {

float Square(float x) { return x * x; }

}  // namespace

const OpDef kSquareOp = {
    .op = Op::kSquare,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<1>,
    .prepare = PrepareFloatOnly<Square>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
