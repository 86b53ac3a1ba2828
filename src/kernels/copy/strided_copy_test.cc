// SPDX-License-Identifier: Apache-2.0
// StridedCopy against its specification, on random specs of every kind the ops make.
#include "kernels/copy/strided_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <string>

namespace dlpu {
namespace {

struct Case {
  CopySpec spec;
  int64_t in_elements = 1, out_elements = 1;
};

// A packed output; an input that is permuted, sliced, reversed or broadcast along each axis.
Case RandomCase(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  Case c;
  const int rank = pick(0, 5);
  const int64_t widths[] = {1, 2, 3, 4, 8, 12, 16, 20};
  c.spec.element_bytes = widths[pick(0, 7)];
  std::vector<int64_t> room(rank);  // extents of the input, in the output's order
  std::vector<int> steps(rank);
  for (int d = 0; d < rank; ++d) {
    c.spec.extents.push_back(pick(0, 9) == 0 ? pick(0, 1) : pick(1, rank > 3 ? 5 : 40));
    const int kind = pick(0, 3);  // whole, part, reversed, broadcast
    steps[d] = kind == 3 ? 0 : kind == 2 ? -1 : kind == 1 ? pick(1, 2) : 1;
    room[d] = std::max<int64_t>(1, c.spec.extents[d] * std::max(1, std::abs(steps[d])));
    if (kind == 3) room[d] = 1;
  }
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  c.spec.in_strides.assign(rank, 0);
  for (const int d : order) {
    c.spec.in_strides[d] = c.in_elements * steps[d];
    if (steps[d] < 0) c.spec.in_offset += c.in_elements * (room[d] - 1);
    c.in_elements *= room[d];
  }
  c.spec.out_strides = PackedStrides(c.spec.extents);
  for (const int64_t extent : c.spec.extents) c.out_elements *= extent;
  c.spec.out_offset = pick(0, 3);
  c.out_elements += c.spec.out_offset + 2;
  return c;
}

TEST(StridedCopy, EqualsItsSpecification) {
  ThreadPool one(1), three(3);
  std::set<std::string> rows;
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    const Case c = RandomCase(random);
    std::vector<uint8_t> in(static_cast<size_t>(c.in_elements * c.spec.element_bytes));
    for (uint8_t& byte : in) byte = static_cast<uint8_t>(random());
    std::vector<uint8_t> want(static_cast<size_t>(c.out_elements * c.spec.element_bytes), 0xAA);
    std::vector<uint8_t> got = want;
    StridedCopyReference(c.spec, in.data(), want.data());
    const StridedCopy copy(c.spec);
    copy.Run(in.data(), got.data(), seed % 2 == 0 ? one : three);
    ASSERT_EQ(got, want) << "seed " << seed;
    rows.insert(copy.row());
  }
  EXPECT_EQ(rows, (std::set<std::string>{"memcpy", "rows", "transpose"}));
}

TEST(StridedCopy, SplitsBigTensorsOverThreads) {
  ThreadPool pool(4);
  const int64_t rows = 700, columns = 530;
  for (const int64_t bytes : {1, 2, 4, 8}) {
    CopySpec spec{.element_bytes = bytes,
                  .extents = {rows, columns},
                  .in_strides = {1, rows},
                  .out_strides = {columns, 1}};
    std::vector<uint8_t> in(static_cast<size_t>(rows * columns * bytes)), want(in), got(in);
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
    const StridedCopy copy(spec);
    EXPECT_STREQ(copy.row(), "transpose");
    StridedCopyReference(spec, in.data(), want.data());
    copy.Run(in.data(), got.data(), pool);
    EXPECT_EQ(got, want) << bytes;
  }
}

TEST(StridedCopy, MergesAxesIntoOneBlock) {
  const CopySpec spec{.element_bytes = 4,
                      .extents = {1, 6, 1, 5},
                      .in_strides = {30, 5, 5, 1},
                      .out_strides = {30, 5, 5, 1}};
  EXPECT_STREQ(StridedCopy(spec).row(), "memcpy");
}

}  // namespace
}  // namespace dlpu
