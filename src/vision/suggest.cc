// SPDX-License-Identifier: Apache-2.0
// The conventions of public models, one row each.
#include "vision/suggest.h"

#include <fmt/format.h>

#include "vision/blazeface.h"

namespace dlpu {
namespace {

// real = (pixel - mean) / std.
struct Normalisation {
  const char* name;
  std::array<float, 4> mean, std;
};

constexpr Normalisation kUnit = {"0..1", {0, 0, 0, 0}, {255, 255, 255, 255}};
constexpr Normalisation kSigned = {
    "-1..1", {127.5f, 127.5f, 127.5f, 127.5f}, {127.5f, 127.5f, 127.5f, 127.5f}};
constexpr Normalisation kPixels = {"0..255", {0, 0, 0, 0}, {1, 1, 1, 1}};
// Mean and deviation of ImageNet's pixels, as torchvision publishes them, times 255.
constexpr Normalisation kImageNet = {"ImageNet mean and deviation",
                                     {123.675f, 116.28f, 103.53f, 0},
                                     {58.395f, 57.12f, 57.375f, 255}};

struct Convention {
  const Normalisation& normalisation;
  FitMode fit;
  Colour pad;
  const char* source;
};

const Normalisation& BlazeRange(const Head& head, std::span<const OutputInfo> outputs) {
  if (!head.outputs.empty() && static_cast<size_t>(head.outputs[0]) < outputs.size()) {
    const std::vector<int>& shape = outputs[head.outputs[0]].shape;
    if (!shape.empty() && shape.back() == 18) return kUnit;  // palms
  }
  return kSigned;
}

Convention ConventionFor(const InputSpec& tensor, const Head& head,
                         std::span<const OutputInfo> outputs) {
  const bool planar = tensor.layout == PixelLayout::kNchw;
  switch (head.kind) {
    case HeadKind::kYolo:
    case HeadKind::kEndToEnd:
      return {kUnit, FitMode::kLetterbox, {114, 114, 114}, "the YOLO family"};
    case HeadKind::kBlaze:
      return {BlazeRange(head, outputs), FitMode::kLetterbox, kBlack, "MediaPipe's detectors"};
    case HeadKind::kLandmarks:
      return {kUnit, FitMode::kLetterbox, kBlack, "MediaPipe's landmark models"};
    case HeadKind::kSsd:
    case HeadKind::kDetectionPostProcess:
      return {kSigned, FitMode::kStretch, kBlack, "SSD MobileNet"};
    case HeadKind::kMoveNet:
      return {kPixels, FitMode::kLetterbox, kBlack, "MoveNet"};
    case HeadKind::kPosenet:
    case HeadKind::kPosenetPoses:
      return {kSigned, FitMode::kStretch, kBlack, "PoseNet"};
    case HeadKind::kHeatmaps:
      return {kImageNet, FitMode::kStretch, kBlack, "HRNet"};
    case HeadKind::kClassify:
    case HeadKind::kSegment:
    case HeadKind::kSegmentIds:
      if (planar) return {kImageNet, FitMode::kStretch, kBlack, "PyTorch models"};
      if (head.kind == HeadKind::kSegment && !head.outputs.empty() && !outputs.empty() &&
          !outputs[0].shape.empty() && outputs[0].shape.back() == 1) {
        return {kUnit, FitMode::kStretch, kBlack, "MediaPipe's selfie segmentation"};
      }
      return {kSigned, FitMode::kStretch, kBlack, "TensorFlow's MobileNet and DeepLab"};
    case HeadKind::kUnknown:
      break;
  }
  return {kUnit, FitMode::kStretch, kBlack, "many models; this one's outputs say nothing"};
}

const char* FitName(FitMode fit) {
  return fit == FitMode::kLetterbox ? "letterboxed"
         : fit == FitMode::kCrop    ? "cropped"
                                    : "stretched";
}

}  // namespace

InputSuggestion SuggestInput(const InputSpec& tensor, const Head& head,
                             std::span<const OutputInfo> outputs) {
  const Convention c = ConventionFor(tensor, head, outputs);
  InputSuggestion s{tensor, ""};
  s.spec.fit = c.fit;
  s.spec.pad = c.pad;
  if (tensor.type == PixelType::kUint8 || tensor.type == PixelType::kInt8) {
    // real = scale * (code - zero_point) with code = pixel, or pixel - 128 for int8.
    const int shift = tensor.type == PixelType::kInt8 ? 128 : 0;
    s.spec.mean.fill(static_cast<float>(tensor.zero_point + shift));
    s.spec.std.fill(tensor.scale > 0 ? 1.0f / tensor.scale : 1.0f);
    s.reason =
        fmt::format("raw pixels{}, because the input is {}; {} as for {}",
                    shift ? " minus 128" : "", shift ? "int8" : "uint8", FitName(c.fit), c.source);
    return s;
  }
  s.spec.mean = c.normalisation.mean;
  s.spec.std = c.normalisation.std;
  s.reason = fmt::format("{} and {}, as for {}", c.normalisation.name, FitName(c.fit), c.source);
  return s;
}

}  // namespace dlpu
