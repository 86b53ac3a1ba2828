// SPDX-License-Identifier: Apache-2.0
// Pass: types that no kernel computes with are widened around an op. float16 arithmetic is done in
// float32 and rounded once; 4-bit elements move as int8. The ops are those for which LiteRT's
// reference kernels take these types and give these bytes: its float16 SOFTMAX and GELU round
// inside, and its GATHER and BROADCAST_TO take 4-bit elements for bytes.
#include <algorithm>
#include <utility>

#include "passes/compile.h"

namespace dlpu {
namespace {

constexpr Op kFloat16Ops[] = {
    Op::kAdd,      Op::kMul,  Op::kNeg,       Op::kMaximum,  Op::kMinimum,      Op::kFloor,
    Op::kRound,    Op::kSin,  Op::kCos,       Op::kLogistic, Op::kTanh,         Op::kEqual,
    Op::kNotEqual, Op::kLess, Op::kLessEqual, Op::kGreater,  Op::kGreaterEqual,
};
constexpr Op kInt4Ops[] = {
    Op::kBroadcastTo,
    Op::kSlice,
    Op::kConcatenation,
    Op::kTranspose,
};

template <size_t N>
bool IsOneOf(Op op, const Op (&list)[N]) {
  return std::find(list, list + N, op) != list + N;
}

class Widener {
 public:
  explicit Widener(Graph& graph) : graph_(graph) {}

  void Run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      if (IsOneOf(node.op, kFloat16Ops)) {
        Around(std::move(node), DataType::kFloat16, DataType::kFloat32);
      } else if (IsOneOf(node.op, kInt4Ops)) {
        Around(std::move(node), DataType::kInt4, DataType::kInt8);
      } else {
        graph_.nodes.push_back(std::move(node));
      }
    }
  }

 private:
  // The node with each tensor of type `narrow` replaced by one of type `wide`.
  void Around(Node node, DataType narrow, DataType wide) {
    for (TensorId& id : node.inputs) {
      if (id == kNoTensor || TypeOf(id) != narrow) continue;
      const TensorId copy = WideCopy(id, wide);
      AddCast(node.name, id, copy);
      id = copy;
    }
    std::vector<std::pair<TensorId, TensorId>> back;
    for (TensorId& id : node.outputs) {
      if (TypeOf(id) != narrow) continue;
      const TensorId copy = WideCopy(id, wide);
      back.emplace_back(copy, id);
      id = copy;
    }
    const std::string name = node.name;
    graph_.nodes.push_back(std::move(node));
    for (const auto& [from, to] : back) AddCast(name, from, to);
  }

  DataType TypeOf(TensorId id) const { return graph_.tensors[static_cast<size_t>(id)].type; }

  TensorId WideCopy(TensorId id, DataType wide) {
    const Tensor& narrow = graph_.tensors[static_cast<size_t>(id)];
    Tensor copy;
    copy.name = narrow.name + ":" + std::string(DataTypeName(wide));
    copy.type = wide;
    copy.shape = narrow.shape;
    copy.quantization = narrow.quantization;
    graph_.tensors.push_back(std::move(copy));
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }

  // The steps keep the layer's name.
  void AddCast(const std::string& layer, TensorId from, TensorId to) {
    Node cast;
    cast.op = Op::kCast;
    cast.name = layer;
    cast.inputs = {from};
    cast.outputs = {to};
    OutputTypeAttrs attrs;
    attrs.output_type = TypeOf(to);
    cast.attrs = attrs;
    graph_.nodes.push_back(std::move(cast));
  }

  Graph& graph_;
};

}  // namespace

void WidenTypes(Graph& graph) { Widener(graph).Run(); }

}  // namespace dlpu
