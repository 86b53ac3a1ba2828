// SPDX-License-Identifier: Apache-2.0
// RELU6: x clamped to [0, 6].
#include "ops/common.h"
#include "ops/relu_family.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  return PrepareRelu(context, 0.0f, 6.0f, true);
}

}  // namespace

const OpDef kRelu6Op = {
    .op = Op::kRelu6,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = ReluWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
