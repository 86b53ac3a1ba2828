// SPDX-License-Identifier: Apache-2.0
// Channel shuffles (RESHAPE, TRANSPOSE, RESHAPE that only reorder the last axis of a picture) go
// into the weights of a convolution: through ops that work on each channel alone, forward to one
// that sums over all channels, or backward to one that makes them. Where both ways end at a grouped
// convolution or elsewhere, a 1x1 convolution with weights of 0 and 1 moves the channels, which a
// DLPU computes as it does any other, where it may not take a TRANSPOSE of five axes.
#include <algorithm>
#include <cstring>
#include <optional>

#include "passes/compile.h"
#include "passes/layout.h"
#include "passes/rewrite.h"

namespace dlpu {
namespace {

constexpr int kMostHops = 16;

struct Shuffle {
  int first = 0, transpose = 0, last = 0;  // nodes
  TensorId from = kNoTensor, to = kNoTensor;
  std::vector<int32_t> source;  // channel j of `to` is channel source[j] of `from`
};

int OnlyReader(const Uses& uses, TensorId id) {
  const auto at = static_cast<size_t>(id);
  return uses.readers[at].size() == 1 && !uses.is_output[at] ? uses.readers[at][0] : -1;
}

bool IsFloatConstant(const Graph& graph, TensorId id) {
  return id != kNoTensor && graph.tensors[id].is_constant &&
         graph.tensors[id].type == DataType::kFloat32;
}

std::optional<Shuffle> ShuffleAt(const Graph& graph, const Uses& uses, int first) {
  Shuffle s;
  s.first = first;
  const Node& split = graph.nodes[static_cast<size_t>(first)];
  if (split.op != Op::kReshape) return std::nullopt;
  s.from = split.inputs[0];
  s.transpose = OnlyReader(uses, split.outputs[0]);
  if (s.transpose < 0) return std::nullopt;
  const Node& turn = graph.nodes[static_cast<size_t>(s.transpose)];
  if (turn.op != Op::kTranspose || turn.inputs[0] != split.outputs[0]) return std::nullopt;
  s.last = OnlyReader(uses, turn.outputs[0]);
  if (s.last < 0) return std::nullopt;
  const Node& join = graph.nodes[static_cast<size_t>(s.last)];
  if (join.op != Op::kReshape) return std::nullopt;
  s.to = join.outputs[0];
  const Shape &whole = graph.tensors[s.from].shape, &parts = graph.tensors[split.outputs[0]].shape;
  const Tensor& perm = graph.tensors[turn.inputs[1]];
  if (whole.size() != 4 || parts.size() != 5 || graph.tensors[s.to].shape != whole ||
      graph.tensors[s.from].type != DataType::kFloat32 || uses.is_output[s.to] ||
      !std::equal(whole.begin(), whole.begin() + 3, parts.begin()) || !perm.is_constant ||
      perm.data.size() != 5 * sizeof(int32_t)) {
    return std::nullopt;
  }
  const int32_t wanted[] = {0, 1, 2, 4, 3};
  if (std::memcmp(perm.data.data(), wanted, sizeof wanted) != 0) return std::nullopt;
  for (int32_t b = 0; b < parts[4]; ++b) {
    for (int32_t a = 0; a < parts[3]; ++a) s.source.push_back(a * parts[4] + b);
  }
  return s;
}

// Padding of a picture's rows and columns.
bool PadsSpace(const Graph& graph, const Node& node) {
  const Tensor& amounts = graph.tensors[node.inputs[1]];
  if (!amounts.is_constant || amounts.type != DataType::kInt32 || amounts.data.size() != 32) {
    return false;
  }
  int32_t channels[2];
  std::memcpy(channels, amounts.data.data() + 24, sizeof channels);
  return channels[0] == 0 && channels[1] == 0;
}

// Ops whose channels have nothing to do with each other and no constants for each of them.
bool IsByChannel(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::kPad:
    case Op::kPadV2:
      return PadsSpace(graph, node);
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
    case Op::kMaxPool2d:
    case Op::kAveragePool2d:
      return true;
    default:
      return false;
  }
}

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph) {}

  int Run() {
    int folded = 0;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      uses_ = FindUses(graph_);
      const auto shuffle = ShuffleAt(graph_, uses_, static_cast<int>(i));
      if (!shuffle.has_value()) continue;
      shuffle_ = *shuffle;
      if (Forward() || Backward()) {
        for (Node& node : graph_.nodes) {
          std::replace(node.inputs.begin(), node.inputs.end(), shuffle_.to, shuffle_.from);
        }
      } else {
        Convolve();
      }
      ++folded;
    }
    return folded;
  }

 private:
  Node& node(int at) { return graph_.nodes[static_cast<size_t>(at)]; }

  bool IsDepthwise(const Node& n) const {
    return n.op == Op::kDepthwiseConv2d && IsFloatConstant(graph_, n.inputs[1]) &&
           graph_.tensors[n.inputs[1]].shape[3] == static_cast<int32_t>(shuffle_.source.size()) &&
           graph_.tensors[n.inputs[0]].shape[3] == graph_.tensors[n.outputs[0]].shape[3] &&
           HasConstantBias(n);
  }
  bool IsDense(const Node& n) const {
    return n.op == Op::kConv2d && IsFloatConstant(graph_, n.inputs[1]) &&
           graph_.tensors[n.inputs[1]].shape[3] == graph_.tensors[n.inputs[0]].shape[3] &&
           HasConstantBias(n);
  }
  bool HasConstantBias(const Node& n) const {
    return n.inputs.size() < 3 || n.inputs[2] == kNoTensor || IsFloatConstant(graph_, n.inputs[2]);
  }

  // The convolution after the shuffle takes its channels in the order that they come in.
  bool Forward() {
    std::vector<int> passed;
    TensorId at = shuffle_.to;
    for (int hop = 0; hop < kMostHops; ++hop) {
      const int reader = OnlyReader(uses_, at);
      if (reader < 0 || node(reader).inputs[0] != at) return false;
      if (IsDense(node(reader))) {
        const std::vector<int32_t> back = Inverse();
        for (const int one : passed) ReorderDepthwise(one, back);
        Reorder(reader, 1, 3, back);
        return true;
      }
      if (IsDepthwise(node(reader))) {
        passed.push_back(reader);
      } else if (!IsByChannel(graph_, node(reader))) {
        return false;
      }
      at = node(reader).outputs[0];
    }
    return false;
  }

  // The convolution before the shuffle makes its channels in the order that they are wanted.
  bool Backward() {
    std::vector<int> passed;
    TensorId at = shuffle_.from;
    for (int hop = 0; hop < kMostHops; ++hop) {
      const int writer = uses_.writer[static_cast<size_t>(at)];
      if (writer < 0 || OnlyReader(uses_, at) < 0) return false;
      if (IsDense(node(writer))) {
        for (const int one : passed) ReorderDepthwise(one, shuffle_.source);
        Reorder(writer, 1, 0, shuffle_.source);
        Reorder(writer, 2, 0, shuffle_.source);
        return true;
      }
      if (IsDepthwise(node(writer))) {
        passed.push_back(writer);
      } else if (!IsByChannel(graph_, node(writer))) {
        return false;
      }
      at = node(writer).inputs[0];
    }
    return false;
  }

  std::vector<int32_t> Inverse() const {
    std::vector<int32_t> inverse(shuffle_.source.size());
    for (size_t j = 0; j < inverse.size(); ++j) {
      inverse[static_cast<size_t>(shuffle_.source[j])] = static_cast<int32_t>(j);
    }
    return inverse;
  }

  void ReorderDepthwise(int at, const std::vector<int32_t>& order) {
    Reorder(at, 1, 3, order);
    Reorder(at, 2, 0, order);
  }

  // Slice k of a constant along an axis becomes slice order[k] of what it was.
  void Reorder(int at, size_t input, size_t axis, const std::vector<int32_t>& order) {
    if (node(at).inputs.size() <= input || node(at).inputs[input] == kNoTensor) return;
    Tensor tensor = graph_.tensors[node(at).inputs[input]];
    size_t inner = sizeof(float), outer = 1;
    for (size_t d = 0; d < tensor.shape.size(); ++d) {
      (d < axis ? outer : inner) *= d == axis ? 1 : static_cast<size_t>(tensor.shape[d]);
    }
    std::vector<uint8_t> data(tensor.data.begin(), tensor.data.end());
    for (size_t o = 0; o < outer; ++o) {
      for (size_t k = 0; k < order.size(); ++k) {
        const size_t from = (o * order.size() + static_cast<size_t>(order[k])) * inner;
        std::memcpy(&data[(o * order.size() + k) * inner], tensor.data.data() + from, inner);
      }
    }
    tensor.data = std::move(data);
    node(at).inputs[input] = Add(std::move(tensor));
  }

  TensorId Add(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }

  TensorId AddFloats(const std::string& name, Shape shape, const std::vector<float>& values) {
    Tensor tensor;
    tensor.name = name;
    tensor.type = DataType::kFloat32;
    tensor.shape = std::move(shape);
    tensor.is_constant = true;
    std::vector<uint8_t> data(values.size() * sizeof(float));
    std::memcpy(data.data(), values.data(), data.size());
    tensor.data = std::move(data);
    return Add(std::move(tensor));
  }

  void Convolve() {
    const std::vector<int32_t>& source = shuffle_.source;
    const auto channels = static_cast<int32_t>(source.size());
    std::vector<float> weights(source.size() * source.size(), 0.0f);
    for (size_t j = 0; j < source.size(); ++j) {
      weights[j * source.size() + static_cast<size_t>(source[j])] = 1.0f;
    }
    const std::string name = graph_.tensors[shuffle_.to].name;
    const TensorId w = AddFloats(name + "/order", {channels, 1, 1, channels}, weights);
    const TensorId b = AddFloats(name + "/bias", {channels}, std::vector<float>(source.size(), 0));
    Node& join = node(shuffle_.last);
    join.op = Op::kConv2d;
    join.attrs = ConvAttrs{};
    join.inputs = {shuffle_.from, w, b};
  }

  Graph& graph_;
  Uses uses_;
  Shuffle shuffle_;
};

}  // namespace

int FoldChannelShuffles(Graph& graph) {
  const int folded = Folder(graph).Run();
  if (folded > 0) RemoveDead(graph);
  return folded;
}

}  // namespace dlpu
