// SPDX-License-Identifier: Apache-2.0
// What follows from a layer's extents.
#include "target/cost/layer.h"

#include <fmt/format.h>

#include <set>

#include "base/sha256.h"

namespace dlpu {
namespace {

// Does not tell networks apart: exports of one network differ in it.
bool IsBookkeeping(const Layer& layer) {
  static const std::set<std::string, std::less<>> ops = {
      "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "PADV2", "QUANTIZE", "DEQUANTIZE"};
  return ops.contains(layer.op);
}

// One line that says what a layer computes.
std::string LineOf(const Layer& l) {
  const int64_t pixels = l.out_h * l.out_w;
  if (l.scores > 0) return fmt::format("detection {} {}", l.scores, l.pairs);
  if (l.kind != LayerKind::kOther) {
    return fmt::format("{} {}x{}/{} {} {}x{}x{} {} {} {}", static_cast<int>(l.kind), l.kernel_h,
                       l.kernel_w, l.stride, l.groups, l.out_h, l.out_w, l.out_c, l.weights, l.macs,
                       l.element_bytes);
  }
  // A mean over all of a picture is written as a pooling by some exporters.
  if (pixels == 1 && (l.op == "MEAN" || l.op == "AVERAGE_POOL_2D")) {
    return fmt::format("global {} of {}", l.out_c, l.in_h * l.in_w);
  }
  return fmt::format("{} {} {}x{} {}", l.op, l.inputs, pixels, l.out_c, l.element_bytes);
}

}  // namespace

std::string LayersHash(const Workload& workload) {
  std::string text;
  for (const Layer& layer : workload.layers) {
    if (!IsBookkeeping(layer)) text += LineOf(layer) + "\n";
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  return Sha256Hex({bytes, text.size()}).substr(0, 16);
}

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
