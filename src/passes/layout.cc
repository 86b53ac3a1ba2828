// SPDX-License-Identifier: Apache-2.0
// The walk that pushes TRANSPOSE nodes through a graph.
#include "passes/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "ir/verify.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

// The graph's tensor is TRANSPOSE(stored, perm).
struct View {
  TensorId stored = kNoTensor;
  Permutation perm;
};

// Whether only axes of extent 1 change places, so that a RESHAPE does the same.
bool MovesOnlyOnes(const Shape& shape, const Permutation& perm) {
  int32_t last = -1;
  for (const int32_t axis : perm) {
    if (shape[axis] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

class LayoutPass {
 public:
  LayoutPass(Graph& graph, const LayoutOptions& options) : graph_(graph), options_(options) {}

  Result<LayoutReport> Run() {
    CountUses();
    for (size_t id = 0; id < graph_.tensors.size(); ++id) {
      views_.push_back({static_cast<TensorId>(id), Identity(static_cast<TensorId>(id))});
    }
    report_.transposes_before = CountTransposes();
    if (options_.nhwc_borders) TurnInputs();
    std::vector<Node> nodes = std::move(graph_.nodes);
    for (Node& node : nodes) DLPU_RETURN_IF_ERROR(Visit(std::move(node)));
    FinishOutputs();
    graph_.nodes = std::move(nodes_);
    RemoveDead(graph_);
    report_.transposes_after = CountTransposes();
    DLPU_RETURN_IF_ERROR(Verify(graph_));
    return report_;
  }

 private:
  Permutation Identity(TensorId id) const {
    return IdentityPermutation(graph_.tensors[id].shape.size());
  }

  int CountTransposes() const {
    return static_cast<int>(std::count_if(graph_.nodes.begin(), graph_.nodes.end(),
                                          [](const Node& n) { return n.op == Op::kTranspose; }));
  }

  void CountUses() {
    uses_.assign(graph_.tensors.size(), 0);
    for (const Node& node : graph_.nodes) {
      for (const TensorId id : node.inputs) {
        if (id != kNoTensor) ++uses_[id];
      }
      if (ReadsFlat(node)) ++flat_readers_[node.inputs[0]];
    }
    for (const TensorId id : graph_.outputs) ++uses_[id];
  }

  // A fully connected layer with constant weights on a flat input.
  bool ReadsFlat(const Node& node) const {
    if (node.op != Op::kFullyConnected) return false;
    const Tensor& weights = graph_.tensors[node.inputs[1]];
    return !std::get<FullyConnectedAttrs>(node.attrs).keep_num_dims && weights.is_constant &&
           weights.shape.size() == 2 && BitsOf(weights.type) >= 8;
  }

  // Inputs of four dimensions that reach a turn to NHWC through ops without an opinion.
  void TurnInputs() {
    std::vector<std::set<TensorId>> sources(graph_.tensors.size());
    std::set<TensorId> pictures;
    for (const TensorId id : graph_.inputs) {
      if (graph_.tensors[id].shape.size() == 4) sources[id] = {id};
    }
    for (const Node& node : graph_.nodes) {
      std::set<TensorId> from;
      for (const TensorId id : node.inputs) {
        if (id != kNoTensor) from.insert(sources[id].begin(), sources[id].end());
      }
      if (from.empty()) continue;
      if (node.op == Op::kTranspose && PermOf(node) == kNchwToNhwc) {
        pictures.insert(from.begin(), from.end());
      } else if (node.op != Op::kConv2d && LayoutRuleOf(graph_, node).has_value()) {
        for (const TensorId id : node.outputs) {
          if (graph_.tensors[id].shape.size() == 4) sources[id] = from;
        }
      }
    }
    for (const TensorId id : pictures) {
      Tensor& tensor = graph_.tensors[id];
      tensor.shape = Permuted(tensor.shape, kNchwToNhwc);
      views_[id].perm = kNhwcToNchw;
      report_.nhwc_inputs.push_back(tensor.name);
    }
  }

  Permutation PermOf(const Node& node) const {
    const Tensor& constant = graph_.tensors[node.inputs[1]];
    Permutation perm(constant.shape.empty() ? 0 : static_cast<size_t>(constant.shape[0]));
    if (!constant.is_constant || constant.type != DataType::kInt32) return {};
    if (!perm.empty()) std::memcpy(perm.data(), constant.data.data(), constant.data.size());
    for (int32_t& axis : perm) axis += axis < 0 ? static_cast<int32_t>(perm.size()) : 0;
    return perm;
  }

  Shape GraphShape(const View& view) const {
    return Permuted(graph_.tensors[view.stored].shape, view.perm);
  }

  TensorId AddTensor(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    const auto id = static_cast<TensorId>(graph_.tensors.size() - 1);
    views_.push_back({id, Identity(id)});
    return id;
  }

  TensorId AddInts(const std::vector<int32_t>& values) {
    Tensor tensor;
    tensor.name = "axes";
    tensor.type = DataType::kInt32;
    tensor.shape = {static_cast<int32_t>(values.size())};
    tensor.is_constant = true;
    tensor.data.resize(values.size() * 4);
    if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
    return AddTensor(std::move(tensor));
  }

  // TRANSPOSE(stored, perm) as a tensor; one for each pair.
  TensorId Transposed(TensorId stored, const Permutation& perm) {
    if (IsIdentity(perm)) return stored;
    const auto key = std::make_pair(stored, perm);
    if (const auto found = transposed_.find(key); found != transposed_.end()) return found->second;
    const Tensor source = graph_.tensors[stored];
    const Shape shape = Permuted(source.shape, perm);
    if (MovesOnlyOnes(source.shape, perm)) return transposed_[key] = Reshaped(stored, shape);
    Tensor tensor = source;
    tensor.name = fmt::format("{}/transposed", source.name);
    tensor.shape = shape;
    tensor.is_constant = false;
    tensor.data = {};
    Node node;
    node.op = Op::kTranspose;
    node.attrs = NoAttrs{};
    node.name = tensor.name;
    node.inputs = {stored, AddInts(perm)};
    node.outputs = {AddTensor(std::move(tensor))};
    nodes_.push_back(node);
    return transposed_[key] = node.outputs[0];
  }

  TensorId Reshaped(TensorId source, const Shape& shape) {
    if (graph_.tensors[source].shape == shape) return source;
    Tensor tensor = graph_.tensors[source];
    tensor.name = fmt::format("{}/reshaped", tensor.name);
    tensor.shape = shape;
    tensor.is_constant = false;
    tensor.data = {};
    // A RESHAPE of a RESHAPE reads what the first one reads.
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      if (node->op == Op::kReshape && node->outputs[0] == source) {
        source = node->inputs[0];
        break;
      }
      if (node->outputs[0] == source) break;
    }
    Node node;
    node.op = Op::kReshape;
    node.attrs = ReshapeAttrs{shape};
    node.name = tensor.name;
    node.inputs = {source, AddInts(shape)};
    node.outputs = {AddTensor(std::move(tensor))};
    nodes_.push_back(node);
    return node.outputs[0];
  }

  // The tensor in the graph's own order.
  TensorId Plain(TensorId id) {
    if (id == kNoTensor) return id;
    return Transposed(views_[id].stored, views_[id].perm);
  }

  // The tensor as `perm` stores it, raised to that rank by leading axes of 1.
  TensorId InOrder(TensorId id, const Permutation& perm) {
    const Tensor& tensor = graph_.tensors[id];
    const size_t rank = perm.size();
    if (tensor.is_constant) {
      if (ElementCount(tensor.shape) == 1) return id;
      Tensor raised = tensor;
      raised.shape.insert(raised.shape.begin(), rank - tensor.shape.size(), 1);
      raised.quantization.axis +=
          tensor.quantization.per_channel() ? static_cast<int32_t>(rank - tensor.shape.size()) : 0;
      return AddTensor(PermutedConstant(raised, InversePermutation(perm)));
    }
    const View view = views_[id];
    if (view.perm == perm) return view.stored;
    if (view.perm.size() == rank) {
      return Transposed(view.stored, Compose(view.perm, InversePermutation(perm)));
    }
    const Shape graph_shape = GraphShape(view);
    if (ElementCount(graph_shape) == 1) return Plain(id);
    Shape raised(rank - graph_shape.size(), 1);
    raised.insert(raised.end(), graph_shape.begin(), graph_shape.end());
    return Transposed(Reshaped(Plain(id), raised), InversePermutation(perm));
  }

  // Elements that would have to be moved to have the tensor in that order.
  int64_t CostOf(TensorId id, const Permutation& perm) const {
    const Tensor& tensor = graph_.tensors[id];
    const int64_t count = ElementCount(tensor.shape);
    if (tensor.is_constant || count == 1) return 0;
    const View& view = views_[id];
    if (view.perm.size() != perm.size()) {
      Shape raised = GraphShape(view);
      raised.insert(raised.begin(), perm.size() - raised.size(), 1);
      const bool still = IsIdentity(view.perm) && MovesOnlyOnes(raised, InversePermutation(perm));
      return still ? 0 : count;
    }
    const Permutation move = Compose(view.perm, InversePermutation(perm));
    return MovesOnlyOnes(graph_.tensors[view.stored].shape, move) ? 0 : count;
  }

  // The order in which the fewest elements move; another than the graph's own when equal.
  Permutation ChooseOrder(const Node& node, const std::vector<size_t>& data, size_t rank) const {
    Permutation best = IdentityPermutation(rank);
    const auto cost = [&](const Permutation& perm) {
      int64_t sum = 0;
      for (const size_t i : data) {
        if (node.inputs[i] != kNoTensor) sum += CostOf(node.inputs[i], perm);
      }
      return sum;
    };
    int64_t least = cost(best);
    for (const size_t i : data) {
      if (node.inputs[i] == kNoTensor || graph_.tensors[node.inputs[i]].is_constant) continue;
      const Permutation& perm = views_[node.inputs[i]].perm;
      if (perm.size() != rank || IsIdentity(perm)) continue;
      if (const int64_t here = cost(perm); here < least || (here == least && IsIdentity(best))) {
        best = perm;
        least = here;
      }
    }
    return best;
  }

  Status Visit(Node node) {
    if (node.op == Op::kTranspose && graph_.tensors[node.inputs[1]].is_constant) {
      return VisitTranspose(node);
    }
    if (node.op == Op::kReshape && VisitReshape(node)) return OkStatus();
    if (node.op == Op::kBatchMatmul) {
      VisitMatMul(node);
      return OkStatus();
    }
    if (node.op == Op::kFullyConnected && turned_.contains(node.inputs[0])) TurnColumns(node);
    if (VisitInOrder(node)) return OkStatus();
    for (TensorId& id : node.inputs) id = Plain(id);
    nodes_.push_back(std::move(node));
    return OkStatus();
  }

  Status VisitTranspose(const Node& node) {
    const TensorId in = node.inputs[0], out = node.outputs[0];
    const Permutation perm = PermOf(node);
    const View& view = views_[in];
    if (perm.size() != view.perm.size()) {
      return InternalError(fmt::format("TRANSPOSE '{}': its permutation does not fit", node.name));
    }
    // The name of the layer stays with the tensor that is computed.
    const std::string prefix = graph_.tensors[out].name + "/";
    if (uses_[in] == 1 && view.stored == in && graph_.tensors[in].name.starts_with(prefix)) {
      std::swap(graph_.tensors[in].name, graph_.tensors[out].name);
    }
    views_[out] = {view.stored, Compose(view.perm, perm)};
    return OkStatus();
  }

  bool IsModelInput(TensorId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }

  bool VisitReshape(Node& node) {
    const View view = views_[node.inputs[0]];
    const TensorId out = node.outputs[0];
    if (IsIdentity(view.perm) || graph_.tensors[view.stored].is_constant) return false;
    const Shape from = GraphShape(view), to = graph_.tensors[out].shape;
    auto order = ReshapeInOrder(from, to, view.perm);
    if (!order.has_value()) return false;
    if (order->before != view.perm && KeepsFlatOrder(node, view, from)) {
      order = ReshapedOrder{view.perm, IdentityPermutation(to.size()), to};
    }
    // When elements must move anyway, only a picture is worth another order than the graph's own.
    if (order->before != view.perm && order->perm != kNhwcToNchw) return false;
    node.inputs = {InOrder(node.inputs[0], order->before), AddInts(order->stored)};
    node.attrs = ReshapeAttrs{order->stored};
    graph_.tensors[out].shape = order->stored;
    views_[out] = {out, order->perm};
    nodes_.push_back(std::move(node));
    return true;
  }

  // A flattened picture that only fully connected layers read can keep its order of storage when
  // the columns of their weights take that order.
  bool KeepsFlatOrder(const Node& reshape, const View& view, const Shape& from) {
    const TensorId out = reshape.outputs[0];
    const Shape& to = graph_.tensors[out].shape;
    if (to.size() != 2 || from.empty() || view.perm[0] != 0 || to[0] != from[0]) return false;
    if (std::find(graph_.outputs.begin(), graph_.outputs.end(), out) != graph_.outputs.end()) {
      return false;
    }
    if (flat_readers_[out] == 0 || flat_readers_[out] != uses_[out]) return false;
    turned_[out] = {view.perm, from};
    return true;
  }

  // Columns of the weights in the order of storage of the picture that was flattened.
  void TurnColumns(Node& node) {
    const auto& [perm, picture] = turned_.at(node.inputs[0]);
    Tensor weights = graph_.tensors[node.inputs[1]];
    const Shape flat = weights.shape;
    weights.shape = picture;
    weights.shape[0] = flat[0];
    weights = PermutedConstant(weights, InversePermutation(perm));
    weights.shape = flat;
    node.inputs[1] = AddTensor(std::move(weights));
  }

  // A product takes the last two axes exchanged by its flags.
  void VisitMatMul(Node& node) {
    auto& attrs = std::get<BatchMatmulAttrs>(node.attrs);
    for (size_t i = 0; i < 2; ++i) {
      const View& view = views_[node.inputs[i]];
      Permutation exchanged = IdentityPermutation(view.perm.size());
      if (exchanged.size() >= 2) std::swap(exchanged[exchanged.size() - 2], exchanged.back());
      if (view.perm != exchanged || graph_.tensors[view.stored].type != DataType::kFloat32) {
        node.inputs[i] = Plain(node.inputs[i]);
        continue;
      }
      node.inputs[i] = view.stored;
      bool& flag = i == 0 ? attrs.adj_x : attrs.adj_y;
      flag = !flag;
    }
    nodes_.push_back(std::move(node));
  }

  bool VisitInOrder(Node& node) {
    const std::optional<LayoutRule> rule = LayoutRuleOf(graph_, node);
    if (!rule.has_value()) return false;
    size_t rank = 0;
    for (const size_t i : rule->data) {
      if (i < node.inputs.size() && node.inputs[i] != kNoTensor) {
        rank = std::max(rank, graph_.tensors[node.inputs[i]].shape.size());
      }
    }
    const Permutation perm = ChooseOrder(node, rule->data, rank);
    if (IsIdentity(perm)) return false;
    Node changed = node;
    const auto order = rule->rewrite(graph_, changed, perm);
    while (views_.size() < graph_.tensors.size()) {
      const auto id = static_cast<TensorId>(views_.size());
      views_.push_back({id, Identity(id)});
    }
    if (!order.has_value()) return false;
    for (const size_t i : rule->data) {
      if (changed.inputs[i] != kNoTensor) changed.inputs[i] = InOrder(node.inputs[i], perm);
    }
    for (const TensorId id : changed.outputs) {
      Tensor& tensor = graph_.tensors[id];
      tensor.shape = Permuted(tensor.shape, InversePermutation(*order));
      views_[id] = {id, *order};
    }
    nodes_.push_back(std::move(changed));
    return true;
  }

  void FinishOutputs() {
    std::map<TensorId, int> shared;  // outputs of each stored tensor
    for (const TensorId id : graph_.outputs) ++shared[views_[id].stored];
    for (TensorId& id : graph_.outputs) {
      const View view = views_[id];
      const std::string name = graph_.tensors[id].name;
      const bool free = !IsModelInput(view.stored) && shared[view.stored] == 1;
      if (options_.nhwc_borders && view.perm == kNhwcToNchw && free) {
        report_.nhwc_outputs.push_back(name);
        id = view.stored;
      } else {
        id = Plain(id);
      }
      if (!IsModelInput(id)) graph_.tensors[id].name = name;
    }
  }

  Graph& graph_;
  const LayoutOptions& options_;
  LayoutReport report_;
  std::vector<View> views_;  // by tensor
  std::vector<int> uses_;
  std::map<TensorId, int> flat_readers_;  // ReadsFlat nodes of a tensor
  // Flattened pictures in their order of storage: that order and the picture's shape.
  std::map<TensorId, std::pair<Permutation, Shape>> turned_;
  std::vector<Node> nodes_;
  std::map<std::pair<TensorId, Permutation>, TensorId> transposed_;
};

}  // namespace

Result<LayoutReport> PropagateLayout(Graph& graph, const LayoutOptions& options) {
  return LayoutPass(graph, options).Run();
}

}  // namespace dlpu
