// SPDX-License-Identifier: Apache-2.0
// Generated cases of TFLite_Detection_PostProcess: both forms of suppression, float32 and uint8,
// equal scores, thresholds that scores meet exactly.
#include "cases.h"

namespace dlpu::peer {
namespace {

// Floats of the form low + step * k.
Bytes Steps(Random& random, int64_t count, float low, float step, int64_t steps) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = low + step * static_cast<float>(random.Int(0, steps));
  return BytesOf(values);
}

Case Detection(Random& random, bool quantized, bool regular) {
  CaseBuilder builder(random);
  DetectionAttrs a;
  a.num_classes = static_cast<int32_t>(random.Int(1, 9));
  a.max_detections = static_cast<int32_t>(random.Int(1, 6));
  // With one class, LiteRT leaves unused slots as they were, so every slot must be used here.
  const int32_t anchors = a.max_detections + static_cast<int32_t>(random.Int(0, 30));
  a.detections_per_class = random.Pick({100, 2, 1});
  a.use_regular_nms = regular;
  // The fast form fills all slots only when nothing is suppressed.
  a.nms_iou_threshold = regular ? random.Pick({0.3f, 0.5f, 0.6f, 1.0f}) : 1.0f;
  a.nms_score_threshold = regular ? random.Pick({0.0f, 0.25f, 0.5f}) : -1.0f;
  a.y_scale = a.x_scale = random.Pick({10.0f, 1.0f});
  a.h_scale = a.w_scale = random.Pick({5.0f, 1.0f});
  const int32_t columns = a.num_classes + (random.Chance(0.5) ? 1 : 0);
  std::vector<TensorId> inputs;
  if (quantized) {
    // Anchors keep positive sizes: LiteRT refuses boxes turned inside out.
    const DataType type = DataType::kUInt8;
    const Quantization boxes = PerTensor(0.0625f, 128), anchor = PerTensor(0.00390625f, 0);
    const Quantization scores = PerTensor(RandomScale(random), RandomZeroPoint(random, type));
    a.nms_score_threshold = regular ? 0.0f : -1000.0f;
    inputs = {builder.Input(type, {1, anchors, 4}, boxes),
              builder.Input(type, {1, anchors, columns}, scores),
              builder.RandomConstant(type, {anchors, 4}, anchor)};
  } else {
    const DataType type = DataType::kFloat32;
    inputs.push_back(
        builder.InputData(type, {1, anchors, 4}, Steps(random, anchors * 4, -2, 0.25f, 16)));
    inputs.push_back(builder.InputData(type, {1, anchors, columns},
                                       Steps(random, anchors * columns, 0, 0.0625f, 16)));
    inputs.push_back(
        builder.Constant(type, {anchors, 4}, Steps(random, anchors * 4, 0.125f, 0.125f, 6)));
  }
  std::vector<TensorId> outputs;
  for (int i = 0; i < 4; ++i) outputs.push_back(builder.Computed(DataType::kFloat32));
  builder.Add(Op::kDetectionPostProcess, inputs, outputs, a);
  return builder.Finish(outputs);
}

}  // namespace

DLPU_PEER_CASE(detection, detection_fast_float32) { return Detection(random, false, false); }
DLPU_PEER_CASE(detection, detection_fast_uint8) { return Detection(random, true, false); }
DLPU_PEER_CASE(detection, detection_regular_float32) { return Detection(random, false, true); }
DLPU_PEER_CASE(detection, detection_regular_uint8) { return Detection(random, true, true); }

}  // namespace dlpu::peer
