// SPDX-License-Identifier: Apache-2.0
// Generated cases of ops that cut, stack, mirror and rearrange whole blocks of a tensor.
#include <algorithm>

#include "cases.h"
#include "movement_shapes.h"

namespace dlpu::peer {
namespace {

int64_t RankOf(const Shape& shape) { return static_cast<int64_t>(shape.size()); }

DLPU_PEER_CASE(blocks, split_v_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random, /*with_bool=*/false);
  const Shape shape = MovementShape(random, 1, 6);
  const int64_t axis = random.Int(0, RankOf(shape) - 1);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  std::vector<int32_t> sizes;
  int64_t left = shape[axis];
  const int64_t count = random.Int(1, 4);
  for (int64_t i = 0; i + 1 < count; ++i) {
    sizes.push_back(static_cast<int32_t>(random.Int(random.Chance(0.9) && left > 0 ? 1 : 0, left)));
    left -= sizes.back();
  }
  sizes.push_back(static_cast<int32_t>(left));
  if (random.Chance(0.3)) sizes[random.Int(0, count - 1)] = -1;
  const TensorId parts = builder.Ints(sizes);
  const bool negative = random.Chance(0.3);
  const TensorId where =
      builder.Scalar(static_cast<int32_t>(negative ? axis - RankOf(shape) : axis));
  std::vector<TensorId> outputs;
  for (int64_t i = 0; i < count; ++i) outputs.push_back(builder.Computed(type, q));
  builder.Add(Op::kSplitV, {x, parts, where}, outputs,
              SplitAttrs{.count = static_cast<int32_t>(count)});
  return builder.Finish(outputs);
}

DLPU_PEER_CASE(blocks, pack_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random, /*with_bool=*/false);
  const Shape shape = MovementShape(random, 0, 5);
  const Quantization q = QuantizationFor(random, type);
  const auto count = static_cast<int32_t>(random.Int(1, 4));
  std::vector<TensorId> inputs;
  for (int32_t i = 0; i < count; ++i) inputs.push_back(builder.Input(type, shape, q));
  const auto axis = static_cast<int32_t>(random.Int(-RankOf(shape) - 1, RankOf(shape)));
  return builder.Finish(Op::kPack, inputs, type, q, PackAttrs{.axis = axis, .count = count});
}

DLPU_PEER_CASE(blocks, unpack_any) {
  CaseBuilder builder(random);
  DataType type = MovementType(random);
  if (type == DataType::kInt64) type = DataType::kInt32;  // LiteRT takes no int64 here
  Shape shape = MovementShape(random, 1, 6);
  const int64_t axis = random.Int(0, RankOf(shape) - 1);
  shape[axis] = static_cast<int32_t>(random.Int(1, 4));
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  std::vector<TensorId> outputs;
  for (int32_t i = 0; i < shape[axis]; ++i) outputs.push_back(builder.Computed(type, q));
  const auto stated = static_cast<int32_t>(random.Chance(0.3) ? axis - RankOf(shape) : axis);
  builder.Add(Op::kUnpack, {x}, outputs, PackAttrs{.axis = stated, .count = shape[axis]});
  return builder.Finish(outputs);
}

DLPU_PEER_CASE(blocks, slice_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = MovementShape(random, 1, 6);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  std::vector<int64_t> begin, size;
  for (const int32_t extent : shape) {
    begin.push_back(random.Int(0, std::max(0, extent - 1)));
    size.push_back(random.Int(std::min<int64_t>(1, extent), extent - begin.back()));
    if (random.Chance(0.3)) size.back() = -1;
  }
  const auto rank = static_cast<int32_t>(shape.size());
  if (random.Chance(0.3)) {
    const TensorId b = builder.Constant(DataType::kInt64, {rank}, BytesOf(begin));
    const TensorId s = builder.Constant(DataType::kInt64, {rank}, BytesOf(size));
    return builder.Finish(Op::kSlice, {x, b, s}, type, q, NoAttrs{});
  }
  const TensorId b = builder.Ints({begin.begin(), begin.end()});
  const TensorId s = builder.Ints({size.begin(), size.end()});
  return builder.Finish(Op::kSlice, {x, b, s}, type, q, NoAttrs{});
}

DLPU_PEER_CASE(blocks, mirror_pad_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = RandomShape(random, 1, 5, 5);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const bool symmetric = random.Chance(0.5);
  std::vector<int32_t> values;
  for (const int32_t extent : shape) {
    const int64_t most = std::min<int64_t>(3, symmetric ? extent : extent - 1);
    values.push_back(static_cast<int32_t>(random.Int(0, most)));
    values.push_back(static_cast<int32_t>(random.Int(0, most)));
  }
  const TensorId paddings =
      builder.Constant(DataType::kInt32, {static_cast<int32_t>(shape.size()), 2}, BytesOf(values));
  return builder.Finish(Op::kMirrorPad, {x, paddings}, type, q,
                        MirrorPadAttrs{.symmetric = symmetric});
}

