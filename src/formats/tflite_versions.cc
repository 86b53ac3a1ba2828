// SPDX-License-Identifier: Apache-2.0
// One row for each thing that made an op's version rise. Of the rows that hold for a node the first
// in the table decides; the rows of an op stand from its newest version down.
#include "formats/tflite_versions.h"

#include <algorithm>

namespace dlpu {
namespace {

// What the rows ask of a node.
class View {
 public:
  View(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Tensor* input(size_t i) const {
    if (i >= node_.inputs.size() || node_.inputs[i] == kNoTensor) return nullptr;
    return &graph_.tensors[static_cast<size_t>(node_.inputs[i])];
  }
  const Tensor* output() const {
    return node_.outputs.empty() ? nullptr : &graph_.tensors[static_cast<size_t>(node_.outputs[0])];
  }
  bool In(size_t i, DataType type) const { return input(i) != nullptr && input(i)->type == type; }
  bool Out(DataType type) const { return output() != nullptr && output()->type == type; }
  bool Both(DataType type) const { return In(0, type) && Out(type); }
  bool Any(DataType type) const { return In(0, type) || Out(type); }
  size_t Rank(size_t i) const { return input(i) != nullptr ? input(i)->shape.size() : 0; }
  bool PerChannel(size_t i) const {
    return input(i) != nullptr && input(i)->quantization.per_channel();
  }
  // Float in and out, int8 weights.
  bool Hybrid() const {
    return In(0, DataType::kFloat32) && In(1, DataType::kInt8) && Out(DataType::kFloat32);
  }
  bool BroadcastsBeyond4() const {
    return input(0) != nullptr && input(1) != nullptr && input(0)->shape != input(1)->shape &&
           std::max(Rank(0), Rank(1)) > 4;
  }
  double Scale(const Tensor* tensor) const {
    return tensor != nullptr && tensor->quantization.present() ? tensor->quantization.scale0() : 0;
  }
  // MUL whose product is rescaled by 1 or more.
  bool RescalesUp() const {
    const double a = Scale(input(0)), b = Scale(input(1)), c = Scale(output());
    return a != 0 && b != 0 && c != 0 && a * b / c >= 1;
  }
  bool Quantized() const { return Scale(input(0)) != 0; }
  bool Grouped() const {
    return Rank(0) == 4 && Rank(1) == 4 && input(0)->shape[3] != input(1)->shape[3];
  }
  template <typename A>
  const A& Attributes() const {
    static const A kDefault{};
    const A* attrs = std::get_if<A>(&node_.attrs);
    return attrs != nullptr ? *attrs : kDefault;
  }
  size_t input_count() const { return node_.inputs.size(); }

 private:
  const Graph& graph_;
  const Node& node_;
};

constexpr DataType kI4 = DataType::kInt4, kI8 = DataType::kInt8, kU8 = DataType::kUInt8,
                   kI16 = DataType::kInt16, kI32 = DataType::kInt32, kI64 = DataType::kInt64,
                   kU16 = DataType::kUInt16, kU32 = DataType::kUInt32, kF32 = DataType::kFloat32,
                   kF16 = DataType::kFloat16, kF64 = DataType::kFloat64, kBool = DataType::kBool;

// Reasons that many rows give.
constexpr const char *kInt4 = "int4 tensors", *kInt8 = "int8 tensors", *kInt16 = "int16 tensors",
                     *kBytes = "8-bit tensors", *kInts = "int8 or int16 tensors",
                     *kRank = "more than four dimensions", *kBools = "bool tensors",
                     *kPotScale = "int16 tensors whose scales are no powers of two",
                     *kUInt32 = "uint32 tensors", *kHybrid = "int8 weights of a float layer",
                     *kHybridChannels = "int8 weights of a float layer with a scale per channel";

constexpr int kUnsettled = -1;

struct Row {
  Op op;
  int version;
  bool (*holds)(const View& v);
  const char* needs;
};

bool In8(const View& v) { return v.In(0, kI8); }
bool In16(const View& v) { return v.In(0, kI16); }
bool Both16(const View& v) { return v.Both(kI16); }
bool Ints(const View& v) { return v.In(0, kI8) || v.In(0, kI16); }
bool AnyByte(const View& v) { return v.In(0, kI8) || v.In(0, kU8); }
bool InBool(const View& v) { return v.In(0, kBool); }
bool InU32(const View& v) { return v.In(0, kU32); }
bool In64(const View& v) { return v.In(0, kI64); }
bool HybridOp(const View& v) { return v.Hybrid(); }
bool HybridPerChannel(const View& v) { return v.Hybrid() && v.PerChannel(1); }
bool Weights8(const View& v) { return v.Both(kI8) && v.In(1, kI8); }
bool Weights4(const View& v) { return v.Both(kI8) && v.In(1, kI4); }
bool Broadcast5(const View& v) { return v.BroadcastsBeyond4(); }
bool Rank5(const View& v) { return v.Rank(0) > 4; }
bool Always(const View&) { return true; }

const Row kRows[] = {
    {Op::kConv2d, kUnsettled, In16, ""},
    {Op::kConv2d, 6, [](const View& v) { return v.Grouped(); }, "groups of channels"},
    {Op::kConv2d, 3, Weights8, kInt8},
    {Op::kConv2d, 7, Weights4, kInt4},
    {Op::kConv2d, 5, HybridPerChannel, kHybridChannels},
    {Op::kConv2d, 2, HybridOp, kHybrid},

    {Op::kDepthwiseConv2d, kUnsettled, In16, ""},
    {Op::kDepthwiseConv2d, 6, HybridPerChannel, kHybridChannels},
    {Op::kDepthwiseConv2d, 4, HybridOp, kHybrid},
    {Op::kDepthwiseConv2d, 3, Weights8, kInt8},
    {Op::kDepthwiseConv2d, 7, Weights4, kInt4},
    {Op::kDepthwiseConv2d, 2,
     [](const View& v) {
       const auto& a = v.Attributes<ConvAttrs>();
       return a.dilation_h != 1 || a.dilation_w != 1;
     },
     "a dilation"},

    {Op::kFullyConnected, kUnsettled, In16, ""},
    {Op::kFullyConnected, 12, HybridPerChannel, kHybridChannels},
    {Op::kFullyConnected, 6, [](const View& v) { return v.input_count() == 2; }, "no bias input"},
    {Op::kFullyConnected, 5,
     [](const View& v) { return v.Attributes<FullyConnectedAttrs>().keep_num_dims; },
     "keep_num_dims"},
    {Op::kFullyConnected, 4, Weights8, kInt8},
    {Op::kFullyConnected, 10, Weights4, kInt4},
    {Op::kFullyConnected, 9,
     [](const View& v) {
       return v.Hybrid() && v.Attributes<FullyConnectedAttrs>().asymmetric_quantize_inputs;
     },
     "int8 weights of a float layer with asymmetric inputs"},
    {Op::kFullyConnected, 3, HybridOp, kHybrid},
    {Op::kFullyConnected, 2,
     [](const View& v) { return v.Attributes<FullyConnectedAttrs>().shuffled_weights; },
     "shuffled weights"},

    {Op::kTransposeConv, kUnsettled, [](const View& v) { return v.In(2, kI16); }, ""},
    {Op::kTransposeConv, 4,
     [](const View& v) { return v.Attributes<ConvAttrs>().activation != Activation::kNone; },
     "a fused activation"},
    {Op::kTransposeConv, 3, [](const View& v) { return v.input(3) != nullptr; }, "a bias"},
    {Op::kTransposeConv, 2, [](const View& v) { return v.In(1, kI8); }, kInt8},
    {Op::kUnidirectionalSequenceLstm, kUnsettled, Always, ""},

    {Op::kAveragePool2d, 3, Both16, kInt16},
    {Op::kAveragePool2d, 2, In8, kInt8},
    {Op::kMaxPool2d, 3, Both16, kInt16},
    {Op::kMaxPool2d, 2, In8, kInt8},

    {Op::kAdd, 5, [](const View& v) { return v.In(0, kI16) && !v.Quantized(); }, kInt16},
    {Op::kAdd, 4, In64, "int64 tensors"},
    {Op::kAdd, 3,
     [](const View& v) { return v.Both(kI16) && !v.Attributes<ArithmeticAttrs>().pot_scale_int16; },
     kPotScale},
    {Op::kAdd, 2, In8, kInt8},
    {Op::kSub, 5,
     [](const View& v) { return v.Both(kI16) && !v.Attributes<ArithmeticAttrs>().pot_scale_int16; },
     kPotScale},
    {Op::kSub, 4, In64, "int64 tensors"},
    {Op::kSub, 3, Broadcast5, kRank},
    {Op::kSub, 2, In8, kInt8},
    {Op::kMul, 7, [](const View& v) { return v.In(0, kU32) || (v.In(0, kI16) && !v.Quantized()); },
     "uint32 or plain int16 tensors"},
    {Op::kMul, 5, In64, "int64 tensors"},
    {Op::kMul, 4, In16, kInt16},
    {Op::kMul, 3, [](const View& v) { return v.RescalesUp(); }, "a product rescaled by 1 or more"},
    {Op::kMul, 2, In8, kInt8},
    {Op::kDiv, 2, Broadcast5, kRank},
    {Op::kMaximum, 4, Both16, kInt16},
    {Op::kMaximum, 3, Broadcast5, kRank},
    {Op::kMaximum, 2, In8, kInt8},
    {Op::kMinimum, 4, Both16, kInt16},
    {Op::kMinimum, 3, Broadcast5, kRank},
    {Op::kMinimum, 2, In8, kInt8},
    {Op::kSquaredDifference, 2, In8, kInt8},
    {Op::kFloorDiv, 3, Ints, kInts},
    {Op::kFloorDiv, 2, [](const View& v) { return v.In(0, kF32); }, "float tensors"},
    {Op::kFloorMod, 2, Ints, kInts},

    {Op::kQuantize, 4, [](const View& v) { return v.Any(kI4); }, kInt4},
    {Op::kQuantize, 3,
     [](const View& v) { return v.output() != nullptr && v.output()->quantization.per_channel(); },
     "a scale per channel"},
    {Op::kQuantize, 2, [](const View& v) { return v.Out(kI16); }, "an int16 result"},
    {Op::kDequantize, 6, [](const View& v) { return v.In(0, kI4); }, kInt4},
    {Op::kDequantize, 3, [](const View& v) { return v.In(0, kI16) || v.In(0, kF16); },
     "int16 or float16 tensors"},
    {Op::kDequantize, 5, [](const View& v) { return v.In(0, kI8) && v.PerChannel(0); },
     "a scale per channel"},
    {Op::kDequantize, 2, In8, kInt8},

    {Op::kConcatenation, 4, InU32, kUInt32},
    {Op::kConcatenation, 3, In16, kInt16},
    {Op::kConcatenation, 2, In8, kInt8},
    {Op::kPad, 4, Rank5, kRank},
    {Op::kPad, 3, In16, kInt16},
    {Op::kPad, 2, In8, kInt8},
    {Op::kPadV2, 4, Rank5, kRank},
    {Op::kPadV2, 3, In16, kInt16},
    {Op::kPadV2, 2, In8, kInt8},
    {Op::kTranspose, 6, [](const View& v) { return v.Rank(0) > 5; }, "more than five dimensions"},
    {Op::kTranspose, 5, In16, kInt16},
    {Op::kTranspose, 4, Rank5, kRank},
    {Op::kTranspose, 3, InBool, kBools},
    {Op::kTranspose, 2, In8, kInt8},
    {Op::kSplit, 4, [](const View& v) { return v.In(1, kI16); }, kInt16},
    {Op::kSplit, 3, [](const View& v) { return v.In(1, kI32); }, "int32 tensors"},
    {Op::kSplit, 2, [](const View& v) { return v.In(1, kI8); }, kInt8},
    {Op::kSplitV, 2, In8, kInt8},
    {Op::kSlice, 6, InU32, kUInt32},
    {Op::kSlice, 5, Rank5, kRank},
    {Op::kSlice, 4, In16, kInt16},
    {Op::kSlice, 2, In8, kInt8},
    {Op::kStridedSlice, 8, [](const View& v) { return v.Attributes<StridedSliceAttrs>().offset; },
     "ends as offsets"},
    {Op::kStridedSlice, 7, InU32, kUInt32},
    {Op::kStridedSlice, 6,
     [](const View& v) {
       const auto& a = v.Attributes<StridedSliceAttrs>();
       return a.ellipsis_mask != 0 || a.new_axis_mask != 0;
     },
     "an ellipsis or a new axis"},
    {Op::kStridedSlice, 4, Rank5, kRank},
    {Op::kStridedSlice, 3, InBool, kBools},
    {Op::kStridedSlice, 2, In8, kInt8},
    {Op::kPack, 2, In8, kInt8},
    {Op::kPack, 3, Both16, kInt16},
    {Op::kPack, 4, InU32, kUInt32},
    {Op::kUnpack, 2, AnyByte, kBytes},
    {Op::kUnpack, 3, InBool, kBools},
    {Op::kUnpack, 4, Both16, kInt16},
    {Op::kTile, 3, In8, kInt8},
    {Op::kSpaceToBatchNd, 4, In16, kInt16},
    {Op::kSpaceToBatchNd, 3, [](const View& v) { return v.Rank(0) != 4; }, "not four dimensions"},
    {Op::kSpaceToBatchNd, 2, In8, kInt8},
    {Op::kBatchToSpaceNd, 4, In16, kInt16},
    {Op::kBatchToSpaceNd, 3, [](const View& v) { return v.Rank(0) != 4; }, "not four dimensions"},
    {Op::kBatchToSpaceNd, 2, In8, kInt8},
    {Op::kSpaceToDepth, 2, In8, kInt8},
    {Op::kDepthToSpace, 2, In8, kInt8},
    {Op::kReverseV2, 3, In8, kInt8},
    {Op::kReverseV2, 2, InBool, kBools},
    {Op::kGather, 7, [](const View& v) { return v.In(0, kI4); }, kInt4},
    {Op::kGather, 6, [](const View& v) { return v.In(1, kI16); }, "int16 indices"},
    {Op::kGather, 5, [](const View& v) { return v.Attributes<GatherAttrs>().batch_dims != 0; },
     "batch dimensions"},
    {Op::kGather, 4, In16, kInt16},
    {Op::kGather, 3, InBool, kBools},
    {Op::kGather, 2, In8, kInt8},
    {Op::kGatherNd, 5, InBool, kBools},
    {Op::kGatherNd, 4, [](const View& v) { return v.In(1, kI16); }, "int16 indices"},
    {Op::kGatherNd, 3, In16, kInt16},

    {Op::kResizeBilinear, 4, In16, kInt16},
    {Op::kResizeBilinear, 3,
     [](const View& v) { return v.Attributes<ResizeAttrs>().half_pixel_centers; },
     "half-pixel centres"},
    {Op::kResizeBilinear, 2, In8, kInt8},
    {Op::kResizeNearestNeighbor, 4, In16, kInt16},
    {Op::kResizeNearestNeighbor, 3,
     [](const View& v) {
       const auto& a = v.Attributes<ResizeAttrs>();
       return a.half_pixel_centers || a.align_corners;
     },
     "half-pixel centres or aligned corners"},
    {Op::kResizeNearestNeighbor, 2, In8, kInt8},

    {Op::kSoftmax, 3, In16, kInt16},
    {Op::kSoftmax, 2, In8, kInt8},
    {Op::kMean, 3, In16, kInt16},
    {Op::kMean, 2, In8, kInt8},
    {Op::kMirrorPad, 3, In16, kInt16},
    {Op::kMirrorPad, 2, In8, kInt8},
    {Op::kReduceMax, 3, In16, kInt16},
    {Op::kReduceMax, 2, In8, kInt8},
    {Op::kReduceMin, 3, In16, kInt16},
    {Op::kReduceMin, 2, In8, kInt8},
    {Op::kRelu6, 3, In16, kInt16},
    {Op::kRelu6, 2, In8, kInt8},
    {Op::kRsqrt, 3, In16, kInt16},
    {Op::kRsqrt, 2, In8, kInt8},
    {Op::kRelu, 3, In16, kInt16},
    {Op::kRelu, 2, AnyByte, kBytes},
    {Op::kLogistic, 3, Both16, kInt16},
    {Op::kLogistic, 2, In8, kInt8},
    {Op::kTanh, 3, Both16, kInt16},
    {Op::kTanh, 2, In8, kInt8},
    {Op::kLeakyRelu, 2, In16, kInt16},
    {Op::kGelu, 2, AnyByte, kBytes},
    {Op::kExp, 2, Ints, kInts},
    {Op::kLog, 2, Ints, kInts},
    {Op::kReduceProd, 2, Ints, kInts},
    {Op::kSum, 2, In8, kInt8},
    {Op::kLogSoftmax, 2, In8, kInt8},
    {Op::kL2Normalization, 2, [](const View& v) { return v.Out(kI8); }, kInt8},
    {Op::kAbs, 5, [](const View& v) { return v.In(0, kI32); }, "int32 tensors"},
    {Op::kAbs, 3, [](const View& v) { return v.In(0, kI16) && v.Quantized(); }, kInt16},
    {Op::kAbs, 4, In16, "plain int16 tensors"},
    {Op::kAbs, 2, AnyByte, kBytes},

    {Op::kBatchMatmul, 3, In16, kInt16},
    {Op::kBatchMatmul, 2, In8, kInt8},
    {Op::kBatchMatmul, 4,
     [](const View& v) {
       return v.Hybrid() && v.Attributes<BatchMatmulAttrs>().asymmetric_quantize_inputs;
     },
     "int8 weights of a float layer with asymmetric inputs"},

    {Op::kArgMax, 3, InBool, kBools},
    {Op::kArgMax, 2, In8, kInt8},
    {Op::kArgMin, 3, InBool, kBools},
    {Op::kArgMin, 2, In8, kInt8},
    {Op::kTopKV2, 3, [](const View& v) { return v.In(0, kI16) || v.In(1, kI16); }, kInt16},
    {Op::kTopKV2, 2, In8, kInt8},
    {Op::kEqual, 4, In16, kInt16},
    {Op::kEqual, 2, In8, kInt8},
    {Op::kNotEqual, 2, In8, kInt8},
    {Op::kLess, 3, In16, kInt16},
    {Op::kLess, 2, In8, kInt8},
    {Op::kGreaterEqual, 3, In16, kInt16},
    {Op::kGreaterEqual, 2, In8, kInt8},
    {Op::kGreater, 2, In8, kInt8},
    {Op::kLessEqual, 2, In8, kInt8},
    {Op::kSelect, 4, InU32, kUInt32},
    {Op::kSelect, 3,
     [](const View& v) {
       return std::max({v.Rank(0), v.Rank(1), v.Rank(2)}) > 4;
     },
     kRank},
    {Op::kSelect, 2, In8, kInt8},
    {Op::kSelectV2, 2, InU32, kUInt32},
    {Op::kFill, 4, [](const View& v) { return v.In(1, kF16); }, "float16 tensors"},
    {Op::kFill, 3, [](const View& v) { return v.In(1, kI8) || v.In(1, kI16); }, kInts},
    {Op::kFill, 2, [](const View& v) { return v.In(1, kBool); }, kBools},
    {Op::kRange, 2, In64, "int64 tensors"},
    {Op::kBroadcastTo, 3, Ints, kInts},
    {Op::kBroadcastTo, 2, Always, ""},
    {Op::kWhere, 2, [](const View& v) { return !v.In(0, kBool); }, "other tensors than bool"},
    {Op::kCast, 6, [](const View& v) { return v.In(0, kI4) && v.Out(kF32); }, kInt4},
    {Op::kCast, 5, [](const View& v) { return v.Any(kF64) || v.Any(kF16); },
     "float64 or float16 tensors"},
    {Op::kCast, 4, [](const View& v) { return v.Any(kU16); }, "uint16 tensors"},
    {Op::kCast, 3, [](const View& v) { return v.Any(kI8); }, kInt8},
    {Op::kCast, 2, [](const View& v) { return v.Any(kU32); }, kUInt32},
};

}  // namespace

std::optional<LowestVersion> LowestVersionOf(const Graph& graph, const Node& node) {
  if (node.op == Op::kUnknown || IsCustomOp(node.op)) return std::nullopt;
  const View view(graph, node);
  for (const Row& row : kRows) {
    if (row.op != node.op || !row.holds(view)) continue;
    if (row.version == kUnsettled) return std::nullopt;
    return LowestVersion{row.version, row.needs};
  }
  return LowestVersion{};
}

}  // namespace dlpu
