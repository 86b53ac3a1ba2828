// SPDX-License-Identifier: Apache-2.0
// Reductions and indices of extremes: worked examples, axes, threads.
#include "ops/reduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "ops/op_testing.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

const std::vector<int8_t> kNine = {10, -7, 3, 22, -128, 127, 5, 0, 9};

TEST(Mean, WorkedExample) {
  // scale .05 -> .04, zero point -6 -> 11: sum 41, multiplier (1193046515, -2), code 24.
  OpRig rig(Op::kMean, ReduceAttrs{});
  rig.Input<int8_t>({9}, kNine, OneScale(.05f, -6)).Constant<int32_t>({1}, {0});
  rig.Output(DataType::kInt8, OneScale(.04f, 11));
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int8_t>(), (std::vector<int8_t>{24}));
}

TEST(Mean, OfFloatsAndIntegers) {
  OpRig floats(Op::kMean, ReduceAttrs{.keep_dims = true});
  floats.Input<float>({2, 2}, {1, 2, 3, 5}).Constant<int32_t>({2}, {-1, 1});
  floats.Output(DataType::kFloat32);
  ASSERT_EQ(floats.Refusal(), "");
  EXPECT_EQ(floats.shape(), (Shape{2, 1}));
  EXPECT_EQ(floats.values<float>(), (std::vector<float>{1.5f, 4.0f}));
  OpRig ints(Op::kMean, ReduceAttrs{});
  ints.Input<int32_t>({3}, {-1, -1, -3}).Constant<int32_t>({1}, {0}).Output(DataType::kInt32);
  ASSERT_EQ(ints.Refusal(), "");
  EXPECT_EQ(ints.values<int32_t>(), (std::vector<int32_t>{-1}));  // -5 / 3 truncates
}

TEST(Mean, OfNothingIsNotANumber) {
  OpRig rig(Op::kMean, ReduceAttrs{});
  rig.Input<float>({2, 0}, {}).Constant<int32_t>({1}, {1}).Output(DataType::kFloat32);
  ASSERT_EQ(rig.Refusal(), "");
  ASSERT_EQ(rig.values<float>().size(), 2u);
  EXPECT_TRUE(std::isnan(rig.values<float>()[0]));
}

TEST(Mean, RefusesAxesThatAreNotThere) {
  OpRig rig(Op::kMean, ReduceAttrs{});
  rig.Input<float>({2}, {1, 2}).Constant<int32_t>({1}, {1}).Output(DataType::kFloat32);
  EXPECT_THAT(rig.Refusal(), HasSubstr("axis 1"));
}

// Every set of axes of a 4-D tensor, with one and three threads, against a plain sum.
TEST(Mean, EverySetOfAxesWithAnyNumberOfThreads) {
  const Shape shape = {2, 3, 37, 401};
  std::vector<int32_t> in(static_cast<size_t>(ElementCount(shape)));
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int32_t>(i * 2654435761u >> 8);
  for (int set = 0; set < 16; ++set) {
    std::vector<int32_t> axes;
    int64_t count = 1;
    for (int d = 0; d < 4; ++d) {
      if ((set >> d & 1) == 0) continue;
      axes.push_back(d);
      count *= shape[d];
    }
    std::vector<int64_t> sums(in.size() / static_cast<size_t>(count), 0);
    for (size_t i = 0; i < in.size(); ++i) {
      size_t rest = i, out = 0, stride = 1;
      for (int d = 3; d >= 0; --d) {
        const size_t index = rest % static_cast<size_t>(shape[d]);
        rest /= static_cast<size_t>(shape[d]);
        if ((set >> d & 1) != 0) continue;
        out += index * stride;
        stride *= static_cast<size_t>(shape[d]);
      }
      sums[out] += in[i];
    }
    std::vector<int32_t> want;
    for (const int64_t sum : sums) want.push_back(static_cast<int32_t>(sum / count));
    for (const int threads : {1, 3}) {
      OpRig rig(Op::kMean, ReduceAttrs{});
      rig.Input(shape, in).Constant<int32_t>({static_cast<int32_t>(axes.size())}, axes);
      rig.Output(DataType::kInt32);
      ASSERT_TRUE(rig.Run(threads).ok());
      ASSERT_EQ(rig.values<int32_t>(), want) << "axes " << set << ", threads " << threads;
    }
  }
}

TEST(ArgMax, FirstOfEqualsAndNoNan) {
  OpRig rig(Op::kArgMax, OutputTypeAttrs{.output_type = DataType::kInt32});
  rig.Input<float>({3, 3}, {1, 5, 5, NAN, 2, NAN, NAN, NAN, NAN}).Constant<int32_t>({}, {1});
  rig.Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int32_t>(), (std::vector<int32_t>{1, 1, 0}));
}

TEST(ArgMax, AlongTheFirstAxis) {
  OpRig rig(Op::kArgMax, OutputTypeAttrs{.output_type = DataType::kInt64});
  rig.Input<int8_t>({3, 2}, {1, 9, 7, 2, 7, 3}).Constant<int64_t>({1}, {-2});
  rig.Output(DataType::kInt64);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int64_t>(), (std::vector<int64_t>{1, 0}));
  OpRig empty(Op::kArgMax, OutputTypeAttrs{});
  empty.Input<float>({0}, {}).Constant<int32_t>({}, {0}).Output(DataType::kInt64);
  EXPECT_THAT(empty.Refusal(), HasSubstr("is empty"));
}

