// SPDX-License-Identifier: Apache-2.0
// Sparse constants: rows of compressed columns, blocks, and descriptions that contradict
// themselves.
#include "formats/sparse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dlpu {
namespace {

namespace tfl = ::dlpu::tflite;

// One level of the description: dense with `size` entries, or compressed.
struct Level {
  int32_t size = 0;
  std::vector<int32_t> segments, indices;
};

Result<std::vector<uint8_t>> Expand(const Shape& shape, const std::vector<int32_t>& order,
                                    const std::vector<int32_t>& blocks,
                                    const std::vector<Level>& levels,
                                    const std::vector<uint8_t>& values) {
  flatbuffers::FlatBufferBuilder builder;
  const auto ints = [&](const std::vector<int32_t>& list) {
    return tfl::CreateInt32Vector(builder, builder.CreateVector(list)).Union();
  };
  std::vector<flatbuffers::Offset<tfl::DimensionMetadata>> metadata;
  for (const Level& level : levels) {
    const bool compressed = level.size == 0;
    const auto none = tfl::SparseIndexVector::NONE, some = tfl::SparseIndexVector::Int32Vector;
    const auto segments = compressed ? ints(level.segments) : flatbuffers::Offset<void>();
    const auto indices = compressed ? ints(level.indices) : flatbuffers::Offset<void>();
    metadata.push_back(tfl::CreateDimensionMetadata(
        builder, compressed ? tfl::DimensionType::SPARSE_CSR : tfl::DimensionType::DENSE,
        level.size, compressed ? some : none, segments, compressed ? some : none, indices));
  }
  const auto order_vector = builder.CreateVector(order),
             block_vector = builder.CreateVector(blocks);
  builder.Finish(tfl::CreateSparsityParameters(builder, order_vector, block_vector,
                                               builder.CreateVector(metadata)));
  Tensor tensor;
  tensor.name = "weights";
  tensor.type = DataType::kInt8;
  tensor.shape = shape;
  return ExpandSparse(*flatbuffers::GetRoot<tfl::SparsityParameters>(builder.GetBufferPointer()),
                      tensor, values, "model");
}

TEST(ExpandSparse, RowsOfCompressedColumns) {
  const auto dense =
      Expand({3, 4}, {0, 1}, {}, {{3, {}, {}}, {0, {0, 2, 2, 3}, {1, 3, 0}}}, {10, 20, 30});
  ASSERT_TRUE(dense.ok()) << dense.error().message;
  EXPECT_EQ(*dense, (std::vector<uint8_t>{0, 10, 0, 20, 0, 0, 0, 0, 30, 0, 0, 0}));
}

TEST(ExpandSparse, BlocksOfOneByTwo) {
  // 2 x 4 as 2 x 2 blocks of one row and two columns; stored: block (0, 1) and block (1, 0).
  const auto dense = Expand({2, 4}, {0, 1, 2}, {1},
                            {{2, {}, {}}, {0, {0, 1, 2}, {1, 0}}, {2, {}, {}}}, {1, 2, 3, 4});
  ASSERT_TRUE(dense.ok()) << dense.error().message;
  EXPECT_EQ(*dense, (std::vector<uint8_t>{0, 0, 1, 2, 3, 4, 0, 0}));
}

TEST(ExpandSparse, RefusesWhatContradictsItself) {
  const std::vector<Level> good = {{3, {}, {}}, {0, {0, 2, 2, 3}, {1, 3, 0}}};
  const auto refused = [&](const Shape& shape, const std::vector<int32_t>& order, Level columns,
                           const std::vector<uint8_t>& values) {
    return !Expand(shape, order, {}, {good[0], std::move(columns)}, values).ok();
  };
  EXPECT_FALSE(refused({3, 4}, {0, 1}, good[1], {1, 2, 3}));
  EXPECT_TRUE(refused({3, 4}, {0, 0}, good[1], {1, 2, 3})) << "an axis twice";
  EXPECT_TRUE(refused({3, 3}, {0, 1}, good[1], {1, 2, 3})) << "a column that is not there";
  EXPECT_TRUE(refused({3, 4}, {0, 1}, good[1], {1, 2})) << "fewer values than indices";
  EXPECT_TRUE(refused({3, 4}, {0, 1}, {0, {0, 2, 1, 3}, {1, 3, 0}}, {1, 2, 3})) << "backwards";
  EXPECT_TRUE(refused({3, 4}, {0, 1}, {0, {0, 2, 2, 9}, {1, 3, 0}}, {1, 2, 3})) << "past the end";
  EXPECT_TRUE(refused({3, 4}, {0, 1}, {0, {0, 2}, {1, 3, 0}}, {1, 2, 3})) << "too few rows";
  EXPECT_TRUE(refused({30000, 40000}, {0, 1}, good[1], {1, 2, 3})) << "far too large";
}

}  // namespace
}  // namespace dlpu
