// SPDX-License-Identifier: Apache-2.0
// EXP: e^x.
#include <cmath>

#include "kernels/lut/portable_math.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

float ExpForTable(float x) { return static_cast<float>(PortableExp(x)); }

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return std::exp(x); });
    case DataType::kInt8:
      return PrepareTable8(context, ExpForTable);
    case DataType::kInt16:
      return PrepareTable16(context, ExpForTable);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8 or int16");
  }
}

}  // namespace

const OpDef kExpOp = {
    .op = Op::kExp,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<8>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
