// SPDX-License-Identifier: Apache-2.0
// How each op takes inputs whose axes are stored in another order.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "passes/layout.h"

namespace dlpu {
namespace {

std::vector<int32_t> Ints(const Tensor& constant) {
  std::vector<int32_t> values;
  if (constant.type == DataType::kInt32) {
    values.resize(constant.data.size() / 4);
    if (!values.empty()) std::memcpy(values.data(), constant.data.data(), constant.data.size());
  } else if (constant.type == DataType::kInt64) {
    for (size_t i = 0; i + 8 <= constant.data.size(); i += 8) {
      int64_t value = 0;
      std::memcpy(&value, constant.data.data() + i, 8);
      values.push_back(static_cast<int32_t>(value));
    }
  }
  return values;
}

bool IsConstantInput(const Graph& graph, const Node& node, size_t i) {
  return i < node.inputs.size() && node.inputs[i] != kNoTensor &&
         graph.tensors[node.inputs[i]].is_constant;
}

void ReplaceInts(Graph& graph, Node& node, size_t i, const std::vector<int32_t>& values) {
  Tensor tensor = graph.tensors[node.inputs[i]];
  tensor.type = DataType::kInt32;
  tensor.data.resize(values.size() * 4);
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  node.inputs[i] = static_cast<TensorId>(graph.tensors.size());
  graph.tensors.push_back(std::move(tensor));
}

int32_t Positive(int32_t axis, size_t rank) {
  return axis < 0 ? axis + static_cast<int32_t>(rank) : axis;
}

bool InRank(int32_t axis, size_t rank) { return axis >= 0 && axis < static_cast<int32_t>(rank); }

using Order = std::optional<Permutation>;

Order Elementwise(Graph&, Node&, const Permutation& perm) { return perm; }

// Ops along the last axis.
Order LastAxis(Graph&, Node&, const Permutation& perm) {
  return perm.back() == static_cast<int32_t>(perm.size()) - 1 ? Order(perm) : std::nullopt;
}

Order Concatenation(Graph&, Node& node, const Permutation& perm) {
  auto& attrs = std::get<ConcatenationAttrs>(node.attrs);
  const int32_t axis = Positive(attrs.axis, perm.size());
  if (!InRank(axis, perm.size())) return std::nullopt;
  attrs.axis = perm[axis];
  return perm;
}

// A constant input that names axes.
template <size_t kInput>
Order NamedAxes(Graph& graph, Node& node, const Permutation& perm) {
  if (!IsConstantInput(graph, node, kInput)) return std::nullopt;
  std::vector<int32_t> axes = Ints(graph.tensors[node.inputs[kInput]]);
  for (int32_t& axis : axes) {
    axis = Positive(axis, perm.size());
    if (!InRank(axis, perm.size())) return std::nullopt;
    axis = perm[axis];
  }
  ReplaceInts(graph, node, kInput, axes);
  return perm;
}

// A constant input of `kWidth` values for each axis.
template <size_t kWidth>
bool PermuteRows(Graph& graph, Node& node, size_t input, const Permutation& perm) {
  if (!IsConstantInput(graph, node, input)) return false;
  const std::vector<int32_t> rows = Ints(graph.tensors[node.inputs[input]]);
  if (rows.size() != perm.size() * kWidth) return false;
  std::vector<int32_t> stored(rows.size());
  for (size_t d = 0; d < perm.size(); ++d) {
    for (size_t i = 0; i < kWidth; ++i) stored[perm[d] * kWidth + i] = rows[d * kWidth + i];
  }
  ReplaceInts(graph, node, input, stored);
  return true;
}

Order Pad(Graph& graph, Node& node, const Permutation& perm) {
  return PermuteRows<2>(graph, node, 1, perm) ? Order(perm) : std::nullopt;
}

Order OneList(Graph& graph, Node& node, const Permutation& perm) {
  return PermuteRows<1>(graph, node, 1, perm) ? Order(perm) : std::nullopt;
}

Order Slice(Graph& graph, Node& node, const Permutation& perm) {
  const bool done = PermuteRows<1>(graph, node, 1, perm) && PermuteRows<1>(graph, node, 2, perm);
  return done ? Order(perm) : std::nullopt;
}

Order StridedSlice(Graph& graph, Node& node, const Permutation& perm) {
  auto& attrs = std::get<StridedSliceAttrs>(node.attrs);
  if (attrs.ellipsis_mask != 0 || attrs.new_axis_mask != 0 || attrs.shrink_axis_mask != 0) {
    return std::nullopt;
  }
  for (size_t input = 1; input <= 3; ++input) {
    if (!PermuteRows<1>(graph, node, input, perm)) return std::nullopt;
  }
  const auto move = [&](int32_t mask) {
    int32_t moved = 0;
    for (size_t d = 0; d < perm.size(); ++d) {
      if ((mask >> d & 1) != 0) moved |= 1 << perm[d];
    }
    return moved;
  };
  attrs.begin_mask = move(attrs.begin_mask);
  attrs.end_mask = move(attrs.end_mask);
  return perm;
}

// The order of what is left when some of the graph's axes go.
Permutation WithoutAxes(const Permutation& perm, const std::vector<bool>& gone) {
  Permutation result;
  for (size_t d = 0; d < perm.size(); ++d) {
    if (gone[d]) continue;
    int32_t place = 0;  // stored axes before it that stay
    for (size_t e = 0; e < perm.size(); ++e) place += !gone[e] && perm[e] < perm[d] ? 1 : 0;
    result.push_back(place);
  }
  return result;
}

Order Reduction(Graph& graph, Node& node, const Permutation& perm) {
  if (!IsConstantInput(graph, node, 1)) return std::nullopt;
  std::vector<bool> gone(perm.size(), false);
  for (const int32_t value : Ints(graph.tensors[node.inputs[1]])) {
    const int32_t axis = Positive(value, perm.size());
    if (!InRank(axis, perm.size())) return std::nullopt;
    gone[axis] = true;
  }
  if (!NamedAxes<1>(graph, node, perm).has_value()) return std::nullopt;
  const auto* attrs = std::get_if<ReduceAttrs>(&node.attrs);
  return attrs != nullptr && attrs->keep_dims ? perm : WithoutAxes(perm, gone);
}

Order Gather(Graph& graph, Node& node, const Permutation& perm) {
  auto& attrs = std::get<GatherAttrs>(node.attrs);
  const size_t index_rank = graph.tensors[node.inputs[1]].shape.size();
  const int32_t axis = Positive(attrs.axis, perm.size());
  if (attrs.batch_dims != 0 || index_rank > 1 || !InRank(axis, perm.size())) return std::nullopt;
  attrs.axis = perm[axis];
  if (index_rank == 1) return perm;
  std::vector<bool> gone(perm.size(), false);
  gone[axis] = true;
  return WithoutAxes(perm, gone);
}

Order FullyConnected(Graph& graph, Node& node, const Permutation& perm) {
  if (!std::get<FullyConnectedAttrs>(node.attrs).keep_num_dims) return std::nullopt;
  return LastAxis(graph, node, perm);
}

// A convolution of single pixels does not care how they are ordered.
Order PixelConvolution(Graph& graph, Node& node, const Permutation& perm) {
  const auto& attrs = std::get<ConvAttrs>(node.attrs);
  const Shape& weights = graph.tensors[node.inputs[1]].shape;
  const bool pixels = weights.size() == 4 && weights[1] == 1 && weights[2] == 1 &&
                      attrs.stride_h == 1 && attrs.stride_w == 1;
  return pixels && perm.size() == 4 && perm[3] == 3 ? Order(perm) : std::nullopt;
}

std::vector<size_t> All(const Node& node) {
  std::vector<size_t> list(node.inputs.size());
  std::iota(list.begin(), list.end(), 0);
  return list;
}

}  // namespace

std::optional<LayoutRule> LayoutRuleOf(const Graph& graph, const Node& node) {
  (void)graph;
  switch (node.op) {
    case Op::kConcatenation:
      return LayoutRule{All(node), Concatenation};
    case Op::kSplit:
      return LayoutRule{{1}, NamedAxes<0>};
    case Op::kSplitV:
      return LayoutRule{{0}, NamedAxes<2>};
    case Op::kPad:
    case Op::kPadV2:
    case Op::kMirrorPad:
      return LayoutRule{{0}, Pad};
    case Op::kSlice:
      return LayoutRule{{0}, Slice};
    case Op::kStridedSlice:
      return LayoutRule{{0}, StridedSlice};
    case Op::kTile:
    case Op::kBroadcastTo:
      return LayoutRule{{0}, OneList};
    case Op::kReverseV2:
    case Op::kCumsum:
      return LayoutRule{{0}, NamedAxes<1>};
    case Op::kGather:
      return LayoutRule{{0}, Gather};
    case Op::kMean:
    case Op::kSum:
    case Op::kReduceMax:
    case Op::kReduceMin:
    case Op::kReduceProd:
    case Op::kArgMax:
    case Op::kArgMin:
      return LayoutRule{{0}, Reduction};
    case Op::kSoftmax:
    case Op::kLogSoftmax:
    case Op::kL2Normalization:
      return LayoutRule{{0}, LastAxis};
    case Op::kConv2d:
      return LayoutRule{{0}, PixelConvolution};
    case Op::kFullyConnected:
      return LayoutRule{{0}, FullyConnected};
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kFloorDiv:
    case Op::kFloorMod:
    case Op::kSquaredDifference:
    case Op::kMaximum:
    case Op::kMinimum:
    case Op::kPow:
    case Op::kPrelu:
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kLogicalAnd:
    case Op::kLogicalOr:
    case Op::kSelectV2:
    case Op::kLogicalNot:
    case Op::kLogistic:
    case Op::kTanh:
    case Op::kRelu:
    case Op::kRelu6:
    case Op::kReluN1To1:
    case Op::kRelu0To1:
    case Op::kQuantize:
    case Op::kDequantize:
    case Op::kHardSwish:
    case Op::kAbs:
    case Op::kNeg:
    case Op::kSqrt:
    case Op::kRsqrt:
    case Op::kExp:
    case Op::kLog:
    case Op::kSquare:
    case Op::kSin:
    case Op::kCos:
    case Op::kFloor:
    case Op::kCeil:
    case Op::kRound:
    case Op::kLeakyRelu:
    case Op::kElu:
    case Op::kGelu:
    case Op::kCast:
    case Op::kZerosLike:
      return LayoutRule{All(node), Elementwise};
    default:
      return std::nullopt;
  }
}

namespace {

std::vector<int32_t> LongAxes(const Shape& shape) {
  std::vector<int32_t> axes;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) axes.push_back(static_cast<int32_t>(d));
  }
  return axes;
}

