// SPDX-License-Identifier: Apache-2.0
// The ops that move elements: values by hand, and what they refuse.
#include "ops/movement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace dlpu {
namespace {

using testing::HasSubstr;
using Ints = std::vector<int32_t>;

TEST(Concatenation, AlongTheMiddleAxis) {
  OpRig rig(Op::kConcatenation, ConcatenationAttrs{.axis = -2});
  rig.Input<int32_t>({2, 1, 2}, {1, 2, 3, 4})
      .Input<int32_t>({2, 2, 2}, {5, 6, 7, 8, 9, 10, 11, 12});
  rig.Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(rig.values<int32_t>(), (Ints{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}));
}

TEST(Concatenation, RescalesUint8) {
  // s .03 -> .04, z 7 -> 100: 0 -> 95, 5 -> 98, 9 -> 102, 255 -> 255; the second is copied.
  OpRig rig(Op::kConcatenation, ConcatenationAttrs{.axis = 0});
  rig.Input<uint8_t>({4}, {0, 5, 9, 255}, OneScale(.03f, 7));
  rig.Input<uint8_t>({2}, {3, 4}, OneScale(.04f, 100));
  rig.Output(DataType::kUInt8, OneScale(.04f, 100));
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<uint8_t>(), (std::vector<uint8_t>{95, 98, 102, 255, 3, 4}));
}

TEST(Concatenation, RefusesWhatLiteRtRefuses) {
  OpRig scales(Op::kConcatenation, ConcatenationAttrs{});
  scales.Input<int8_t>({1}, {0}, OneScale(.5f, 0)).Input<int8_t>({1}, {0}, OneScale(.25f, 0));
  scales.Output(DataType::kInt8, OneScale(.5f, 0));
  EXPECT_THAT(scales.Refusal(), HasSubstr("must be equal"));
  OpRig shapes(Op::kConcatenation, ConcatenationAttrs{.axis = 1});
  shapes.Input<float>({1, 2}, {0, 0}).Input<float>({2, 1}, {0, 0}).Output(DataType::kFloat32);
  EXPECT_THAT(shapes.Refusal(), HasSubstr("CONCATENATION 'layer': shapes 1x2 and 2x1"));
  OpRig axis(Op::kConcatenation, ConcatenationAttrs{.axis = 2});
  axis.Input<float>({1, 2}, {0, 0}).Output(DataType::kFloat32);
  EXPECT_THAT(axis.Refusal(), HasSubstr("axis 2"));
}

TEST(Pad, PadsWithTheZeroPoint) {
  OpRig rig(Op::kPad, NoAttrs{});
  rig.Input<int8_t>({1, 2}, {5, 6}, OneScale(1, -3)).Constant<int32_t>({2, 2}, {1, 0, 1, 2});
  rig.Output(DataType::kInt8, OneScale(1, -3));
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.shape(), (Shape{2, 5}));
  EXPECT_EQ(rig.values<int8_t>(), (std::vector<int8_t>{-3, -3, -3, -3, -3, -3, 5, 6, -3, -3}));
}

TEST(PadV2, PadsWithTheValueGiven) {
  OpRig rig(Op::kPadV2, NoAttrs{});
  rig.Input<float>({2}, {1, 2}).Constant<int64_t>({1, 2}, {1, 1}).Input<float>({}, {-7});
  rig.Output(DataType::kFloat32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<float>(), (std::vector<float>{-7, 1, 2, -7}));
}

TEST(Pad, RefusesNegativeAndComputedPaddings) {
  OpRig negative(Op::kPad, NoAttrs{});
  negative.Input<float>({2}, {1, 2}).Constant<int32_t>({1, 2}, {-1, 1}).Output(DataType::kFloat32);
  EXPECT_THAT(negative.Refusal(), HasSubstr("paddings -1 and 1 of axis 0"));
  OpRig computed(Op::kPad, NoAttrs{});
  computed.Input<float>({2}, {1, 2}).Input<int32_t>({1, 2}, {1, 1}).Output(DataType::kFloat32);
  EXPECT_THAT(computed.Refusal(), HasSubstr("must be a constant"));
  OpRig huge(Op::kPad, NoAttrs{});
  huge.Input<float>({2}, {1, 2}).Constant<int32_t>({1, 2}, {INT32_MAX, INT32_MAX});
  huge.Output(DataType::kFloat32);
  EXPECT_THAT(huge.Refusal(), HasSubstr("out of range"));
}

