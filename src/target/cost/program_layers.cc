// SPDX-License-Identifier: Apache-2.0
// Layers of a compiled program.
#include <algorithm>
#include <map>
#include <set>

#include "target/cost/layer.h"

namespace dlpu {
namespace {

// An activation as height x width x channels; what lies outside of that counts as height.
void SetExtents(const Shape& shape, int64_t* h, int64_t* w, int64_t* c) {
  *h = *w = *c = 1;
  const size_t rank = shape.size();
  if (rank >= 1) *c = std::max(1, shape[rank - 1]);
  if (rank >= 2) *w = std::max(1, shape[rank - 2]);
  for (size_t i = 0; i + 2 < rank; ++i) *h *= std::max(1, shape[i]);
}

bool ReadsWeights(Op op) {
  return op == Op::kConv2d || op == Op::kDepthwiseConv2d || op == Op::kFullyConnected ||
         op == Op::kTransposeConv || op == Op::kConvolution2dTransposeBias;
}

bool IsCut(Op op) {
  return op == Op::kStridedSlice || op == Op::kSlice || op == Op::kSplit || op == Op::kSplitV;
}

// Extents of the kernel, from the weights of a convolution: O x H x W x I, or 1 x H x W x C.
void SetKernel(const Tensor& weights, const Node& node, Layer* layer) {
  if (const auto* conv = std::get_if<ConvAttrs>(&node.attrs)) {
    layer->stride = std::max(conv->stride_h, conv->stride_w);
  }
  layer->weights = ElementCount(weights.shape);
  layer->per_channel = weights.quantization.scale.size() > 1;
  if (node.op == Op::kFullyConnected) {
    layer->kind = LayerKind::kPointwise;
    return;
  }
  if (weights.shape.size() == 4) {
    layer->kernel_h = weights.shape[1];
    layer->kernel_w = weights.shape[2];
  }
  if (node.op == Op::kDepthwiseConv2d) {
    layer->kind = LayerKind::kDepthwise;
    layer->groups = layer->in_c;
    return;
  }
  const bool point = layer->kernel_h * layer->kernel_w == 1 && node.op == Op::kConv2d;
  layer->kind = point ? LayerKind::kPointwise : LayerKind::kDense;
  const int64_t group_c = weights.shape.size() == 4 ? std::max(1, weights.shape[3]) : 1;
  if (node.op == Op::kConv2d) layer->groups = std::max<int64_t>(1, layer->in_c / group_c);
}

// The gates' matrices, joined to one layer as a compiler does: inputs 1 to 4 are the gates' input
// weights, 5 to 8 their recurrent ones.
void SetLstm(const Program& program, const Node& node, Layer* layer) {
  layer->kind = LayerKind::kPointwise;
  int64_t inputs = 0, units = 0, gates = 0;
  for (size_t i = 1; i <= 8 && i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoTensor) continue;
    const Shape& shape = program.tensors[node.inputs[i]].shape;
    if (shape.size() != 2) continue;
    layer->weights += ElementCount(shape);
    (i <= 4 ? inputs : units) = shape[1];
    if (i <= 4) gates += shape[0];
  }
  layer->in_c = inputs + units;
  layer->out_c = std::max<int64_t>(1, gates);
}

void SetDetection(const Program& program, const Node& node, Layer* layer) {
  const auto* attrs = std::get_if<DetectionAttrs>(&node.attrs);
  if (attrs == nullptr || node.inputs.size() < 2 || node.inputs[1] == kNoTensor) return;
  int64_t h, anchors, classes;
  SetExtents(program.tensors[node.inputs[1]].shape, &h, &anchors, &classes);
  layer->scores = anchors * classes;
  // A threshold above the noise of a random picture leaves few boxes to compare.
  const bool all_pass = attrs->nms_score_threshold < 0.05f;
  layer->pairs = all_pass ? anchors * attrs->max_detections : 0;
}

Layer LayerOf(const Program& program, const Step& step) {
  const Node& node = step.node;
  Layer layer;
  layer.op = NodeOpName(node);
  layer.name = node.name;
  layer.engine = step.engine;
  layer.macs = step.work.macs;
  layer.inputs = 0;
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor || program.tensors[id].is_constant) continue;
    const Tensor& tensor = program.tensors[id];
    if (layer.inputs++ == 0) SetExtents(tensor.shape, &layer.in_h, &layer.in_w, &layer.in_c);
    layer.input_elements += ElementCount(tensor.shape);
    layer.is_float |= IsFloat(tensor.type);
    if (tensor.type == DataType::kInt16) layer.element_bytes = 2;
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Tensor& tensor = program.tensors[node.outputs[i]];
    if (i == 0) SetExtents(tensor.shape, &layer.out_h, &layer.out_w, &layer.out_c);
    layer.output_elements += ElementCount(tensor.shape);
  }
  if (ReadsWeights(node.op) && node.inputs.size() > 1 && node.inputs[1] != kNoTensor) {
    SetKernel(program.tensors[node.inputs[1]], node, &layer);
  } else if (node.op == Op::kUnidirectionalSequenceLstm) {
    SetLstm(program, node, &layer);
  } else if (layer.macs > 0) {
    layer.kind = LayerKind::kPointwise;  // products of activations
  }
  if (node.op == Op::kMaxPool2d || node.op == Op::kAveragePool2d) {
    if (const auto* pool = std::get_if<PoolAttrs>(&node.attrs)) {
      layer.kernel_h = pool->filter_h;
      layer.kernel_w = pool->filter_w;
      layer.stride = std::max(pool->stride_h, pool->stride_w);
    }
  }
  if (node.op == Op::kDetectionPostProcess) SetDetection(program, node, &layer);
  return layer;
}

