// SPDX-License-Identifier: Apache-2.0
// Pass: shapes in order, and constants computed now. Folding runs the op's own kernel, so a folded
// value is the value that running would give.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/arena.h"
#include "ir/verify.h"
#include "ops/op.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

// A constant larger than this is computed when the model runs instead.
constexpr int64_t kMaxFoldedBytes = int64_t{256} << 20;

bool IsFoldable(const Graph& graph, const Node& node) {
  // The shape of a static tensor is known without its value.
  if (OpName(node.op) == "SHAPE") return true;
  for (const TensorId id : node.inputs) {
    if (id != kNoTensor && !graph.tensors[id].is_constant) return false;
  }
  int64_t bytes = 0;
  for (const TensorId id : node.outputs) {
    const Tensor& tensor = graph.tensors[id];
    if (tensor.is_variable) return false;
    bytes += std::min(kMaxFoldedBytes + 1, ByteCount(tensor.type, tensor.shape));
  }
  return !node.inputs.empty() && bytes <= kMaxFoldedBytes;
}

// The outputs become constants; they are computed where they stay.
Status Evaluate(Graph& graph, const Node& node, Profile profile) {
  constexpr const char* kWhat = "a constant that is computed";
  const PrepareContext context(graph.tensors, node, profile, kCpuNone, 1);
  DLPU_TRY(const PreparedOp op, PrepareOp(context));
  std::vector<Memory> copies;  // kernels read past the end of inputs
  std::vector<const uint8_t*> inputs;
  std::vector<uint8_t*> outputs;
  for (const TensorId id : node.inputs) {
    inputs.push_back(nullptr);
    if (id == kNoTensor) continue;
    DLPU_TRY(Memory copy, CopyToMemory(graph.tensors[id].data, kWhat));
    inputs.back() = copy.get();
    copies.push_back(std::move(copy));
  }
  std::vector<std::vector<uint8_t>> results;
  for (const TensorId id : node.outputs) {
    const Tensor& tensor = graph.tensors[id];
    results.emplace_back(static_cast<size_t>(ByteCount(tensor.type, tensor.shape)));
    outputs.push_back(results.back().data());
  }
  DLPU_TRY(const Memory scratch, MakeMemory(op.scratch_bytes, kWhat));
  ThreadPool pool(1);
  DLPU_RETURN_IF_ERROR(op.run({inputs, outputs, scratch.get(), pool}));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Tensor& tensor = graph.tensors[node.outputs[i]];
    tensor.is_constant = true;
    tensor.data = std::move(results[i]);
  }
  return OkStatus();
}

// How many nodes read each tensor; an output of the graph counts as read.
std::vector<int> CountUses(const Graph& graph) {
  std::vector<int> uses(graph.tensors.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor) ++uses[id];
    }
  }
  for (const TensorId id : graph.outputs) ++uses[id];
  return uses;
}

}  // namespace

Status InferNode(Graph& graph, const Node& node) {
  const OpContext context(graph.tensors, node);
  DLPU_TRY(const std::vector<OutputSpec> outputs, InferOutputs(context));
  DLPU_CHECK(outputs.size() == node.outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    Tensor& tensor = graph.tensors[node.outputs[i]];
    tensor.type = outputs[i].type;
    tensor.shape = outputs[i].shape;
    if (TooManyElements(tensor.shape) ||
        ByteCount(tensor.type, tensor.shape) > (int64_t{1} << 33)) {
      return ExhaustedError(fmt::format("{} '{}': output {} has more than 2^31 elements or 8 GiB",
                                        NodeOpName(node), node.name, ShapeText(tensor.shape)));
    }
  }
  return OkStatus();
}

Status EvaluateNode(Graph& graph, const Node& node) {
  return Evaluate(graph, node, Profile::kTfliteReference);
}

Status InferAndFold(Graph& graph, Profile profile) {
  std::vector<Node> kept;
  std::vector<int> uses = CountUses(graph);
  for (Node& node : graph.nodes) {
    std::vector<DataType> declared;
    for (const TensorId id : node.outputs) declared.push_back(graph.tensors[id].type);
    DLPU_RETURN_IF_ERROR(InferNode(graph, node));
    for (size_t i = 0; i < declared.size(); ++i) {
      const Tensor& tensor = graph.tensors[node.outputs[i]];
      if (tensor.type != declared[i]) {
        return InvalidError(fmt::format("{} '{}': output '{}' is declared {} but is {}",
                                        NodeOpName(node), node.name, tensor.name,
                                        DataTypeName(declared[i]), DataTypeName(tensor.type)));
      }
    }
    if (IsFoldable(graph, node)) {
      DLPU_RETURN_IF_ERROR(Evaluate(graph, node, profile));
      for (const TensorId id : node.inputs) {  // the memory serves the constants that follow
        if (id != kNoTensor && --uses[id] == 0) graph.tensors[id].data = {};
      }
    } else {
      kept.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(kept);
  return OkStatus();
}

}  // namespace dlpu
