// SPDX-License-Identifier: Apache-2.0
// CEIL: the smallest whole number not below x.
#include <cmath>

#include "ops/unary.h"

namespace dlpu {
namespace {

float Ceil(float x) { return std::ceil(x); }

}  // namespace

const OpDef kCeilOp = {
    .op = Op::kCeil,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<1>,
    .prepare = PrepareFloatOnly<Ceil>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
