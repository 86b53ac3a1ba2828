// SPDX-License-Identifier: Apache-2.0
// Networks that several stories share.
#pragma once

#include <vector>

#include "app/small_net.h"

namespace dlpu {

// An SSD's head behind a convolution.
inline LoadedModel Ssd() {
  SmallNet n;
  ConvSpec box, score;
  box.filters = 24;
  score.filters = 12;
  const TensorId x = n.Conv(n.In({1, 8, 8, 48}), {});
  const TensorId b = n.Op1("RESHAPE", {n.Conv(x, box)}, {1, 384, 4}, ReshapeAttrs{{1, 384, 4}});
  const TensorId s = n.Op1("RESHAPE", {n.Conv(x, score)}, {1, 384, 2}, ReshapeAttrs{{1, 384, 2}});
  const TensorId anchors = n.Const({384, 4}, DataType::kInt8, 0.01f, 50);
  DetectionAttrs attrs;
  attrs.max_detections = 10;
  attrs.num_classes = 1;
  attrs.nms_iou_threshold = 0.5f;
  attrs.nms_score_threshold = 0.2f;
  std::vector<TensorId> out;
  for (const Shape& shape : {Shape{1, 10, 4}, Shape{1, 10}, Shape{1, 10}, Shape{1}}) {
    out.push_back(n.Tensor(shape, DataType::kFloat32));
  }
  n.Node("TFLite_Detection_PostProcess", {b, s, anchors}, out, attrs);
  return n.Model(out);
}

}  // namespace dlpu
