// SPDX-License-Identifier: Apache-2.0
// Which tensors of two networks are the same.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "app/compare.h"

namespace dlpu {
namespace {

// A layer's name without what quantizing and rewriting put behind it.
std::string PlainName(std::string_view name) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::string_view tail :
         {"/int8", "/uint8", "/int16", "/float32", "/codes", "/requantized", "_quantized",
          "_dequantized", "_QuantizeLinear_Output", "_DequantizeLinear_Output"}) {
      if (name.size() > tail.size() && name.ends_with(tail)) {
        name.remove_suffix(tail.size());
        changed = true;
      }
    }
  }
  return std::string(name);
}

// TensorFlow's converter joins the names of layers that became one: "a;b;c".
std::vector<std::string> NamesOf(const std::string& name) {
  std::vector<std::string> names = {PlainName(name)};
  if (name.find(';') == std::string::npos) return names;
  size_t begin = 0;
  while (begin <= name.size()) {
    const size_t end = std::min(name.find(';', begin), name.size());
    if (end > begin) names.push_back(PlainName(std::string_view(name).substr(begin, end - begin)));
    begin = end + 1;
  }
  return names;
}

bool Converts(Op op) { return op == Op::kQuantize || op == Op::kDequantize || op == Op::kCast; }

bool HasWeights(Op op) {
  return op == Op::kConv2d || op == Op::kDepthwiseConv2d || op == Op::kFullyConnected ||
         op == Op::kTransposeConv;
}

bool IsComparable(const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::kFloat32:
    case DataType::kInt8:
    case DataType::kUInt8:
    case DataType::kInt16:
      return !tensor.is_constant && !tensor.is_variable && ElementCount(tensor.shape) > 0;
    default:
      return false;
  }
}

using Names = std::map<std::string, TensorId>;

// The tensor that each name means: what a layer computes rather than a conversion of it.
Names IndexOf(const Program& program) {
  Names names;
  for (const bool conversions : {false, true}) {
    for (const Step& step : program.steps) {
      if (Converts(step.node.op) != conversions) continue;
      for (const TensorId id : step.node.outputs) {
        if (!IsComparable(program.tensors[id])) continue;
        for (const std::string& name : NamesOf(program.tensors[id].name)) names.emplace(name, id);
      }
    }
  }
  return names;
}

bool SameShape(const Tensor& a, const Tensor& b) {
  if (a.shape == b.shape) return true;
  // A batch of one may be missing.
  return ElementCount(a.shape) == ElementCount(b.shape) && !a.shape.empty() && !b.shape.empty() &&
         a.shape.back() == b.shape.back();
}

std::vector<TensorPair> ByName(const Program& reference, const Program& other) {
  const Names known = IndexOf(reference), own = IndexOf(other);
  std::vector<TensorPair> pairs;
  for (const Step& step : other.steps) {
    for (const TensorId id : step.node.outputs) {
      if (!IsComparable(other.tensors[id])) continue;
      for (const std::string& name : NamesOf(other.tensors[id].name)) {
        const auto mine = own.find(name);
        const auto found = known.find(name);
        if (mine == own.end() || mine->second != id || found == known.end()) continue;
        if (!SameShape(reference.tensors[found->second], other.tensors[id])) continue;
        pairs.push_back({found->second, id, false});
        break;
      }
    }
  }
  return pairs;
}

// Result of a layer with its activation, when that is a step of its own.
TensorId WithActivation(const Program& program, size_t at) {
  const TensorId id = program.steps[at].node.outputs[0];
  for (size_t i = at + 1; i < program.steps.size(); ++i) {
    const Node& node = program.steps[i].node;
    const bool reads = std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
    if (!reads) continue;
    const bool activates = node.op == Op::kRelu || node.op == Op::kRelu6;
    return activates ? node.outputs[0] : id;
  }
  return id;
}

bool HasActivation(const Node& node) {
  if (const auto* conv = std::get_if<ConvAttrs>(&node.attrs)) {
    return conv->activation != Activation::kNone;
  }
  if (const auto* full = std::get_if<FullyConnectedAttrs>(&node.attrs)) {
    return full->activation != Activation::kNone;
  }
  return false;
}

std::vector<size_t> LayersWithWeights(const Program& program) {
  std::vector<size_t> list;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    if (HasWeights(program.steps[i].node.op)) list.push_back(i);
  }
  return list;
}

