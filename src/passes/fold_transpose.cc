// SPDX-License-Identifier: Apache-2.0
// Rewrite: TRANSPOSEs that undo each other go. For each TRANSPOSE the nodes in front of it are
// followed back through elementwise ops; when every way ends in a TRANSPOSE that it undoes (or in
// constants), the region between computes the same without them, in the other order of axes.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>

#include "passes/rewrite.h"

namespace dlpu {
namespace {

using Permutation = std::vector<int32_t>;

constexpr size_t kMostNodes = 64;  // of a region

std::optional<Permutation> PermutationOf(const Graph& graph, const Node& node) {
  if (node.op != Op::kTranspose || node.inputs.size() != 2) {
    return std::nullopt;
  }
  const Tensor& tensor = graph.tensors[static_cast<size_t>(node.inputs[1])];
  const size_t rank = graph.tensors[static_cast<size_t>(node.inputs[0])].shape.size();
  if (!tensor.is_constant || tensor.type != DataType::kInt32 || tensor.data.size() != 4 * rank) {
    return std::nullopt;
  }
  Permutation permutation(rank);
  std::memcpy(permutation.data(), tensor.data.data(), tensor.data.size());
  Permutation sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < rank; ++i) {
    if (sorted[i] != static_cast<int32_t>(i)) return std::nullopt;  // negative axes: left alone
  }
  return permutation;
}

// Axis i of the result is axis second[i] of the middle, which is axis first[second[i]] of the
// source.
Permutation Compose(const Permutation& first, const Permutation& second) {
  Permutation composed(second.size());
  for (size_t i = 0; i < second.size(); ++i) composed[i] = first[static_cast<size_t>(second[i])];
  return composed;
}

bool IsIdentity(const Permutation& permutation) {
  for (size_t i = 0; i < permutation.size(); ++i) {
    if (permutation[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

bool IsElementwise(Op op) {
  switch (op) {
    case Op::kRelu:
    case Op::kRelu6:
    case Op::kReluN1To1:
    case Op::kRelu0To1:
    case Op::kLogistic:
    case Op::kTanh:
    case Op::kHardSwish:
    case Op::kLeakyRelu:
    case Op::kElu:
    case Op::kGelu:
    case Op::kQuantize:
    case Op::kDequantize:
    case Op::kAbs:
    case Op::kNeg:
    case Op::kSqrt:
    case Op::kRsqrt:
    case Op::kExp:
    case Op::kLog:
    case Op::kSquare:
    case Op::kFloor:
    case Op::kCeil:
    case Op::kRound:
    case Op::kCast:
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kMaximum:
    case Op::kMinimum:
    case Op::kSquaredDifference:
      return true;
    default:
      return false;
  }
}

// What stands between one TRANSPOSE and those that it undoes.
struct Region {
  std::vector<int> nodes;          // elementwise, without the last TRANSPOSE
  std::vector<TensorId> inner;     // their outputs
  std::set<TensorId> leaves;       // results of the TRANSPOSEs that go
  std::vector<std::string> names;  // of these
};

class RegionFinder {
 public:
  RegionFinder(const Graph& graph, const Uses& uses, const Permutation& last)
      : graph_(graph), uses_(uses), last_(last) {}

  // Whether the value of `id`, transposed, can be had without a TRANSPOSE. `reader` is the node of
  // the region that reads it.
  bool Follow(TensorId id, int reader) {
    const auto t = static_cast<size_t>(id);
    const Tensor& tensor = graph_.tensors[t];
    if (region_.leaves.contains(id)) return true;
    if (std::find(region_.inner.begin(), region_.inner.end(), id) != region_.inner.end()) {
      return true;
    }
    const int writer = uses_.writer[t];
    if (writer < 0 || tensor.quantization.per_channel()) return false;
    const Node& node = graph_.nodes[static_cast<size_t>(writer)];
    if (const auto first = PermutationOf(graph_, node)) {
      if (first->size() != last_.size() || !IsIdentity(Compose(*first, last_))) return false;
      region_.leaves.insert(id);
      region_.names.push_back(node.name);
      return true;
    }
    const bool whole = IsElementwise(node.op) && node.outputs.size() == 1 && !uses_.is_output[t] &&
                       uses_.readers[t] == std::vector<int>{reader} &&
                       region_.nodes.size() < kMostNodes && tensor.shape.size() == last_.size();
    if (!whole) return false;
    region_.nodes.push_back(writer);
    region_.inner.push_back(id);
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId input) {
      return input != kNoTensor && FollowInput(input, tensor, writer);
    });
  }

  Region region_;

 private:
  // A constant of one element fits any order of axes; other inputs need the output's own shape.
  bool FollowInput(TensorId input, const Tensor& output, int reader) {
    const Tensor& tensor = graph_.tensors[static_cast<size_t>(input)];
    if (tensor.is_constant) return ElementCount(tensor.shape) == 1;
    return tensor.shape == output.shape && Follow(input, reader);
  }

  const Graph& graph_;
  const Uses& uses_;
  const Permutation& last_;
};

// The TRANSPOSE in front of `node` is joined with it.
bool Join(Graph& graph, const Uses& uses, Node& node, const Permutation& last) {
  const int writer = uses.writer[static_cast<size_t>(node.inputs[0])];
  if (writer < 0) return false;
  const Node& before = graph.nodes[static_cast<size_t>(writer)];
  const auto first = PermutationOf(graph, before);
  if (!first.has_value()) return false;
  const Permutation composed = Compose(*first, last);
  Tensor permutation = graph.tensors[static_cast<size_t>(node.inputs[1])];
  permutation.name += "_joined";
  std::memcpy(permutation.data.data(), composed.data(), permutation.data.size());
  node.inputs[0] = before.inputs[0];
  node.inputs[1] = static_cast<TensorId>(graph.tensors.size());
  graph.tensors.push_back(std::move(permutation));
  return true;
}

// The last TRANSPOSE's output takes the place of its input, and the region's tensors its order.
bool Remove(Graph& graph, const Node& last, const Permutation& permutation, const Region& region) {
  const TensorId in = last.inputs[0], out = last.outputs[0];
  // The input itself may come out of a TRANSPOSE that goes: then its source takes the place.
  const auto source_of = [&](TensorId leaf) {
    for (const Node& node : graph.nodes) {
      if (!node.outputs.empty() && node.outputs[0] == leaf) return node.inputs[0];
    }
    return leaf;
  };
  if (region.nodes.empty()) return ReplaceTensor(graph, out, source_of(in));
  for (const TensorId id : region.inner) {
    Shape& shape = graph.tensors[static_cast<size_t>(id)].shape;
    const Shape old = shape;
    for (size_t i = 0; i < old.size(); ++i) {
      shape[i] = old[static_cast<size_t>(permutation[i])];
    }
  }
  for (const int index : region.nodes) {
    for (TensorId& id : graph.nodes[static_cast<size_t>(index)].inputs) {
      if (region.leaves.contains(id)) id = source_of(id);
    }
  }
  return ReplaceTensor(graph, out, in);  // its writer is in the region, so it can take the name
}

bool FoldOne(Graph& graph, Rewrites& rewrites) {
  const Uses uses = FindUses(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node last = graph.nodes[i];
    const auto permutation = PermutationOf(graph, last);
    if (!permutation.has_value()) continue;
    RegionFinder finder(graph, uses, *permutation);
    const bool found = finder.Follow(last.inputs[0], static_cast<int>(i));
    if (found && Remove(graph, last, *permutation, finder.region_)) {
      std::string pairs;
      for (const std::string& name : finder.region_.names) {
        pairs += fmt::format("{}'{}'", pairs.empty() ? "" : ", ", name);
      }
      rewrites.done.push_back(
          {last.name,
           fmt::format("TRANSPOSE left out together with {}, which it "
                       "undoes{}",
                       pairs, finder.region_.nodes.empty() ? "" : " across elementwise ops")});
      DropUnused(graph);
      return true;
    }
    if (!found && Join(graph, uses, graph.nodes[i], *permutation)) {
      rewrites.done.push_back({last.name, "TRANSPOSE joined with the one in front of it"});
      DropUnused(graph);
      return true;
    }
  }
  return false;
}

}  // namespace

Rewrites FoldTransposes(Graph& graph) {
  Rewrites rewrites;
  // Each round removes a TRANSPOSE from some chain, so there are no more rounds than nodes.
  for (size_t rounds = graph.nodes.size(); rounds > 0 && FoldOne(graph, rewrites); --rounds) {
  }
  return rewrites;
}

}  // namespace dlpu
