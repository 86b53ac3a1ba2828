// SPDX-License-Identifier: Apache-2.0
// What follows from a layer's extents.
#include "target/cost/layer.h"

namespace dlpu {

void FinishLayer(Layer* layer) {
  Layer& l = *layer;
  const int64_t kernel = l.kernel_h * l.kernel_w;
  const int64_t pixels = l.out_h * l.out_w;
  l.output_elements = pixels * l.out_c;
  if (l.input_elements == 0) l.input_elements = l.in_h * l.in_w * l.in_c * l.inputs;
  if (l.op == "DEPTHWISE_CONV_2D") {
    l.kind = LayerKind::kDepthwise;
    l.weights = kernel * l.out_c;
    l.macs = pixels * l.out_c * kernel;
  } else if (l.op == "CONV_2D") {
    l.kind = kernel == 1 ? LayerKind::kPointwise : LayerKind::kDense;
    l.weights = kernel * (l.in_c / l.groups) * l.out_c;
    l.macs = pixels * l.weights;
  } else if (l.op == "TRANSPOSE_CONV" || l.op == "Convolution2DTransposeBias") {
    l.kind = LayerKind::kDense;
    l.weights = kernel * l.in_c * l.out_c;
    l.macs = l.in_h * l.in_w * l.weights;
  } else if (l.op == "FULLY_CONNECTED") {
    l.kind = LayerKind::kPointwise;
    l.weights = l.in_h * l.in_w * l.in_c * l.out_c;
    l.macs = l.weights;
  }
}

WorkloadSums SumsOf(const Workload& workload) {
  WorkloadSums sums;
  for (const Layer& layer : workload.layers) {
    if (layer.engine == Engine::kCpu) {
      sums.cpu_macs += layer.macs;
      continue;
    }
    sums.macs += layer.macs;
    sums.weight_bytes += layer.weights;
    if (layer.kind == LayerKind::kDepthwise) sums.depthwise_macs += layer.macs;
  }
  return sums;
}

}  // namespace dlpu
