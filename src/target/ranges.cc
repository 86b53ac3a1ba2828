// SPDX-License-Identifier: Apache-2.0
// Intervals through the ops that bound or merely move values.
#include "target/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <map>

namespace dlpu {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kDeepest = 12;  // ops looked back; beyond it nothing is assumed
constexpr ValueRange kAnything = {-kInfinity, kInfinity};

bool IsOne(const std::string& op, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, op) != names.end();
}

ValueRange Intersection(const ValueRange& a, const ValueRange& b) {
  const ValueRange both = {std::max(a.low, b.low), std::min(a.high, b.high)};
  return both.low <= both.high ? both : b;
}

ValueRange Union(const ValueRange& a, const ValueRange& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

bool IsByte(const Tensor& t) { return IsInteger(t.type) && BitsOf(t.type) == 8; }

// What the codes of the tensor's type can stand for.
ValueRange Representable(const Tensor& t) {
  if (!IsByte(t) || t.quantization.scale.size() != 1) return kAnything;
  const double scale = t.quantization.scale[0], zero = t.quantization.zero0();
  return {(LowestCode(t.type) - zero) * scale, (HighestCode(t.type) - zero) * scale};
}

ValueRange ConstantRange(const Tensor& t) {
  ValueRange range = {kInfinity, -kInfinity};
  auto see = [&](double value) { range = Union(range, {value, value}); };
  if (t.type == DataType::kFloat32) {
    for (size_t at = 0; at + sizeof(float) <= t.data.size(); at += sizeof(float)) {
      float value;
      std::memcpy(&value, t.data.data() + at, sizeof(value));
      see(value);
    }
  } else if (IsByte(t) && t.quantization.scale.size() == 1) {
    for (const uint8_t byte : t.data) {
      const int code = t.type == DataType::kInt8 ? static_cast<int8_t>(byte) : byte;
      see((code - t.quantization.zero0()) * static_cast<double>(t.quantization.scale[0]));
    }
  }
  return range.low <= range.high ? range : kAnything;
}

class Looker {
 public:
  explicit Looker(const Graph& graph) : graph_(graph) {}

  ValueRange At(TensorId id, int depth) {
    const auto known = known_.find(id);
    if (known != known_.end()) return known->second;
    const Tensor& tensor = graph_.tensors[id];
    ValueRange range = tensor.is_constant ? ConstantRange(tensor) : Representable(tensor);
    const Node* producer = ProducerOf(id);
    if (producer && depth < kDeepest) {
      range = Intersection(range, Given(*producer, depth + 1));
    }
    known_[id] = range;
    return range;
  }

 private:
  const Node* ProducerOf(TensorId id) const {
    for (const Node& node : graph_.nodes) {
      if (std::ranges::find(node.outputs, id) != node.outputs.end()) return &node;
    }
    return nullptr;
  }

  ValueRange Input(const Node& node, size_t i, int depth) {
    if (i >= node.inputs.size() || node.inputs[i] == kNoTensor) return kAnything;
    return At(node.inputs[i], depth);
  }

  // Of the op's result, before its output's quantization cuts it.
  ValueRange Given(const Node& node, int depth) {
    const std::string op = NodeOpName(node);
    if (IsOne(op, {"LOGISTIC", "SOFTMAX", "RELU_0_TO_1"})) return {0, 1};
    if (IsOne(op, {"TANH", "L2_NORMALIZATION", "RELU_N1_TO_1", "SIN", "COS"})) return {-1, 1};
    if (op == "RELU6") return {0, 6};
    if (op == "RELU") return Intersection({0, kInfinity}, Input(node, 0, depth));
    ValueRange range = kAnything;
    if (IsOne(op, {"QUANTIZE",
                   "DEQUANTIZE",
                   "RESHAPE",
                   "SQUEEZE",
                   "EXPAND_DIMS",
                   "TRANSPOSE",
                   "SLICE",
                   "STRIDED_SLICE",
                   "SPLIT_V",
                   "UNPACK",
                   "GATHER",
                   "MAX_POOL_2D",
                   "AVERAGE_POOL_2D",
                   "RESIZE_BILINEAR",
                   "RESIZE_NEAREST_NEIGHBOR",
                   "TILE",
                   "REDUCE_MAX",
                   "REDUCE_MIN",
                   "MEAN",
                   "SPACE_TO_DEPTH",
                   "DEPTH_TO_SPACE"})) {
      range = Input(node, 0, depth);
    } else if (op == "SPLIT") {
      range = Input(node, 1, depth);
    } else if (op == "PAD") {
      range = Union({0, 0}, Input(node, 0, depth));
    } else if (IsOne(op, {"CONCATENATION", "PACK"})) {
      range = {kInfinity, -kInfinity};
      for (size_t i = 0; i < node.inputs.size(); ++i) range = Union(range, Input(node, i, depth));
    } else if (IsOne(op, {"ADD", "SUB", "MUL"})) {
      range = Arithmetic(op, Input(node, 0, depth), Input(node, 1, depth));
    }
    return Intersection(range, FusedActivation(node));
  }

  static ValueRange Arithmetic(const std::string& op, const ValueRange& a, const ValueRange& b) {
    for (const double bound : {a.low, a.high, b.low, b.high}) {
      if (!std::isfinite(bound)) return kAnything;
    }
    if (op == "ADD") return {a.low + b.low, a.high + b.high};
    if (op == "SUB") return {a.low - b.high, a.high - b.low};
    const auto corners = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
    return {std::min(corners), std::max(corners)};
  }

  static ValueRange FusedActivation(const Node& node) {
    ValueRange range = kAnything;
    auto visit = [&]<typename Field>(std::string_view, const Field& value) {
      if constexpr (std::is_same_v<Field, Activation>) {
        if (value == Activation::kRelu) range = {0, kInfinity};
        if (value == Activation::kRelu6) range = {0, 6};
        if (value == Activation::kReluN1To1 || value == Activation::kTanh) range = {-1, 1};
      }
    };
    std::visit([&](const auto& attrs) { attrs.Visit(visit); }, node.attrs);
    return range;
  }

  const Graph& graph_;
  std::map<TensorId, ValueRange> known_;  // so that shared inputs are looked at once
};

std::optional<CodeUse> Use(const Graph& graph, TensorId id, const Tensor& output) {
  if (!IsByte(output) || output.quantization.scale.size() != 1) return std::nullopt;
  const double scale = output.quantization.scale[0];
  const std::optional<ValueRange> range = RangeOf(graph, id);
  if (!range || !(scale > 0)) return std::nullopt;
  return CodeUse{id, *range, range->width() / scale};
}

}  // namespace

std::optional<ValueRange> RangeOf(const Graph& graph, TensorId id) {
  const ValueRange range = Looker(graph).At(id, 0);
  if (!std::isfinite(range.low) || !std::isfinite(range.high)) return std::nullopt;
  return range;
}

std::string RangeText(const ValueRange& range) {
  return fmt::format("{:.4g} to {:.4g}", range.low, range.high);
}

std::optional<CodeUse> NarrowestInput(const Graph& graph, const Node& node) {
  if (!IsOne(NodeOpName(node), {"CONCATENATION", "PACK"}) || node.outputs.empty()) {
    return std::nullopt;
  }
  std::optional<CodeUse> narrowest;
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor || graph.tensors[id].is_constant) continue;
    const std::optional<CodeUse> use = Use(graph, id, graph.tensors[node.outputs[0]]);
    if (use && (!narrowest || use->codes < narrowest->codes)) narrowest = use;
  }
  return narrowest;
}

std::optional<CodeUse> OwnCodes(const Graph& graph, TensorId id) {
  return Use(graph, id, graph.tensors[id]);
}

}  // namespace dlpu
