// SPDX-License-Identifier: Apache-2.0
// Attributes of ops: one plain struct for each family. Each struct lists its fields once, in
// Visit(visitor), and from that list come printing, parsing, comparing and hashing.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ir/types.h"

namespace dlpu {

enum class Padding : uint8_t { kSame, kValid };
// A fused activation, applied to the output of the op that carries it.
enum class Activation : uint8_t { kNone, kRelu, kReluN1To1, kRelu6, kTanh, kSignBit };

// DLPU_ATTRS lists the fields of a struct for visitors and defaults its comparison.
#define DLPU_ATTRS(Type, ...)         \
  template <typename Visitor>         \
  void Visit(Visitor&& visit) {       \
    __VA_ARGS__                       \
  }                                   \
  template <typename Visitor>         \
  void Visit(Visitor&& visit) const { \
    __VA_ARGS__                       \
  }                                   \
  bool operator==(const Type&) const = default;

struct NoAttrs {
  template <typename Visitor>
  void Visit(Visitor&&) {}
  template <typename Visitor>
  void Visit(Visitor&&) const {}
  bool operator==(const NoAttrs&) const = default;
};

// CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV. quantized_bias_type float32 means "not stated".
struct ConvAttrs {
  Padding padding = Padding::kSame;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t depth_multiplier = 0;  // DEPTHWISE_CONV_2D only
  Activation activation = Activation::kNone;
  DataType quantized_bias_type = DataType::kFloat32;
  DLPU_ATTRS(ConvAttrs, visit("padding", padding); visit("stride_h", stride_h);
             visit("stride_w", stride_w); visit("dilation_h", dilation_h);
             visit("dilation_w", dilation_w); visit("depth_multiplier", depth_multiplier);
             visit("activation", activation); visit("quantized_bias_type", quantized_bias_type);)
};

struct PoolAttrs {
  Padding padding = Padding::kSame;
  int32_t stride_h = 1, stride_w = 1, filter_h = 1, filter_w = 1;
  Activation activation = Activation::kNone;
  DLPU_ATTRS(PoolAttrs, visit("padding", padding); visit("stride_h", stride_h);
             visit("stride_w", stride_w); visit("filter_h", filter_h); visit("filter_w", filter_w);
             visit("activation", activation);)
};

struct FullyConnectedAttrs {
  Activation activation = Activation::kNone;
  bool shuffled_weights = false;  // TensorFlow Lite's 4x16 int8 format
  bool keep_num_dims = false;
  bool asymmetric_quantize_inputs = false;
  DataType quantized_bias_type = DataType::kFloat32;
  DLPU_ATTRS(FullyConnectedAttrs, visit("activation", activation);
             visit("shuffled_weights", shuffled_weights); visit("keep_num_dims", keep_num_dims);
             visit("asymmetric_quantize_inputs", asymmetric_quantize_inputs);
             visit("quantized_bias_type", quantized_bias_type);)
};

// ADD, SUB, MUL, DIV, L2_NORMALIZATION. pot_scale_int16: ADD and SUB only.
struct ArithmeticAttrs {
  Activation activation = Activation::kNone;
  bool pot_scale_int16 = true;
  DLPU_ATTRS(ArithmeticAttrs, visit("activation", activation);
             visit("pot_scale_int16", pot_scale_int16);)
};

struct SoftmaxAttrs {
  float beta = 1.0f;
  DLPU_ATTRS(SoftmaxAttrs, visit("beta", beta);)
};

struct ConcatenationAttrs {
  int32_t axis = 0;
  Activation activation = Activation::kNone;
  DLPU_ATTRS(ConcatenationAttrs, visit("axis", axis); visit("activation", activation);)
};

struct ReshapeAttrs {
  std::vector<int32_t> new_shape;  // used when there is no shape input
  DLPU_ATTRS(ReshapeAttrs, visit("new_shape", new_shape);)
};

struct SqueezeAttrs {
  std::vector<int32_t> dims;  // empty: every extent of 1
  DLPU_ATTRS(SqueezeAttrs, visit("dims", dims);)
};

// SPACE_TO_DEPTH, DEPTH_TO_SPACE.
struct BlockAttrs {
  int32_t block_size = 1;
  DLPU_ATTRS(BlockAttrs, visit("block_size", block_size);)
};

struct BatchMatmulAttrs {
  bool adj_x = false, adj_y = false, asymmetric_quantize_inputs = false;
  DLPU_ATTRS(BatchMatmulAttrs, visit("adj_x", adj_x); visit("adj_y", adj_y);
             visit("asymmetric_quantize_inputs", asymmetric_quantize_inputs);)
};

// MEAN, SUM, REDUCE_*.
struct ReduceAttrs {
  bool keep_dims = false;
  DLPU_ATTRS(ReduceAttrs, visit("keep_dims", keep_dims);)
};

// ARG_MAX, ARG_MIN, SHAPE, CAST: the type of the output.
struct OutputTypeAttrs {
  DataType output_type = DataType::kInt64;
  DLPU_ATTRS(OutputTypeAttrs, visit("output_type", output_type);)
};

struct CumsumAttrs {
  bool exclusive = false, reverse = false;
  DLPU_ATTRS(CumsumAttrs, visit("exclusive", exclusive); visit("reverse", reverse);)
};

// SPLIT, SPLIT_V.
struct SplitAttrs {
  int32_t count = 1;
  DLPU_ATTRS(SplitAttrs, visit("count", count);)
};

// PACK, UNPACK, ONE_HOT (count unused there).
struct PackAttrs {
  int32_t axis = 0, count = 1;
  DLPU_ATTRS(PackAttrs, visit("axis", axis); visit("count", count);)
};

struct GatherAttrs {
  int32_t axis = 0, batch_dims = 0;
  DLPU_ATTRS(GatherAttrs, visit("axis", axis); visit("batch_dims", batch_dims);)
};

struct StridedSliceAttrs {
  int32_t begin_mask = 0, end_mask = 0, ellipsis_mask = 0, new_axis_mask = 0, shrink_axis_mask = 0;
  bool offset = false;  // `end` is relative to `begin`
  DLPU_ATTRS(StridedSliceAttrs, visit("begin_mask", begin_mask); visit("end_mask", end_mask);
             visit("ellipsis_mask", ellipsis_mask); visit("new_axis_mask", new_axis_mask);
             visit("shrink_axis_mask", shrink_axis_mask); visit("offset", offset);)
};

// RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR.
struct ResizeAttrs {
  bool align_corners = false, half_pixel_centers = false;
  DLPU_ATTRS(ResizeAttrs, visit("align_corners", align_corners);
             visit("half_pixel_centers", half_pixel_centers);)
};

struct LocalResponseNormalizationAttrs {
  int32_t radius = 0;
  float bias = 0, alpha = 0, beta = 0;
  DLPU_ATTRS(LocalResponseNormalizationAttrs, visit("radius", radius); visit("bias", bias);
             visit("alpha", alpha); visit("beta", beta);)
};

struct LeakyReluAttrs {
  float alpha = 0;
  DLPU_ATTRS(LeakyReluAttrs, visit("alpha", alpha);)
};

struct GeluAttrs {
  bool approximate = false;
  DLPU_ATTRS(GeluAttrs, visit("approximate", approximate);)
};

struct MirrorPadAttrs {
  bool symmetric = false;  // SYMMETRIC repeats the border, REFLECT does not
  DLPU_ATTRS(MirrorPadAttrs, visit("symmetric", symmetric);)
};

// UNIDIRECTIONAL_SEQUENCE_LSTM.
struct LstmAttrs {
  Activation activation = Activation::kTanh;
  float cell_clip = 0, projection_clip = 0;
  bool time_major = false, asymmetric_quantize_inputs = false;
  DLPU_ATTRS(LstmAttrs, visit("activation", activation); visit("cell_clip", cell_clip);
             visit("projection_clip", projection_clip); visit("time_major", time_major);
             visit("asymmetric_quantize_inputs", asymmetric_quantize_inputs);)
};

// TFLite_Detection_PostProcess.
struct DetectionAttrs {
  int32_t max_detections = 0, max_classes_per_detection = 1, detections_per_class = 100;
  int32_t num_classes = 0;
  bool use_regular_nms = false;
  float nms_score_threshold = 0, nms_iou_threshold = 0;
  float y_scale = 1, x_scale = 1, h_scale = 1, w_scale = 1;
  DLPU_ATTRS(DetectionAttrs, visit("max_detections", max_detections);
             visit("max_classes_per_detection", max_classes_per_detection);
             visit("detections_per_class", detections_per_class); visit("num_classes", num_classes);
             visit("use_regular_nms", use_regular_nms);
             visit("nms_score_threshold", nms_score_threshold);
             visit("nms_iou_threshold", nms_iou_threshold); visit("y_scale", y_scale);
             visit("x_scale", x_scale); visit("h_scale", h_scale); visit("w_scale", w_scale);)
};

// An op the IR has no line for: kept so that a model can be inspected, checked and cut, never run.
struct UnknownAttrs {
  std::string code;              // its name in the file
  bool custom = false;           // a custom op rather than a builtin one
  std::vector<int32_t> options;  // bytes of a custom op's options, one a field
  DLPU_ATTRS(UnknownAttrs, visit("code", code); visit("custom", custom); visit("options", options);)
};

#undef DLPU_ATTRS

using Attrs =
    std::variant<NoAttrs, ConvAttrs, PoolAttrs, FullyConnectedAttrs, ArithmeticAttrs, SoftmaxAttrs,
                 ConcatenationAttrs, ReshapeAttrs, SqueezeAttrs, BlockAttrs, BatchMatmulAttrs,
                 ReduceAttrs, OutputTypeAttrs, CumsumAttrs, SplitAttrs, PackAttrs, GatherAttrs,
                 StridedSliceAttrs, ResizeAttrs, LocalResponseNormalizationAttrs, LeakyReluAttrs,
                 GeluAttrs, MirrorPadAttrs, LstmAttrs, DetectionAttrs, UnknownAttrs>;

}  // namespace dlpu
