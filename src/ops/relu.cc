// SPDX-License-Identifier: Apache-2.0
// RELU: max(x, 0).
#include <limits>

#include "ops/common.h"
#include "ops/relu_family.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  return PrepareRelu(context, 0.0f, std::numeric_limits<float>::infinity(), true);
}

}  // namespace

const OpDef kReluOp = {
    .op = Op::kRelu,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = ReluWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
