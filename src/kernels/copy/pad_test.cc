// SPDX-License-Identifier: Apache-2.0
// Padding against its element-by-element specification; the table of uint8 CONCATENATION.
#include "kernels/copy/pad.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "kernels/copy/table.h"

namespace dlpu {
namespace {

int64_t Product(const std::vector<int64_t>& extents) {
  return std::accumulate(extents.begin(), extents.end(), int64_t{1}, std::multiplies<>());
}

TEST(MirrorPad, ReflectsLikeTensorFlow) {
  // tf.pad([1, 2, 3], [[2, 2]], mode) = 3 2 1 2 3 2 1 (REFLECT) and 2 1 1 2 3 3 2 (SYMMETRIC).
  const PadSpec spec{.element_bytes = 1, .extents = {3}, .before = {2}, .after = {2}};
  EXPECT_EQ(MirrorPadReference(spec, 1), (std::vector<int64_t>{2, 1, 0, 1, 2, 1, 0}));
  EXPECT_EQ(MirrorPadReference(spec, 0), (std::vector<int64_t>{1, 0, 0, 1, 2, 2, 1}));
  const std::vector<int64_t> inside = ConstantPadReference(spec);
  EXPECT_EQ(inside, (std::vector<int64_t>{-1, -1, 0, 1, 2, -1, -1}));
}

TEST(PaddedChannels, RangesEqualTheSpecification) {
  for (const PaddedChannels& rows : {PaddedChannels{3, 0, 2}, {2, 1, 3}, {4, 0, 0}, {0, 1, 1}}) {
    const std::vector<int64_t> from = ConstantPadReference({.element_bytes = 4,
                                                            .extents = {3, rows.width},
                                                            .before = {0, rows.before},
                                                            .after = {0, rows.after}});
    std::vector<float> in(3 * rows.width + 1);
    std::iota(in.begin(), in.end(), 1.0f);
    const auto size = static_cast<int64_t>(from.size());
    for (int64_t begin = 0; begin < size; ++begin) {
      for (int64_t count = 0; begin + count <= size; ++count) {
        std::vector<float> out(count + 1, -1);
        rows.Copy(in.data(), out.data(), begin, count);
        for (int64_t i = 0; i < count; ++i) {
          EXPECT_EQ(out[i], from[begin + i] < 0 ? 0 : in[from[begin + i]]);
        }
        EXPECT_EQ(out.back(), -1);
      }
    }
  }
}

TEST(Pad, EqualsItsSpecification) {
  ThreadPool pool(2);
  for (uint32_t seed = 0; seed < 600; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    const int64_t offset = pick(0, 1);
    PadSpec spec{
        .element_bytes = pick(0, 1) == 0 ? 4 : 1, .extents = {}, .before = {}, .after = {}};
    const int rank = pick(0, 5);
    const bool mirror = pick(0, 1) == 1;
    for (int d = 0; d < rank; ++d) {
      const int64_t n = pick(1, 6);
      const int most = mirror ? static_cast<int>(n - offset) : 3;
      spec.extents.push_back(n);
      spec.before.push_back(pick(0, most));
      spec.after.push_back(pick(0, most));
    }
    const std::vector<int64_t> where =
        mirror ? MirrorPadReference(spec, offset) : ConstantPadReference(spec);
    const int64_t bytes = spec.element_bytes;
    std::vector<uint8_t> in(static_cast<size_t>(Product(spec.extents) * bytes));
    for (uint8_t& byte : in) byte = static_cast<uint8_t>(random());
    const std::vector<uint8_t> value = {1, 2, 3, 4};
    std::vector<uint8_t> want, got(where.size() * static_cast<size_t>(bytes), 0xEE);
    for (const int64_t from : where) {
      const uint8_t* element = from < 0 ? value.data() : in.data() + from * bytes;
      want.insert(want.end(), element, element + bytes);
    }
    if (mirror) {
      MirrorPad(spec, offset).Run(in.data(), got.data(), pool);
    } else {
      ConstantPad(spec).Run(in.data(), value.data(), got.data(), pool);
    }
    ASSERT_EQ(got, want) << "seed " << seed;
  }
}

TEST(ConcatenationTable, WorkedExample) {
  // s .03 -> .04, z 7 -> 100: a = .75, b = -5.25.
  const CodeTable table = ConcatenationTable(.03f, 7, .04f, 100);
  EXPECT_EQ(table[0], 95);
  EXPECT_EQ(table[5], 98);
  EXPECT_EQ(table[9], 102);
  EXPECT_EQ(table[255], 255);
}

TEST(ConcatenationTable, TiesRoundAwayFromZero) {
  const CodeTable half = ConcatenationTable(.5f, 4, 1.0f, 10);  // (code - 4) / 2 + 10
  EXPECT_EQ(half[1], 8);                                        // -1.5 -> -2
  EXPECT_EQ(half[3], 9);                                        // -0.5 -> -1
  EXPECT_EQ(half[5], 11);                                       // 0.5 -> 1
  EXPECT_EQ(half[7], 12);                                       // 1.5 -> 2
}

TEST(CopyRowsThroughTable, LeavesTheRestOfEachRow) {
  CodeTable table;
  for (int i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(255 - i);
  ThreadPool pool(1);
  const std::vector<uint8_t> in = {0, 1, 2, 3};
  std::vector<uint8_t> out(6, 7);
  CopyRowsThroughTable(table, in.data(), 2, 2, out.data(), 3, pool);
  EXPECT_EQ(out, (std::vector<uint8_t>{255, 254, 7, 253, 252, 7}));
}

}  // namespace
}  // namespace dlpu
