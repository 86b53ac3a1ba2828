// SPDX-License-Identifier: Apache-2.0
// What kind of result a model gives, told from the names, shapes and types of its outputs.
// Conservative: a head that could be two things is unknown, and the user names it. Pure functions;
// any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vision/yolo.h"

namespace dlpu {

enum class HeadKind {
  kUnknown,
  kClassify,              // classify.h
  kSsd,                   // ssd.h: raw boxes and scores
  kDetectionPostProcess,  // postprocess.h: DecodePostProcess
  kEndToEnd,              // postprocess.h: DecodeEndToEnd
  kYolo,                  // yolo.h
  kBlaze,                 // blazeface.h
  kHeatmaps,              // pose.h: DecodeHeatmaps
  kPosenet,               // pose.h: DecodePosenet
  kPosenetPoses,          // pose.h: DecodePosenetPoses
  kMoveNet,               // pose.h: DecodeMoveNet
  kLandmarks,             // pose.h: DecodeLandmarks
  kSegment,               // segment.h: scores, or one value per pixel
  kSegmentIds,            // segment.h: ClassMapFromIds
};

// "classification", "SSD", ... for tables.
const char* HeadName(HeadKind kind);

enum class OutputType { kFloat, kQuantized, kInteger };  // kInteger: int32, int64, without scale

struct OutputInfo {
  std::string name;
  std::vector<int> shape;  // with the batch; empty if the file does not say (custom ops)
  OutputType type = OutputType::kFloat;
};

struct Head {
  HeadKind kind = HeadKind::kUnknown;
  // Which outputs to use, in the order of the decoder's arguments; others are left out.
  std::vector<int> outputs = {};
  bool planar = false;                  // channels before height and width
  std::optional<YoloLayout> yolo = {};  // of kYolo
};

// Input size: 0 if unknown; it tells YOLO versions apart.
Head RecogniseHead(std::span<const OutputInfo> outputs, int input_width = 0, int input_height = 0);

}  // namespace dlpu
