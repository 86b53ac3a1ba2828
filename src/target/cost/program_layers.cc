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

// What enters and leaves the accelerator, and how often.
void SetBorders(const Program& program, bool silu_inside, Workload* workload) {
  std::map<TensorId, Engine> writer;
  std::set<TensorId> entered, left;
  const auto read_elsewhere = [&](const Node& node, bool on_dlpu) {
    for (const TensorId id : node.inputs) {
      if (id == kNoTensor || program.tensors[id].is_constant) continue;
      const auto at = writer.find(id);
      const bool made_on_dlpu = at != writer.end() && at->second == Engine::kDlpu;
      if (on_dlpu && !made_on_dlpu && entered.insert(id).second) {
        workload->input_bytes += BorderBytes(program.tensors[id], false);
      }
      if (!on_dlpu && made_on_dlpu && left.insert(id).second) {
        workload->output_bytes += BorderBytes(program.tensors[id], true);
      }
    }
  };
  bool inside = false;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    const bool merged = silu_inside && workload->layers[i].silu;
    const bool on_dlpu = workload->layers[i].engine == Engine::kDlpu || merged;
    if (on_dlpu && !inside) ++workload->dlpu_parts;
    inside = on_dlpu;
    read_elsewhere(step.node, on_dlpu);
    for (const TensorId id : step.node.outputs) {
      writer[id] = on_dlpu ? Engine::kDlpu : Engine::kCpu;
    }
  }
  for (const TensorId id : program.outputs) {
    const auto at = writer.find(id);
    if (at == writer.end() || at->second != Engine::kDlpu || !left.insert(id).second) continue;
    workload->output_bytes += BorderBytes(program.tensors[id], false);
  }
}

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
  SetBorders(program, pricing.silu_inside, &workload);
  workload.activation_bytes = program.arena_bytes;
  return workload;
}

}  // namespace dlpu
