// SPDX-License-Identifier: Apache-2.0
// Looking over a whole graph: sizes, counts, float islands.
#include "target/model_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "target/ranges.h"

namespace dlpu {
namespace {

using Answer = std::optional<Value>;

Answer Number(double value) { return Value(value); }
double BytesOf(const Tensor& t) { return static_cast<double>(ByteCount(t.type, t.shape)); }

// Of a constant once the model is quantized: weights take a byte each, biases four.
double Int8BytesOf(const Tensor& t) {
  if (!IsFloat(t.type)) return BytesOf(t);
  return static_cast<double>(ElementCount(t.shape)) * (t.shape.size() > 1 ? 1 : 4);
}

bool IsCustom(const Node& node) {
  const auto* unknown = std::get_if<UnknownAttrs>(&node.attrs);
  return unknown ? unknown->custom : IsCustomOp(node.op);
}

// Most bytes of activations alive at once.
double PeakBytes(const Graph& graph) {
  const size_t end = graph.nodes.size();
  std::vector<size_t> last(graph.tensors.size(), 0);
  for (size_t i = 0; i < end; ++i) {
    for (const TensorId id : graph.nodes[i].inputs) {
      if (id != kNoTensor) last[id] = i;
    }
  }
  for (const TensorId id : graph.outputs) last[id] = end;
  std::vector<bool> alive(graph.tensors.size(), false);
  double now = 0, peak = 0;
  auto begin = [&](TensorId id) {
    if (alive[id] || graph.tensors[id].is_constant) return;
    alive[id] = true;
    now += BytesOf(graph.tensors[id]);
  };
  for (const TensorId id : graph.inputs) begin(id);
  for (size_t i = 0; i < end; ++i) {
    for (const TensorId id : graph.nodes[i].outputs) begin(id);
    peak = std::max(peak, now);
    for (const auto* ids : {&graph.nodes[i].inputs, &graph.nodes[i].outputs}) {
      for (const TensorId id : *ids) {
        if (id == kNoTensor || !alive[id] || last[id] > i) continue;
        alive[id] = false;
        now -= BytesOf(graph.tensors[id]);
      }
    }
  }
  return std::max(peak, now);
}

Answer InputValue(const Graph& graph, TensorId id, std::string_view name) {
  const Tensor& t = graph.tensors[id];
  const int rank = static_cast<int>(t.shape.size());
  if (name == "type") return Value(std::string(DataTypeName(t.type)));
  if (name == "rank") return Number(rank);
  if (name == "dynamic") {
    return Number(std::ranges::find(t.shape, -1) == t.shape.end() ? 0 : 1);
  }
  if (rank != 4 || std::ranges::find(t.shape, -1) != t.shape.end()) return std::nullopt;
  if (name == "batch") return Number(t.shape[0]);
  if (name == "in_height") return Number(t.shape[1]);
  if (name == "in_width") return Number(t.shape[2]);
  if (name == "in_channels") return Number(t.shape[3]);
  return std::nullopt;
}

Answer OutputValue(const Graph& graph, TensorId id, std::string_view name) {
  const Tensor& t = graph.tensors[id];
  if (name == "out_type") return Value(std::string(DataTypeName(t.type)));
  if (name == "rank") return Number(static_cast<double>(t.shape.size()));
  const std::optional<CodeUse> use = OwnCodes(graph, id);
  if (!use) return std::nullopt;
  if (name == "kept_codes") return Number(std::round(use->codes * 10) / 10);
  if (name == "narrow_range") return Value(RangeText(use->range));
  if (name == "output_scale") return Number(t.quantization.scale[0]);
  return std::nullopt;
}

// The nodes that compute in float, without custom ops and conversions.
std::vector<bool> FloatNodes(const Graph& graph) {
  std::vector<bool> is_float(graph.nodes.size(), false);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::string op = NodeOpName(node);
    if (IsCustom(node) || op == "QUANTIZE" || op == "DEQUANTIZE") continue;
    for (const auto* ids : {&node.inputs, &node.outputs}) {
      for (const TensorId id : *ids) {
        if (id == kNoTensor || graph.tensors[id].is_constant) continue;
        if (IsFloat(graph.tensors[id].type)) is_float[i] = true;
      }
    }
  }
  return is_float;
}

bool ComputesInIntegers(const Graph& graph, const Node& node) {
  if (IsCustom(node) || NodeOpName(node) == "QUANTIZE" || NodeOpName(node) == "DEQUANTIZE") {
    return false;
  }
  return std::ranges::any_of(node.outputs, [&](TensorId id) {
    const Tensor& t = graph.tensors[id];
    return IsInteger(t.type) && BitsOf(t.type) <= 16 && t.quantization.present();
  });
}

// "a, b, c and 4 more".
std::string Listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 4;
  std::string text;
  for (size_t i = 0; i < std::min(kMost, names.size()); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

}  // namespace

ModelFacts FactsOf(const Graph& graph, const Partition& partition) {
  ModelFacts facts;
  facts.quantization = SummariseQuantization(graph).style;
  facts.ops = static_cast<int>(graph.nodes.size());
  facts.dlpu_ops = partition.Count(Support::Where::kDlpu);
  facts.partitions = static_cast<int>(partition.parts.size());
  facts.cpu_partitions = partition.cpu_parts;
  for (const Tensor& t : graph.tensors) {
    facts.float16_tensors += t.type == DataType::kFloat16;
    if (!t.is_constant) continue;
    facts.weights_bytes += BytesOf(t);
    facts.int8_weights_bytes += Int8BytesOf(t);
  }
  for (const Node& node : graph.nodes) {
    facts.custom_ops += IsCustom(node);
    facts.transposes += NodeOpName(node) == "TRANSPOSE";
  }
  facts.activation_bytes = PeakBytes(graph);
  return facts;
}

ValueLookup ModelValues(const ModelFacts& facts) {
  return [&facts](std::string_view name) -> Answer {
    if (name == "quantization") return Value(std::string(QuantizationWord(facts.quantization)));
    if (name == "file_format") return Value(facts.file_format);
    const std::pair<std::string_view, double> numbers[] = {
        {"ops", facts.ops},
        {"dlpu_ops", facts.dlpu_ops},
        {"partitions", facts.partitions},
        {"cpu_partitions", facts.cpu_partitions},
        {"float16_tensors", facts.float16_tensors},
        {"custom_ops", facts.custom_ops},
        {"transposes", facts.transposes},
        {"weights_bytes", facts.weights_bytes},
        {"int8_weights_bytes", facts.int8_weights_bytes},
        {"activation_bytes", facts.activation_bytes},
        {"memory_bytes", facts.weights_bytes + facts.activation_bytes},
    };
    for (const auto& [known, value] : numbers) {
      if (known == name) return Number(value);
    }
    return std::nullopt;
  };
}

ValueLookup InputValues(const Graph& graph, TensorId input) {
  return [&graph, input](std::string_view name) { return InputValue(graph, input, name); };
}

ValueLookup OutputValues(const Graph& graph, TensorId output) {
  return [&graph, output](std::string_view name) { return OutputValue(graph, output, name); };
}

std::vector<FloatIsland> FindFloatIslands(const Graph& graph) {
  std::vector<FloatIsland> islands;
  if (std::ranges::none_of(graph.nodes,
                           [&](const Node& node) { return ComputesInIntegers(graph, node); })) {
    return islands;
  }
  const std::vector<bool> is_float = FloatNodes(graph);
  // Nodes that share a float tensor are of one island: each takes the island of the first it meets,
  // and islands that meet become one.
  std::vector<int> island(graph.nodes.size(), -1);
  std::map<TensorId, int> of_tensor;  // the first node that touched it
  auto find = [&](int node) {
    while (island[node] != node) node = island[node];
    return node;
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_float[i]) continue;
    island[i] = static_cast<int>(i);
    for (const auto* ids : {&graph.nodes[i].inputs, &graph.nodes[i].outputs}) {
      for (const TensorId id : *ids) {
        if (id == kNoTensor || graph.tensors[id].is_constant) continue;
        if (!IsFloat(graph.tensors[id].type)) continue;
        const auto [at, fresh] = of_tensor.emplace(id, static_cast<int>(i));
        if (fresh) continue;
        const int a = find(at->second), b = find(static_cast<int>(i));
        island[std::max(a, b)] = std::min(a, b);
      }
    }
  }
  std::map<int, FloatIsland> by_root;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_float[i]) continue;
    FloatIsland& found = by_root[find(static_cast<int>(i))];
    found.nodes.push_back(static_cast<int>(i));
    for (const auto* ids : {&graph.nodes[i].inputs, &graph.nodes[i].outputs}) {
      for (const TensorId id : *ids) {
        if (id == kNoTensor) continue;
        const Tensor& t = graph.tensors[id];
        if (t.is_constant && IsInteger(t.type) && BitsOf(t.type) <= 8 && t.quantization.present()) {
          found.integer_weights = true;
        }
        const bool seen = std::ranges::find(found.tensors, id) != found.tensors.end();
        if (!t.is_constant && IsFloat(t.type) && !seen) found.tensors.push_back(id);
      }
    }
  }
  for (auto& [root, found] : by_root) islands.push_back(std::move(found));
  return islands;
}

ValueLookup IslandValues(const Graph& graph, const FloatIsland& island) {
  return [&graph, &island](std::string_view name) -> Answer {
    if (name == "island_ops") return Number(static_cast<double>(island.nodes.size()));
    if (name == "island_kind") {
      return Value(std::string(island.integer_weights ? "dynamic-range" : "float32"));
    }
    std::vector<std::string> names;
    if (name == "island_layers") {
      for (const int i : island.nodes) {
        names.push_back(fmt::format("'{}' ({})", graph.nodes[i].name, NodeOpName(graph.nodes[i])));
      }
    } else if (name == "island_tensors") {
      for (const TensorId id : island.tensors) {
        names.push_back(fmt::format("'{}'", graph.tensors[id].name));
      }
    } else {
      return std::nullopt;
    }
    return Value(Listed(names));
  };
}

}  // namespace dlpu
