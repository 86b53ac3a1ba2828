// SPDX-License-Identifier: Apache-2.0
// ELU: x where x >= 0, else e^x - 1.
#include <cmath>

#include "kernels/lut/portable_math.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return x < 0 ? std::expm1(x) : x; });
    case DataType::kInt8:
      return PrepareTable8(
          context, [](float x) { return x < 0 ? static_cast<float>(PortableExpm1(x)) : x; });
    default:
      return context.UnsupportedType(context.input(0), "float32 or int8");
  }
}

}  // namespace

const OpDef kEluOp = {
    .op = Op::kElu,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<8>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