// Axes of the old and the new shape that hold the same elements; as small as possible.
struct AxisGroup {
  std::vector<int32_t> from, to;
  size_t place = 0;  // of the first of its old axes in storage
};

std::optional<std::vector<AxisGroup>> GroupAxes(const Shape& from, const Shape& to) {
  const std::vector<int32_t> old_axes = LongAxes(from), new_axes = LongAxes(to);
  std::vector<AxisGroup> groups;
  size_t i = 0, j = 0;
  while (i < old_axes.size() && j < new_axes.size()) {
    AxisGroup group{{old_axes[i]}, {new_axes[j]}, 0};
    int64_t a = from[old_axes[i++]], b = to[new_axes[j++]];
    while (a != b) {
      if (a == 0 || b == 0 || (a < b ? i == old_axes.size() : j == new_axes.size())) {
        return std::nullopt;
      }
      if (a < b) {
        group.from.push_back(old_axes[i]);
        a *= from[old_axes[i++]];
      } else {
        group.to.push_back(new_axes[j]);
        b *= to[new_axes[j++]];
      }
    }
    groups.push_back(std::move(group));
  }
  if (i != old_axes.size() || j != new_axes.size()) return std::nullopt;
  return groups;
}

// All axes in the order of the long ones; an axis of extent 1 follows the one before it.
Permutation WithShortAxes(std::vector<int32_t> order, const Shape& shape) {
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) continue;
    const auto before = std::find(order.begin(), order.end(), static_cast<int32_t>(d) - 1);
    order.insert(d == 0 ? order.begin() : before + 1, static_cast<int32_t>(d));
  }
  return order;
}

}  // namespace

