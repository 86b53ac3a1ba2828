// SPDX-License-Identifier: Apache-2.0
// An integer model as the float32 model that its codes stand for.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "passes/quantize.h"
#include "passes/quantize_numbers.h"
#include "passes/rewrite.h"

namespace dlpu {
namespace {

// Codes of a quantized type, as 64-bit integers.
std::vector<int64_t> CodesOf(const Tensor& tensor) {
  std::vector<int64_t> codes(static_cast<size_t>(ElementCount(tensor.shape)));
  const auto read = [&](auto example) {
    for (size_t i = 0; i < codes.size(); ++i) {
      std::memcpy(&example, tensor.data.data() + i * sizeof(example), sizeof(example));
      codes[i] = static_cast<int64_t>(example);
    }
  };
  switch (tensor.type) {
    case DataType::kInt8:
      read(int8_t{});
      break;
    case DataType::kUInt8:
      read(uint8_t{});
      break;
    case DataType::kInt16:
      read(int16_t{});
      break;
    case DataType::kInt64:
      read(int64_t{});
      break;
    default:
      read(int32_t{});
  }
  return codes;
}

bool HasScale(const Tensor& tensor) {
  return IsInteger(tensor.type) && tensor.type != DataType::kInt4 &&
         tensor.quantization.present() && tensor.quantization.scale0() > 0;
}

void MakeRealConstant(Tensor& tensor) {
  const std::vector<int64_t> codes = CodesOf(tensor);
  const Quantization& q = tensor.quantization;
  AxisIndex index;
  if (q.per_channel()) index = IndexAlong(tensor.shape, q.axis);
  std::vector<float> values(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    const size_t c = q.per_channel() ? index(i) : 0;
    const int64_t zero = c < q.zero_point.size() ? q.zero_point[c] : q.zero0();
    values[i] = static_cast<float>(static_cast<double>(codes[i] - zero) * q.scale[c]);
  }
  SetFloatValues(tensor, values);
}

// The values that the codes of an activation can stand for.
RealRange RangeOfCodes(const Tensor& tensor) {
  const double scale = tensor.quantization.scale0(), zero = tensor.quantization.zero0();
  return {static_cast<float>(scale * (LowestCode(tensor.type) - zero)),
          static_cast<float>(scale * (HighestCode(tensor.type) - zero))};
}

bool IsConversion(const Graph& graph, const Node& node) {
  return (node.op == Op::kQuantize || node.op == Op::kDequantize) && node.inputs.size() == 1 &&
         node.outputs.size() == 1 && graph.tensors[node.inputs[0]].type == DataType::kFloat32 &&
         graph.tensors[node.outputs[0]].type == DataType::kFloat32;
}

}  // namespace

Result<Dequantized> DequantizeGraph(const Graph& source) {
  Dequantized result;
  Graph& graph = result.graph;
  graph = source;
  result.ranges.resize(graph.tensors.size());
  for (const Node& node : graph.nodes) {
    if (node.intermediates.empty()) continue;
    return UnsupportedError(fmt::format("{} '{}': its state is quantized; bring the float model",
                                        NodeOpName(node), node.name));
  }
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    Tensor& tensor = graph.tensors[t];
    if (!HasScale(tensor)) continue;
    if (tensor.is_constant) {
      MakeRealConstant(tensor);
    } else {
      result.ranges[t] = RangeOfCodes(tensor);
    }
    tensor.type = DataType::kFloat32;
    tensor.quantization = {};
  }
  for (Node& node : graph.nodes) {
    if (auto* conv = std::get_if<ConvAttrs>(&node.attrs)) {
      conv->quantized_bias_type = DataType::kFloat32;
    }
    if (auto* full = std::get_if<FullyConnectedAttrs>(&node.attrs)) {
      full->quantized_bias_type = DataType::kFloat32;
    }
  }
  // Backwards: a chain of conversions then ends at its first tensor.
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    if (!IsConversion(graph, graph.nodes[i])) continue;
    const TensorId to = graph.nodes[i].outputs[0], from = graph.nodes[i].inputs[0];
    const std::optional<RealRange> range =
        result.ranges[from] ? result.ranges[from] : result.ranges[to];
    if (!ReplaceTensor(graph, to, from)) continue;
    result.ranges[from] = result.ranges[to] = range;
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.outputs.empty(); });
  return result;
}

}  // namespace dlpu
