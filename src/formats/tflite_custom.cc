// SPDX-License-Identifier: Apache-2.0
// Options of custom operators: a flexbuffer map for TFLite_Detection_PostProcess, a C struct for
// MediaPipe's Convolution2DTransposeBias, opaque bytes for all others.
#include <flatbuffers/flexbuffers.h>
#include <fmt/format.h>

#include <cstring>

#include "formats/tflite_options.h"

namespace dlpu {
namespace {

Result<Attrs> ReadDetection(std::span<const uint8_t> options, const std::string& name) {
  if (options.empty() || !flexbuffers::VerifyBuffer(options.data(), options.size())) {
    return InvalidError(fmt::format("'{}': its custom options are not a flexbuffer", name));
  }
  const flexbuffers::Map map = flexbuffers::GetRoot(options.data(), options.size()).AsMap();
  DetectionAttrs a;
  a.max_detections = map["max_detections"].AsInt32();
  a.max_classes_per_detection = map["max_classes_per_detection"].AsInt32();
  if (!map["detections_per_class"].IsNull()) {
    a.detections_per_class = map["detections_per_class"].AsInt32();
  }
  a.use_regular_nms = !map["use_regular_nms"].IsNull() && map["use_regular_nms"].AsBool();
  a.nms_score_threshold = map["nms_score_threshold"].AsFloat();
  a.nms_iou_threshold = map["nms_iou_threshold"].AsFloat();
  a.num_classes = map["num_classes"].AsInt32();
  a.y_scale = map["y_scale"].AsFloat();
  a.x_scale = map["x_scale"].AsFloat();
  a.h_scale = map["h_scale"].AsFloat();
  a.w_scale = map["w_scale"].AsFloat();
  return Attrs(a);
}

std::vector<uint8_t> WriteDetection(const DetectionAttrs& a) {
  flexbuffers::Builder builder;
  builder.Map([&] {
    builder.Int("max_detections", a.max_detections);
    builder.Int("max_classes_per_detection", a.max_classes_per_detection);
    builder.Int("detections_per_class", a.detections_per_class);
    builder.Bool("use_regular_nms", a.use_regular_nms);
    builder.Float("nms_score_threshold", a.nms_score_threshold);
    builder.Float("nms_iou_threshold", a.nms_iou_threshold);
    builder.Int("num_classes", a.num_classes);
    builder.Float("y_scale", a.y_scale);
    builder.Float("x_scale", a.x_scale);
    builder.Float("h_scale", a.h_scale);
    builder.Float("w_scale", a.w_scale);
  });
  builder.Finish();
  return builder.GetBuffer();
}

// struct { padding (1 SAME, 2 VALID); stride_width; stride_height; } of int32.
Result<Attrs> ReadTransposeBias(std::span<const uint8_t> options, const std::string& name) {
  int32_t fields[3];
  if (options.size() < sizeof(fields)) {
    return InvalidError(fmt::format("'{}': {} bytes of custom options, needs {}", name,
                                    options.size(), sizeof(fields)));
  }
  std::memcpy(fields, options.data(), sizeof(fields));
  if (fields[0] != 1 && fields[0] != 2) {
    return InvalidError(fmt::format("'{}': padding {} is neither SAME nor VALID", name, fields[0]));
  }
  ConvAttrs a;
  a.padding = fields[0] == 1 ? Padding::kSame : Padding::kValid;
  a.stride_w = fields[1];
  a.stride_h = fields[2];
  return Attrs(a);
}

}  // namespace

Result<Attrs> ReadCustomOptions(Op op, std::span<const uint8_t> options, const std::string& name) {
  const Attrs defaults = DefaultAttrs(op);
  if (std::holds_alternative<DetectionAttrs>(defaults)) return ReadDetection(options, name);
  if (std::holds_alternative<ConvAttrs>(defaults)) return ReadTransposeBias(options, name);
  return defaults;
}

std::vector<uint8_t> WriteCustomOptions(const Attrs& attrs) {
  if (const auto* detection = std::get_if<DetectionAttrs>(&attrs)) {
    return WriteDetection(*detection);
  }
  if (const auto* conv = std::get_if<ConvAttrs>(&attrs)) {
    const int32_t fields[3] = {conv->padding == Padding::kSame ? 1 : 2, conv->stride_w,
                               conv->stride_h};
    std::vector<uint8_t> bytes(sizeof(fields));
    std::memcpy(bytes.data(), fields, sizeof(fields));
    return bytes;
  }
  if (const auto* unknown = std::get_if<UnknownAttrs>(&attrs)) {
    return {unknown->options.begin(), unknown->options.end()};
  }
  return {};
}

}  // namespace dlpu
