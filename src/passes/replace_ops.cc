// SPDX-License-Identifier: Apache-2.0
// The replacements and the ops they are made of.
#include "passes/replace_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "passes/quantize_numbers.h"
#include "passes/tidy.h"

namespace dlpu {
namespace {

// Ops that replace one node, in the order they run. Tensors are named after what they replace.
class Builder {
 public:
  Builder(Graph& graph, const Node& replaced) : graph_(graph), replaced_(replaced) {}

  TensorId Scalar(float value) {
    Tensor tensor;
    tensor.name = fmt::format("{}/constant_{}", replaced_.name, ++constants_);
    tensor.shape = {1};
    tensor.is_constant = true;
    tensor.data.resize(sizeof(float));
    std::memcpy(tensor.data.data(), &value, sizeof(float));
    return Keep(std::move(tensor));
  }

  // The op on these inputs; its output has the shape of what is replaced.
  TensorId Emit(Op op, std::vector<TensorId> inputs, Activation activation = Activation::kNone) {
    const Tensor& like = graph_.tensors[static_cast<size_t>(replaced_.outputs[0])];
    Tensor tensor;
    tensor.name = fmt::format("{}/{}", like.name, nodes.size() + 1);
    tensor.shape = like.shape;
    Node node;
    node.op = op;
    node.inputs = std::move(inputs);
    node.attrs = DefaultAttrs(op);
    if (auto* attrs = std::get_if<ArithmeticAttrs>(&node.attrs)) attrs->activation = activation;
    node.name = tensor.name;
    node.outputs = {Keep(std::move(tensor))};
    nodes.push_back(std::move(node));
    return nodes.back().outputs[0];
  }

  // RELU6(x + 3) / 6
  TensorId HardSigmoid(TensorId x) {
    const TensorId shifted = Emit(Op::kAdd, {x, Scalar(3)}, Activation::kRelu6);
    return Emit(Op::kMul, {shifted, Scalar(1.0f / 6)});
  }

  // The last op writes what the replaced node wrote, under its name.
  std::vector<Node> Finish() {
    nodes.back().outputs = replaced_.outputs;
    nodes.back().name = replaced_.name;
    return std::move(nodes);
  }

  std::vector<Node> nodes;