TEST(ArgMin, FirstOfEquals) {
  OpRig rig(Op::kArgMin, OutputTypeAttrs{.output_type = DataType::kInt32});
  rig.Input<uint8_t>({4}, {9, 2, 7, 2}).Constant<int32_t>({}, {0}).Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int32_t>(), (std::vector<int32_t>{1}));
}

TEST(Sum, WorkedExample) {
  // The vector above, scale .05 -> .9 with zero points -6 and 11: 95 * .05 / .9 + 11 = 16.3.
  OpRig rig(Op::kSum, ReduceAttrs{});
  rig.Input<int8_t>({9}, kNine, OneScale(.05f, -6)).Constant<int32_t>({1}, {0});
  rig.Output(DataType::kInt8, OneScale(.9f, 11));
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int8_t>(), (std::vector<int8_t>{16}));
}

TEST(Sum, SaturatesCodesAndWrapsIntegers) {
  OpRig codes(Op::kSum, ReduceAttrs{});
  codes.Input<uint8_t>({3}, {255, 255, 255}, OneScale(1, 0)).Constant<int32_t>({1}, {0});
  codes.Output(DataType::kUInt8, OneScale(1, 0));
  ASSERT_EQ(codes.Refusal(), "");
  EXPECT_EQ(codes.values<uint8_t>(), (std::vector<uint8_t>{255}));
  OpRig ints(Op::kSum, ReduceAttrs{});
  ints.Input<int32_t>({2}, {INT32_MAX, 1}).Constant<int32_t>({1}, {-1}).Output(DataType::kInt32);
  ASSERT_EQ(ints.Refusal(), "");
  EXPECT_EQ(ints.values<int32_t>(), (std::vector<int32_t>{INT32_MIN}));
}

TEST(ReduceMaxAndMin, KeepCodesAndSkipNan) {
  OpRig largest(Op::kReduceMax, ReduceAttrs{});
  largest.Input<float>({2, 3}, {1, NAN, 3, -5, -4, NAN}).Constant<int32_t>({1}, {1});
  largest.Output(DataType::kFloat32);
  ASSERT_EQ(largest.Refusal(), "");
  EXPECT_EQ(largest.values<float>(), (std::vector<float>{3, -4}));
  OpRig smallest(Op::kReduceMin, ReduceAttrs{.keep_dims = true});
  smallest.Input<int8_t>({2, 2}, {4, -3, -9, 5}, OneScale(.5f, 1)).Constant<int32_t>({1}, {0});
  smallest.Output(DataType::kInt8, OneScale(.5f, 1));
  ASSERT_EQ(smallest.Refusal(), "");
  EXPECT_EQ(smallest.shape(), (Shape{1, 2}));
  EXPECT_EQ(smallest.values<int8_t>(), (std::vector<int8_t>{-9, -3}));
  OpRig scales(Op::kReduceMax, ReduceAttrs{});
  scales.Input<int8_t>({1}, {4}, OneScale(.5f, 1)).Constant<int32_t>({1}, {0});
  scales.Output(DataType::kInt8, OneScale(.25f, 1));
  EXPECT_THAT(scales.Refusal(), HasSubstr("must be equal"));
}

TEST(ReduceProd, OfFloatsAndCodes) {
  OpRig floats(Op::kReduceProd, ReduceAttrs{});
  floats.Input<float>({2, 2}, {2, 3, 4, 5}).Constant<int32_t>({1}, {1}).Output(DataType::kFloat32);
  ASSERT_EQ(floats.Refusal(), "");
  EXPECT_EQ(floats.values<float>(), (std::vector<float>{6, 20}));
  // Real values 2 and 3 (codes 5 and 7, zero point 1, scale .5); 6 = 1 * (7 - 1).
  OpRig codes(Op::kReduceProd, ReduceAttrs{});
  codes.Input<int8_t>({2}, {5, 7}, OneScale(.5f, 1)).Constant<int32_t>({1}, {0});
  codes.Output(DataType::kInt8, OneScale(1, 1));
  ASSERT_EQ(codes.Refusal(), "");
  EXPECT_EQ(codes.values<int8_t>(), (std::vector<int8_t>{7}));
}

TEST(Cumsum, ForwardsAndBackwards) {
  const auto run = [](bool exclusive, bool reverse) {
    OpRig rig(Op::kCumsum, CumsumAttrs{.exclusive = exclusive, .reverse = reverse});
    rig.Input<int32_t>({3, 2}, {1, 10, 2, 20, 3, 30}).Constant<int32_t>({}, {0});
    rig.Output(DataType::kInt32);
    EXPECT_EQ(rig.Refusal(), "");
    return rig.values<int32_t>();
  };
  EXPECT_EQ(run(false, false), (std::vector<int32_t>{1, 10, 3, 30, 6, 60}));
  EXPECT_EQ(run(true, false), (std::vector<int32_t>{0, 0, 1, 10, 3, 30}));
  EXPECT_EQ(run(false, true), (std::vector<int32_t>{6, 60, 5, 50, 3, 30}));
  EXPECT_EQ(run(true, true), (std::vector<int32_t>{5, 50, 3, 30, 0, 0}));
}

}  // namespace
}  // namespace dlpu
