// SPDX-License-Identifier: Apache-2.0
// Each node becomes a program of its own.
#include "app/node_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/cpu_unfused.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu {
namespace {

// The node as a graph; `inputs` are the tensors it takes from outside, in the order of the graph's.
Graph Alone(const Graph& graph, const Node& node, std::vector<TensorId>& inputs) {
  Graph alone;
  alone.nodes.push_back(node);
  std::map<TensorId, TensorId> moved;
  const auto move = [&](TensorId& id) {
    if (id == kNoTensor) return;
    const auto [at, added] = moved.emplace(id, static_cast<TensorId>(alone.tensors.size()));
    if (added) alone.tensors.push_back(graph.tensors[id]);
    id = at->second;
  };
  for (TensorId& id : alone.nodes[0].inputs) {
    const TensorId outside = id;
    move(id);
    if (outside == kNoTensor || graph.tensors[outside].is_constant) continue;
    if (std::find(inputs.begin(), inputs.end(), outside) != inputs.end()) continue;
    inputs.push_back(outside);
    alone.inputs.push_back(id);
  }
  for (TensorId& id : alone.nodes[0].outputs) move(id);
  alone.outputs = alone.nodes[0].outputs;
  return alone;
}

bool HasFloats(const Graph& graph) {
  return std::any_of(graph.tensors.begin(), graph.tensors.end(),
                     [](const Tensor& tensor) { return IsFloat(tensor.type); });
}

}  // namespace

Result<NodeRuns> NodeRuns::Make(const Graph& graph,
                                const std::vector<std::vector<std::vector<uint8_t>>>& inputs,
                                int threads, bool portable) {
  NodeRuns runs(graph);
  runs.threads_ = threads;
  runs.portable_ = portable;
  runs.samples_ = inputs.size();
  runs.values_.resize(graph.tensors.size());
  runs.readers_left_.assign(graph.tensors.size(), 0);
  for (const Tensor& tensor : graph.tensors) {
    if (!tensor.is_variable) continue;
    return UnsupportedError(fmt::format("'{}' keeps a state between runs", tensor.name));
  }
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor) ++runs.readers_left_[id];
    }
  }
  for (const auto& sample : inputs) {
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      runs.values_[graph.inputs[i]].push_back(sample[i]);
    }
  }
  return runs;
}

Status NodeRuns::Run(const Node& node) {
  std::vector<TensorId> inputs;
  Graph alone = Alone(*graph_, node, inputs);
  const bool exact = !portable_ || !HasFloats(alone);
  DLPU_TRY(Program program, Compile(std::move(alone), {}));
  DLPU_TRY(
      const std::unique_ptr<Runner> runner,
      Runner::Load(std::move(program),
                   {.threads = threads_, .cpu = exact ? EnabledCpuFlags() : UnfusedCpuFlags()}));
  for (size_t sample = 0; sample < samples_; ++sample) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::vector<uint8_t>& bytes = values_[inputs[i]][sample];
      std::memcpy(runner->input(i).data(), bytes.data(), bytes.size());
    }
    DLPU_RETURN_IF_ERROR(runner->Run());
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (readers_left_[node.outputs[i]] == 0) continue;
      const std::span<const uint8_t> bytes = runner->output(i);
      values_[node.outputs[i]].emplace_back(bytes.begin(), bytes.end());
    }
  }
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor || --readers_left_[id] > 0) continue;
    values_[id].clear();
    values_[id].shrink_to_fit();
  }
  return OkStatus();
}

}  // namespace dlpu
