// SPDX-License-Identifier: Apache-2.0
// Rewrite: a final concatenation that forces small values under a coarse scale is taken off.
#include <fmt/format.h>

#include <algorithm>

#include "passes/rewrite.h"

namespace dlpu {
namespace {

// How many codes of the joint scale a part's own range covers: (high - low) * own / joint.
double CodesKept(const Tensor& part, const Tensor& joint) {
  const double codes = double{1} * HighestCode(part.type) - LowestCode(part.type) + 1;
  return codes * static_cast<double>(part.quantization.scale0()) /
         static_cast<double>(joint.quantization.scale0());
}

bool IsPerTensor(const Tensor& tensor) {
  return IsInteger(tensor.type) && BitsOf(tensor.type) <= 16 && tensor.quantization.present() &&
         !tensor.quantization.per_channel() && tensor.quantization.scale0() > 0;
}

using Ranges = std::map<std::string, RealRange>;

class Splitter {
 public:
  // `ranges`: null for a model that is quantized already.
  Splitter(Graph& graph, const Ranges* ranges)
      : graph_(graph), uses_(FindUses(graph)), ranges_(ranges) {}

  // Nodes of all conflicting heads, from the requantizations to the outputs.
  Detached Split() {
    std::vector<int> nodes;
    Rewrites rewrites;
    std::vector<TensorId> parts;
    for (const TensorId output : graph_.outputs) AddHead(output, nodes, parts, rewrites);
    if (nodes.empty()) return {std::move(rewrites), {}, {}, {}};
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    Detached detached = Detach(graph_, nodes, parts);
    detached.rewrites = std::move(rewrites);
    return detached;
  }

 private:
  const Tensor& At(TensorId id) const { return graph_.tensors[static_cast<size_t>(id)]; }
  const Node* WriterOf(TensorId id) const {
    const int writer = uses_.writer[static_cast<size_t>(id)];
    return writer < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(writer)];
  }
  // Whether nothing but one node reads it.
  bool ReadOnce(TensorId id) const {
    return uses_.readers[static_cast<size_t>(id)].size() == 1 &&
           !uses_.is_output[static_cast<size_t>(id)];
  }

  // What tells the values a tensor has to represent: its codes, or the range that was seen.
  bool HasRange(const Tensor& tensor) const {
    if (ranges_ == nullptr) return IsPerTensor(tensor);
    return tensor.type == DataType::kFloat32 && ranges_->contains(tensor.name);
  }
  double WidthOf(const Tensor& tensor) const {
    const RealRange& range = ranges_->at(tensor.name);
    return static_cast<double>(std::max(range.high, 0.0f)) - std::min(range.low, 0.0f);
  }
  double Kept(const Tensor& part, const Tensor& joint) const {
    if (ranges_ == nullptr) return CodesKept(part, joint);
    const double width = WidthOf(joint);
    return width > 0 ? 256 * WidthOf(part) / width : 256;
  }
  std::string ScaleText(const Tensor& tensor) const {
    if (ranges_ == nullptr) return fmt::format("scale {}", tensor.quantization.scale0());
    const RealRange& range = ranges_->at(tensor.name);
    return fmt::format("values {:.4g} to {:.4g}", range.low, range.high);
  }

  // The requantization that brings a part to the joint scale; null when it has none of its own.
  const Node* Requantization(TensorId part) const {
    const Node* node = WriterOf(part);
    const bool it_is = ranges_ == nullptr && node != nullptr && node->op == Op::kQuantize &&
                       ReadOnce(part) && IsPerTensor(At(node->inputs[0])) &&
                       !At(node->inputs[0]).is_constant;
    return it_is ? node : nullptr;
  }

  void AddHead(TensorId output, std::vector<int>& nodes, std::vector<TensorId>& parts,
               Rewrites& rewrites) const {
    std::vector<int> head;
    std::vector<TensorId> own_parts;
    TensorId id = output;
    const Node* node = WriterOf(id);
    while (node != nullptr && (node->op == Op::kDequantize || node->op == Op::kQuantize)) {
      head.push_back(uses_.writer[static_cast<size_t>(id)]);
      id = node->inputs[0];
      if (!ReadOnce(id)) return;
      node = WriterOf(id);
    }
    if (node == nullptr || node->op != Op::kConcatenation || !HasRange(At(id))) return;
    head.push_back(uses_.writer[static_cast<size_t>(id)]);
    const Tensor& joint = At(id);
    std::string lost;
    for (const TensorId part : node->inputs) {
      if (At(part).is_constant) return;  // a part that could not be an output
      const Node* requantize = Requantization(part);
      if (requantize != nullptr) head.push_back(uses_.writer[static_cast<size_t>(part)]);
      own_parts.push_back(requantize != nullptr ? requantize->inputs[0] : part);
      const Tensor& own = At(own_parts.back());
      if (!HasRange(own)) return;
      const double kept = Kept(own, joint);
      if (kept >= kFewestCodes) continue;
      lost += fmt::format("{}'{}' ({}) keeps {:.1f} codes", lost.empty() ? "" : ", ", own.name,
                          ScaleText(own), kept);
    }
    if (lost.empty()) return;
    rewrites.done.push_back(
        {node->name, fmt::format("CONCATENATION under {} taken off, its {} parts are outputs "
                                 "with their own scales; in it {}",
                                 ScaleText(joint), node->inputs.size(), lost)});
    nodes.insert(nodes.end(), head.begin(), head.end());
    parts.insert(parts.end(), own_parts.begin(), own_parts.end());
  }

  Graph& graph_;
  const Uses uses_;
  const Ranges* ranges_;
};

}  // namespace

Detached SplitHeads(Graph& graph) { return Splitter(graph, nullptr).Split(); }

Detached SplitHeads(Graph& graph, const std::map<std::string, RealRange>& ranges) {
  return Splitter(graph, &ranges).Split();
}

}  // namespace dlpu
