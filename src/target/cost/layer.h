// SPDX-License-Identifier: Apache-2.0
// Layers: what the cost model knows of a network. A Workload is a list of them with what crosses
// the border of the accelerator; it comes from a Program, or from an architecture list when the
// model's file is not available (data/architectures). Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/program.h"

namespace dlpu {

// Kinds of work that run at different rates.
enum class LayerKind : uint8_t {
  kDense,      // convolution with a kernel larger than 1x1, transposed convolution
  kPointwise,  // 1x1 convolution, fully connected, matrix product
  kDepthwise,  // one input channel for each output channel
  kOther,      // no multiply-accumulates to speak of
};

// One layer at batch 1; extents of the first activation input and the first output. A tensor of
// fewer than four extents counts as 1 x ... x channels.
struct Layer {
  std::string op;    // TensorFlow Lite's name
  std::string name;  // the user's own
  LayerKind kind = LayerKind::kOther;
  Engine engine = Engine::kDlpu;
  int64_t in_h = 1, in_w = 1, in_c = 1;
  int64_t out_h = 1, out_w = 1, out_c = 1;
  int64_t kernel_h = 1, kernel_w = 1, stride = 1, groups = 1;
  int64_t inputs = 1;          // activations read
  int64_t input_elements = 0;  // of all of them
  int64_t output_elements = 0;
  int64_t weights = 0;    // elements
  int element_bytes = 1;  // of an activation on an accelerator: 2 for int16, else 1
  int64_t macs = 0;
  bool silu = false;         // LOGISTIC or MUL of a pair x * logistic(x)
  bool tail = false;         // decodes a head: no multiply-accumulates follow
  bool per_channel = false;  // weights have one scale for each channel
  bool is_float = false;
  bool whole_channels = false;  // priced as if its output channels filled the engine's groups
  bool output = false;          // of an architecture list: its result leaves the accelerator
  // TFLite_Detection_PostProcess: scores to read, and box pairs to compare in the worst case (0
  // where a score threshold leaves few boxes).
  int64_t scores = 0, pairs = 0;
};

struct Workload {
  std::string name;
  std::vector<Layer> layers;
  // What enters the accelerator before its first layers and leaves it behind its last ones.
  int64_t input_bytes = 0, output_bytes = 0;
  // What crosses its border in between, both ways: a layer on the CPU reads it or wrote it.
  int64_t border_bytes = 0;
  int dlpu_parts = 0;            // runs of consecutive layers on the accelerator
  int64_t activation_bytes = 0;  // memory for activations when they share it; 0: not known
};

// What `layer.macs`, weights and element counts follow from; sets them and `kind`.
void FinishLayer(Layer* layer);

// Where a target's cost model prices a fallback together with what is around it.
struct FallbackPricing {
  // A MUL of a SiLU pair that falls back to the CPU ends no part of the accelerator's work: the
  // round trip is charged as one.
  bool silu_inside = false;
  // A head's tail counts as run on the accelerator whatever the op table says: the measured times
  // that were fitted hold it, as part of what the output bytes cost.
  bool tail_inside = false;
};

// Layers of a compiled program, one for each step, run on `engines` (one for each step; empty:
// where the steps say).
Workload WorkloadOf(const Program& program, const std::vector<Engine>& engines = {},
                    const FallbackPricing& pricing = {});

// Reads an architecture list: lines `op,in_h,in_w,in_c,out_h,out_w,out_c[,kernel_h,kernel_w,
// stride,groups[,notes]]` below a header line; lines that begin with '#' are comments. Notes, in
// words: cpu, silu, tail, output (the last layer, when none has it), inputs=N, scores=N, pairs=N.
// `name` is how errors call it.
Result<Workload> ParseArchitecture(const std::string& text, const std::string& name);
// Of data/architectures/<name>.csv.
Result<Workload> LoadArchitecture(const std::string& name);

// Sixteen hexadecimal digits that stand for the list of layers, in order: what each computes, over
// which extents. Weights and scales do not count, nor does what moves nothing or only borders
// (RESHAPE, PAD, QUANTIZE and their like), so a file and its architecture list agree.
std::string LayersHash(const Workload& workload);

// Sums over a workload's layers on the accelerator, and of all.
struct WorkloadSums {
  int64_t macs = 0, depthwise_macs = 0, weight_bytes = 0, cpu_macs = 0;
};
WorkloadSums SumsOf(const Workload& workload);

}  // namespace dlpu
