// SPDX-License-Identifier: Apache-2.0
// One function per head: checks shapes, chooses settings, calls the decoder.
#include "vision/interpret.h"

#include <fmt/format.h>

#include <algorithm>

#include "vision/blazeface.h"
#include "vision/draw.h"
#include "vision/postprocess.h"
#include "vision/ssd.h"

namespace dlpu {
namespace {

using Outputs = std::vector<OutputValues>;  // in the order of the decoder's arguments

bool LeavesUnitRange(std::span<const float> values) {
  return std::any_of(values.begin(), values.end(), [](float v) { return v < 0 || v > 1.001f; });
}

// The last sizes of a shape with ones in front, as many as `count`; an error if there are more.
Result<std::vector<int>> LastSizes(const OutputValues& o, size_t count) {
  std::vector<int> sizes = o.shape;
  while (sizes.size() > count && sizes.front() == 1) sizes.erase(sizes.begin());
  int64_t values = 1;
  bool good = sizes.size() == count;
  for (const int s : sizes) {
    good = good && s >= 1 && s <= (1 << 24) && values <= (int64_t{1} << 31);
    values *= std::clamp(s, 1, 1 << 24);
  }
  if (!good || values != static_cast<int64_t>(o.values.size())) {
    return InvalidError(
        fmt::format("model output of shape [{}] with {} values: the decoder wants {} "
                    "dimensions and as many values as they say",
                    fmt::join(o.shape, ", "), o.values.size(), count));
  }
  return sizes;
}

Status InterpretClasses(const Outputs& in, const InterpretOptions& o, Interpretation& out) {
  ClassifyOptions options;
  options.top = o.top;
  options.label_offset = o.label_offset;
  options.softmax = LeavesUnitRange(in[0].values);
  out.classes = TopClasses(in[0].values, options, o.labels);
  if (o.score_threshold) {
    std::erase_if(out.classes,
                  [&](const Classification& c) { return c.score < *o.score_threshold; });
  }
  return OkStatus();
}

Status InterpretSsd(const Outputs& in, const InterpretOptions& o, Interpretation& out) {
  DLPU_TRY(const std::vector<int> sizes, LastSizes(in[1], 2));
  DLPU_TRY(const std::vector<Anchor> anchors, MakeAnchors({}));
  if (sizes[0] != static_cast<int>(anchors.size())) {
    return UnsupportedError(fmt::format(
        "an SSD head of {} anchors; only the {} of SSD MobileNet 300x300 are known here", sizes[0],
        anchors.size()));
  }
  SsdOptions options;
  options.classes = sizes[1];
  options.sigmoid = LeavesUnitRange(in[1].values);
  options.score_threshold = o.score_threshold.value_or(options.score_threshold);
  DLPU_TRY(out.detections, DecodeSsd(in[0].values, in[1].values, anchors, options));
  return OkStatus();
}

Status InterpretPostProcess(HeadKind kind, const Outputs& in, const InterpretOptions& o,
                            Interpretation& out) {
  PostProcessOptions options;
  options.score_threshold = o.score_threshold.value_or(options.score_threshold);
  if (kind == HeadKind::kEndToEnd) {
    DLPU_TRY(out.detections, DecodeEndToEnd(in[0].values, o.input_width, o.input_height, options));
  } else {
    DLPU_TRY(out.detections,
             DecodePostProcess(in[0].values, in[1].values, in[2].values, in[3].values, options));
  }
  return OkStatus();
}

Status InterpretYolo(const Head& head, const Outputs& in, const InterpretOptions& o,
                     Interpretation& out) {
  if (!head.yolo) return InvalidError("a YOLO head without a layout");
  YoloOptions options;
  options.input_width = o.input_width;
  options.input_height = o.input_height;
  options.score_threshold = o.score_threshold.value_or(options.score_threshold);
  DLPU_TRY(out.detections, DecodeYolo(in[0].values, *head.yolo, options));
  return OkStatus();
}

Status InterpretBlaze(const Outputs& in, const InterpretOptions& o, Interpretation& out) {
  DLPU_TRY(const std::vector<int> sizes, LastSizes(in[0], 2));
  DLPU_TRY(out.detections, DecodeBlaze(in[0].values, in[1].values, sizes[1], o.input_width));
  if (o.score_threshold) {
    std::erase_if(out.detections, [&](const Detection& d) { return d.score < *o.score_threshold; });
  }
  return OkStatus();
}

Result<Pose> DecodeOnePose(const Head& head, const Outputs& in, const InterpretOptions& o) {
  if (head.kind == HeadKind::kMoveNet) return DecodeMoveNet(in[0].values);
  if (head.kind == HeadKind::kLandmarks) {
    const int values = LandmarkValues(static_cast<int>(in[0].values.size()));
    return DecodeLandmarks(in[0].values, values, o.input_width, o.input_height);
  }
  DLPU_TRY(const std::vector<int> sizes, LastSizes(in[0], 3));
  if (head.kind == HeadKind::kPosenet) {
    return DecodePosenet(in[0].values, in[1].values, sizes[0], sizes[1], o.input_width,
                         o.input_height);
  }
  if (head.planar) return DecodeHeatmaps(in[0].values, sizes[1], sizes[2], sizes[0], true);
  return DecodeHeatmaps(in[0].values, sizes[0], sizes[1], sizes[2], false);
}

Status InterpretPose(const Head& head, const Outputs& in, const InterpretOptions& o,
                     Interpretation& out) {
  if (head.kind == HeadKind::kPosenetPoses) {
    DLPU_TRY(out.poses,
             DecodePosenetPoses(in[0].values, in[1].values, in[2].values, in[3].values,
                                o.input_width, o.input_height, o.score_threshold.value_or(0.5f)));
    return OkStatus();
  }
  DLPU_TRY(Pose pose, DecodeOnePose(head, in, o));
  out.poses.push_back(std::move(pose));
  return OkStatus();
}

Status InterpretSegmentation(const Head& head, const Outputs& in, const InterpretOptions& o,
                             Interpretation& out) {
  ClassMap map;
  if (head.kind == HeadKind::kSegmentIds) {
    OutputValues ids = in[0];
    if (ids.shape.size() == 4 && ids.shape.back() == 1) ids.shape.pop_back();
    DLPU_TRY(const std::vector<int> sizes, LastSizes(ids, 2));
    DLPU_TRY(map, ClassMapFromIds(ids.values, sizes[0], sizes[1]));
  } else {
    DLPU_TRY(std::vector<int> sizes, LastSizes(in[0], 3));
    if (head.planar) std::rotate(sizes.begin(), sizes.begin() + 1, sizes.end());
    if (sizes[2] == 1) {
      const float middle = LeavesUnitRange(in[0].values) ? 0.0f : 0.5f;  // a logit of 0 is 0.5
      DLPU_TRY(map, ClassMapFromMask(in[0].values, sizes[0], sizes[1], middle));
    } else {
      DLPU_TRY(map, ClassMapFromScores(in[0].values, sizes[0], sizes[1], sizes[2], head.planar));
    }
  }
  out.map = ToPicture(o.placement, map);
  return OkStatus();
}

Status Decode(const Head& head, const Outputs& in, const InterpretOptions& o, Interpretation& out) {
  switch (head.kind) {
    case HeadKind::kClassify:
      return InterpretClasses(in, o, out);
    case HeadKind::kSsd:
      return InterpretSsd(in, o, out);
    case HeadKind::kDetectionPostProcess:
    case HeadKind::kEndToEnd:
      return InterpretPostProcess(head.kind, in, o, out);
    case HeadKind::kYolo:
      return InterpretYolo(head, in, o, out);
    case HeadKind::kBlaze:
      return InterpretBlaze(in, o, out);
    case HeadKind::kHeatmaps:
    case HeadKind::kPosenet:
    case HeadKind::kPosenetPoses:
    case HeadKind::kMoveNet:
    case HeadKind::kLandmarks:
      return InterpretPose(head, in, o, out);
    case HeadKind::kSegment:
    case HeadKind::kSegmentIds:
      return InterpretSegmentation(head, in, o, out);
    case HeadKind::kUnknown:
      break;
  }
  return UnsupportedError(
      "the model's outputs are of no kind known here; look at the raw tensors instead");
}

// Outputs each decoder takes.
size_t CountArguments(HeadKind kind) {
  switch (kind) {
    case HeadKind::kDetectionPostProcess:
    case HeadKind::kPosenetPoses:
      return 4;
    case HeadKind::kSsd:
    case HeadKind::kBlaze:
    case HeadKind::kPosenet:
      return 2;
    case HeadKind::kUnknown:
      return 0;
    default:
      return 1;
  }
}

}  // namespace

Result<Interpretation> Interpret(const Head& head, std::span<const OutputValues> outputs,
                                 const InterpretOptions& o) {
  if (o.input_width < 1 || o.input_height < 1 || o.placement.picture_width < 1 ||
      o.placement.picture_height < 1) {
    return InvalidError(fmt::format(
        "an input of {}x{} made from a picture of {}x{}; all must be set", o.input_width,
        o.input_height, o.placement.picture_width, o.placement.picture_height));
  }
  if (head.outputs.size() != CountArguments(head.kind)) {
    return InvalidError(fmt::format("a {} head takes {} outputs, {} are named", HeadName(head.kind),
                                    CountArguments(head.kind), head.outputs.size()));
  }
  Outputs in;
  for (const int index : head.outputs) {
    if (index < 0 || static_cast<size_t>(index) >= outputs.size()) {
      return InvalidError(
          fmt::format("output {} is wanted, the model has {}", index, outputs.size()));
    }
    in.push_back(outputs[index]);
  }
  Interpretation out;
  out.kind = head.kind;
  DLPU_RETURN_IF_ERROR(Decode(head, in, o, out));
  ToPicture(o.placement, out.detections);
  ToPicture(o.placement, out.poses);
  for (Detection& d : out.detections) {
    d.class_id += o.label_offset;
    if (d.label.empty()) d.label = LabelOf(o.labels, d.class_id);
  }
  return out;
}

void DrawInterpretation(Image& image, const Interpretation& result) {
  if (result.map) DrawClassMap(image, *result.map);
  DrawDetections(image, result.detections);
  DrawPoses(image, result.poses);
  DrawClasses(image, result.classes);
}

}  // namespace dlpu
