// SPDX-License-Identifier: Apache-2.0
// Rewrite: custom ops that a builtin op computes as well become that op.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "passes/rewrite.h"

namespace dlpu {
namespace {

bool IsKnown(const Shape& shape) {
  return shape.size() == 4 && std::all_of(shape.begin(), shape.end(), [](int e) { return e > 0; });
}

// What MediaPipe's op takes off the full output on both sides along one axis (SAME padding).
int64_t TakenOff(Padding padding, int64_t input, int64_t kernel, int64_t stride) {
  return padding == Padding::kSame ? std::max<int64_t>(0, kernel - (input - 1) % stride - 1) : 0;
}

// What TRANSPOSE_CONV leaves out in front: the padding of the convolution from output to input.
int64_t LeftOut(Padding padding, int64_t output, int64_t kernel, int64_t stride) {
  const int64_t forward = padding == Padding::kSame ? (output + stride - 1) / stride
                                                    : (output + stride - kernel) / stride;
  return std::max<int64_t>(0, (forward - 1) * stride + kernel - output) / 2;
}

// The padding with which TRANSPOSE_CONV puts every value where the custom op does.
std::optional<Padding> SamePlaces(const Node& node, const Shape& input, const Shape& weights,
                                  const Shape& output) {
  const auto& attrs = std::get<ConvAttrs>(node.attrs);
  for (const Padding padding : {attrs.padding, Padding::kSame, Padding::kValid}) {
    const auto agrees = [&](size_t axis, int64_t stride) {
      return TakenOff(attrs.padding, input[axis], weights[axis], stride) / 2 ==
             LeftOut(padding, output[axis], weights[axis], stride);
    };
    if (agrees(1, attrs.stride_h) && agrees(2, attrs.stride_w)) return padding;
  }
  return std::nullopt;
}

TensorId AddShape(Graph& graph, const std::string& name, const Shape& shape) {
  Tensor tensor;
  tensor.name = name;
  tensor.type = DataType::kInt32;
  tensor.shape = {static_cast<int32_t>(shape.size())};
  tensor.is_constant = true;
  tensor.data.resize(shape.size() * sizeof(int32_t));
  std::memcpy(tensor.data.data(), shape.data(), tensor.data.size());
  graph.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph.tensors.size() - 1);
}

}  // namespace

Rewrites StandardizeOps(Graph& graph) {
  Rewrites rewrites;
  for (Node& node : graph.nodes) {
    if (node.op != Op::kConvolution2dTransposeBias) continue;
    const auto shape = [&](TensorId id) { return graph.tensors[static_cast<size_t>(id)].shape; };
    const Shape input = shape(node.inputs[0]), weights = shape(node.inputs[1]),
                output = shape(node.outputs[0]);
    if (!IsKnown(input) || !IsKnown(weights) || !IsKnown(output)) {
      rewrites.left.push_back({node.name, NodeOpName(node) + " has no fixed shapes"});
      continue;
    }
    const std::optional<Padding> padding = SamePlaces(node, input, weights, output);
    if (!padding) {
      rewrites.left.push_back(
          {node.name,
           fmt::format("{} places its values where TRANSPOSE_CONV cannot", NodeOpName(node))});
      continue;
    }
    rewrites.done.push_back(
        {node.name, fmt::format("{} is TRANSPOSE_CONV with a bias", NodeOpName(node))});
    ConvAttrs attrs = std::get<ConvAttrs>(node.attrs);
    attrs.padding = *padding;
    const TensorId extents = AddShape(graph, node.name + "/shape", output);
    node.op = Op::kTransposeConv;
    node.inputs = {extents, node.inputs[1], node.inputs[0], node.inputs[2]};
    node.attrs = attrs;
    node.version = 3;  // the first with a bias
  }
  return rewrites;
}

}  // namespace dlpu
