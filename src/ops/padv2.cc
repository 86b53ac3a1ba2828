// SPDX-License-Identifier: Apache-2.0
// PADV2: constant padding with the value in input 2, whose raw code is used.
#include "ops/pad.h"

namespace dlpu {

const OpDef kPadV2Op = {
    .op = Op::kPadV2,
    .arity = Arity{3, 3, 1, 1},
    .infer = InferPad,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = PreparePad,
    .alias = Alias::kNone,
};

}  // namespace dlpu
