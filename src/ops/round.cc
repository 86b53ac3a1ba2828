// SPDX-License-Identifier: Apache-2.0
// ROUND: the nearest whole number, ties to even.
#include <cmath>

#include "ops/unary.h"

namespace dlpu {
namespace {

// LiteRT's form: unlike rint it turns -0.3 into +0.
float Round(float x) {
  const float whole = std::floor(x);
  const float fraction = x - whole;
  const bool even = std::fmod(whole, 2.0f) == 0.0f;
  return fraction < 0.5f || (fraction == 0.5f && even) ? whole : whole + 1.0f;
}

}  // namespace

const OpDef kRoundOp = {
    .op = Op::kRound,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<1>,
    .prepare = PrepareFloatOnly<Round>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
