// SPDX-License-Identifier: Apache-2.0
// Pass: shapes in order, and constants computed now. Folding runs the op's own kernel, so a folded
// value is the value that running would give.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "ops/op.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

// A constant larger than this is computed when the model runs instead.
constexpr int64_t kMaxFoldedBytes = int64_t{256} << 20;

using Buffer = std::unique_ptr<uint8_t, decltype(&std::free)>;

Buffer MakeBuffer(int64_t bytes) {
  const size_t size = (static_cast<size_t>(bytes) + kArenaSlack + kArenaAlignment) /
                      kArenaAlignment * kArenaAlignment;
  auto* memory = static_cast<uint8_t*>(std::aligned_alloc(kArenaAlignment, size));
  DLPU_CHECK(memory != nullptr);
  std::memset(memory, 0, size);
  return Buffer(memory, &std::free);
}

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

Status Evaluate(Graph& graph, const Node& node, Profile profile) {
  const PrepareContext context(graph.tensors, node, profile, kCpuNone, 1);
  DLPU_TRY(const PreparedOp op, PrepareOp(context));
  std::vector<Buffer> buffers;
  std::vector<const uint8_t*> inputs;
  std::vector<uint8_t*> outputs;
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor) {
      inputs.push_back(nullptr);
      continue;
    }
    const std::vector<uint8_t>& data = graph.tensors[id].data;
    buffers.push_back(MakeBuffer(static_cast<int64_t>(data.size())));
    if (!data.empty()) std::memcpy(buffers.back().get(), data.data(), data.size());
    inputs.push_back(buffers.back().get());
  }
  for (const TensorId id : node.outputs) {
    const Tensor& tensor = graph.tensors[id];
    buffers.push_back(MakeBuffer(ByteCount(tensor.type, tensor.shape)));
    outputs.push_back(buffers.back().get());
  }
  buffers.push_back(MakeBuffer(op.scratch_bytes));
  ThreadPool pool(1);
  DLPU_RETURN_IF_ERROR(op.run({inputs, outputs, buffers.back().get(), pool}));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Tensor& tensor = graph.tensors[node.outputs[i]];
    tensor.is_constant = true;
    tensor.data.assign(outputs[i], outputs[i] + ByteCount(tensor.type, tensor.shape));
  }
  return OkStatus();
}

}  // namespace

Status InferAndFold(Graph& graph, Profile profile) {
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    const OpContext context(graph.tensors, node);
    DLPU_TRY(const std::vector<OutputSpec> outputs, InferOutputs(context));
    DLPU_CHECK(outputs.size() == node.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      Tensor& tensor = graph.tensors[node.outputs[i]];
      if (tensor.type != outputs[i].type) {
        return InvalidError(fmt::format("{} '{}': output '{}' is declared {} but is {}",
                                        NodeOpName(node), node.name, tensor.name,
                                        DataTypeName(tensor.type), DataTypeName(outputs[i].type)));
      }
      tensor.shape = outputs[i].shape;
      if (ByteCount(tensor.type, tensor.shape) > (int64_t{1} << 33)) {
        return ExhaustedError(fmt::format("{} '{}': output {} needs more than 8 GiB",
                                          NodeOpName(node), node.name, ShapeText(tensor.shape)));
      }
    }
    if (IsFoldable(graph, node)) {
      DLPU_RETURN_IF_ERROR(Evaluate(graph, node, profile));
    } else {
      kept.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(kept);
  return OkStatus();
}

}  // namespace dlpu
