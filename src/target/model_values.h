// SPDX-License-Identifier: Apache-2.0
// Values of a model as a whole, of its inputs and outputs, and of its islands of float ops, as
// rules ask for them (see ValueNames in condition.h). Plain values; any thread.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/quantization_style.h"
#include "target/condition.h"
#include "target/partition.h"

namespace dlpu {

// Facts about a model that rules ask for; computed once.
struct ModelFacts {
  QuantizationStyle quantization = QuantizationStyle::kNoWeights;
  std::string file_format = "tflite";  // tflite, onnx
  int ops = 0, dlpu_ops = 0, partitions = 0, cpu_partitions = 0;
  int float16_tensors = 0, custom_ops = 0, transposes = 0;
  double weights_bytes = 0;
  double int8_weights_bytes = 0;  // of what float weights and biases become when quantized
  // Most bytes of activations alive at once, in the file's order of ops; a lower bound of what any
  // runtime needs.
  double activation_bytes = 0;
};
// `partition`: of the graph on the target that is asked about.
ModelFacts FactsOf(const Graph& graph, const Partition& partition);

// Lookups refer to what they are given; use them only while that lives unchanged.
ValueLookup ModelValues(const ModelFacts& facts);
ValueLookup InputValues(const Graph& graph, TensorId input);
ValueLookup OutputValues(const Graph& graph, TensorId output);

// Ops in a row that compute in float inside a model whose other ops are integer.
struct FloatIsland {
  std::vector<int> nodes;         // indices, in order
  std::vector<TensorId> tensors;  // its float tensors, in order of first use
  bool integer_weights = false;   // dynamic range: int8 weights, float activations
};
// None when the model has no integer op at all. Custom ops (post-processing) and the conversions
// at the model's inputs and outputs are no islands.
std::vector<FloatIsland> FindFloatIslands(const Graph& graph);
ValueLookup IslandValues(const Graph& graph, const FloatIsland& island);

}  // namespace dlpu
