// SPDX-License-Identifier: Apache-2.0
// QUANTIZE: float32 to codes, or codes to codes of another type, scale or zero point.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "kernels/elementwise/affine.h"
#include "kernels/elementwise/quantized.h"
#include "kernels/elementwise_f32/rows.h"
#include "ops/affine.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 2); }

template <typename Out>
PreparedOp PrepareFloat(const PrepareContext& context) {
  const Tensor& out = context.output(0);
  const AffineQuantize quantize{out.quantization.scale0(), out.quantization.zero0(),
                                LowestCode(out.type), HighestCode(out.type)};
  const int64_t count = ElementCount(context.input(0).shape);
  PreparedOp op;
  op.row = "quantize_reference";
  op.run = [quantize, count](const RunArgs& args) {
    MapElements(args.in<float>(0), args.out<Out>(0), count, args.pool,
                [quantize](float v) { return static_cast<Out>(quantize(v)); });
    return OkStatus();
  };
  return op;
}

// float32 to 8-bit codes by a vector row.
PreparedOp PrepareRow(const PrepareContext& context, const ElementwiseF32Row& row) {
  const Tensor& out = context.output(0);
  const int64_t count = ElementCount(context.input(0).shape);
  PreparedOp op;
  op.row = row.name;
  op.run = [quantize = row.quantize, scale = out.quantization.scale0(),
            zero = out.quantization.zero0(), is_signed = out.type == DataType::kInt8,
            count](const RunArgs& args) {
    const float* in = args.in<float>(0);
    uint8_t* codes = args.outputs[0];
    args.pool.ParallelFor(count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      quantize(scale, zero, is_signed, in + begin, codes + begin, end - begin);
    });
    return OkStatus();
  };
  return op;
}

template <typename Out>
Result<PreparedOp> PreparePerChannel(const PrepareContext& context) {
  const Tensor& out = context.output(0);
  Tensor shaped = out;  // declared shapes of outputs are not to be trusted
  shaped.shape = context.input(0).shape;
  DLPU_TRY(const ChannelLayout layout, ExpectPerChannel(context, shaped));
  auto channels = std::make_shared<std::vector<AffineQuantize>>();
  for (size_t c = 0; c < out.quantization.scale.size(); ++c) {
    channels->push_back({out.quantization.scale[c], ChannelZero(out.quantization, c),
                         LowestCode(out.type), HighestCode(out.type)});
  }
  PreparedOp op;
  op.row = "quantize_channels";
  op.run = [channels, layout](const RunArgs& args) {
    MapChannels<float, Out, AffineQuantize>(args.in<float>(0), args.out<Out>(0), layout, *channels,
                                            args.pool);
    return OkStatus();
  };
  return op;
}

template <typename Out>
Result<PreparedOp> PrepareFromFloat(const PrepareContext& context) {
  if (context.output(0).quantization.per_channel()) return PreparePerChannel<Out>(context);
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, context.output(0)));
  const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu);
  if (sizeof(Out) == 1 && row != nullptr) return PrepareRow(context, *row);
  return PrepareFloat<Out>(context);
}

Result<PreparedOp> PrepareFloatInput(const PrepareContext& context) {
  switch (context.output(0).type) {
    case DataType::kInt8:
      return PrepareFromFloat<int8_t>(context);
    case DataType::kUInt8:
      return PrepareFromFloat<uint8_t>(context);
    case DataType::kInt16:
      return PrepareFromFloat<int16_t>(context);
    default:
      return context.UnsupportedType(context.output(0), "int8, uint8 or int16");
  }
}

// int32 codes have no table; this form is rare (quantized models fed with int32).
template <typename Out>
PreparedOp PrepareInt32(const PrepareContext& context, const Rescale& rescale) {
  const int64_t count = ElementCount(context.input(0).shape);
  PreparedOp op;
  op.row = "requantize_int32";
  op.run = [rescale, count](const RunArgs& args) {
    MapElements(args.in<int32_t>(0), args.out<Out>(0), count, args.pool,
                [rescale](int32_t v) { return static_cast<Out>(rescale(v)); });
    return OkStatus();
  };
  return op;
}

// The output types that LiteRT offers for each input type.
bool IsPair(DataType in, DataType out) {
  switch (in) {
    case DataType::kInt8:
    case DataType::kUInt8:
      return out == DataType::kInt8 || out == DataType::kUInt8 || out == DataType::kInt16;
    case DataType::kInt16:
      return out == DataType::kInt8 || out == DataType::kInt16 || out == DataType::kInt32;
    case DataType::kInt32:
      return out == DataType::kInt8 || out == DataType::kInt16;
    default:
      return false;
  }
}

Result<PreparedOp> PrepareCodes(const PrepareContext& context) {
  const Tensor &in = context.input(0), &out = context.output(0);
  if (!IsPair(in.type, out.type)) {
    return context.Unsupported(fmt::format("{} codes cannot become {} codes", DataTypeName(in.type),
                                           DataTypeName(out.type)));
  }
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, in));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, out));
  if (in.type == DataType::kInt16 && out.type == DataType::kInt16) {
    DLPU_RETURN_IF_ERROR(ExpectSymmetric16(context, in));
    DLPU_RETURN_IF_ERROR(ExpectSymmetric16(context, out));
  }
  Rescale rescale;
  rescale.zero_in = in.quantization.zero0();
  rescale.zero_out = out.quantization.zero0();
  rescale.multiplier = QuantizeMultiplier(static_cast<double>(in.quantization.scale0()) /
                                          static_cast<double>(out.quantization.scale0()));
  rescale.low = LowestCode(out.type);
  rescale.high = HighestCode(out.type);
  if (in.type != DataType::kInt32) return PrepareCodeMap(context, rescale);
  if (out.type == DataType::kInt8) return PrepareInt32<int8_t>(context, rescale);
  return PrepareInt32<int16_t>(context, rescale);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  if (!context.output(0).quantization.present()) {
    return context.Invalid(fmt::format("output '{}' has no scale", context.output(0).name));
  }
  if (context.input(0).type == DataType::kFloat32) return PrepareFloatInput(context);
  return PrepareCodes(context);
}

}  // namespace

const OpDef kQuantizeOp = {
    .op = Op::kQuantize,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameShape,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
