// SPDX-License-Identifier: Apache-2.0
// Dequantizes outputs, recognises the head and words the result.
#include "app/interpret.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace dlpu {
namespace {

template <typename T>
void Append(std::span<const uint8_t> bytes, double scale, double zero, std::vector<float>& out) {
  out.resize(bytes.size() / sizeof(T));
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>(scale * (static_cast<double>(value) - zero));
  }
}

// Height and width of the first input that looks like a picture.
std::pair<int, int> InputSize(const Runner& runner) {
  for (size_t i = 0; i < runner.input_count(); ++i) {
    const Shape& shape = runner.input_tensor(i).shape;
    if (shape.size() != 4) continue;
    if (shape[3] <= 4) return {shape[1], shape[2]};
    if (shape[1] <= 4) return {shape[2], shape[3]};
  }
  return {0, 0};
}

bool TaskAllows(const std::string& task, HeadKind kind) {
  if (task.empty() || task == "auto") return true;
  switch (kind) {
    case HeadKind::kClassify:
      return task == "classify";
    case HeadKind::kSsd:
    case HeadKind::kDetectionPostProcess:
    case HeadKind::kEndToEnd:
    case HeadKind::kYolo:
    case HeadKind::kBlaze:
      return task == "detect";
    case HeadKind::kSegment:
    case HeadKind::kSegmentIds:
      return task == "segment";
    case HeadKind::kUnknown:
      return false;
    default:
      return task == "pose";
  }
}

}  // namespace

std::vector<float> RealValues(const Tensor& tensor, std::span<const uint8_t> bytes) {
  const Quantization& q = tensor.quantization;
  const double scale = q.present() ? q.scale0() : 1.0;
  const double zero = q.present() ? q.zero0() : 0.0;
  std::vector<float> values;
  switch (tensor.type) {
    case DataType::kFloat32:
      Append<float>(bytes, 1, 0, values);
      break;
    case DataType::kUInt8:
      Append<uint8_t>(bytes, scale, zero, values);
      break;
    case DataType::kInt8:
      Append<int8_t>(bytes, scale, zero, values);
      break;
    case DataType::kInt16:
      Append<int16_t>(bytes, scale, zero, values);
      break;
    case DataType::kInt32:
      Append<int32_t>(bytes, scale, zero, values);
      break;
    case DataType::kInt64:
      Append<int64_t>(bytes, scale, zero, values);
      break;
    case DataType::kBool:
      Append<uint8_t>(bytes, 1, 0, values);
      break;
    default:
      break;
  }
  return values;
}

Result<Head> FindHead(const Runner& runner, const std::string& task) {
  static const std::vector<std::string> kTasks = {"",       "auto",    "none", "classify",
                                                  "detect", "segment", "pose"};
  if (std::find(kTasks.begin(), kTasks.end(), task) == kTasks.end()) {
    return InvalidError(fmt::format(
        "--task {}: not known; give auto, classify, detect, segment, pose or none", task));
  }
  std::vector<OutputInfo> outputs;
  for (size_t i = 0; i < runner.output_count(); ++i) {
    const Tensor& tensor = runner.output_tensor(i);
    const OutputType type = IsFloat(tensor.type)            ? OutputType::kFloat
                            : tensor.quantization.present() ? OutputType::kQuantized
                                                            : OutputType::kInteger;
    outputs.push_back({tensor.name, {tensor.shape.begin(), tensor.shape.end()}, type});
  }
  const auto [height, width] = InputSize(runner);
  Head head = RecogniseHead(outputs, width, height);
  if (task == "none" || !TaskAllows(task, head.kind)) head = {};
  if (head.kind == HeadKind::kUnknown && !task.empty() && task != "auto" && task != "none") {
    return UnsupportedError(
        fmt::format("--task {}: the outputs do not look like one dlpu can read", task));
  }
  return head;
}

