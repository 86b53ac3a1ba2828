// SPDX-License-Identifier: Apache-2.0
// Rewrite: a convolution whose channels are sliced apart becomes one for each slice.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "passes/quantize_numbers.h"
#include "passes/rewrite.h"

namespace dlpu {
namespace {

using Ranges = std::map<std::string, RealRange>;

// A slice of the last axis.
struct Part {
  int node = 0;
  int32_t begin = 0, count = 0;
};

// A convolution, what follows it channel by channel, and the slices that read the end of that.
struct Sliced {
  int layer = 0;
  std::vector<int> chain;
  std::vector<Part> parts;
};

class ChannelSplitter {
 public:
  ChannelSplitter(Graph& graph, const Ranges& ranges)
      : graph_(graph), uses_(FindUses(graph)), ranges_(ranges) {}

  Rewrites Split() {
    Rewrites rewrites;
    std::vector<Node> nodes;
    std::vector<bool> gone(graph_.nodes.size(), false);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (gone[i]) continue;
      const auto sliced = Find(static_cast<int>(i));
      const std::string conflict = sliced ? Conflict(*sliced) : "";
      if (conflict.empty()) {
        nodes.push_back(graph_.nodes[i]);
        continue;
      }
      rewrites.done.push_back(
          {graph_.nodes[i].name, fmt::format("CONV_2D whose channels are sliced apart becomes one "
                                             "for each slice, with a scale of its own: {}",
                                             conflict)});
      for (const int n : sliced->chain) gone[static_cast<size_t>(n)] = true;
      for (const Part& part : sliced->parts) gone[static_cast<size_t>(part.node)] = true;
      for (const Part& part : sliced->parts) Add(*sliced, part, nodes);
    }
    if (rewrites.done.empty()) return rewrites;
    graph_.nodes = std::move(nodes);
    DropUnused(graph_);
    return rewrites;
  }

 private:
  Tensor& At(TensorId id) { return graph_.tensors[static_cast<size_t>(id)]; }
  const Node& NodeAt(int i) const { return graph_.nodes[static_cast<size_t>(i)]; }
  const std::vector<int>& ReadersOf(TensorId id) const {
    return uses_.readers[static_cast<size_t>(id)];
  }

  std::optional<Part> PartOf(int i, TensorId joint) {
    const Node& node = NodeAt(i);
    if (node.op != Op::kSlice || node.inputs[0] != joint) return std::nullopt;
    const Shape& shape = At(joint).shape;
    std::vector<int32_t> numbers[2];
    for (const size_t k : {0u, 1u}) {
      const Tensor& constant = At(node.inputs[k + 1]);
      if (!constant.is_constant || constant.type != DataType::kInt32) return std::nullopt;
      numbers[k].resize(constant.data.size() / sizeof(int32_t));
      std::memcpy(numbers[k].data(), constant.data.data(), numbers[k].size() * sizeof(int32_t));
      if (numbers[k].size() != shape.size()) return std::nullopt;
    }
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      int32_t& size = numbers[1][axis];
      if (size == -1) size = shape[axis] - numbers[0][axis];
      if (axis + 1 < shape.size() && size != shape[axis]) return std::nullopt;
    }
    const Part part = {i, numbers[0].back(), numbers[1].back()};
    const bool inside =
        part.begin >= 0 && part.count > 0 && part.begin + part.count <= shape.back();
    return inside ? std::optional(part) : std::nullopt;
  }