// The outputs of two layers, behind the activation that one of them has as a step of its own.
TensorPair PairOf(const Program& reference, size_t i, const Program& other, size_t j) {
  const Node &x = reference.steps[i].node, &y = other.steps[j].node;
  TensorPair pair{x.outputs[0], y.outputs[0], true};
  if (HasActivation(x) == HasActivation(y)) return pair;
  if (HasActivation(y)) {
    pair.reference = WithActivation(reference, i);
  } else {
    pair.other = WithActivation(other, j);
  }
  return pair;
}

bool PairFits(const Program& reference, const Program& other, const TensorPair& pair) {
  return SameShape(reference.tensors[pair.reference], other.tensors[pair.other]);
}

// Layers whose weights point the same way.
std::vector<TensorPair> ByWeights(const Program& reference, const Program& other) {
  constexpr double kSameWeights = 0.9;  // cosine
  std::vector<size_t> free = LayersWithWeights(reference);
  std::vector<TensorPair> pairs;
  for (const size_t j : LayersWithWeights(other)) {
    const Tensor& weights = other.tensors[other.steps[j].node.inputs[1]];
    if (!weights.is_constant) continue;
    const std::vector<float> values = RealConstant(weights);
    auto best = free.end();
    double nearest = kSameWeights;
    for (auto i = free.begin(); i != free.end(); ++i) {
      const Tensor& known = reference.tensors[reference.steps[*i].node.inputs[1]];
      if (!known.is_constant || known.shape != weights.shape) continue;
      if (!PairFits(reference, other, PairOf(reference, *i, other, j))) continue;
      ErrorStats stats;
      stats.Add(RealConstant(known), values);
      if (stats.cosine() <= nearest) continue;
      nearest = stats.cosine();
      best = i;
    }
    if (best == free.end()) continue;
    pairs.push_back(PairOf(reference, *best, other, j));
    free.erase(best);
  }
  return pairs;
}

// Layers with weights one after the other, when there are as many of the same shapes.
std::vector<TensorPair> ByOrder(const Program& reference, const Program& other) {
  const std::vector<size_t> a = LayersWithWeights(reference), b = LayersWithWeights(other);
  if (a.size() != b.size()) return {};
  std::vector<TensorPair> pairs;
  for (size_t i = 0; i < a.size(); ++i) {
    pairs.push_back(PairOf(reference, a[i], other, b[i]));
    if (!PairFits(reference, other, pairs.back())) return {};
  }
  return pairs;
}

Result<std::vector<TensorPair>> MatchInputs(const Program& reference, const Program& other) {
  if (reference.inputs.size() != other.inputs.size()) {
    return InvalidError(fmt::format("one network has {} inputs, the other {}",
                                    reference.inputs.size(), other.inputs.size()));
  }
  std::vector<TensorPair> pairs;
  for (size_t i = 0; i < other.inputs.size(); ++i) {
    TensorPair pair{reference.inputs[i], other.inputs[i], false};
    for (const TensorId id : reference.inputs) {
      if (PlainName(reference.tensors[id].name) == PlainName(other.tensors[pair.other].name)) {
        pair.reference = id;
      }
    }
    const Tensor &a = reference.tensors[pair.reference], &b = other.tensors[pair.other];
    if (!SameShape(a, b)) {
      return InvalidError(
          fmt::format("input '{}' is {}, the other network's '{}' is {}: they need the same "
                      "shape; state it with --shape",
                      a.name, ShapeText(a.shape), b.name, ShapeText(b.shape)));
    }
    pairs.push_back(pair);
  }
  return pairs;
}

}  // namespace

Result<TensorMatch> MatchTensors(const Program& reference, const Program& other) {
  TensorMatch match;
  DLPU_TRY(match.inputs, MatchInputs(reference, other));
  match.pairs = ByName(reference, other);
  int weighted = 0;
  for (const Step& step : other.steps) {
    weighted += HasWeights(step.node.op) ? 1 : 0;
  }
  if (4 * static_cast<int>(match.pairs.size()) < std::max(weighted, 1)) {
    std::vector<TensorPair> alike = ByWeights(reference, other);
    if (2 * static_cast<int>(alike.size()) < weighted) alike = ByOrder(reference, other);
    if (alike.size() > match.pairs.size()) match.pairs = std::move(alike);
  }
  std::map<TensorId, bool> paired;
  for (const TensorPair& pair : match.pairs) paired[pair.other] = true;
  for (const Step& step : other.steps) {
    const auto has = [&](TensorId id) { return paired.contains(id); };
    const bool any = std::any_of(step.node.outputs.begin(), step.node.outputs.end(), has);
    if (!any && !Converts(step.node.op)) ++match.unmatched;
  }
  return match;
}

}  // namespace dlpu