std::optional<ReshapedOrder> ReshapeInOrder(const Shape& from, const Shape& to,
                                            const Permutation& perm) {
  auto groups = GroupAxes(from, to);
  if (!groups.has_value()) return std::nullopt;
  std::vector<int32_t> storage;  // long graph axes as they are stored
  for (const int32_t axis : InversePermutation(perm)) {
    if (from[axis] != 1) storage.push_back(axis);
  }
  for (AxisGroup& group : *groups) {
    group.place = storage.size();
    for (const int32_t axis : group.from) {
      const auto at = std::find(storage.begin(), storage.end(), axis) - storage.begin();
      group.place = std::min(group.place, static_cast<size_t>(at));
    }
  }
  std::stable_sort(groups->begin(), groups->end(),
                   [](const AxisGroup& a, const AxisGroup& b) { return a.place < b.place; });
  std::vector<int32_t> needed, order;  // storage before and after, as graph axes
  for (const AxisGroup& group : *groups) {
    needed.insert(needed.end(), group.from.begin(), group.from.end());
    order.insert(order.end(), group.to.begin(), group.to.end());
  }
  const Permutation after = WithShortAxes(order, to);
  ReshapedOrder result{perm, InversePermutation(after), Permuted(to, after)};
  if (needed != storage) result.before = InversePermutation(WithShortAxes(needed, from));
  return result;
}

}  // namespace dlpu
