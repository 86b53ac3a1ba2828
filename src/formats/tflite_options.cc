// SPDX-License-Identifier: Apache-2.0
// One pair of Read and Write for each option table, and the rows that say which operator has which.
#include "formats/tflite_options.h"

#include <fmt/format.h>

#include "base/check.h"

namespace dlpu {
namespace {

namespace tfl = ::dlpu::tflite;
using Builder = flatbuffers::FlatBufferBuilder;

Activation From(tfl::ActivationFunctionType a) { return static_cast<Activation>(a); }
tfl::ActivationFunctionType To(Activation a) { return static_cast<tfl::ActivationFunctionType>(a); }
Padding From(tfl::Padding p) { return static_cast<Padding>(p); }
tfl::Padding To(Padding p) { return static_cast<tfl::Padding>(p); }

// Tag of an option table, so that Write can be overloaded on what it makes.
template <typename Table>
struct As {};

// CONV_2D
ConvAttrs Read(const tfl::Conv2DOptions& o) {
  return {.padding = From(o.padding()),
          .stride_h = o.stride_h(),
          .stride_w = o.stride_w(),
          .dilation_h = o.dilation_h_factor(),
          .dilation_w = o.dilation_w_factor(),
          .depth_multiplier = 0,
          .activation = From(o.fused_activation_function()),
          .quantized_bias_type = FromTfliteType(o.quantized_bias_type())};
}
auto Write(Builder& b, const ConvAttrs& a, As<tfl::Conv2DOptions>) {
  return tfl::CreateConv2DOptions(b, To(a.padding), a.stride_w, a.stride_h, To(a.activation),
                                  a.dilation_w, a.dilation_h, ToTfliteType(a.quantized_bias_type));
}
// DEPTHWISE_CONV_2D
ConvAttrs Read(const tfl::DepthwiseConv2DOptions& o) {
  return {.padding = From(o.padding()),
          .stride_h = o.stride_h(),
          .stride_w = o.stride_w(),
          .dilation_h = o.dilation_h_factor(),
          .dilation_w = o.dilation_w_factor(),
          .depth_multiplier = o.depth_multiplier(),
          .activation = From(o.fused_activation_function()),
          .quantized_bias_type = DataType::kFloat32};
}
auto Write(Builder& b, const ConvAttrs& a, As<tfl::DepthwiseConv2DOptions>) {
  return tfl::CreateDepthwiseConv2DOptions(b, To(a.padding), a.stride_w, a.stride_h,
                                           a.depth_multiplier, To(a.activation), a.dilation_w,
                                           a.dilation_h);
}
// TRANSPOSE_CONV
ConvAttrs Read(const tfl::TransposeConvOptions& o) {
  return {.padding = From(o.padding()),
          .stride_h = o.stride_h(),
          .stride_w = o.stride_w(),
          .dilation_h = 1,
          .dilation_w = 1,
          .depth_multiplier = 0,
          .activation = From(o.fused_activation_function()),
          .quantized_bias_type = FromTfliteType(o.quantized_bias_type())};
}
auto Write(Builder& b, const ConvAttrs& a, As<tfl::TransposeConvOptions>) {
  return tfl::CreateTransposeConvOptions(b, To(a.padding), a.stride_w, a.stride_h, To(a.activation),
                                         ToTfliteType(a.quantized_bias_type));
}
// AVERAGE_POOL_2D, MAX_POOL_2D
PoolAttrs Read(const tfl::Pool2DOptions& o) {
  return {.padding = From(o.padding()),
          .stride_h = o.stride_h(),
          .stride_w = o.stride_w(),
          .filter_h = o.filter_height(),
          .filter_w = o.filter_width(),
          .activation = From(o.fused_activation_function())};
}
auto Write(Builder& b, const PoolAttrs& a, As<tfl::Pool2DOptions>) {
  return tfl::CreatePool2DOptions(b, To(a.padding), a.stride_w, a.stride_h, a.filter_w, a.filter_h,
                                  To(a.activation));
}
FullyConnectedAttrs Read(const tfl::FullyConnectedOptions& o) {
  return {.activation = From(o.fused_activation_function()),
          .shuffled_weights = o.weights_format() != 0,
          .keep_num_dims = o.keep_num_dims(),
          .asymmetric_quantize_inputs = o.asymmetric_quantize_inputs(),
          .quantized_bias_type = FromTfliteType(o.quantized_bias_type())};
}
auto Write(Builder& b, const FullyConnectedAttrs& a, As<tfl::FullyConnectedOptions>) {
  return tfl::CreateFullyConnectedOptions(b, To(a.activation), a.shuffled_weights ? 1 : 0,
                                          a.keep_num_dims, a.asymmetric_quantize_inputs,
                                          ToTfliteType(a.quantized_bias_type));
}
// ADD, SUB, MUL, DIV, L2_NORMALIZATION
ArithmeticAttrs Read(const tfl::AddOptions& o) {
  return {From(o.fused_activation_function()), o.pot_scale_int16()};
}
auto Write(Builder& b, const ArithmeticAttrs& a, As<tfl::AddOptions>) {
  return tfl::CreateAddOptions(b, To(a.activation), a.pot_scale_int16);
}
ArithmeticAttrs Read(const tfl::SubOptions& o) {
  return {From(o.fused_activation_function()), o.pot_scale_int16()};
}
auto Write(Builder& b, const ArithmeticAttrs& a, As<tfl::SubOptions>) {
  return tfl::CreateSubOptions(b, To(a.activation), a.pot_scale_int16);
}
ArithmeticAttrs Read(const tfl::MulOptions& o) { return {From(o.fused_activation_function())}; }
auto Write(Builder& b, const ArithmeticAttrs& a, As<tfl::MulOptions>) {
  return tfl::CreateMulOptions(b, To(a.activation));
}
ArithmeticAttrs Read(const tfl::DivOptions& o) { return {From(o.fused_activation_function())}; }
auto Write(Builder& b, const ArithmeticAttrs& a, As<tfl::DivOptions>) {
  return tfl::CreateDivOptions(b, To(a.activation));
}
ArithmeticAttrs Read(const tfl::L2NormOptions& o) { return {From(o.fused_activation_function())}; }
auto Write(Builder& b, const ArithmeticAttrs& a, As<tfl::L2NormOptions>) {
  return tfl::CreateL2NormOptions(b, To(a.activation));
}
SoftmaxAttrs Read(const tfl::SoftmaxOptions& o) { return {o.beta()}; }
auto Write(Builder& b, const SoftmaxAttrs& a, As<tfl::SoftmaxOptions>) {
  return tfl::CreateSoftmaxOptions(b, a.beta);
}
ConcatenationAttrs Read(const tfl::ConcatenationOptions& o) {
  return {o.axis(), From(o.fused_activation_function())};
}
auto Write(Builder& b, const ConcatenationAttrs& a, As<tfl::ConcatenationOptions>) {
  return tfl::CreateConcatenationOptions(b, a.axis, To(a.activation));
}
std::vector<int32_t> List(const flatbuffers::Vector<int32_t>* list) {
  return list != nullptr ? std::vector<int32_t>(list->begin(), list->end())
                         : std::vector<int32_t>();
}
ReshapeAttrs Read(const tfl::ReshapeOptions& o) { return {List(o.new_shape())}; }
auto Write(Builder& b, const ReshapeAttrs& a, As<tfl::ReshapeOptions>) {
  return tfl::CreateReshapeOptions(b, b.CreateVector(a.new_shape));
}
SqueezeAttrs Read(const tfl::SqueezeOptions& o) { return {List(o.squeeze_dims())}; }
auto Write(Builder& b, const SqueezeAttrs& a, As<tfl::SqueezeOptions>) {
  return tfl::CreateSqueezeOptions(b, b.CreateVector(a.dims));
}
BlockAttrs Read(const tfl::SpaceToDepthOptions& o) { return {o.block_size()}; }
auto Write(Builder& b, const BlockAttrs& a, As<tfl::SpaceToDepthOptions>) {
  return tfl::CreateSpaceToDepthOptions(b, a.block_size);
}
BlockAttrs Read(const tfl::DepthToSpaceOptions& o) { return {o.block_size()}; }
auto Write(Builder& b, const BlockAttrs& a, As<tfl::DepthToSpaceOptions>) {
  return tfl::CreateDepthToSpaceOptions(b, a.block_size);
}
BatchMatmulAttrs Read(const tfl::BatchMatMulOptions& o) {
  return {o.adj_x(), o.adj_y(), o.asymmetric_quantize_inputs()};
}
auto Write(Builder& b, const BatchMatmulAttrs& a, As<tfl::BatchMatMulOptions>) {
  return tfl::CreateBatchMatMulOptions(b, a.adj_x, a.adj_y, a.asymmetric_quantize_inputs);
}
ReduceAttrs Read(const tfl::ReducerOptions& o) { return {o.keep_dims()}; }
auto Write(Builder& b, const ReduceAttrs& a, As<tfl::ReducerOptions>) {
  return tfl::CreateReducerOptions(b, a.keep_dims);
}
OutputTypeAttrs Read(const tfl::ArgMaxOptions& o) { return {FromTfliteType(o.output_type())}; }
auto Write(Builder& b, const OutputTypeAttrs& a, As<tfl::ArgMaxOptions>) {
  return tfl::CreateArgMaxOptions(b, ToTfliteType(a.output_type));
}
OutputTypeAttrs Read(const tfl::ArgMinOptions& o) { return {FromTfliteType(o.output_type())}; }
auto Write(Builder& b, const OutputTypeAttrs& a, As<tfl::ArgMinOptions>) {
  return tfl::CreateArgMinOptions(b, ToTfliteType(a.output_type));
}
OutputTypeAttrs Read(const tfl::ShapeOptions& o) { return {FromTfliteType(o.out_type())}; }
auto Write(Builder& b, const OutputTypeAttrs& a, As<tfl::ShapeOptions>) {
  return tfl::CreateShapeOptions(b, ToTfliteType(a.output_type));
}
CumsumAttrs Read(const tfl::CumsumOptions& o) { return {o.exclusive(), o.reverse()}; }
auto Write(Builder& b, const CumsumAttrs& a, As<tfl::CumsumOptions>) {
  return tfl::CreateCumsumOptions(b, a.exclusive, a.reverse);
}
SplitAttrs Read(const tfl::SplitOptions& o) { return {o.num_splits()}; }
auto Write(Builder& b, const SplitAttrs& a, As<tfl::SplitOptions>) {
  return tfl::CreateSplitOptions(b, a.count);
}
SplitAttrs Read(const tfl::SplitVOptions& o) { return {o.num_splits()}; }
auto Write(Builder& b, const SplitAttrs& a, As<tfl::SplitVOptions>) {
  return tfl::CreateSplitVOptions(b, a.count);
}
PackAttrs Read(const tfl::PackOptions& o) { return {o.axis(), o.values_count()}; }
auto Write(Builder& b, const PackAttrs& a, As<tfl::PackOptions>) {
  return tfl::CreatePackOptions(b, a.count, a.axis);
}
PackAttrs Read(const tfl::UnpackOptions& o) { return {o.axis(), o.num()}; }
auto Write(Builder& b, const PackAttrs& a, As<tfl::UnpackOptions>) {
  return tfl::CreateUnpackOptions(b, a.count, a.axis);
}
PackAttrs Read(const tfl::OneHotOptions& o) { return {o.axis(), 1}; }
auto Write(Builder& b, const PackAttrs& a, As<tfl::OneHotOptions>) {
  return tfl::CreateOneHotOptions(b, a.axis);
}
GatherAttrs Read(const tfl::GatherOptions& o) { return {o.axis(), o.batch_dims()}; }
auto Write(Builder& b, const GatherAttrs& a, As<tfl::GatherOptions>) {
  return tfl::CreateGatherOptions(b, a.axis, a.batch_dims);
}
StridedSliceAttrs Read(const tfl::StridedSliceOptions& o) {
  return {o.begin_mask(),    o.end_mask(),         o.ellipsis_mask(),
          o.new_axis_mask(), o.shrink_axis_mask(), o.offset()};
}
auto Write(Builder& b, const StridedSliceAttrs& a, As<tfl::StridedSliceOptions>) {
  return tfl::CreateStridedSliceOptions(b, a.begin_mask, a.end_mask, a.ellipsis_mask,
                                        a.new_axis_mask, a.shrink_axis_mask, a.offset);
}
ResizeAttrs Read(const tfl::ResizeBilinearOptions& o) {
  return {o.align_corners(), o.half_pixel_centers()};
}
auto Write(Builder& b, const ResizeAttrs& a, As<tfl::ResizeBilinearOptions>) {
  return tfl::CreateResizeBilinearOptions(b, a.align_corners, a.half_pixel_centers);
}
ResizeAttrs Read(const tfl::ResizeNearestNeighborOptions& o) {
  return {o.align_corners(), o.half_pixel_centers()};
}
auto Write(Builder& b, const ResizeAttrs& a, As<tfl::ResizeNearestNeighborOptions>) {
  return tfl::CreateResizeNearestNeighborOptions(b, a.align_corners, a.half_pixel_centers);
}
LocalResponseNormalizationAttrs Read(const tfl::LocalResponseNormalizationOptions& o) {
  return {o.radius(), o.bias(), o.alpha(), o.beta()};
}
auto Write(Builder& b, const LocalResponseNormalizationAttrs& a,
           As<tfl::LocalResponseNormalizationOptions>) {
  return tfl::CreateLocalResponseNormalizationOptions(b, a.radius, a.bias, a.alpha, a.beta);
}
LeakyReluAttrs Read(const tfl::LeakyReluOptions& o) { return {o.alpha()}; }
auto Write(Builder& b, const LeakyReluAttrs& a, As<tfl::LeakyReluOptions>) {
  return tfl::CreateLeakyReluOptions(b, a.alpha);
}
GeluAttrs Read(const tfl::GeluOptions& o) { return {o.approximate()}; }
auto Write(Builder& b, const GeluAttrs& a, As<tfl::GeluOptions>) {
  return tfl::CreateGeluOptions(b, a.approximate);
}
MirrorPadAttrs Read(const tfl::MirrorPadOptions& o) { return {o.mode() == 1}; }
auto Write(Builder& b, const MirrorPadAttrs& a, As<tfl::MirrorPadOptions>) {
  return tfl::CreateMirrorPadOptions(b, a.symmetric ? 1 : 0);
}
LstmAttrs Read(const tfl::UnidirectionalSequenceLSTMOptions& o) {
  return {From(o.fused_activation_function()), o.cell_clip(), o.proj_clip(), o.time_major(),
          o.asymmetric_quantize_inputs()};
}
auto Write(Builder& b, const LstmAttrs& a, As<tfl::UnidirectionalSequenceLSTMOptions>) {
  return tfl::CreateUnidirectionalSequenceLSTMOptions(b, To(a.activation), a.cell_clip,
                                                      a.projection_clip, a.time_major,
                                                      a.asymmetric_quantize_inputs);
}

// Which option table an operator has, and how to turn it.
struct Row {
  tfl::BuiltinOperator code;
  tfl::BuiltinOptions type;
  Attrs (*read)(const tfl::Operator& source);
  flatbuffers::Offset<void> (*write)(Builder& builder, const Attrs& attrs);
};

template <typename Table>
Attrs ReadTable(const tfl::Operator& source) {
  return Read(*source.builtin_options_as<Table>());
}

template <typename Table>
flatbuffers::Offset<void> WriteTable(Builder& builder, const Attrs& attrs) {
  using A = decltype(Read(std::declval<const Table&>()));
  return Write(builder, std::get<A>(attrs), As<Table>()).Union();
}

#define ROW(CODE, Table)                                                           \
  Row {                                                                            \
    tfl::BuiltinOperator::CODE, tfl::BuiltinOptions::Table, ReadTable<tfl::Table>, \
        WriteTable<tfl::Table>                                                     \
  }
const Row kRows[] = {
    ROW(CONV_2D, Conv2DOptions),
    ROW(DEPTHWISE_CONV_2D, DepthwiseConv2DOptions),
    ROW(TRANSPOSE_CONV, TransposeConvOptions),
    ROW(AVERAGE_POOL_2D, Pool2DOptions),
    ROW(MAX_POOL_2D, Pool2DOptions),
    ROW(FULLY_CONNECTED, FullyConnectedOptions),
    ROW(ADD, AddOptions),
    ROW(SUB, SubOptions),
    ROW(MUL, MulOptions),
    ROW(DIV, DivOptions),
    ROW(L2_NORMALIZATION, L2NormOptions),
    ROW(SOFTMAX, SoftmaxOptions),
    ROW(CONCATENATION, ConcatenationOptions),
    ROW(RESHAPE, ReshapeOptions),
    ROW(SQUEEZE, SqueezeOptions),
    ROW(SPACE_TO_DEPTH, SpaceToDepthOptions),
    ROW(DEPTH_TO_SPACE, DepthToSpaceOptions),
    ROW(BATCH_MATMUL, BatchMatMulOptions),
    ROW(MEAN, ReducerOptions),
    ROW(SUM, ReducerOptions),
    ROW(REDUCE_PROD, ReducerOptions),
    ROW(REDUCE_MAX, ReducerOptions),
    ROW(REDUCE_MIN, ReducerOptions),
    ROW(REDUCE_ANY, ReducerOptions),
    ROW(REDUCE_ALL, ReducerOptions),
    ROW(ARG_MAX, ArgMaxOptions),
    ROW(ARG_MIN, ArgMinOptions),
    ROW(SHAPE, ShapeOptions),
    ROW(CUMSUM, CumsumOptions),
    ROW(SPLIT, SplitOptions),
    ROW(SPLIT_V, SplitVOptions),
    ROW(PACK, PackOptions),
    ROW(UNPACK, UnpackOptions),
    ROW(ONE_HOT, OneHotOptions),
    ROW(GATHER, GatherOptions),
    ROW(STRIDED_SLICE, StridedSliceOptions),
    ROW(RESIZE_BILINEAR, ResizeBilinearOptions),
    ROW(RESIZE_NEAREST_NEIGHBOR, ResizeNearestNeighborOptions),
    ROW(LOCAL_RESPONSE_NORMALIZATION, LocalResponseNormalizationOptions),
    ROW(LEAKY_RELU, LeakyReluOptions),
    ROW(GELU, GeluOptions),
    ROW(MIRROR_PAD, MirrorPadOptions),
    ROW(UNIDIRECTIONAL_SEQUENCE_LSTM, UnidirectionalSequenceLSTMOptions),
};
#undef ROW

const Row* FindRow(tfl::BuiltinOperator code) {
  for (const Row& row : kRows) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace

DataType FromTfliteType(tfl::TensorType type) {
  switch (type) {
    case tfl::TensorType::FLOAT32:
      return DataType::kFloat32;
    case tfl::TensorType::FLOAT16:
      return DataType::kFloat16;
    case tfl::TensorType::INT32:
      return DataType::kInt32;
    case tfl::TensorType::UINT8:
      return DataType::kUInt8;
    case tfl::TensorType::INT64:
      return DataType::kInt64;
    case tfl::TensorType::STRING:
      return DataType::kString;
    case tfl::TensorType::BOOL:
      return DataType::kBool;
    case tfl::TensorType::INT16:
      return DataType::kInt16;
    case tfl::TensorType::INT8:
      return DataType::kInt8;
    case tfl::TensorType::FLOAT64:
      return DataType::kFloat64;
    case tfl::TensorType::UINT64:
      return DataType::kUInt64;
    case tfl::TensorType::UINT32:
      return DataType::kUInt32;
    case tfl::TensorType::UINT16:
      return DataType::kUInt16;
    case tfl::TensorType::INT4:
      return DataType::kInt4;
    default:
      return DataType::kOther;
  }
}

tfl::TensorType ToTfliteType(DataType type) {
  for (int i = 0; i <= static_cast<int>(tfl::TensorType::INT4); ++i) {
    const auto candidate = static_cast<tfl::TensorType>(i);
    if (FromTfliteType(candidate) == type) return candidate;
  }
  DLPU_CHECK(false);
}

Result<Attrs> ReadOptions(Op op, tfl::BuiltinOperator code, const tfl::Operator& source) {
  Attrs attrs = DefaultAttrs(op);
  const Row* row = FindRow(code);
  if (row == nullptr || source.builtin_options() == nullptr) return attrs;
  if (source.builtin_options_type() != row->type) {
    return InvalidError(fmt::format("{}: has options of type {}, not {}", OpName(op),
                                    static_cast<int>(source.builtin_options_type()),
                                    tfl::EnumNameBuiltinOptions(row->type)));
  }
  Attrs read = row->read(source);
  // ops.def may give an op no attributes although the file has a table for it.
  return read.index() == attrs.index() ? read : attrs;
}

WrittenOptions WriteOptions(Builder& builder, tfl::BuiltinOperator code, const Attrs& attrs) {
  const Row* row = FindRow(code);
  if (row == nullptr || std::holds_alternative<NoAttrs>(attrs)) return {};
  return {row->type, row->write(builder, attrs)};
}

}  // namespace dlpu
