// SPDX-License-Identifier: Apache-2.0
// Ops that stack, cut, rearrange and pick: values by hand, indices and shapes that are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "ops/op_testing.h"

namespace dlpu {
namespace {

using testing::HasSubstr;
using Ints = std::vector<int32_t>;

Ints Iota(int32_t count) {
  Ints values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), 0);
  return values;
}

TEST(SplitV, OnePartIsTheRest) {
  OpRig rig(Op::kSplitV, SplitAttrs{.count = 3});
  rig.Input<int32_t>({6}, Iota(6)).Constant<int32_t>({3}, {1, -1, 2}).Constant<int32_t>({}, {0});
  rig.Output(DataType::kInt32).Output(DataType::kInt32).Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int32_t>(1), (Ints{1, 2, 3}));
  EXPECT_EQ(rig.values<int32_t>(2), (Ints{4, 5}));
  OpRig wrong(Op::kSplitV, SplitAttrs{.count = 2});
  wrong.Input<int32_t>({6}, Iota(6)).Constant<int32_t>({2}, {1, 2}).Constant<int32_t>({}, {0});
  wrong.Output(DataType::kInt32).Output(DataType::kInt32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("parts of 3 together, the extent is 6"));
}

TEST(PackAndUnpack, AreInverse) {
  OpRig pack(Op::kPack, PackAttrs{.axis = -1, .count = 2});
  pack.Input<int32_t>({3}, {1, 2, 3}).Input<int32_t>({3}, {4, 5, 6}).Output(DataType::kInt32);
  ASSERT_EQ(pack.Refusal(), "");
  EXPECT_EQ(pack.shape(), (Shape{3, 2}));
  EXPECT_EQ(pack.values<int32_t>(), (Ints{1, 4, 2, 5, 3, 6}));
  OpRig unpack(Op::kUnpack, PackAttrs{.axis = 1, .count = 2});
  unpack.Input<int32_t>({3, 2}, {1, 4, 2, 5, 3, 6});
  unpack.Output(DataType::kInt32).Output(DataType::kInt32);
  ASSERT_EQ(unpack.Refusal(), "");
  EXPECT_EQ(unpack.shape(), (Shape{3}));
  EXPECT_EQ(unpack.values<int32_t>(1), (Ints{4, 5, 6}));
}

TEST(ShapeOp, ListsTheExtents) {
  OpRig rig(Op::kShape, OutputTypeAttrs{.output_type = DataType::kInt64});
  rig.Input<float>({2, 0, 3}, {}).Output(DataType::kInt64);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int64_t>(), (std::vector<int64_t>{2, 0, 3}));
}

TEST(Slice, ToTheEndAndRefused) {
  OpRig rig(Op::kSlice, NoAttrs{});
  rig.Input<int32_t>({2, 3}, Iota(6))
      .Constant<int32_t>({2}, {1, 1})
      .Constant<int32_t>({2}, {1, -1});
  rig.Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int32_t>(), (Ints{4, 5}));
  OpRig wrong(Op::kSlice, NoAttrs{});
  wrong.Input<int32_t>({3}, Iota(3)).Constant<int32_t>({1}, {2}).Constant<int32_t>({1}, {2});
  wrong.Output(DataType::kInt32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("2 elements from 2 on along axis 0 do not fit 3"));
}

TEST(MirrorPadOp, BothModes) {
  for (const bool symmetric : {false, true}) {
    OpRig rig(Op::kMirrorPad, MirrorPadAttrs{.symmetric = symmetric});
    rig.Input<int32_t>({3}, {1, 2, 3}).Constant<int32_t>({1, 2}, {2, 1}).Output(DataType::kInt32);
    ASSERT_EQ(rig.Refusal(), "");
    EXPECT_EQ(rig.values<int32_t>(),
              symmetric ? (Ints{2, 1, 1, 2, 3, 3}) : (Ints{3, 2, 1, 2, 3, 2}));
  }
  OpRig wrong(Op::kMirrorPad, MirrorPadAttrs{});
  wrong.Input<int32_t>({3}, {1, 2, 3}).Constant<int32_t>({1, 2}, {3, 0}).Output(DataType::kInt32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("more than 2"));
}

