// SPDX-License-Identifier: Apache-2.0
// DENSIFY: a sparse constant as a dense one. A reader expands sparse constants, so in the IR both
// have the same bytes.
#include "ops/movement.h"

namespace dlpu {

const OpDef kDensifyOp = {
    .op = Op::kDensify,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = PrepareSameBytes,
    .alias = Alias::kInput0,
};

}  // namespace dlpu
