// SPDX-License-Identifier: Apache-2.0
// RESIZE_NEAREST_NEIGHBOR: input NHWC and a constant [height, width]; copies pixels.
#include <memory>

#include "ops/movement.h"
#include "ops/resize.h"

namespace dlpu {
namespace {

constexpr TypeSet kTypes = Types(DataType::kFloat32, DataType::kFloat16, DataType::kUInt8,
                                 DataType::kInt8, DataType::kUInt16, DataType::kInt16,
                                 DataType::kUInt32, DataType::kInt32, DataType::kBool);

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 1); }

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, context.input(0), kTypes));
  const ResizeGeometry g = ResizeGeometryOf(context);
  const int64_t pixel_bytes = g.shape.channels * ElementBytes(context.input(0));
  struct Positions {
    std::vector<int32_t> ys, xs;
  };
  const auto at =
      std::make_shared<const Positions>(Positions{NearestPositions(g.y), NearestPositions(g.x)});
  PreparedOp op;
  op.run = [shape = g.shape, pixel_bytes, at](const RunArgs& args) {
    ResizeNearest(shape, pixel_bytes, at->ys, at->xs, args.in<uint8_t>(0), args.out<uint8_t>(0),
                  args.pool);
    return OkStatus();
  };
  if (context.input(0).type == DataType::kFloat32) {
    op.part.count = ElementCount(context.output(0).shape);
    op.part.moves[0] = op.part.moves[1] = false;
    op.part.run = [shape = g.shape, at](const float* const* in, float* out, int64_t begin,
                                        int64_t count) {
      ResizeNearestRange(shape, at->ys, at->xs, in[0], out, begin, count);
    };
  }
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
