// SPDX-License-Identifier: Apache-2.0
// Which tensors share a scale, and what it is. An op that moves values (RESHAPE, CONCATENATION,
// ...) wants one scale for its inputs and outputs; where one of the inputs would lose too much by
// that it keeps a scale of its own and is requantized in front of the op.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/op.h"
#include "passes/quantize_numbers.h"
#include "passes/quantize_plan.h"
#include "passes/rewrite.h"

namespace dlpu {
namespace {

using Kind = QuantizeRule::Kind;

// An input that others read as well shares the scale when its range is at least this part of it.
constexpr double kSharedPart = 0.5;

double Width(const RealRange& range) {
  return static_cast<double>(range.high) - static_cast<double>(range.low);
}

class Groups {
 public:
  Groups(const Graph& graph, const TensorFacts& facts)
      : parent_(graph.tensors.size()), ranges_(facts.ranges), fixed_(graph.tensors.size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    ranges_.resize(graph.tensors.size());
  }

  size_t Find(TensorId id) {
    auto i = static_cast<size_t>(id);
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Fix(TensorId id, Quantization quantization) { fixed_[Find(id)] = std::move(quantization); }
  const std::optional<Quantization>& fixed(TensorId id) { return fixed_[Find(id)]; }
  const std::optional<RealRange>& range(TensorId id) { return ranges_[Find(id)]; }

  // False when both have different prescribed scales.
  bool Join(TensorId a, TensorId b) {
    const size_t i = Find(a), j = Find(b);
    if (i == j) return true;
    if (fixed_[i] && fixed_[j] && *fixed_[i] != *fixed_[j]) return false;
    if (!fixed_[i]) fixed_[i] = fixed_[j];
    if (!ranges_[i]) {
      ranges_[i] = ranges_[j];
    } else if (ranges_[j]) {
      ranges_[i]->low = std::min(ranges_[i]->low, ranges_[j]->low);
      ranges_[i]->high = std::max(ranges_[i]->high, ranges_[j]->high);
    }
    parent_[j] = i;
    return true;
  }

 private:
  std::vector<size_t> parent_;
  std::vector<std::optional<RealRange>> ranges_;  // of roots
  std::vector<std::optional<Quantization>> fixed_;
};

class Planner {
 public:
  Planner(const Graph& graph, const TensorFacts& facts, const NodeForms& forms,
          const QuantizeOptions& options)
      : graph_(graph),
        forms_(forms),
        options_(options),
        uses_(FindUses(graph)),
        groups_(graph, facts) {}

  Result<TensorPlan> Plan() {
    ChooseTypes();
    FixOutputs();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) JoinScales(i);
    plan_.quantizations.resize(graph_.tensors.size());
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      if (!IsCoded(static_cast<TensorId>(t))) continue;
      DLPU_TRY(plan_.quantizations[t], QuantizationOf(static_cast<TensorId>(t)));
    }
    return std::move(plan_);
  }

 private:
  bool PowersOfTwo() const { return options_.scheme == QuantScheme::kPowerOfTwo; }
  bool IsCoded(TensorId id) const {
    const DataType type = plan_.types[id];
    return graph_.tensors[id].type == DataType::kFloat32 && type != DataType::kFloat32;
  }

  // A tensor has the type of the node that writes it; an input of the model that of the scheme.
  void ChooseTypes() {
    for (const Tensor& tensor : graph_.tensors) plan_.types.push_back(tensor.type);
    const auto set = [&](TensorId id, DataType type) {
      if (graph_.tensors[id].type == DataType::kFloat32) plan_.types[id] = type;
    };
    for (const TensorId id : graph_.inputs) {
      DataType type = DataType::kFloat32;  // no node computes with it in integers
      for (const int reader : uses_.readers[id]) {
        if (forms_[reader] == DataType::kFloat32 || forms_[reader] == DataType::kOther) continue;
        const bool wide = type == DataType::kInt16 || forms_[reader] == DataType::kInt16;
        // Pixels need all of 8 bits, which a power of two as their scale does not give them.
        type = PowersOfTwo() && wide ? DataType::kInt16 : ActivationType(options_.scheme);
      }
      set(id, type);
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (forms_[i] == DataType::kOther) continue;
      for (const TensorId id : graph_.nodes[i].outputs) set(id, forms_[i]);
    }
  }

