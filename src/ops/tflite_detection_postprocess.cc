// SPDX-License-Identifier: Apache-2.0
// TFLite_Detection_PostProcess: box encodings 1 x anchors x (4 or more), class scores
// 1 x anchors x columns and anchors x 4 (y, x, h, w); outputs boxes 1 x slots x 4, classes and
// scores 1 x slots, and the number of detections.
#include <fmt/format.h>

#include "kernels/detection/detection.h"
#include "ops/common.h"

namespace dlpu {
namespace {

constexpr int32_t kMostSlots = 1 << 20;

Status Validate(const OpContext& context) {
  const Shape &boxes = context.input(0).shape, &scores = context.input(1).shape,
              &anchors = context.input(2).shape;
  const auto& a = context.attrs<DetectionAttrs>();
  if (boxes.size() != 3 || boxes[0] != 1 || boxes[2] < 4 || scores.size() != 3 || scores[0] != 1 ||
      scores[1] != boxes[1] || anchors.size() != 2 || anchors[0] < boxes[1] || anchors[1] != 4) {
    return context.Invalid(
        fmt::format("boxes {}, scores {} and anchors {} must be 1xNx4, 1xNxC and Nx4 (batch 1)",
                    ShapeText(boxes), ShapeText(scores), ShapeText(anchors)));
  }
  const int32_t background = scores[2] - a.num_classes;
  if (a.num_classes < 1 || background < 0 || background > 1) {
    return context.Invalid(
        fmt::format("{} score columns do not fit {} classes", scores[2], a.num_classes));
  }
  if (a.max_detections < 1 || a.max_classes_per_detection < 1 || a.detections_per_class < 1 ||
      static_cast<int64_t>(a.max_detections) * a.max_classes_per_detection > kMostSlots) {
    return context.Invalid(fmt::format(
        "max_detections {}, max_classes_per_detection {} and detections_per_class {} must be "
        "positive and give at most 2^20 slots",
        a.max_detections, a.max_classes_per_detection, a.detections_per_class));
  }
  if (!(a.nms_iou_threshold > 0) || a.nms_iou_threshold > 1) {
    return context.Invalid(
        fmt::format("nms_iou_threshold {} must be above 0, at most 1", a.nms_iou_threshold));
  }
  if (ElementCount(scores) > INT32_MAX) return context.Invalid("too many scores");
  return OkStatus();
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_RETURN_IF_ERROR(Validate(context));
  const auto& a = context.attrs<DetectionAttrs>();
  const int32_t slots = a.max_detections * a.max_classes_per_detection;
  return std::vector<OutputSpec>{{DataType::kFloat32, {1, slots, 4}},
                                 {DataType::kFloat32, {1, slots}},
                                 {DataType::kFloat32, {1, slots}},
                                 {DataType::kFloat32, {1}}};
}

// Decoding and sorting; suppression depends on the scores.
Work CountWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 1);
  work.vector_ops += 2 * ElementCount(context.input(1).shape) +
                     16 * static_cast<int64_t>(context.input(0).shape[1]);
  return work;
}

DetectionSpec MakeSpec(const OpContext& context) {
  const auto& a = context.attrs<DetectionAttrs>();
  DetectionSpec spec;
  spec.boxes = context.input(0).shape[1];
  spec.box_columns = context.input(0).shape[2];
  spec.columns = context.input(1).shape[2];
  spec.classes = a.num_classes;
  spec.max_detections = a.max_detections;
  spec.max_classes_per_detection = a.max_classes_per_detection;
  spec.detections_per_class = a.detections_per_class;
  spec.regular = a.use_regular_nms;
  spec.score_threshold = a.nms_score_threshold;
  spec.iou_threshold = a.nms_iou_threshold;
  spec.y_scale = a.y_scale;
  spec.x_scale = a.x_scale;
  spec.h_scale = a.h_scale;
  spec.w_scale = a.w_scale;
  for (size_t i = 0; i < 3; ++i) {
    const Tensor& input = context.input(i);
    if (input.type != DataType::kUInt8) continue;
    spec.input_scale[i] = input.quantization.scale0();
    spec.input_zero[i] = input.quantization.zero0();
  }
  return spec;
}

template <typename Box, typename Score>
PreparedOp MakeStep(const PrepareContext& context) {
  const DetectionSpec spec = MakeSpec(context);
  const std::string name = context.node().name;
  PreparedOp op;
  op.scratch_bytes = DetectionScratchBytes(spec);
  op.run = [spec, name](const RunArgs& args) -> Status {
    const DetectionOutputs out{args.out<DetectionBox>(0), args.out<float>(1), args.out<float>(2),
                               args.out<float>(3)};
    if (Detect(spec, args.in<Box>(0), args.in<Score>(1), args.in<Box>(2), out, args.scratch)) {
      return OkStatus();
    }
    return InvalidError(fmt::format(
        "TFLite_Detection_PostProcess '{}': a decoded box has its minimum above its maximum; an "
        "anchor has a negative size",
        name));
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(Validate(context));
  const DataType boxes = context.input(0).type, scores = context.input(1).type;
  if (context.input(2).type != boxes) {
    return context.UnsupportedType(context.input(2), DataTypeName(boxes));
  }
  for (size_t i = 0; i < 3; ++i) {
    if (context.input(i).type == DataType::kUInt8) {
      DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, context.input(i)));
    }
  }
  const bool float_scores = scores == DataType::kFloat32;
  if (!float_scores && scores != DataType::kUInt8) {
    return context.UnsupportedType(context.input(1), "float32 or uint8");
  }
  if (boxes == DataType::kFloat32 && float_scores) return MakeStep<float, float>(context);
  if (boxes == DataType::kUInt8 && float_scores) return MakeStep<uint8_t, float>(context);
  if (boxes == DataType::kUInt8) return MakeStep<uint8_t, uint8_t>(context);
  return context.UnsupportedType(context.input(0), "float32 or uint8, as the scores");
}

}  // namespace

const OpDef kDetectionPostProcessOp = {
    .op = Op::kDetectionPostProcess,
    .arity = Arity{3, 3, 4, 4},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
