// SPDX-License-Identifier: Apache-2.0
// How a model as a whole is quantized, told from its layers with weights. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"
#include "ir/program.h"

namespace dlpu {

enum class QuantizationStyle : uint8_t {
  kNoWeights,
  kFloat32,
  kFloat16Weights,  // float16 weights behind DEQUANTIZE, float32 arithmetic
  kDynamicRange,    // int8 weights, float32 activations
  kInt8PerChannel,
  kInt8PerTensor,
  kUint8PerTensor,    // TensorFlow 1 style
  kInt16Activations,  // int16 activations, int8 weights
  kMixed,             // some layers integer, some not
  kFixedPoint,  // int8 and int16, every scale a power of two, by what the model says of itself
};

// The entry of a model's metadata that says it is fixed point: dlpu's stand-in for the integers
// that a vendor's compiler chooses. It counts only where the scales are powers of two indeed.
inline constexpr std::string_view kFixedPointKey = "dlpu_fixed_point";

struct QuantizationSummary {
  QuantizationStyle style = QuantizationStyle::kNoWeights;
  int float_layers = 0, dynamic_layers = 0, integer_layers = 0;  // layers with weights
  int wide_layers = 0;  // of the integer ones: those with 16-bit activations
};
QuantizationSummary SummariseQuantization(const Graph& graph);
QuantizationSummary SummariseQuantization(const Program& program);

// "int8 per-channel", "float16 weights, float32 arithmetic", "mixed: 3 float and 20 integer
// layers".
std::string QuantizationText(const QuantizationSummary& summary);

// One word: "none", "float32", "float16", "dynamic-range", "int8-per-channel", "int8-per-tensor",
// "uint8-per-tensor", "int16", "mixed", "power-of-two".
std::string_view QuantizationWord(QuantizationStyle style);

// Whether every layer with weights computes in 8-bit integers.
bool IsFullInteger8(const QuantizationSummary& summary);

}  // namespace dlpu
