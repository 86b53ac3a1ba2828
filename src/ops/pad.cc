// SPDX-License-Identifier: Apache-2.0
// PAD: constant padding with zero, which is the zero point in a quantized tensor. PAD and PADV2
// share everything; they differ in the input that holds the value.
#include "ops/pad.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <memory>

namespace dlpu {
namespace {

constexpr size_t kMaxRank = 5;  // of LiteRT's kernels
constexpr TypeSet kTypes = kCommonTypes | Types(DataType::kFloat16, DataType::kBool);

// One element of the padding value, when it is known before the model runs.
std::array<uint8_t, 8> ZeroElement(const Tensor& output) {
  std::array<uint8_t, 8> value{};
  const bool codes = output.type == DataType::kUInt8 || output.type == DataType::kInt8 ||
                     output.type == DataType::kInt16;
  if (codes && output.quantization.present()) {
    const int32_t zero = output.quantization.zero0();
    std::memcpy(value.data(), &zero, sizeof(zero));  // little-endian: the low bytes are the code
  }
  return value;
}

bool PadsChannelsOnly(const PadSpec& spec) {
  const size_t outer = spec.extents.empty() ? 0 : spec.extents.size() - 1;
  for (size_t d = 0; d < outer; ++d) {
    if (spec.before[d] + spec.after[d] != 0) return false;
  }
  return !spec.extents.empty();
}

}  // namespace

Result<PadSpec> ReadPaddings(const OpContext& context) {
  const Tensor &input = context.input(0), &paddings = context.input(1);
  if (paddings.shape.size() != 2 || paddings.shape[1] != 2 ||
      paddings.shape[0] != static_cast<int32_t>(input.shape.size())) {
    return context.Invalid(fmt::format("paddings {} do not fit an input of {} dimensions",
                                       ShapeText(paddings.shape), input.shape.size()));
  }
  DLPU_TRY(const std::vector<int64_t> values, context.ConstantInts(1));
  PadSpec spec{.element_bytes = ElementBytes(input),
               .extents = Extents(input.shape),
               .before = {},
               .after = {}};
  for (size_t d = 0; d < input.shape.size(); ++d) {
    const int64_t before = values[2 * d], after = values[2 * d + 1];
    if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX) {
      return context.Invalid(
          fmt::format("paddings {} and {} of axis {} are out of range", before, after, d));
    }
    spec.before.push_back(before);
    spec.after.push_back(after);
  }
  return spec;
}

Result<std::vector<OutputSpec>> InferPad(const OpContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, context.input(0), kMovableTypes));
  DLPU_TRY(const PadSpec spec, ReadPaddings(context));
  std::vector<int64_t> extents = spec.extents;
  for (size_t d = 0; d < extents.size(); ++d) extents[d] += spec.before[d] + spec.after[d];
  return OneOutput(context, context.input(0).type, extents);
}

Result<PreparedOp> PreparePad(const PrepareContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kTypes));
  DLPU_RETURN_IF_ERROR(ExpectSameType(context, output, input));
  if (input.shape.size() > kMaxRank) {
    return context.Unsupported(
        fmt::format("an input of {} dimensions; the op takes {}", input.shape.size(), kMaxRank));
  }
  DLPU_TRY(const PadSpec spec, ReadPaddings(context));
  const bool has_value = context.has_input(2);
  if (has_value) {
    const Tensor& value = context.input(2);
    DLPU_RETURN_IF_ERROR(ExpectSameType(context, value, input));
    if (ElementCount(value.shape) != 1) {
      return context.Invalid(fmt::format("padding value '{}' is not a scalar", value.name));
    }
    const bool codes =
        input.type == DataType::kUInt8 ||
        (input.quantization.present() && IsInteger(input.type) && BitsOf(input.type) <= 16);
    if (codes) DLPU_RETURN_IF_ERROR(ExpectSameQuantization(context, value, output));
  } else if (IsInteger(output.type) && output.quantization.present()) {
    const int32_t zero = output.quantization.zero0();
    if (zero < LowestCode(output.type) || zero > HighestCode(output.type)) {
      return context.Invalid(fmt::format("zero point {} of '{}' is not a code of {}", zero,
                                         output.name, DataTypeName(output.type)));
    }
  }
  PreparedOp op;
  op.row = "rows";
  op.run = [pad = std::make_shared<const ConstantPad>(spec), zero = ZeroElement(output),
            has_value](const RunArgs& args) {
    const uint8_t* value = has_value ? args.inputs[2] : zero.data();
    pad->Run(args.inputs[0], value, args.outputs[0], args.pool);
    return OkStatus();
  };
  if (input.type == DataType::kFloat32 && !has_value && PadsChannelsOnly(spec)) {
    const PaddedChannels rows{spec.extents.back(), spec.before.back(), spec.after.back()};
    op.part.count = ElementCount(output.shape);
    op.part.moves[0] = op.part.moves[1] = false;
    op.part.run = [rows](const float* const* in, float* out, int64_t begin, int64_t count) {
      rows.Copy(in[0], out, begin, count);
    };
  }
  return op;
}

const OpDef kPadOp = {
    .op = Op::kPad,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferPad,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = PreparePad,
    .alias = Alias::kNone,
};

}  // namespace dlpu