Result<Interpretation> InterpretOutputs(const Runner& runner, const LoadedModel& model,
                                        const Head& head, const Placement& placement,
                                        std::optional<float> score_threshold) {
  if (head.kind == HeadKind::kUnknown) return Interpretation{};
  std::vector<std::vector<float>> values;
  std::vector<OutputValues> outputs;
  for (size_t i = 0; i < runner.output_count(); ++i) {
    values.push_back(RealValues(runner.output_tensor(i), runner.output(i)));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const Shape& shape = runner.output_tensor(i).shape;
    outputs.push_back({{shape.begin(), shape.end()}, values[i]});
  }
  InterpretOptions options;
  const auto [height, width] = InputSize(runner);
  options.input_height = std::max(height, 1);
  options.input_width = std::max(width, 1);
  // Without a picture, results are relative to the input itself.
  options.placement = placement.picture_width > 0
                          ? placement
                          : PlanFit(options.input_width, options.input_height, options.input_width,
                                    options.input_height, FitMode::kStretch);
  options.labels = model.labels;
  options.score_threshold = score_threshold;
  return Interpret(head, outputs, options);
}

std::vector<std::string> InterpretationLines(const Interpretation& result, const Labels& labels,
                                             int picture_width, int picture_height) {
  std::vector<std::string> lines;
  for (const Classification& c : result.classes) {
    lines.push_back(
        fmt::format("{} {:.3f}", c.label.empty() ? LabelOf(labels, c.class_id) : c.label, c.score));
  }
  const auto x = [&](float v) { return std::lround(v * static_cast<float>(picture_width)); };
  const auto y = [&](float v) { return std::lround(v * static_cast<float>(picture_height)); };
  for (const Detection& d : result.detections) {
    lines.push_back(fmt::format("{} {:.2f}  at {},{} to {},{}",
                                d.label.empty() ? LabelOf(labels, d.class_id) : d.label, d.score,
                                x(d.xmin), y(d.ymin), x(d.xmax), y(d.ymax)));
  }
  for (const Pose& pose : result.poses) {
    const int count = static_cast<int>(pose.keypoints.size());
    lines.push_back(fmt::format("pose {:.2f} with {} keypoints", pose.score, count));
    for (int i = 0; i < count && count <= 40; ++i) {
      const Keypoint& point = pose.keypoints[i];
      lines.push_back(fmt::format("  {} {:.2f}  at {},{}", KeypointName(count, i), point.score,
                                  x(point.x), y(point.y)));
    }
  }
  if (result.map.has_value()) {
    const double total = static_cast<double>(result.map->classes.size());
    for (const ClassShare& share : CountClasses(*result.map)) {
      lines.push_back(fmt::format("{} {:.1f} % of the picture", LabelOf(labels, share.class_id),
                                  100.0 * static_cast<double>(share.pixels) / total));
    }
  }
  return lines;
}

std::string InterpretationSummary(const Interpretation& result, const Labels& labels) {
  if (!result.classes.empty()) {
    const Classification& best = result.classes[0];
    return fmt::format(
        "{} {:.2f}", best.label.empty() ? LabelOf(labels, best.class_id) : best.label, best.score);
  }
  if (!result.detections.empty()) {
    if (result.detections.size() == 1) {
      const Detection& d = result.detections[0];
      return fmt::format("1 {} {:.2f}", d.label.empty() ? LabelOf(labels, d.class_id) : d.label,
                         d.score);
    }
    std::map<std::string, int> counts;
    for (const Detection& d : result.detections) {
      ++counts[d.label.empty() ? LabelOf(labels, d.class_id) : d.label];
    }
    std::string text;
    for (const auto& [label, count] : counts) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, label);
    }
    return text;
  }
  if (!result.poses.empty()) return fmt::format("{} pose(s)", result.poses.size());
  if (result.map.has_value()) {
    return fmt::format("{} classes of pixels", CountClasses(*result.map).size());
  }
  return result.kind == HeadKind::kUnknown ? "outputs not recognised" : "nothing";
}

}  // namespace dlpu