// Pairs x * logistic(x): the LOGISTIC feeds nothing but multiplications with its own input.
void MarkSilu(const Program& program, std::vector<Layer>* layers) {
  std::map<TensorId, std::vector<size_t>> readers;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    for (const TensorId id : program.steps[i].node.inputs) readers[id].push_back(i);
  }
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Node& node = program.steps[i].node;
    if (node.op != Op::kLogistic || node.inputs.empty() || node.outputs.empty()) continue;
    const std::vector<size_t>& users = readers[node.outputs[0]];
    const bool all = !users.empty() && std::ranges::all_of(users, [&](size_t user) {
      const Node& mul = program.steps[user].node;
      return mul.op == Op::kMul && std::ranges::count(mul.inputs, node.inputs[0]) == 1;
    });
    if (!all) continue;
    (*layers)[i].silu = true;
    for (const size_t user : users) (*layers)[user].silu = true;
  }
}

// The tail decodes a head: it lies behind a slice, and no multiply-accumulates follow it.
void MarkTail(const Program& program, std::vector<Layer>* layers) {
  std::set<TensorId> behind_cut, before_macs;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Node& node = program.steps[i].node;
    bool behind = IsCut(node.op);
    for (const TensorId id : node.inputs) behind |= behind_cut.contains(id);
    if (!behind) continue;
    (*layers)[i].tail = (*layers)[i].macs == 0;
    behind_cut.insert(node.outputs.begin(), node.outputs.end());
  }
  for (size_t i = program.steps.size(); i-- > 0;) {
    const Node& node = program.steps[i].node;
    bool before = (*layers)[i].macs > 0;
    for (const TensorId id : node.outputs) before |= before_macs.contains(id);
    if (!before) continue;
    (*layers)[i].tail = false;
    before_macs.insert(node.inputs.begin(), node.inputs.end());
  }
}

// Bytes of a tensor at the accelerator's border: one for each element, two for int16; the innermost
// extent of what a detection post-process reads is padded to a multiple of 4.
int64_t BorderBytes(const Tensor& tensor, bool padded) {
  int64_t elements = ElementCount(tensor.shape);
  if (padded && !tensor.shape.empty() && tensor.shape.back() > 0) {
    const int64_t inner = tensor.shape.back();
    elements = elements / inner * ((inner + 3) / 4 * 4);
  }
  return elements * (tensor.type == DataType::kInt16 ? 2 : 1);
}

// What crosses the accelerator's border, and how often it is started.
class Borders {
 public:
  Borders(const Program& program, bool silu_inside, Workload* workload)
      : program_(program), workload_(*workload) {
    for (size_t i = 0; i < program.steps.size(); ++i) {
      const Layer& layer = workload_.layers[i];
      on_dlpu_.push_back(layer.engine == Engine::kDlpu || (silu_inside && layer.silu));
    }
    LeaveOutIdleRuns();
  }