TEST(BroadcastTo, AddsAxesInFront) {
  OpRig rig(Op::kBroadcastTo, NoAttrs{});
  rig.Input<int32_t>({2, 1}, {1, 2}).Constant<int32_t>({3}, {2, 2, 2}).Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int32_t>(), (Ints{1, 1, 2, 2, 1, 1, 2, 2}));
}

TEST(SpaceAndDepth, AreInverse) {
  OpRig deep(Op::kSpaceToDepth, BlockAttrs{.block_size = 2});
  deep.Input<int32_t>({1, 2, 4, 1}, Iota(8)).Output(DataType::kInt32);
  ASSERT_EQ(deep.Refusal(), "");
  EXPECT_EQ(deep.shape(), (Shape{1, 1, 2, 4}));
  EXPECT_EQ(deep.values<int32_t>(), (Ints{0, 1, 4, 5, 2, 3, 6, 7}));
  OpRig wide(Op::kDepthToSpace, BlockAttrs{.block_size = 2});
  wide.Input<int32_t>({1, 1, 2, 4}, {0, 1, 4, 5, 2, 3, 6, 7}).Output(DataType::kInt32);
  ASSERT_EQ(wide.Refusal(), "");
  EXPECT_EQ(wide.values<int32_t>(), Iota(8));
  OpRig wrong(Op::kSpaceToDepth, BlockAttrs{.block_size = 0});
  wrong.Input<int32_t>({1, 2, 4, 1}, Iota(8)).Output(DataType::kInt32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("blocks of 0"));
}

TEST(SpaceAndBatch, PadWithTheZeroPointAndCropItOff) {
  OpRig deal(Op::kSpaceToBatchNd, NoAttrs{});
  deal.Input<int8_t>({1, 3, 1, 1}, {1, 2, 3}, OneScale(1, -7));
  deal.Constant<int32_t>({2}, {2, 1}).Constant<int32_t>({2, 2}, {1, 0, 0, 0});
  deal.Output(DataType::kInt8, OneScale(1, -7));
  ASSERT_EQ(deal.Refusal(), "");
  EXPECT_EQ(deal.shape(), (Shape{2, 2, 1, 1}));
  EXPECT_EQ(deal.values<int8_t>(), (std::vector<int8_t>{-7, 2, 1, 3}));
  OpRig gather(Op::kBatchToSpaceNd, NoAttrs{});
  gather.Input<int8_t>({2, 2, 1, 1}, {-7, 2, 1, 3}, OneScale(1, -7));
  gather.Constant<int32_t>({2}, {2, 1}).Constant<int32_t>({2, 2}, {1, 0, 0, 0});
  gather.Output(DataType::kInt8, OneScale(1, -7));
  ASSERT_EQ(gather.Refusal(), "");
  EXPECT_EQ(gather.values<int8_t>(), (std::vector<int8_t>{1, 2, 3}));
}

TEST(Gather, AlongAnAxisAndOutOfRange) {
  OpRig rig(Op::kGather, GatherAttrs{.axis = 1});
  rig.Input<int32_t>({2, 3}, Iota(6)).Input<int32_t>({2}, {2, 0}).Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int32_t>(), (Ints{2, 0, 5, 3}));
  OpRig wrong(Op::kGather, GatherAttrs{});
  wrong.Input<int32_t>({2}, {1, 2}).Input<int64_t>({2}, {0, 2}).Output(DataType::kInt32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("GATHER 'layer': an index is out of range: index 2 at 1"));
}

TEST(GatherNdAndScatterNd, PointsOfTwoCoordinates) {
  OpRig pick(Op::kGatherNd, NoAttrs{});
  pick.Input<int32_t>({2, 3}, Iota(6)).Input<int32_t>({2, 2}, {1, 2, 0, 1});
  pick.Output(DataType::kInt32);
  ASSERT_EQ(pick.Refusal(), "");
  EXPECT_EQ(pick.values<int32_t>(), (Ints{5, 1}));
  OpRig place(Op::kScatterNd, NoAttrs{});
  place.Input<int32_t>({3, 1}, {1, 3, 1}).Input<int32_t>({3}, {5, 6, 7});
  place.Constant<int32_t>({1}, {4}).Output(DataType::kInt32);
  ASSERT_EQ(place.Refusal(), "");
  EXPECT_EQ(place.values<int32_t>(), (Ints{0, 12, 0, 6}));  // equal points add up
  OpRig wrong(Op::kScatterNd, NoAttrs{});
  wrong.Input<int32_t>({1, 1}, {4}).Input<int32_t>({1}, {5});
  wrong.Constant<int32_t>({1}, {4}).Output(DataType::kInt32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("out of range"));
}

