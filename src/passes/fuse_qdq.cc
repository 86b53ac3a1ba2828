// SPDX-License-Identifier: Apache-2.0
// Pass: DEQUANTIZE, an op in float32 and QUANTIZE become the op on codes, where LiteRT's integer op
// means the same. What does not fit keeps its DEQUANTIZE and QUANTIZE.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>

#include "ops/op.h"
#include "passes/tidy.h"
#include "passes/uses.h"

namespace dlpu {
namespace {

bool IsWeighted(Op op) {
  return op == Op::kConv2d || op == Op::kDepthwiseConv2d || op == Op::kFullyConnected ||
         op == Op::kTransposeConv;
}

// Moves or compares codes, so that requantizing before it gives what requantizing after it gives.
bool MovesCodes(Op op) {
  switch (op) {
    case Op::kConcatenation:
    case Op::kMaxPool2d:
    case Op::kReshape:
    case Op::kTranspose:
    case Op::kSlice:
    case Op::kStridedSlice:
    case Op::kSplit:
    case Op::kSplitV:
    case Op::kGather:
    case Op::kResizeNearestNeighbor:
    case Op::kSpaceToDepth:
    case Op::kDepthToSpace:
    case Op::kMaximum:
    case Op::kMinimum:
    case Op::kPad:
      return true;
    default:
      return false;
  }
}

bool MovesOrPads(Op op) { return op == Op::kPadV2 || op == Op::kMirrorPad || MovesCodes(op); }

class QdqFuser {
 public:
  explicit QdqFuser(Graph& graph) : graph_(graph) {}

  void Run() {
    const bool any = std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [](const Node& node) {
      return node.op == Op::kDequantize || node.op == Op::kQuantize;
    });
    if (!any) return;
    ShareQuantization();
    if (SuitsInt8()) TurnToInt8();
    MoveBehindDequantize();
    const TensorUses uses(graph_);
    writer_ = uses.writer;
    std::vector<bool> gone(graph_.nodes.size(), false);
    std::vector<Node> kept;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (gone[i]) continue;
      std::vector<int> absorbed;
      if (std::optional<std::vector<Node>> nodes = Fuse(graph_.nodes[i], uses, absorbed)) {
        for (const int q : absorbed) gone[q] = true;
        kept.insert(kept.end(), nodes->begin(), nodes->end());
      } else {
        kept.push_back(graph_.nodes[i]);
      }
    }
    graph_.nodes = std::move(kept);
  }

 private:
  const Tensor& tensor(TensorId id) const { return graph_.tensors[id]; }