  void Set() {
    FindLeading();
    for (const TensorId id : program_.outputs) output_.insert(id);
    bool inside = false;
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      workload_.dlpu_parts += on_dlpu_[i] && !inside;
      inside = on_dlpu_[i];
      on_dlpu_[i] ? Enter(i) : Leave(i);
      bool behind = on_dlpu_[i];
      for (const TensorId id : program_.steps[i].node.inputs) behind |= behind_.contains(id);
      for (const TensorId id : program_.steps[i].node.outputs) {
        if (on_dlpu_[i]) made_.insert(id);
        if (behind) behind_.insert(id);
      }
    }
    for (const TensorId id : program_.outputs) {
      if (!made_.contains(id) || !left_.insert(id).second) continue;
      workload_.output_bytes += BorderBytes(program_.tensors[id], false);
    }
  }

 private:
  // Nothing is started for a run of layers that compute nothing, such as a RESHAPE behind a SOFTMAX
  // on the CPU.
  void LeaveOutIdleRuns() {
    const auto is_idle = [&](size_t i) {
      const std::string& op = workload_.layers[i].op;
      return op == "RESHAPE" || op == "SQUEEZE" || op == "EXPAND_DIMS" || op == "QUANTIZE" ||
             op == "DEQUANTIZE";
    };
    for (size_t begin = 0, end = 0; begin < on_dlpu_.size(); begin = end) {
      bool idle = on_dlpu_[begin];
      for (end = begin; end < on_dlpu_.size() && on_dlpu_[end] == on_dlpu_[begin]; ++end) {
        idle = idle && is_idle(end);
      }
      const bool all = begin == 0 && end == on_dlpu_.size();
      if (idle && !all)
        for (size_t i = begin; i < end; ++i) on_dlpu_[i] = false;
    }
  }

  // Steps on the CPU from which a later step on the accelerator follows.
  void FindLeading() {
    std::set<TensorId> wanted;
    leads_.assign(program_.steps.size(), false);
    for (size_t i = program_.steps.size(); i-- > 0;) {
      const Node& node = program_.steps[i].node;
      for (const TensorId id : node.outputs) leads_[i] = leads_[i] || wanted.contains(id);
      if (on_dlpu_[i] || leads_[i]) wanted.insert(node.inputs.begin(), node.inputs.end());
    }
  }

  // Of what the CPU made, only that which came off the accelerator crosses between two of its
  // parts.
  void Enter(size_t i) {
    for (const TensorId id : program_.steps[i].node.inputs) {
      if (id == kNoTensor || program_.tensors[id].is_constant) continue;
      if (made_.contains(id) || !entered_.insert(id).second) continue;
      const int64_t bytes = BorderBytes(program_.tensors[id], false);
      (behind_.contains(id) ? workload_.border_bytes : workload_.input_bytes) += bytes;
    }
  }

  void Leave(size_t i) {
    for (const TensorId id : program_.steps[i].node.inputs) {
      if (id == kNoTensor || !made_.contains(id) || !left_.insert(id).second) continue;
      const int64_t bytes = BorderBytes(program_.tensors[id], true);
      const bool between = leads_[i] && !output_.contains(id);
      (between ? workload_.border_bytes : workload_.output_bytes) += bytes;
    }
  }

  const Program& program_;
  Workload& workload_;
  std::vector<bool> on_dlpu_, leads_;
  std::set<TensorId> output_;          // of the program
  std::set<TensorId> made_, behind_;   // by the accelerator; by what follows from it
  std::set<TensorId> entered_, left_;  // counted
};

}  // namespace

Workload WorkloadOf(const Program& program, const std::vector<Engine>& engines,
                    const FallbackPricing& pricing) {
  DLPU_CHECK(engines.empty() || engines.size() == program.steps.size());
  Workload workload;
  workload.name = program.name;
  workload.layers.reserve(program.steps.size());
  for (size_t i = 0; i < program.steps.size(); ++i) {
    workload.layers.push_back(LayerOf(program, program.steps[i]));
    if (!engines.empty()) workload.layers.back().engine = engines[i];
  }
  MarkSilu(program, &workload.layers);
  MarkTail(program, &workload.layers);
  for (Layer& layer : workload.layers) {
    if (pricing.tail_inside && layer.tail) layer.engine = Engine::kDlpu;
  }
  Borders(program, pricing.silu_inside, &workload).Set();
  workload.activation_bytes = program.arena_bytes;
  return workload;
}

}  // namespace dlpu