DLPU_PEER_CASE(blocks, broadcast_to_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  Shape shape = RandomShape(random, 0, 5, 5);
  std::vector<int32_t> wanted;
  for (int64_t i = random.Int(0, 2); i > 0; --i) {
    wanted.push_back(static_cast<int32_t>(random.Int(1, 3)));
  }
  for (int32_t& extent : shape) {
    wanted.push_back(extent);
    if (random.Chance(0.4)) extent = 1;
  }
  if (wanted.empty()) wanted.push_back(2);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const TensorId target = builder.Ints(wanted);
  const TensorId wide = builder.Computed(type, q);
  builder.Add(Op::kBroadcastTo, {x, target}, {wide}, NoAttrs{});
  builder.graph().nodes.back().version = 2;  // LiteRT has no version 1
  return builder.Finish({wide});
}

DataType BlockType(Random& random) {
  return random.Pick(
      {DataType::kFloat32, DataType::kInt8, DataType::kUInt8, DataType::kInt32, DataType::kInt64});
}

DLPU_PEER_CASE(blocks, space_to_depth_any) {
  CaseBuilder builder(random);
  const DataType type = BlockType(random);
  const Quantization q = QuantizationFor(random, type);
  const auto block = static_cast<int32_t>(random.Int(1, 4));
  const Shape s = RandomShape(random, 4, 4, 5);
  const TensorId x = builder.Input(type, {s[0], s[1] * block, s[2] * block, s[3]}, q);
  return builder.Finish(Op::kSpaceToDepth, {x}, type, q, BlockAttrs{.block_size = block});
}

DLPU_PEER_CASE(blocks, depth_to_space_any) {
  CaseBuilder builder(random);
  const DataType type = BlockType(random);
  const Quantization q = QuantizationFor(random, type);
  const auto block = static_cast<int32_t>(random.Int(1, 4));
  const Shape s = RandomShape(random, 4, 4, 5);
  const TensorId x = builder.Input(type, {s[0], s[1], s[2], s[3] * block * block}, q);
  return builder.Finish(Op::kDepthToSpace, {x}, type, q, BlockAttrs{.block_size = block});
}

// Block sizes and margins for `spatial` dimensions, as constants.
struct Blocks {
  std::vector<int32_t> sizes, margins;
};
Blocks RandomBlocks(Random& random, size_t spatial) {
  Blocks b;
  for (size_t i = 0; i < spatial; ++i) {
    b.sizes.push_back(static_cast<int32_t>(random.Int(1, 3)));
    b.margins.push_back(static_cast<int32_t>(random.Pick({0, 0, 1, 2})));
    b.margins.push_back(static_cast<int32_t>(random.Pick({0, 0, 1, 2})));
  }
  return b;
}
TensorId Margins(CaseBuilder& builder, const Blocks& b) {
  return builder.Constant(DataType::kInt32, {static_cast<int32_t>(b.sizes.size()), 2},
                          BytesOf(b.margins));
}

DLPU_PEER_CASE(blocks, space_to_batch_nd_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random, /*with_bool=*/false);
  const Quantization q = QuantizationFor(random, type);
  Shape s = RandomShape(random, 3, 4, 4);
  const Blocks b = RandomBlocks(random, s.size() - 2);
  for (size_t d = 0; d < b.sizes.size(); ++d) {
    const int32_t margins = b.margins[2 * d] + b.margins[2 * d + 1];
    int32_t whole = s[d + 1] * b.sizes[d];
    while (whole <= margins) whole += b.sizes[d];
    s[d + 1] = whole - margins;
  }
  const TensorId x = builder.Input(type, s, q);
  const TensorId sizes = builder.Ints(b.sizes), margins = Margins(builder, b);
  return builder.Finish(Op::kSpaceToBatchNd, {x, sizes, margins}, type, q, NoAttrs{});
}

DLPU_PEER_CASE(blocks, batch_to_space_nd_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random, /*with_bool=*/false);
  const Quantization q = QuantizationFor(random, type);
  Shape s = RandomShape(random, 3, 4, 4);
  const Blocks b = RandomBlocks(random, s.size() - 2);
  for (size_t d = 0; d < b.sizes.size(); ++d) {
    s[0] *= b.sizes[d];
    while (s[d + 1] * b.sizes[d] <= b.margins[2 * d] + b.margins[2 * d + 1]) ++s[d + 1];
  }
  const TensorId x = builder.Input(type, s, q);
  const TensorId sizes = builder.Ints(b.sizes), margins = Margins(builder, b);
  return builder.Finish(Op::kBatchToSpaceNd, {x, sizes, margins}, type, q, NoAttrs{});
}

}  // namespace
}  // namespace dlpu::peer