  TensorId Add(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  // The codes behind a float32 tensor; kNoTensor when nothing dequantizes to it.
  TensorId Codes(TensorId id) const {
    if (id >= static_cast<TensorId>(writer_.size()) || writer_[id] < 0) return kNoTensor;
    const Node& node = graph_.nodes[writer_[id]];
    return node.op == Op::kDequantize ? node.inputs[0] : kNoTensor;
  }

  // uint8 codes can all be int8 codes, unless weights have a zero point that int8 weights may not.
  bool SuitsInt8() const {
    for (const Node& node : graph_.nodes) {
      if (node.op != Op::kDequantize || !tensor(node.inputs[0]).is_constant) continue;
      const Tensor& codes = tensor(node.inputs[0]);
      const auto odd = [](int64_t zero) { return zero != 128; };
      if (codes.type == DataType::kUInt8 && codes.shape.size() >= 2 &&
          std::any_of(codes.quantization.zero_point.begin(), codes.quantization.zero_point.end(),
                      odd)) {
        return false;
      }
    }
    return true;
  }

  // What an op moves on codes has the scale of what it moves.
  void ShareQuantization() {
    for (const Node& node : graph_.nodes) {
      if (!MovesOrPads(node.op) || node.inputs.empty() || node.inputs[0] == kNoTensor) continue;
      const Tensor first = tensor(node.inputs[0]);
      if (!first.quantization.present() || first.quantization.per_channel()) continue;
      const auto share = [&](TensorId id) {
        if (id == kNoTensor || tensor(id).type != first.type) return;
        if (!tensor(id).quantization.present())
          graph_.tensors[id].quantization = first.quantization;
      };
      for (const TensorId id : node.inputs) share(id);
      for (const TensorId id : node.outputs) share(id);
    }
  }

  // The tensors of an op that moves codes turn together or not at all.
  void KeepTogether(std::vector<bool>& turns) const {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Node& node : graph_.nodes) {
        if (!MovesOrPads(node.op)) continue;
        std::vector<TensorId> codes;
        for (const auto& ids : {node.inputs, node.outputs}) {
          for (const TensorId id : ids) {
            if (id != kNoTensor && tensor(id).type == DataType::kUInt8) codes.push_back(id);
          }
        }
        const auto turn = [&](TensorId id) { return turns[id]; };
        if (std::all_of(codes.begin(), codes.end(), turn)) continue;
        for (const TensorId id : codes) {
          changed = changed || turns[id];
          turns[id] = false;
        }
      }
    }
  }

  // The same real values with every code 128 less. A model's inputs and outputs keep their type.
  void TurnToInt8() {
    const TensorUses uses(graph_);
    std::vector<bool> border(graph_.tensors.size(), false);
    for (const TensorId id : graph_.inputs) border[id] = true;
    for (const TensorId id : graph_.outputs) border[id] = true;
    const auto converts = [&](int node) {
      return graph_.nodes[node].op == Op::kQuantize || graph_.nodes[node].op == Op::kDequantize;
    };
    const size_t count = border.size();
    std::vector<bool> turns(count);
    for (size_t id = 0; id < count; ++id) {
      const Tensor& codes = graph_.tensors[id];
      const auto follows = [&](int node) {
        return converts(node) || MovesOrPads(graph_.nodes[node].op);
      };
      turns[id] = codes.type == DataType::kUInt8 && codes.quantization.present() && !border[id] &&
                  (uses.writer[id] < 0 || follows(uses.writer[id])) &&
                  std::all_of(uses.readers[id].begin(), uses.readers[id].end(), follows);
    }
    KeepTogether(turns);
    for (size_t id = 0; id < count; ++id) {
      if (!turns[id]) continue;
      Tensor& codes = graph_.tensors[id];
      codes.type = DataType::kInt8;
      for (int64_t& zero : codes.quantization.zero_point) zero -= 128;
      for (uint8_t& byte : codes.data) byte ^= 0x80;
    }
    for (const TensorId id : graph_.inputs) TurnInput(id);
    for (const TensorId id : graph_.outputs) TurnOutput(id);
  }

  // An int8 tensor of the same real values.
  TensorId Int8Twin(TensorId id) {
    Tensor twin = tensor(id);
    twin.name += "/int8";
    twin.type = DataType::kInt8;
    for (int64_t& zero : twin.quantization.zero_point) zero -= 128;
    return Add(std::move(twin));
  }

  static Node Requantize(TensorId from, TensorId to, const std::string& name) {
    Node node;
    node.op = Op::kQuantize;
    node.attrs = NoAttrs{};
    node.name = name;
    node.inputs = {from};
    node.outputs = {to};
    return node;
  }

  // What dequantizes an input of uint8 codes reads int8 codes made of it.
  void TurnInput(TensorId id) {
    if (tensor(id).type != DataType::kUInt8 || !tensor(id).quantization.present()) return;
    const TensorId twin = Int8Twin(id);
    for (Node& node : graph_.nodes) {
      if (node.op == Op::kDequantize && node.inputs[0] == id) node.inputs[0] = twin;
    }
    graph_.nodes.insert(graph_.nodes.begin(), Requantize(id, twin, tensor(twin).name));
  }

  // An output of uint8 codes is made of int8 codes.
  void TurnOutput(TensorId id) {
    if (tensor(id).type != DataType::kUInt8 || !tensor(id).quantization.present()) return;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].op != Op::kQuantize || graph_.nodes[i].outputs[0] != id) continue;
      const TensorId twin = Int8Twin(id);
      graph_.nodes[i].outputs[0] = twin;
      for (Node& node : graph_.nodes) {
        if (node.op == Op::kDequantize && node.inputs[0] == id) node.inputs[0] = twin;
      }
      graph_.nodes.insert(graph_.nodes.begin() + static_cast<int64_t>(i) + 1,
                          Requantize(twin, id, tensor(id).name));
      return;
    }
  }

  // Ops that only move values and whose results nothing quantizes (the padding before a
  // convolution, a flattened picture) work on codes; a DEQUANTIZE follows.
  void MoveBehindDequantize() {
    const TensorUses uses(graph_);
    std::map<TensorId, TensorId> codes_of;  // float32 tensors that a DEQUANTIZE writes
    std::vector<Node> nodes;
    for (const Node& node : graph_.nodes) {
      if (node.op == Op::kDequantize) codes_of[node.outputs[0]] = node.inputs[0];
      const auto codes = node.inputs.empty() ? codes_of.end() : codes_of.find(node.inputs[0]);
      if (codes == codes_of.end() || !MovesOne(node, uses)) {
        nodes.push_back(node);
        continue;
      }
      std::optional<Node> moved = OnCodes(node, codes->second, uses);
      if (!moved.has_value()) {
        nodes.push_back(node);
        continue;
      }
      Node back = Requantize(moved->outputs[0], node.outputs[0], node.name);
      back.op = Op::kDequantize;
      codes_of[node.outputs[0]] = moved->outputs[0];
      nodes.push_back(*std::move(moved));
      nodes.push_back(std::move(back));
    }
    graph_.nodes = std::move(nodes);
  }

  // One input, one output that is neither quantized next nor the model's.
  bool MovesOne(const Node& node, const TensorUses& uses) const {
    if (!MovesOrPads(node.op) || node.outputs.size() != 1 || uses.is_output[node.outputs[0]])
      return false;
    if (tensor(node.outputs[0]).type != DataType::kFloat32) return false;
    const std::vector<int>& readers = uses.readers[node.outputs[0]];
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      const bool number = node.op == Op::kPadV2 && i == 2;
      if (!number && tensor(node.inputs[i]).type == DataType::kFloat32) return false;
    }
    return !std::all_of(readers.begin(), readers.end(),
                        [&](int i) { return graph_.nodes[i].op == Op::kQuantize; });
  }

  std::optional<Node> OnCodes(const Node& source, TensorId codes, const TensorUses& uses) {
    if (tensor(codes).is_constant || tensor(codes).quantization.per_channel()) return std::nullopt;
    const size_t tensors = graph_.tensors.size();
    Node node = source;
    node.inputs[0] = codes;
    Tensor output = tensor(source.outputs[0]);
    output.name += "/codes";
    output.type = tensor(codes).type;
    output.quantization = tensor(codes).quantization;
    node.outputs[0] = Add(std::move(output));
    const bool numbers = node.op != Op::kPadV2 || CodePadding(source, node, uses);
    if (numbers && Prepares({node})) return node;
    graph_.tensors.resize(tensors);
    return std::nullopt;
  }

  // The value of a PADV2 as a code. What lies below all codes is the lowest one for a MAX_POOL_2D.
  bool CodePadding(const Node& source, Node& node, const TensorUses& uses) {
    const Tensor& constant = tensor(source.inputs[2]);
    if (!constant.is_constant || constant.data.size() != sizeof(float)) return false;
    float value = 0;
    std::memcpy(&value, constant.data.data(), sizeof(value));
    Tensor code = constant;
    code.type = tensor(node.inputs[0]).type;
    code.quantization = tensor(node.inputs[0]).quantization;
    const auto& zeros = code.quantization.zero_point;
    const double zero = zeros.empty() ? 0.0 : static_cast<double>(zeros[0]);
    const double whole = std::nearbyint(static_cast<double>(value) /
                                        static_cast<double>(code.quantization.scale0())) +
                         zero;
    const auto low = static_cast<double>(LowestCode(code.type));
    const std::vector<int>& readers = uses.readers[source.outputs[0]];
    const bool pooled = std::all_of(readers.begin(), readers.end(),
                                    [&](int i) { return graph_.nodes[i].op == Op::kMaxPool2d; });
    if (!(whole <= static_cast<double>(HighestCode(code.type))) || (whole < low && !pooled)) {
      return false;
    }
    const auto chosen = static_cast<int64_t>(std::max(whole, low));
    code.data.resize(static_cast<size_t>(BitsOf(code.type)) / 8);
    std::memcpy(code.data.data(), &chosen, code.data.size());
    node.inputs[2] = Add(std::move(code));
    return true;
  }

  // An op whose float32 inputs are all dequantized and whose outputs are only quantized.
  std::optional<std::vector<Node>> Fuse(const Node& source, const TensorUses& uses,
                                        std::vector<int>& absorbed) {
    if (source.op == Op::kDequantize || source.op == Op::kQuantize || source.op == Op::kUnknown) {
      return std::nullopt;
    }
    const QuantizeRule& rule = GetOp(source.op).quantize.value;
    if (rule.kind == QuantizeRule::Kind::kFloatOnly || rule.kind == QuantizeRule::Kind::kUntyped) {
      return std::nullopt;
    }
    const size_t tensors = graph_.tensors.size();
    std::vector<Node> nodes = {source};
    if (!FuseOutputs(nodes[0], uses, absorbed) || !FuseInputs(source, nodes) || !Prepares(nodes)) {
      graph_.tensors.resize(tensors);
      absorbed.clear();
      return std::nullopt;
    }
    return nodes;
  }

  bool FuseOutputs(Node& node, const TensorUses& uses, std::vector<int>& absorbed) const {
    for (TensorId& id : node.outputs) {
      if (tensor(id).type != DataType::kFloat32 || !uses.read_once(id)) return false;
      const int reader = uses.readers[id][0];
      const Node& quantize = graph_.nodes[reader];
      if (quantize.op != Op::kQuantize) return false;
      absorbed.push_back(reader);
      id = quantize.outputs[0];
      if (!tensor(id).quantization.present()) return false;
    }
    return !node.outputs.empty();
  }

  // Replaces the node (the last one of the list) with one on codes; QUANTIZE nodes before it bring
  // inputs to the scale that ops of one scale want.
  bool FuseInputs(const Node& source, std::vector<Node>& nodes) {
    Node node = nodes.back();
    nodes.clear();
    const Tensor output = tensor(node.outputs[0]);
    const size_t weights = IsWeighted(source.op) ? 1 : SIZE_MAX;
    const size_t bias = !IsWeighted(source.op) ? SIZE_MAX : source.op == Op::kTransposeConv ? 3 : 2;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoTensor || i == bias) continue;
      if (tensor(node.inputs[i]).type != DataType::kFloat32) continue;  // axes, shapes
      const TensorId codes = Codes(node.inputs[i]);
      if (codes == kNoTensor) return false;
      if (i == weights) {
        if (!tensor(codes).is_constant) return false;
      } else if (tensor(codes).type != output.type || tensor(codes).quantization.per_channel()) {
        return false;
      }
      node.inputs[i] = codes;
    }
    if (weights != SIZE_MAX && !QuantizeBias(node, bias)) return false;
    if (GetOp(source.op).quantize.value.kind == QuantizeRule::Kind::kSameAsInput) {
      if (!ShareScale(source, node, output, nodes)) return false;
    }
    nodes.push_back(std::move(node));
    return true;
  }

  // The bias as int32 codes of scale input x weights.
  bool QuantizeBias(Node& node, size_t index) {
    const Tensor& weights = tensor(node.inputs[1]);
    const Tensor& input = tensor(node.inputs[node.op == Op::kTransposeConv ? 2 : 0]);
    for (const int64_t zero : weights.quantization.zero_point) {
      if (zero != 0 && weights.type == DataType::kInt8) return false;
    }
    if (node.inputs.size() <= index || node.inputs[index] == kNoTensor) return true;
    const Tensor& bias = tensor(node.inputs[index]);
    if (!bias.is_constant || bias.type != DataType::kFloat32) return false;
    Tensor codes = bias;
    codes.type = DataType::kInt32;
    codes.quantization = {};
    const size_t count = bias.data.size() / sizeof(float);
    const std::vector<float>& scales = weights.quantization.scale;
    if (scales.size() != 1 && scales.size() != count) return false;
    for (const float scale : scales) {
      codes.quantization.scale.push_back(scale * input.quantization.scale0());
    }
    codes.quantization.zero_point.assign(scales.size(), 0);
    for (size_t c = 0; c < count; ++c) {
      float value = 0;
      std::memcpy(&value, bias.data.data() + c * sizeof(float), sizeof(float));
      const float scale = codes.quantization.scale[scales.size() == 1 ? 0 : c];
      const double code = std::round(static_cast<double>(value) / static_cast<double>(scale));
      if (!(std::fabs(code) < 2147483647.0)) return false;
      const auto whole = static_cast<int32_t>(code);
      std::memcpy(codes.data.data() + c * sizeof(int32_t), &whole, sizeof(whole));
    }
    node.inputs[index] = Add(std::move(codes));
    return true;
  }

  bool ShareScale(const Node& source, Node& node, const Tensor& output, std::vector<Node>& before) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const TensorId id = node.inputs[i];
      if (id == kNoTensor || id == source.inputs[i]) continue;
      if (tensor(id).quantization == output.quantization) continue;
      if (!MovesCodes(source.op)) return false;
      Tensor turned = tensor(id);
      turned.name += "/requantized";
      turned.quantization = output.quantization;
      turned.is_constant = false;
      turned.data = {};
      const std::string name = turned.name;
      Node quantize = Requantize(id, Add(std::move(turned)), name);
      node.inputs[i] = quantize.outputs[0];
      before.push_back(std::move(quantize));
    }
    for (const TensorId id : node.outputs) {
      if (!(tensor(id).quantization == output.quantization)) return false;
    }
    return true;
  }

  // Whether the integer op takes the types and scales.
  bool Prepares(const std::vector<Node>& nodes) const {
    for (const Node& node : nodes) {
      const PrepareContext context(graph_.tensors, node, Profile::kTfliteReference, kCpuNone, 1);
      if (!InferOutputs(context).ok() || !PrepareOp(context).ok()) return false;
    }
    return true;
  }

  Graph& graph_;
  std::vector<int> writer_;  // of the tensors there were at the start
};

}  // namespace

void FuseQdq(Graph& graph) { QdqFuser(graph).Run(); }

}  // namespace dlpu
