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

}  // namespace
}  // namespace dlpu
