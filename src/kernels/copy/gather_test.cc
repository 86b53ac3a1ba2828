// SPDX-License-Identifier: Apache-2.0
// Gathering: values by hand, and what happens to indices that are out of range.
#include "kernels/copy/gather.h"

#include <gtest/gtest.h>

namespace dlpu {
namespace {

template <typename T>
const uint8_t* BytesAt(const std::vector<T>& values) {
  return reinterpret_cast<const uint8_t*>(values.data());
}

TEST(Gather, TakesSlicesOfEachBatchAndOuterBlock) {
  // 2 batches x 1 x 3 slices of 2 bytes.
  const std::vector<uint8_t> in = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
  const std::vector<int16_t> indices = {2, 0, 1, 1};
  const GatherSpec spec{.batch = 2,
                        .outer = 1,
                        .axis = 3,
                        .count = 2,
                        .slice_bytes = 2,
                        .index_type = IndexType::kInt16};
  std::vector<uint8_t> out(8, 99);
  ThreadPool pool(1);
  EXPECT_EQ(Gather(spec, in.data(), BytesAt(indices), out.data(), pool), -1);
  EXPECT_EQ(out, (std::vector<uint8_t>{4, 5, 0, 1, 12, 13, 12, 13}));
}

TEST(Gather, NamesTheIndexThatIsOutOfRangeAndWritesNothing) {
  const std::vector<uint8_t> in = {1, 2, 3};
  ThreadPool pool(1);
  for (const int64_t bad : {int64_t{3}, int64_t{-1}, int64_t{1} << 40}) {
    const std::vector<int64_t> indices = {0, bad};
    const GatherSpec spec{.axis = 3, .count = 2, .index_type = IndexType::kInt64};
    std::vector<uint8_t> out(2, 99);
    EXPECT_EQ(Gather(spec, in.data(), BytesAt(indices), out.data(), pool), 1) << bad;
    EXPECT_EQ(out, (std::vector<uint8_t>{99, 99}));
  }
}

TEST(PointOffset, IsRowMajor) {
  const PointSpec spec{.extents = {3, 4}, .count = 3, .slice_elements = 5};
  const std::vector<int32_t> indices = {0, 0, 2, 3, 1, 4};
  EXPECT_EQ(PointOffset(spec, BytesAt(indices), 0), 0);
  EXPECT_EQ(PointOffset(spec, BytesAt(indices), 1), 11 * 5);
  EXPECT_EQ(PointOffset(spec, BytesAt(indices), 2), -1);
}

}  // namespace
}  // namespace dlpu
