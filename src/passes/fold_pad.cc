// SPDX-License-Identifier: Apache-2.0
// Rewrite: PAD in front of a window op becomes the op's own padding.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "passes/rewrite.h"

namespace dlpu {
namespace {

using Shape4 = std::array<int64_t, 4>;

// Paddings in front and behind of a 4-dimensional PAD with constant paddings.
struct Paddings {
  Shape4 before{}, after{};
  bool none() const { return before == Shape4{} && after == Shape4{}; }
  bool spatial() const {
    return before[0] == 0 && after[0] == 0 && before[3] == 0 && after[3] == 0;
  }
};

std::optional<Paddings> PaddingsOf(const Graph& graph, const Node& node) {
  if (node.inputs.size() < 2 || node.inputs[1] == kNoTensor) return std::nullopt;
  const Tensor& tensor = graph.tensors[static_cast<size_t>(node.inputs[1])];
  if (!tensor.is_constant || tensor.shape != Shape{4, 2}) return std::nullopt;
  const bool wide = tensor.type == DataType::kInt64;
  if (!wide && tensor.type != DataType::kInt32) return std::nullopt;
  Paddings paddings;
  for (size_t i = 0; i < 8; ++i) {
    int64_t value = 0;
    int32_t narrow = 0;
    if (wide) {
      std::memcpy(&value, tensor.data.data() + i * 8, 8);
    } else {
      std::memcpy(&narrow, tensor.data.data() + i * 4, 4);
      value = narrow;
    }
    if (value < 0 || value > (1 << 20)) return std::nullopt;
    (i % 2 == 0 ? paddings.before : paddings.after)[i / 2] = value;
  }
  return paddings;
}

// The value that is padded with, as a code or a real number; nothing when it is not constant.
std::optional<double> PadValue(const Graph& graph, const Node& node) {
  const Tensor& output = graph.tensors[static_cast<size_t>(node.outputs[0])];
  if (node.op == Op::kPad) {
    return output.quantization.present() ? static_cast<double>(output.quantization.zero0()) : 0.0;
  }
  if (node.inputs.size() < 3 || node.inputs[2] == kNoTensor) return std::nullopt;
  const Tensor& value = graph.tensors[static_cast<size_t>(node.inputs[2])];
  if (!value.is_constant || value.type != output.type) return std::nullopt;
  const auto read = [&](auto example) -> std::optional<double> {
    if (value.data.size() != sizeof(example)) return std::nullopt;
    std::memcpy(&example, value.data.data(), sizeof(example));
    return static_cast<double>(example);
  };
  switch (value.type) {
    case DataType::kFloat32:
      return read(float{});
    case DataType::kInt8:
      return read(int8_t{});
    case DataType::kUInt8:
      return read(uint8_t{});
    case DataType::kInt16:
      return read(int16_t{});
    default:
      return std::nullopt;
  }
}

// A window op, as far as padding goes: vertical first.
struct Window {
  Padding padding = Padding::kSame;
  std::array<int64_t, 2> kernel{}, stride{}, dilation{1, 1};
};

std::optional<Window> WindowOf(const Graph& graph, const Node& node) {
  if (const auto* conv = std::get_if<ConvAttrs>(&node.attrs);
      conv != nullptr && (node.op == Op::kConv2d || node.op == Op::kDepthwiseConv2d)) {
    const Shape& weights = graph.tensors[static_cast<size_t>(node.inputs[1])].shape;
    if (weights.size() != 4) return std::nullopt;
    return Window{conv->padding,
                  {weights[1], weights[2]},
                  {conv->stride_h, conv->stride_w},
                  {conv->dilation_h, conv->dilation_w}};
  }
  if (const auto* pool = std::get_if<PoolAttrs>(&node.attrs);
      pool != nullptr && node.op == Op::kMaxPool2d) {
    return Window{
        pool->padding, {pool->filter_h, pool->filter_w}, {pool->stride_h, pool->stride_w}, {1, 1}};
  }
  return std::nullopt;
}

// Why SAME on the unpadded extent is not VALID on the padded one; empty when it is.
std::string SameDiffers(int64_t extent, int64_t before, int64_t after, int64_t kernel,
                        int64_t stride, int64_t dilation) {
  const int64_t size = (kernel - 1) * dilation + 1;
  if (extent < 1 || stride < 1 || size < 1 || extent + before + after < size) {
    return "the window does not fit";
  }
  const int64_t valid = (extent + before + after - size) / stride + 1;
  const int64_t same = (extent + stride - 1) / stride;
  const int64_t total = std::max<int64_t>((same - 1) * stride + size - extent, 0);
  if (valid != same) return fmt::format("SAME would give {} positions, not {}", same, valid);
  if (total / 2 != before) {
    return fmt::format("SAME would pad {} in front, not {}", total / 2, before);
  }
  return "";
}

// Whether values outside the picture, which the op leaves out or takes as zero, act like `value`.
bool ValueFits(const Tensor& tensor, Op op, double value) {
  const bool quantized = tensor.quantization.present();
  if (op == Op::kMaxPool2d) {
    if (tensor.type == DataType::kFloat32) {
      return value <= static_cast<double>(std::numeric_limits<float>::lowest());
    }
    return IsInteger(tensor.type) && value == LowestCode(tensor.type);
  }
  if (tensor.type == DataType::kFloat32) return value == 0;
  return quantized && !tensor.quantization.per_channel() &&
         value == static_cast<double>(tensor.quantization.zero0());
}

// Why this reader of the padded tensor cannot pad by itself; empty when it can.
std::string CannotTake(const Graph& graph, const Node& pad, const Paddings& paddings,
                       const Node& reader) {
  const std::optional<Window> window = WindowOf(graph, reader);
  if (!window.has_value() || reader.inputs[0] != pad.outputs[0]) {
    return fmt::format("{} '{}' has no padding of its own", NodeOpName(reader), reader.name);
  }
  if (window->padding != Padding::kValid) {
    return fmt::format("{} '{}' pads already", NodeOpName(reader), reader.name);
  }
  const Tensor& source = graph.tensors[static_cast<size_t>(pad.inputs[0])];
  const Tensor& padded = graph.tensors[static_cast<size_t>(pad.outputs[0])];
  const std::optional<double> value = PadValue(graph, pad);
  if (!paddings.spatial() || source.shape.size() != 4 ||
      !(source.quantization == padded.quantization) || !value.has_value() ||
      !ValueFits(source, reader.op, *value)) {
    return fmt::format("it pads with something else than {} '{}' would", NodeOpName(reader),
                       reader.name);
  }
  for (const size_t axis : {size_t{0}, size_t{1}}) {
    const std::string differs =
        SameDiffers(source.shape[axis + 1], paddings.before[axis + 1], paddings.after[axis + 1],
                    window->kernel[axis], window->stride[axis], window->dilation[axis]);
    if (!differs.empty()) return differs;
  }
  return "";
}

void SetSame(Node& node) {
  if (auto* conv = std::get_if<ConvAttrs>(&node.attrs)) conv->padding = Padding::kSame;
  if (auto* pool = std::get_if<PoolAttrs>(&node.attrs)) pool->padding = Padding::kSame;
}

}  // namespace

Rewrites FoldPads(Graph& graph) {
  Rewrites rewrites;
  const Uses uses = FindUses(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node pad = graph.nodes[i];
    if ((pad.op != Op::kPad && pad.op != Op::kPadV2) || pad.inputs.empty() || pad.outputs.empty()) {
      continue;
    }
    const std::optional<Paddings> paddings = PaddingsOf(graph, pad);
    const auto leave = [&](const std::string& why) {
      rewrites.left.push_back({pad.name, fmt::format("{} stays: {}", NodeOpName(pad), why)});
    };
    if (!paddings.has_value()) {
      leave("its paddings are not four constant pairs");
      continue;
    }
    if (paddings->none() && ReplaceTensor(graph, pad.outputs[0], pad.inputs[0])) {
      rewrites.done.push_back({pad.name, fmt::format("{} of nothing left out", NodeOpName(pad))});
      continue;
    }
    for (const int reader : uses.readers[static_cast<size_t>(pad.outputs[0])]) {
      Node& node = graph.nodes[static_cast<size_t>(reader)];
      const std::string why = CannotTake(graph, pad, *paddings, node);
      if (!why.empty()) {
        leave(why);
        continue;
      }
      node.inputs[0] = pad.inputs[0];
      SetSame(node);
      rewrites.done.push_back(
          {pad.name, fmt::format("{} folded into {} '{}' as padding SAME", NodeOpName(pad),
                                 NodeOpName(node), node.name)});
    }
  }
  if (!rewrites.done.empty()) DropUnused(graph);
  return rewrites;
}

}  // namespace dlpu