  void FixOutputs() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (forms_[i] == DataType::kOther || forms_[i] == DataType::kFloat32) continue;
      const auto fixed = FixedOutput(graph_.nodes[i].op, forms_[i]);
      if (fixed) groups_.Fix(graph_.nodes[i].outputs[0], *fixed);
    }
  }

  // What a concatenation of the model's outputs would leave of a part that is far smaller.
  bool WouldLoseHead(const Node& node, TensorId input) {
    const bool is_head = std::any_of(node.outputs.begin(), node.outputs.end(),
                                     [&](TensorId id) { return uses_.is_output[id]; });
    const auto &part = groups_.range(input), &whole = groups_.range(node.outputs[0]);
    return is_head && part && whole && Width(*part) * 256 < Width(*whole) * kFewestCodes;
  }

  // Whether an input of several may take the scale of the whole.
  bool MayShare(const Node& node, TensorId input) {
    const TensorId output = node.outputs[0];
    if (groups_.fixed(input) && groups_.fixed(output) != groups_.fixed(input)) return false;
    const auto &part = groups_.range(input), &whole = groups_.range(output);
    if (!part || !whole || WouldLoseHead(node, input)) return false;
    const bool alone = uses_.readers[input].size() == 1 && !uses_.is_output[input];
    return alone || Width(*part) >= kSharedPart * Width(*whole);
  }

  void JoinScales(size_t index) {
    const Node& node = graph_.nodes[index];
    const DataType form = forms_[index];
    if (form == DataType::kOther || form == DataType::kFloat32) return;
    if (GetOp(node.op).quantize.value.kind != Kind::kSameAsInput) return;
    std::vector<TensorId> inputs;
    for (const size_t i : FloatInputs(graph_, node)) {
      if (!graph_.tensors[node.inputs[i]].is_constant) inputs.push_back(node.inputs[i]);
    }
    const TensorId output = node.outputs[0];
    for (const TensorId other : node.outputs) {
      if (IsCoded(other)) groups_.Join(output, other);
    }
    // All parts under one prescribed scale (a concatenation of LOGISTICs): so is the whole.
    const bool all_fixed =
        !inputs.empty() && std::all_of(inputs.begin(), inputs.end(), [&](TensorId id) {
          return groups_.fixed(id) && groups_.fixed(id) == groups_.fixed(inputs[0]);
        });
    for (const TensorId input : inputs) {
      if (plan_.types[input] != form || !IsCoded(output)) continue;
      if (inputs.size() == 1 || all_fixed || MayShare(node, input)) groups_.Join(output, input);
    }
  }

  Result<Quantization> QuantizationOf(TensorId id) {
    if (groups_.fixed(id)) return *groups_.fixed(id);
    const std::optional<RealRange>& range = groups_.range(id);
    if (!range) {
      return InvalidError(fmt::format("tensor '{}' has no range: calibration did not see it",
                                      graph_.tensors[id].name));
    }
    if (!std::isfinite(range->low) || !std::isfinite(range->high)) {
      return InvalidError(
          fmt::format("tensor '{}' takes values that are not finite over the calibration inputs",
                      graph_.tensors[id].name));
    }
    return ActivationQuantization(*range, plan_.types[id], PowersOfTwo());
  }

  const Graph& graph_;
  const NodeForms& forms_;
  const QuantizeOptions& options_;
  const Uses uses_;
  Groups groups_;
  TensorPlan plan_;
};

}  // namespace

Result<TensorPlan> PlanTensors(const Graph& graph, const TensorFacts& facts, const NodeForms& forms,
                               const QuantizeOptions& options) {
  return Planner(graph, facts, forms, options).Plan();
}

}  // namespace dlpu
