// SPDX-License-Identifier: Apache-2.0
// Tables over all codes for unary ops.
#include "ops/unary.h"

#include <fmt/format.h>

#include <array>
#include <memory>

namespace dlpu {
namespace {

// 256 or 65536 entries, indexed by the code's bits.
template <typename In, typename Out>
PreparedOp PrepareWideTable(const PrepareContext& context, const CodeFunction& code) {
  using Bits = std::make_unsigned_t<In>;
  constexpr int kCodes = 1 << (8 * sizeof(In));
  auto table = std::make_shared<std::vector<Out>>(kCodes);
  for (int i = 0; i < kCodes; ++i) {
    (*table)[i] = static_cast<Out>(code(static_cast<In>(static_cast<Bits>(i))));
  }
  const int64_t count = ElementCount(context.input(0).shape);
  PreparedOp op;
  op.row = "table";
  op.run = [table, count](const RunArgs& args) {
    const Out* entries = table->data();
    MapElements(args.in<Bits>(0), args.out<Out>(0), count, args.pool,
                [entries](Bits v) { return entries[v]; });
    return OkStatus();
  };
  return op;
}

template <typename In>
PreparedOp PrepareByteTable(const PrepareContext& context, const CodeFunction& code) {
  std::array<uint8_t, 256> table;
  for (int i = 0; i < 256; ++i) {
    table[i] = static_cast<uint8_t>(code(static_cast<In>(static_cast<uint8_t>(i))));
  }
  const int64_t count = ElementCount(context.input(0).shape);
  const ByteTableRow& row = ChooseByteTable(context.cpu);
  PreparedOp op;
  op.row = row.name;
  op.run = [table, count, run = row.run](const RunArgs& args) {
    const uint8_t* in = args.inputs[0];
    uint8_t* out = args.outputs[0];
    args.pool.ParallelFor(count, 4 * kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      run(table.data(), in + begin, out + begin, end - begin);
    });
    return OkStatus();
  };
  return op;
}

template <typename In>
Result<PreparedOp> PrepareFrom(const PrepareContext& context, const CodeFunction& code) {
  switch (context.output(0).type) {
    case DataType::kInt8:
    case DataType::kUInt8:
      if constexpr (sizeof(In) == 1) {
        return PrepareByteTable<In>(context, code);
      } else {
        return PrepareWideTable<In, uint8_t>(context, code);
      }
    case DataType::kInt16:
      return PrepareWideTable<In, int16_t>(context, code);
    case DataType::kInt32:
      return PrepareWideTable<In, int32_t>(context, code);
    default:
      return context.UnsupportedType(context.output(0), "int8, uint8, int16 or int32");
  }
}

}  // namespace

Status ExpectSymmetric16(const OpContext& context, const Tensor& tensor) {
  if (tensor.type == DataType::kInt16 && tensor.quantization.present() &&
      tensor.quantization.zero0() != 0) {
    return context.Unsupported(fmt::format("tensor '{}' is int16 with zero point {}; it must be 0",
                                           tensor.name, tensor.quantization.zero0()));
  }
  return OkStatus();
}

Result<UnaryCodes> ExpectUnaryCodes(const OpContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  if (input.type != DataType::kInt8 && input.type != DataType::kUInt8 &&
      input.type != DataType::kInt16) {
    return context.UnsupportedType(input, "int8, uint8 or int16");
  }
  if (output.type != input.type) {
    return context.UnsupportedType(output, DataTypeName(input.type));
  }
  for (const Tensor* tensor : {&input, &output}) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
    DLPU_RETURN_IF_ERROR(ExpectSymmetric16(context, *tensor));
  }
  return UnaryCodes{{input.quantization.scale0(), input.quantization.zero0()},
                    {output.quantization.scale0(), output.quantization.zero0()},
                    LowestCode(output.type),
                    HighestCode(output.type)};
}

PreparedOp PrepareFloatRow(const PrepareContext& context, const char* name,
                           const FloatRowFunction& function) {
  const int64_t count = ElementCount(context.input(0).shape);
  PreparedOp op;
  op.row = name;
  op.run = [count, function](const RunArgs& args) {
    const float* in = args.in<float>(0);
    float* out = args.out<float>(0);
    args.pool.ParallelFor(count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      function(in + begin, out + begin, end - begin);
    });
    return OkStatus();
  };
  op.part.count = count;
  op.part.run = [function](const float* const* in, float* out, int64_t, int64_t n) {
    function(in[0], out, n);
  };
  return op;
}

Result<PreparedOp> PrepareCodeMap(const PrepareContext& context, const CodeFunction& code) {
  switch (context.input(0).type) {
    case DataType::kInt8:
      return PrepareFrom<int8_t>(context, code);
    case DataType::kUInt8:
      return PrepareFrom<uint8_t>(context, code);
    case DataType::kInt16:
      return PrepareFrom<int16_t>(context, code);
    default:
      return context.UnsupportedType(context.input(0), "int8, uint8 or int16");
  }
}

Result<PreparedOp> PrepareNonNegativeCodes(const PrepareContext& context, const UnaryCodes& codes,
                                           const CodeFunction& code) {
  const int32_t zero = codes.in.zero;
  DLPU_TRY(PreparedOp op, PrepareCodeMap(context, [&](int32_t x) {
             return code(std::max(x, zero));  // the guard stops runs with the others
           }));
  const int64_t count = ElementCount(context.input(0).shape);
  Error error = context.Invalid("an input value is negative");
  if (context.input(0).type == DataType::kInt8) {
    return GuardInput<int8_t>(std::move(op), 0, count, std::move(error),
                              [zero](int8_t x) { return x >= zero; });
  }
  return GuardInput<int16_t>(std::move(op), 0, count, std::move(error),
                             [zero](int16_t x) { return x >= zero; });
}

Result<PreparedOp> PrepareTable8(const PrepareContext& context,
                                 const std::function<float(float)>& fn) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  return PrepareCodeMap(context, [&](int32_t code) {
    return TableCode8(fn, code, codes.in, codes.out, codes.low, codes.high);
  });
}

Result<PreparedOp> PrepareTable16(const PrepareContext& context,
                                  const std::function<float(float)>& fn) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  const std::vector<int16_t> table =
      MakeTable16<float>(fn, codes.in.scale, codes.in.zero, codes.out.scale, codes.out.zero);
  return PrepareCodeMap(context,
                        [&](int32_t code) { return LookUp16(table, static_cast<int16_t>(code)); });
}

Result<std::vector<OutputSpec>> InferSameShape(const OpContext& context) {
  return std::vector<OutputSpec>{{context.output(0).type, context.input(0).shape}};
}

}  // namespace dlpu
