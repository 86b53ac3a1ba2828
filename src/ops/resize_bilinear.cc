// SPDX-License-Identifier: Apache-2.0
// RESIZE_BILINEAR: input NHWC and a constant [height, width]. Codes are interpolated as they are:
// nothing is requantized.
#include "ops/resize.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 8); }

template <typename T, typename Taps>
PreparedOp Resize(const ResizeGeometry& g, Taps (*make_taps)(const ResizeAxis&)) {
  PreparedOp op;
  op.run = [shape = g.shape, ys = make_taps(g.y), xs = make_taps(g.x)](const RunArgs& args) {
    ResizeBilinear(shape, ys, xs, args.in<T>(0), args.out<T>(0), args.pool);
    return OkStatus();
  };
  return op;
}

// The types that are interpolated in binary32.
template <typename T>
PreparedOp ResizeFloat(const ResizeGeometry& g, const PrepareContext& context) {
  PreparedOp op;
  const BilinearRow& row = ChooseBilinear(context.cpu);
  op.row = row.name;
  op.scratch_bytes = static_cast<int64_t>(context.threads) * 2 * g.shape.in_w * g.shape.channels *
                     static_cast<int64_t>(sizeof(float));
  op.run = [shape = g.shape, ys = FloatTaps(g.y), xs = FloatTaps(g.x), &row](const RunArgs& args) {
    ResizeBilinear(shape, ys, xs, row, args.in<T>(0), args.out<T>(0),
                   reinterpret_cast<float*>(args.scratch), args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const ResizeGeometry g = ResizeGeometryOf(context);
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return ResizeFloat<float>(g, context);
    case DataType::kUInt8:
      return ResizeFloat<uint8_t>(g, context);
    case DataType::kInt8:
      return Resize<int8_t>(g, IntegerTaps);
    case DataType::kInt16:
      return Resize<int16_t>(g, IntegerTaps);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kResizeBilinearOp = {
    .op = Op::kResizeBilinear,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferResize,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