 private:
  TensorId Keep(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  Graph& graph_;
  const Node replaced_;
  int constants_ = 0;
};

// What a node that is to be replaced reads, and the slope of a leaky activation.
struct Match {
  TensorId x = kNoTensor;
  float slope = 0;
  TensorId slopes = kNoTensor;
};

struct Rule {
  Replacement replacement;
  std::optional<Match> (*match)(const Graph&, const Uses&, const Node&);
  // Adds ops that compute the same of match.x.
  void (*build)(Builder&, const Match&);
};

bool IsFloatNode(const Graph& graph, const Node& node) {
  return graph.tensors[static_cast<size_t>(node.outputs[0])].type == DataType::kFloat32;
}

template <Op op>
std::optional<Match> MatchOp(const Graph& graph, const Uses&, const Node& node) {
  if (node.op != op || !IsFloatNode(graph, node)) return std::nullopt;
  return Match{node.inputs[0]};
}

std::optional<Match> MatchLeakyRelu(const Graph& graph, const Uses&, const Node& node) {
  if (node.op != Op::kLeakyRelu || !IsFloatNode(graph, node)) return std::nullopt;
  return Match{node.inputs[0], std::get<LeakyReluAttrs>(node.attrs).alpha};
}

std::optional<Match> MatchPrelu(const Graph& graph, const Uses&, const Node& node) {
  if (node.op != Op::kPrelu || !IsFloatNode(graph, node)) return std::nullopt;
  return Match{node.inputs[0], 0, node.inputs[1]};
}

// x * LOGISTIC(x), as exporters write SiLU.
std::optional<Match> MatchSilu(const Graph& graph, const Uses& uses, const Node& node) {
  if (node.op != Op::kMul || !IsFloatNode(graph, node)) return std::nullopt;
  if (std::get<ArithmeticAttrs>(node.attrs).activation != Activation::kNone) return std::nullopt;
  for (const size_t i : {0u, 1u}) {
    const int writer = uses.writer[static_cast<size_t>(node.inputs[i])];
    if (writer < 0) continue;
    const Node& sigmoid = graph.nodes[static_cast<size_t>(writer)];
    if (sigmoid.op == Op::kLogistic && sigmoid.inputs[0] == node.inputs[1 - i]) {
      return Match{node.inputs[1 - i]};
    }
  }
  return std::nullopt;
}

void BuildRelu(Builder& b, const Match& m) { b.Emit(Op::kRelu, {m.x}); }
void BuildHardSwish(Builder& b, const Match& m) { b.Emit(Op::kMul, {m.x, b.HardSigmoid(m.x)}); }
void BuildHardSwishOp(Builder& b, const Match& m) { b.Emit(Op::kHardSwish, {m.x}); }
void BuildHardSigmoid(Builder& b, const Match& m) { b.HardSigmoid(m.x); }
void BuildLeakyMax(Builder& b, const Match& m) {
  b.Emit(Op::kMaximum, {m.x, b.Emit(Op::kMul, {m.x, b.Scalar(m.slope)})});
}
void BuildLeakyPrelu(Builder& b, const Match& m) { b.Emit(Op::kPrelu, {m.x, b.Scalar(m.slope)}); }
void BuildPreluMax(Builder& b, const Match& m) {
  b.Emit(Op::kMaximum, {m.x, b.Emit(Op::kMul, {m.x, m.slopes})});
}
void BuildGeluSigmoid(Builder& b, const Match& m) {
  const TensorId scaled = b.Emit(Op::kMul, {m.x, b.Scalar(1.702f)});
  b.Emit(Op::kMul, {m.x, b.Emit(Op::kLogistic, {scaled})});
}

const Rule kRules[] = {
    {{"hard-swish", "relu6", true, "x * RELU6(x + 3) / 6"},
     MatchOp<Op::kHardSwish>,
     BuildHardSwish},
    {{"hard-swish", "relu", false, "RELU(x)"}, MatchOp<Op::kHardSwish>, BuildRelu},
    {{"leaky-relu", "max", true, "MAXIMUM(x, slope * x)"}, MatchLeakyRelu, BuildLeakyMax},
    {{"leaky-relu", "prelu", true, "PRELU(x) with one slope"}, MatchLeakyRelu, BuildLeakyPrelu},
    {{"leaky-relu", "relu", false, "RELU(x)"}, MatchLeakyRelu, BuildRelu},
    {{"prelu", "max", true, "MAXIMUM(x, slopes * x)"}, MatchPrelu, BuildPreluMax},
    {{"prelu", "relu", false, "RELU(x)"}, MatchPrelu, BuildRelu},
    {{"silu", "hard-swish", false, "HARD_SWISH(x)"}, MatchSilu, BuildHardSwishOp},
    {{"silu", "relu6", false, "x * RELU6(x + 3) / 6"}, MatchSilu, BuildHardSwish},
    {{"silu", "relu", false, "RELU(x)"}, MatchSilu, BuildRelu},
    {{"gelu", "sigmoid", false, "x * LOGISTIC(1.702 x)"}, MatchOp<Op::kGelu>, BuildGeluSigmoid},
    {{"gelu", "relu", false, "RELU(x)"}, MatchOp<Op::kGelu>, BuildRelu},
    {{"logistic", "hard-sigmoid", false, "RELU6(x + 3) / 6"},
     MatchOp<Op::kLogistic>,
     BuildHardSigmoid},
};

// MAXIMUM(x, slope * x) is the leaky function for slopes up to 1 only. Empty: it may be used.
std::string WhyNot(const Graph& graph, const Replacement& replacement, const Match& match) {
  if (replacement.form != "max") return "";
  std::vector<float> slopes = {match.slope};
  if (match.slopes != kNoTensor) {
    const Tensor& tensor = graph.tensors[static_cast<size_t>(match.slopes)];
    if (!tensor.is_constant || tensor.type != DataType::kFloat32) return "its slopes are computed";
    slopes = FloatValues(tensor);
  }
  for (const float slope : slopes) {
    if (!(slope <= 1)) return fmt::format("it has a slope of {}, above 1", slope);
  }
  return "";
}

}  // namespace

const std::vector<Replacement>& Replacements() {
  static const std::vector<Replacement> all = [] {
    std::vector<Replacement> list;
    for (const Rule& rule : kRules) list.push_back(rule.replacement);
    return list;
  }();
  return all;
}

std::string ReplacementText(const Replacement& replacement) {
  return fmt::format("{}={}", replacement.name, replacement.form);
}

Result<Replacement> ParseReplacement(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::string form = equals == std::string::npos ? "" : text.substr(equals + 1);
  std::string known;
  for (const Replacement& one : Replacements()) {
    if (one.name == name && (form.empty() || one.form == form)) return one;
    known += (known.empty() ? "" : ", ") + ReplacementText(one);
  }
  return InvalidError(fmt::format("there is no replacement '{}'; there are {}", text, known));
}

Rewrites ReplaceOps(Graph& graph, const Replacement& replacement) {
  Rewrites rewrites;
  const auto rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& one) {
    return one.replacement.name == replacement.name && one.replacement.form == replacement.form;
  });
  if (rule == std::end(kRules)) return rewrites;
  const Uses uses = FindUses(graph);
  const std::vector<Node> old = graph.nodes;
  std::vector<Node> nodes;
  for (const Node& node : old) {
    const std::optional<Match> match = rule->match(graph, uses, node);
    if (!match) {
      nodes.push_back(node);
      continue;
    }
    const std::string why_not = WhyNot(graph, replacement, *match);
    if (!why_not.empty()) {
      rewrites.left.push_back({node.name, fmt::format("{} stays: {}", NodeOpName(node), why_not)});
      nodes.push_back(node);
      continue;
    }
    Builder builder(graph, node);
    rule->build(builder, *match);
    for (Node& made : builder.Finish()) nodes.push_back(std::move(made));
    rewrites.done.push_back(
        {node.name, fmt::format("{} is now {}", replacement.name, replacement.says)});
  }
  if (rewrites.done.empty()) return rewrites;
  graph.nodes = std::move(nodes);
  DropUnused(graph);
  return rewrites;
}

}  // namespace dlpu
