// SPDX-License-Identifier: Apache-2.0
// DEQUANTIZE: codes (one scale, or one for each channel) or float16 numbers to float32.
#include <memory>

#include "base/half.h"
#include "kernels/elementwise/affine.h"
#include "kernels/elementwise_f32/rows.h"
#include "ops/affine.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  return std::vector<OutputSpec>{{DataType::kFloat32, context.input(0).shape}};
}

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 2); }

template <typename In, typename F>
PreparedOp PrepareEach(const PrepareContext& context, const char* row, F f) {
  const int64_t count = ElementCount(context.input(0).shape);
  PreparedOp op;
  op.row = row;
  op.run = [count, f](const RunArgs& args) {
    MapElements(args.in<In>(0), args.out<float>(0), count, args.pool, f);
    return OkStatus();
  };
  return op;
}

AffineDequantize PerTensor(const Tensor& input) {
  return {input.quantization.scale0(), input.quantization.zero0()};
}

// 8-bit codes by a vector row.
PreparedOp PrepareRow(const PrepareContext& context, const ElementwiseF32Row& row) {
  const Tensor& in = context.input(0);
  const int64_t count = ElementCount(in.shape);
  PreparedOp op;
  op.row = row.name;
  op.run = [dequantize = row.dequantize, scale = in.quantization.scale0(),
            zero = in.quantization.zero0(), is_signed = in.type == DataType::kInt8,
            count](const RunArgs& args) {
    const uint8_t* codes = args.inputs[0];
    float* out = args.out<float>(0);
    args.pool.ParallelFor(count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      dequantize(scale, zero, is_signed, codes + begin, out + begin, end - begin);
    });
    return OkStatus();
  };
  return op;
}

template <typename In>
Result<PreparedOp> PrepareCodes(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  if (!input.quantization.per_channel()) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
    DLPU_RETURN_IF_ERROR(ExpectSymmetric16(context, input));
    const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu);
    if (sizeof(In) == 1 && row != nullptr) return PrepareRow(context, *row);
    const AffineDequantize dequantize = PerTensor(input);
    return PrepareEach<In>(context, "dequantize_reference",
                           [dequantize](In v) { return dequantize(v); });
  }
  if (input.type == DataType::kInt16) {
    return context.Unsupported("int16 codes with a scale for each channel");
  }
  DLPU_TRY(const ChannelLayout layout, ExpectPerChannel(context, input));
  auto channels = std::make_shared<std::vector<AffineDequantize>>();
  for (size_t c = 0; c < input.quantization.scale.size(); ++c) {
    channels->push_back({input.quantization.scale[c], ChannelZero(input.quantization, c)});
  }
  PreparedOp op;
  op.row = "dequantize_channels";
  op.run = [channels, layout](const RunArgs& args) {
    MapChannels<In, float, AffineDequantize>(args.in<In>(0), args.out<float>(0), layout, *channels,
                                             args.pool);
    return OkStatus();
  };
  return op;
}

// Two codes in a byte, the first in the low half.
Result<PreparedOp> PrepareInt4(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  auto channels = std::make_shared<std::vector<AffineDequantize>>();
  ChannelLayout layout{1, 1, ElementCount(input.shape)};
  if (input.quantization.per_channel()) {
    DLPU_TRY(layout, ExpectPerChannel(context, input));
    for (size_t c = 0; c < input.quantization.scale.size(); ++c) {
      channels->push_back({input.quantization.scale[c], ChannelZero(input.quantization, c)});
    }
  } else {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
    channels->push_back(PerTensor(input));
  }
  PreparedOp op;
  op.row = "dequantize_int4";
  op.run = [channels, layout](const RunArgs& args) {
    const uint8_t* in = args.inputs[0];
    float* out = args.out<float>(0);
    const int64_t count = layout.outer * layout.channels * layout.inner;
    args.pool.ParallelFor(count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        const int32_t nibble = (in[i / 2] >> (i % 2 * 4)) & 15;
        out[i] = (*channels)[i / layout.inner % layout.channels]((nibble ^ 8) - 8);
      }
    });
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kInt8:
      return PrepareCodes<int8_t>(context);
    case DataType::kUInt8:
      return PrepareCodes<uint8_t>(context);
    case DataType::kInt16:
      return PrepareCodes<int16_t>(context);
    case DataType::kInt4:
      return PrepareInt4(context);
    case DataType::kFloat16:
      return PrepareEach<uint16_t>(context, "float16_reference",
                                   [](uint16_t half) { return FloatFromHalf(half); });
    default:
      return context.UnsupportedType(context.input(0), "int4, int8, uint8, int16 or float16");
  }
}

}  // namespace

const OpDef kDequantizeOp = {
    .op = Op::kDequantize,
    .arity = Arity{1, 1, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
