// SPDX-License-Identifier: Apache-2.0
// RELU_N1_TO_1: x clamped to [-1, 1].
#include "ops/common.h"
#include "ops/relu_family.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  return PrepareRelu(context, -1.0f, 1.0f, false);
}

}  // namespace

const OpDef kReluN1To1Op = {
    .op = Op::kReluN1To1,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = ReluWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