TEST(OneHot, ElsewhereIsOff) {
  OpRig rig(Op::kOneHot, PackAttrs{.axis = -1});
  rig.Input<int32_t>({2}, {1, 7}).Constant<int32_t>({}, {3});
  rig.Constant<float>({}, {9}).Constant<float>({}, {-1}).Output(DataType::kFloat32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<float>(), (std::vector<float>{-1, 9, -1, -1, -1, -1}));
}

TEST(TopK, TiesGoToTheEarlierAndNanToTheEnd) {
  OpRig rig(Op::kTopKV2, NoAttrs{});
  rig.Input<float>({5}, {1, NAN, 3, 3, 2}).Constant<int32_t>({}, {5});
  rig.Output(DataType::kFloat32).Output(DataType::kInt32);
  ASSERT_EQ(rig.Refusal(), "");
  EXPECT_EQ(rig.values<int32_t>(1), (Ints{2, 3, 4, 0, 1}));
  OpRig wrong(Op::kTopKV2, NoAttrs{});
  wrong.Input<float>({2}, {1, 2}).Constant<int32_t>({}, {3});
  wrong.Output(DataType::kFloat32).Output(DataType::kInt32);
  EXPECT_THAT(wrong.Refusal(), HasSubstr("the 3 largest of 2"));
}

TEST(ReverseFillRangeWhere, ByHand) {
  OpRig reverse(Op::kReverseV2, NoAttrs{});
  reverse.Input<int32_t>({2, 2}, {1, 2, 3, 4}).Constant<int32_t>({1}, {1}).Output(DataType::kInt32);
  ASSERT_EQ(reverse.Refusal(), "");
  EXPECT_EQ(reverse.values<int32_t>(), (Ints{2, 1, 4, 3}));
  OpRig fill(Op::kFill, NoAttrs{});
  fill.Constant<int32_t>({2}, {2, 2}).Input<int32_t>({}, {8}).Output(DataType::kInt32);
  ASSERT_EQ(fill.Refusal(), "");
  EXPECT_EQ(fill.values<int32_t>(), (Ints{8, 8, 8, 8}));
  OpRig range(Op::kRange, NoAttrs{});
  range.Constant<int32_t>({}, {5}).Constant<int32_t>({}, {-2}).Constant<int32_t>({}, {-3});
  range.Output(DataType::kInt32);
  ASSERT_EQ(range.Refusal(), "");
  EXPECT_EQ(range.values<int32_t>(), (Ints{5, 2, -1}));
  OpRig where(Op::kWhere, NoAttrs{});
  where.Constant<float>({2, 2}, {0, -0.0f, 3, NAN}).Output(DataType::kInt64);
  ASSERT_EQ(where.Refusal(), "");
  EXPECT_EQ(where.values<int64_t>(), (std::vector<int64_t>{1, 0, 1, 1}));
}

TEST(ReverseFillRangeWhere, Refusals) {
  OpRig endless(Op::kRange, NoAttrs{});
  endless.Constant<int32_t>({}, {0}).Constant<int32_t>({}, {5}).Constant<int32_t>({}, {0});
  endless.Output(DataType::kInt32);
  EXPECT_THAT(endless.Refusal(), HasSubstr("steps of 0 do not lead from 0 to 5"));
  OpRig huge(Op::kRange, NoAttrs{});
  huge.Constant<int64_t>({}, {INT64_MIN}).Constant<int64_t>({}, {INT64_MAX});
  huge.Constant<int64_t>({}, {1}).Output(DataType::kInt64);
  EXPECT_THAT(huge.Refusal(), HasSubstr("out of range"));
  OpRig computed(Op::kWhere, NoAttrs{});
  computed.Input<float>({2}, {0, 1}).Output(DataType::kInt64);
  EXPECT_THAT(computed.Refusal(), HasSubstr("computed while the model runs"));
}

}  // namespace
}  // namespace dlpu