  std::optional<Sliced> Find(int i) {
    const Node& layer = NodeAt(i);
    if (layer.op != Op::kConv2d || !WeightedLayerOf(graph_, layer)) return std::nullopt;
    const Tensor& weights = At(layer.inputs[1]);
    if (weights.shape.size() != 4 || weights.shape[3] != At(layer.inputs[0]).shape.back()) {
      return std::nullopt;  // groups
    }
    if (layer.inputs.size() > 2 && layer.inputs[2] != kNoTensor &&
        !At(layer.inputs[2]).is_constant) {
      return std::nullopt;
    }
    Sliced sliced;
    sliced.layer = i;
    TensorId joint = layer.outputs[0];
    while (ReadersOf(joint).size() == 1) {
      const int next = ReadersOf(joint)[0];
      const Node& node = NodeAt(next);
      const bool each = node.op == Op::kResizeBilinear || node.op == Op::kResizeNearestNeighbor;
      if (!each || uses_.is_output[static_cast<size_t>(joint)] || node.inputs[0] != joint ||
          !At(node.inputs[1]).is_constant) {
        break;
      }
      sliced.chain.push_back(next);
      joint = node.outputs[0];
    }
    if (uses_.is_output[static_cast<size_t>(joint)] || ReadersOf(joint).empty()) {
      return std::nullopt;
    }
    for (const int reader : ReadersOf(joint)) {
      const auto part = PartOf(reader, joint);
      if (!part) return std::nullopt;
      sliced.parts.push_back(*part);
    }
    auto sorted = sliced.parts;
    std::ranges::sort(sorted, {}, &Part::begin);
    for (size_t k = 1; k < sorted.size(); ++k) {
      if (sorted[k].begin < sorted[k - 1].begin + sorted[k - 1].count) return std::nullopt;
    }
    return sliced;
  }

  // Which parts one scale serves badly; empty: none, or a range is not known.
  std::string Conflict(const Sliced& sliced) {
    const auto width = [](const RealRange& range) {
      return static_cast<double>(std::max(range.high, 0.0f)) - std::min(range.low, 0.0f);
    };
    const auto joint = ranges_.find(At(NodeAt(sliced.layer).outputs[0]).name);
    if (joint == ranges_.end()) return "";
    std::string lost;
    for (const Part& part : sliced.parts) {
      const std::string& name = At(NodeAt(part.node).outputs[0]).name;
      const auto own = ranges_.find(name);
      if (own == ranges_.end()) return "";
      const double kept = 256 * width(own->second) / std::max(width(joint->second), 1e-30);
      if (kept >= kFewestPartCodes) continue;
      lost += fmt::format("{}'{}' ({:.4g} to {:.4g} within {:.4g} to {:.4g}) kept {:.1f} codes",
                          lost.empty() ? "" : ", ", name, own->second.low, own->second.high,
                          joint->second.low, joint->second.high, kept);
    }
    return lost;
  }

  // A copy of the tensor with `count` channels on `axis`.
  TensorId Copy(TensorId id, const std::string& suffix, size_t axis, int32_t count) {
    Tensor copy = At(id);
    copy.name += suffix;
    copy.shape[axis] = count;
    graph_.tensors.push_back(std::move(copy));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  // The part's rows of a constant whose first axis are output channels.
  TensorId Rows(TensorId id, const std::string& suffix, const Part& part) {
    const TensorId made = Copy(id, suffix, 0, part.count);
    const size_t row = At(id).data.size() / static_cast<size_t>(At(id).shape[0]);
    const auto from = At(id).data.begin() + static_cast<std::ptrdiff_t>(row) * part.begin;
    At(made).data.assign(from, from + static_cast<std::ptrdiff_t>(row) * part.count);
    return made;
  }

  void Add(const Sliced& sliced, const Part& part, std::vector<Node>& nodes) {
    const std::string suffix = fmt::format("/channels_{}", part.begin);
    std::vector<int> order = {sliced.layer};
    order.insert(order.end(), sliced.chain.begin(), sliced.chain.end());
    TensorId last = kNoTensor;
    for (const int i : order) {
      Node node = NodeAt(i);
      if (i == sliced.layer) {
        node.inputs[1] = Rows(node.inputs[1], suffix, part);
        if (node.inputs.size() > 2 && node.inputs[2] != kNoTensor) {
          node.inputs[2] = Rows(node.inputs[2], suffix, part);
        }
      } else {
        node.inputs[0] = last;
      }
      const size_t axis = At(node.outputs[0]).shape.size() - 1;
      last = i == order.back() ? NodeAt(part.node).outputs[0]
                               : Copy(node.outputs[0], suffix, axis, part.count);
      node.outputs = {last};
      node.name = At(last).name;
      nodes.push_back(std::move(node));
    }
  }

  Graph& graph_;
  const Uses uses_;
  const Ranges& ranges_;
};

}  // namespace

Rewrites SplitChannels(Graph& graph, const std::map<std::string, RealRange>& ranges) {
  return ChannelSplitter(graph, ranges).Split();
}

}  // namespace dlpu
