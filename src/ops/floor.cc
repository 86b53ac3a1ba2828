// SPDX-License-Identifier: Apache-2.0
// FLOOR: the largest whole number not above x.
#include <cmath>

#include "ops/unary.h"

namespace dlpu {
namespace {

float Floor(float x) { return std::floor(x); }

}  // namespace

const OpDef kFloorOp = {
    .op = Op::kFloor,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<1>,
    .prepare = PrepareFloatOnly<Floor>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
