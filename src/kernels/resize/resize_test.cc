// SPDX-License-Identifier: Apache-2.0
// Worked one-dimensional enlargements from 3 to 5 in the three coordinate modes.
#include "kernels/resize/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace dlpu {
namespace {

std::array<int8_t, 5> Enlarge(bool align, bool half) {
  ThreadPool pool(1);
  const std::array<int8_t, 3> input = {10, -21, 40};
  std::array<int8_t, 5> output{};
  ResizeBilinear({.in_w = 3, .out_w = 5}, IntegerTaps({1, 1, align, half}),
                 IntegerTaps({3, 5, align, half}), input.data(), output.data(), pool);
  return output;
}

TEST(Resize, BilinearWorkedExamples) {
  EXPECT_EQ(Enlarge(false, true), (std::array<int8_t, 5>{10, -2, -21, 16, 40}));
  EXPECT_EQ(Enlarge(true, false), (std::array<int8_t, 5>{10, -6, -21, 10, 40}));
  EXPECT_EQ(Enlarge(false, false), (std::array<int8_t, 5>{10, -9, -9, 28, 40}));
}

TEST(Resize, HugeEnlargementStaysInside) {
  for (const BilinearTap<int32_t>& tap : IntegerTaps({1, 5000, false, false})) {
    EXPECT_EQ(tap.low, 0);
    EXPECT_EQ(tap.high, 0);
  }
}

// Any range of elements is that part of the whole.
TEST(Resize, NearestRangesEqualTheWhole) {
  ThreadPool pool(1);
  const ResizeShape shape{.batch = 2, .in_h = 3, .in_w = 2, .out_h = 5, .out_w = 4, .channels = 3};
  const std::vector<int32_t> ys = NearestPositions({3, 5, false, false});
  const std::vector<int32_t> xs = NearestPositions({2, 4, false, false});
  std::vector<float> in(2 * 3 * 2 * 3), whole(2 * 5 * 4 * 3);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i);
  ResizeNearest(shape, 12, ys, xs, reinterpret_cast<const uint8_t*>(in.data()),
                reinterpret_cast<uint8_t*>(whole.data()), pool);
  for (int64_t begin = 0; begin < 120; ++begin) {
    for (int64_t count = 0; begin + count <= 120; ++count) {
      std::vector<float> part(count + 1, -1);
      ResizeNearestRange(shape, ys, xs, in.data(), part.data(), begin, count);
      EXPECT_TRUE(std::equal(part.begin(), part.end() - 1, whole.begin() + begin));
      EXPECT_EQ(part.back(), -1);
    }
  }
}

TEST(Resize, NearestPositions) {
  EXPECT_EQ(NearestPositions({3, 5, false, false}), (std::vector<int32_t>{0, 0, 1, 1, 2}));
  EXPECT_EQ(NearestPositions({3, 5, true, false}), (std::vector<int32_t>{0, 1, 1, 2, 2}));
  EXPECT_EQ(NearestPositions({4, 2, false, true}), (std::vector<int32_t>{1, 3}));
}

// Every row of this CPU equals the scalar one, for channel counts around the vectors.
TEST(Resize, BilinearRowsAgree) {
  const BilinearRowList list = BilinearRows();
  const BilinearRow& scalar = list.rows[list.count - 1];
  std::mt19937 random(7);
  int compared = 0;
  for (int32_t r = 0; r < list.count; ++r) {
    const BilinearRow& row = list.rows[r];
    if ((row.cpu & ~EnabledCpuFlags()) != 0) continue;
    for (int64_t channels = 1; channels <= 40; ++channels) {
      const std::vector<BilinearTap<float>> taps = FloatTaps({5, 17, false, true});
      std::vector<float> upper(5 * channels), lower(5 * channels);
      for (float& v : upper) v = static_cast<float>(random() % 6400) / 50;
      for (float& v : lower) v = static_cast<float>(random() % 6300) / 50;
      const BilinearRowArgs args{upper.data(), lower.data(), taps.data(), 17, channels};
      const size_t count = static_cast<size_t>(17 * channels);
      // One more than there are: nothing is written past the end.
      std::vector<uint8_t> codes(count + 1, 77), want_codes(count + 1, 77);
      std::vector<float> floats(count + 1, 77), want_floats(count + 1, 77);
      row.codes(args, codes.data());
      scalar.codes(args, want_codes.data());
      row.floats(args, floats.data());
      scalar.floats(args, want_floats.data());
      ASSERT_EQ(codes, want_codes) << row.name << ", " << channels << " channels";
      ASSERT_EQ(floats, want_floats) << row.name << ", " << channels << " channels";
      ++compared;
    }
  }
  EXPECT_GE(compared, 40);
}

}  // namespace
}  // namespace dlpu