OpRig StridedSlice(Shape shape, Ints begin, Ints end, Ints strides, StridedSliceAttrs attrs) {
  OpRig rig(Op::kStridedSlice, attrs);
  std::vector<int32_t> values(static_cast<size_t>(ElementCount(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i);
  const auto n = static_cast<int32_t>(begin.size());
  rig.Input(shape, values).Constant({n}, begin).Constant({n}, end).Constant({n}, strides);
  rig.Output(DataType::kInt32);
  return rig;
}

TEST(StridedSlice, BackwardsWithMasks) {
  OpRig rig = StridedSlice({2, 5}, {0, 9}, {2, 0}, {1, -2}, {.end_mask = 2});
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.shape(), (Shape{2, 3}));
  EXPECT_EQ(rig.values<int32_t>(), (Ints{4, 2, 0, 9, 7, 5}));
}

TEST(StridedSlice, EllipsisNewAxisAndShrink) {
  // x[..., newaxis, -1] of 2x3x4.
  OpRig rig = StridedSlice({2, 3, 4}, {0, 0, -1}, {0, 0, 0}, {1, 1, 1},
                           {.ellipsis_mask = 1, .new_axis_mask = 2, .shrink_axis_mask = 4});
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(rig.values<int32_t>(), (Ints{3, 7, 11, 15, 19, 23}));
}

TEST(StridedSlice, EmptyAndRefused) {
  OpRig empty = StridedSlice({4}, {3}, {1}, {1}, {});
  ASSERT_EQ(empty.Refusal(), "");
  EXPECT_EQ(empty.shape(), (Shape{0}));
  EXPECT_THAT(StridedSlice({4}, {0}, {4}, {0}, {}).Refusal(), HasSubstr("stride of 0"));
  EXPECT_THAT(StridedSlice({4}, {4}, {5}, {1}, {.shrink_axis_mask = 1}).Refusal(),
              HasSubstr("index 4"));
  EXPECT_THAT(StridedSlice({4}, {0, 0}, {1, 1}, {1, 1}, {}).Refusal(), HasSubstr("2 indices"));
}

TEST(Split, EqualParts) {
  OpRig rig(Op::kSplit, SplitAttrs{.count = 2});
  rig.Constant<int32_t>({}, {-1}).Input<int16_t>({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
  rig.Output(DataType::kInt16).Output(DataType::kInt16);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int16_t>(0), (std::vector<int16_t>{0, 1, 4, 5}));
  EXPECT_EQ(rig.values<int16_t>(1), (std::vector<int16_t>{2, 3, 6, 7}));
  OpRig uneven(Op::kSplit, SplitAttrs{.count = 2});
  uneven.Constant<int32_t>({}, {0}).Input<float>({3}, {1, 2, 3});
  uneven.Output(DataType::kFloat32).Output(DataType::kFloat32);
  EXPECT_THAT(uneven.Refusal(), HasSubstr("does not divide by 2"));
}

TEST(Transpose, PermutesAxes) {
  OpRig rig(Op::kTranspose, NoAttrs{});
  rig.Input<int32_t>({2, 3}, {0, 1, 2, 3, 4, 5}).Constant<int32_t>({2}, {-1, 0});
  rig.Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.shape(), (Shape{3, 2}));
  EXPECT_EQ(rig.values<int32_t>(), (Ints{0, 3, 1, 4, 2, 5}));
  OpRig twice(Op::kTranspose, NoAttrs{});
  twice.Input<float>({1, 1}, {1}).Constant<int32_t>({2}, {0, 0}).Output(DataType::kFloat32);
  EXPECT_THAT(twice.Refusal(), HasSubstr("axis 0 occurs twice"));
}

TEST(SqueezeAndExpandDims, ChangeTheShapeOnly) {
  OpRig squeeze(Op::kSqueeze, SqueezeAttrs{.dims = {-3}});
  squeeze.Input<float>({1, 1, 2}, {1, 2}).Output(DataType::kFloat32);
  ASSERT_EQ(squeeze.Refusal(), "");
  EXPECT_EQ(squeeze.shape(), (Shape{1, 2}));
  EXPECT_EQ(squeeze.values<float>(), (std::vector<float>{1, 2}));
  OpRig wrong(Op::kSqueeze, SqueezeAttrs{.dims = {1}});
  wrong.Input<float>({1, 2}, {1, 2}).Output(DataType::kFloat32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("is not 1"));
  OpRig expand(Op::kExpandDims, NoAttrs{});
  expand.Input<float>({2}, {1, 2}).Constant<int32_t>({}, {-1}).Output(DataType::kFloat32);
  ASSERT_EQ(expand.Refusal(), "");
  EXPECT_EQ(expand.shape(), (Shape{2, 1}));
}

TEST(Tile, RepeatsEachAxis) {
  OpRig rig(Op::kTile, NoAttrs{});
  rig.Input<uint8_t>({2, 1}, {1, 2}).Constant<int32_t>({2}, {2, 3}).Output(DataType::kUInt8);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<uint8_t>(), (std::vector<uint8_t>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
  OpRig huge(Op::kTile, NoAttrs{});
  huge.Input<uint8_t>({2, 2}, {1, 2, 3, 4}).Constant<int32_t>({2}, {60000, 60000});
  huge.Output(DataType::kUInt8);
  EXPECT_THAT(huge.Refusal(), HasSubstr("more than 2^31 elements"));
}

TEST(Densify, IsTheDenseConstant) {
  OpRig rig(Op::kDensify, NoAttrs{});
  rig.Constant<int8_t>({2, 3}, {0, 5, 0, -7, 0, 0}).Output(DataType::kInt8);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.shape(), (Shape{2, 3}));
  EXPECT_EQ(rig.values<int8_t>(), (std::vector<int8_t>{0, 5, 0, -7, 0, 0}));
}

}  // namespace
}  // namespace dlpu
