// SPDX-License-Identifier: Apache-2.0
// WHERE: the indices of the elements that are not zero, in order, as a list of points. The number
// of points is a shape, so the condition must be a constant.
#include <fmt/format.h>

#include <cstring>

#include "ops/movement.h"

namespace dlpu {
namespace {

constexpr TypeSet kTypes =
    Types(DataType::kBool, DataType::kFloat32, DataType::kInt64, DataType::kInt32, DataType::kInt8,
          DataType::kUInt8, DataType::kUInt32);

// Positions of the elements that are not zero.
Result<std::vector<int64_t>> NonZero(const OpContext& context) {
  const Tensor& condition = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, condition, kTypes));
  if (!condition.is_constant) {
    return context.Unsupported(fmt::format(
        "'{}' is computed while the model runs, so the shape of the output is not known before; "
        "replace the op by SELECT or a mask, or cut the model in front of it",
        condition.name));
  }
  const int64_t bytes = ElementBytes(condition);
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < ElementCount(condition.shape); ++i) {
    const uint8_t* element = condition.data.data() + i * bytes;
    uint64_t bits = 0;
    std::memcpy(&bits, element, static_cast<size_t>(bytes));
    if (condition.type == DataType::kFloat32) bits &= 0x7FFFFFFF;  // -0 is zero
    if (bits != 0) positions.push_back(i);
  }
  return positions;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const std::vector<int64_t> positions, NonZero(context));
  return OneOutput(context, DataType::kInt64,
                   {static_cast<int64_t>(positions.size()),
                    static_cast<int64_t>(context.input(0).shape.size())});
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(std::vector<int64_t> positions, NonZero(context));
  PreparedOp op;
  op.reads_constants = false;
  op.run = [positions = std::move(positions), shape = context.input(0).shape](const RunArgs& args) {
    int64_t* out = args.out<int64_t>(0);
    for (int64_t rest : positions) {
      for (size_t d = shape.size(); d-- > 0;) {
        out[d] = rest % shape[d];
        rest /= shape[d];
      }
      out += shape.size();
    }
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kWhereOp = {
    .op = Op::kWhere,
    .arity = Arity{1, 1, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
