// SPDX-License-Identifier: Apache-2.0
// Pass: activations go into the op before them.
#include <optional>

#include "passes/tidy.h"
#include "passes/uses.h"

namespace dlpu {
namespace {

std::optional<Activation> ActivationOf(Op op) {
  switch (op) {
    case Op::kRelu:
      return Activation::kRelu;
    case Op::kRelu6:
      return Activation::kRelu6;
    case Op::kReluN1To1:
      return Activation::kReluN1To1;
    default:
      return std::nullopt;
  }
}

// Where an op keeps its activation; null for one that has none, or whose kernels take none.
Activation* Slot(Node& node) {
  switch (node.op) {
    case Op::kConv2d:
    case Op::kDepthwiseConv2d:
      return &std::get<ConvAttrs>(node.attrs).activation;
    case Op::kFullyConnected:
      return &std::get<FullyConnectedAttrs>(node.attrs).activation;
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
      return &std::get<ArithmeticAttrs>(node.attrs).activation;
    case Op::kAveragePool2d:
    case Op::kMaxPool2d:
      return &std::get<PoolAttrs>(node.attrs).activation;
    default:
      return nullptr;
  }
}

}  // namespace

void FuseActivations(Graph& graph) {
  const TensorUses uses(graph);
  std::vector<int> place(graph.tensors.size(), TensorUses::kNone);  // of its writer in kept
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    const std::optional<Activation> activation = ActivationOf(node.op);
    if (activation.has_value()) {
      const TensorId in = node.inputs[0], out = node.outputs[0];
      const bool same = graph.tensors[in].type == DataType::kFloat32 &&
                        graph.tensors[out].type == DataType::kFloat32;
      if (same && uses.read_once(in) && place[in] != TensorUses::kNone) {
        Node& before = kept[place[in]];
        Activation* slot = Slot(before);
        if (slot != nullptr && *slot == Activation::kNone && before.outputs[0] == in) {
          *slot = *activation;
          before.outputs[0] = out;
          place[out] = place[in];
          continue;
        }
      }
    }
    for (const TensorId id : node.outputs) place[id] = static_cast<int>(kept.size());
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
}

}  // namespace dlpu
