// SPDX-License-Identifier: Apache-2.0
// CAST: another number type; quantization plays no part. 4-bit integers go through int8.
#include <type_traits>

#include "base/half.h"
#include "kernels/elementwise/convert.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

// Elements as they lie in memory and as they are computed with.
struct Half {
  uint16_t bits;
};
struct Bool {
  uint8_t byte;
};
template <typename T>
auto Load(T v) {
  if constexpr (std::is_same_v<T, Half>) {
    return FloatFromHalf(v.bits);
  } else if constexpr (std::is_same_v<T, Bool>) {
    return v.byte != 0;
  } else {
    return v;
  }
}
template <typename T, typename V>
T Store(V v) {
  if constexpr (std::is_same_v<T, Half>) {
    return {HalfFromFloat(static_cast<float>(v))};
  } else if constexpr (std::is_same_v<T, Bool>) {
    return {static_cast<uint8_t>(ConvertNumber<bool>(v))};
  } else {
    return ConvertNumber<T>(v);
  }
}

// Calls f with a value of the C++ type that `type` is stored as.
template <typename F>
Result<PreparedOp> WithType(const OpContext& context, const Tensor& tensor, F f) {
  switch (tensor.type) {
    case DataType::kBool:
      return f(Bool{});
    case DataType::kInt8:
      return f(int8_t{});
    case DataType::kUInt8:
      return f(uint8_t{});
    case DataType::kInt16:
      return f(int16_t{});
    case DataType::kUInt16:
      return f(uint16_t{});
    case DataType::kInt32:
      return f(int32_t{});
    case DataType::kUInt32:
      return f(uint32_t{});
    case DataType::kInt64:
      return f(int64_t{});
    case DataType::kFloat16:
      return f(Half{});
    case DataType::kFloat32:
      return f(float{});
    case DataType::kFloat64:
      return f(double{});
    default:
      return context.UnsupportedType(tensor, "bool, an integer of 8 to 64 bits or a float type");
  }
}

// Two elements in a byte, the first in the low half.
Result<PreparedOp> PrepareFromInt4(const PrepareContext& context) {
  const int64_t count = ElementCount(context.input(0).shape);
  return WithType(context, context.output(0), [&]<typename To>(To) -> Result<PreparedOp> {
    PreparedOp op;
    op.row = "cast_int4";
    op.run = [count](const RunArgs& args) {
      const uint8_t* in = args.inputs[0];
      To* out = args.out<To>(0);
      for (int64_t i = 0; i < count; ++i) {
        const int nibble = in[i / 2] >> (i % 2 * 4) & 15;
        out[i] = Store<To>(static_cast<int8_t>((nibble ^ 8) - 8));
      }
      return OkStatus();
    };
    return op;
  });
}

// Numbers outside -8..7 keep their lowest bits, as int8 made of them has them.
Result<PreparedOp> PrepareToInt4(const PrepareContext& context) {
  const int64_t count = ElementCount(context.input(0).shape);
  return WithType(context, context.input(0), [&]<typename From>(From) -> Result<PreparedOp> {
    PreparedOp op;
    op.row = "cast_int4";
    op.run = [count](const RunArgs& args) {
      const From* in = args.in<From>(0);
      uint8_t* out = args.outputs[0];
      const auto nibble = [in](int64_t i) { return Store<int8_t>(Load(in[i])) & 15; };
      for (int64_t i = 0; i < count; i += 2) {
        const int high = i + 1 < count ? nibble(i + 1) : 0;
        out[i / 2] = static_cast<uint8_t>(nibble(i) | high << 4);
      }
      return OkStatus();
    };
    return op;
  });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  if (context.input(0).type == DataType::kInt4) return PrepareFromInt4(context);
  if (context.output(0).type == DataType::kInt4) return PrepareToInt4(context);
  const int64_t count = ElementCount(context.input(0).shape);
  return WithType(context, context.input(0), [&]<typename From>(From) {
    return WithType(context, context.output(0), [&]<typename To>(To) -> Result<PreparedOp> {
      PreparedOp op;
      op.row = "cast";
      op.run = [count](const RunArgs& args) {
        MapElements(args.in<From>(0), args.out<To>(0), count, args.pool,
                    [](From v) { return Store<To>(Load(v)); });
        return OkStatus();
      };
      return op;
    });
  });
}

}  // namespace

const OpDef kCastOp = {
    .op = Op::kCast,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameShape,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
