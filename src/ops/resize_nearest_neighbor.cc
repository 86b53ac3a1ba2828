// SPDX-License-Identifier: Apache-2.0
// RESIZE_NEAREST_NEIGHBOR: input NHWC and a constant [height, width]; copies pixels.
#include "ops/resize.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 1); }

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
    case DataType::kUInt8:
    case DataType::kInt8:
    case DataType::kInt16:
      break;
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
  const ResizeGeometry g = ResizeGeometryOf(context);
  const int64_t pixel_bytes =
      static_cast<int64_t>(g.shape.channels) * BitsOf(context.input(0).type) / 8;
  PreparedOp op;
  op.run = [shape = g.shape, pixel_bytes, ys = NearestPositions(g.y),
            xs = NearestPositions(g.x)](const RunArgs& args) {
    ResizeNearest(shape, pixel_bytes, ys, xs, args.in<uint8_t>(0), args.out<uint8_t>(0), args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kResizeNearestNeighborOp = {
    .op = Op::kResizeNearestNeighbor,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferResize,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
