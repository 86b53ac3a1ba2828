// SPDX-License-Identifier: Apache-2.0
// Long short-term memory over a sequence, in LiteRT's integer form (int8 activations and weights,
// int16 cell state), in float32 and in the dynamic-range form (float32 with int8 weights). The Run
// functions are the specification; constants belong to the structs, are read-only while they run,
// and one thread runs a sequence.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fixed_point.h"

namespace dlpu {

// Input: batch x time x inputs, or time x batch x inputs (time_major). Output the same with
// `outputs` values. State: output_state batch x outputs, cell_state batch x cells; both are read
// and written, and kept between runs by the caller.
struct LstmShape {
  int32_t batch = 1, time = 1, inputs = 1, outputs = 1, cells = 1;
  bool time_major = false;
};

enum LstmGate { kInputGate = 0, kForgetGate, kCellGate, kOutputGate, kLstmGates };

// --- Integer: 8x8_16 -------------------------------------------------------------------------

struct LstmGateInt8 {
  std::vector<int8_t> input_weights;      // cells x inputs
  std::vector<int8_t> recurrent_weights;  // cells x outputs
  // Constant terms with the zero points folded in: the layer's bias minus zero point times the
  // sum of a row of weights.
  std::vector<int32_t> input_bias, recurrent_bias;
  QuantizedMultiplier input_scale, recurrent_scale;
  std::vector<int16_t> peephole;  // cells, or empty
  QuantizedMultiplier peephole_scale;
  std::vector<int16_t> norm;  // cells, or empty: layer normalization
  std::vector<int32_t> norm_bias;
  QuantizedMultiplier norm_scale;
  int32_t variance_guard = 1;
};

struct LstmInt8 {
  LstmShape shape;
  bool coupled = false;  // no input gate: it is one minus the forget gate
  LstmGateInt8 gates[kLstmGates];
  int cell_exponent = -11;  // the cell state's scale is 2^cell_exponent
  int16_t cell_clip = 0;    // 0: none
  QuantizedMultiplier hidden_scale;
  int32_t hidden_zero = 0;
  std::vector<int8_t> projection;  // outputs x cells, or empty (then outputs == cells)
  std::vector<int32_t> projection_bias;
  QuantizedMultiplier projection_scale;
  int32_t output_zero = 0;
  int8_t projection_clip = 0;  // 0: none
};

int64_t LstmInt8ScratchBytes(const LstmInt8& lstm);
void RunLstmInt8(const LstmInt8& lstm, const int8_t* input, int8_t* output_state,
                 int16_t* cell_state, int8_t* output, uint8_t* scratch);

// --- float32 and dynamic-range ---------------------------------------------------------------

enum class LstmActivation : uint8_t { kNone, kRelu, kRelu6, kReluN1To1, kTanh };

// Weights: float values, or int8 codes with one scale. What is multiplied with codes is quantized
// at each step, as kernels/hybrid has it: product(x) = sum(codes * x codes) * (x scale * scale).
struct LstmMatrix {
  std::vector<float> values;
  std::vector<int8_t> codes;
  float scale = 0;
  bool empty() const { return values.empty() && codes.empty(); }
};

struct LstmGateFloat {
  LstmMatrix input_weights;      // cells x inputs
  LstmMatrix recurrent_weights;  // cells x outputs
  std::vector<float> bias;       // cells
  std::vector<float> peephole;   // cells, or empty
  std::vector<float> norm;       // cells, or empty
};

struct LstmFloat {
  LstmShape shape;
  bool coupled = false;
  LstmGateFloat gates[kLstmGates];
  LstmActivation activation = LstmActivation::kTanh;
  float cell_clip = 0, projection_clip = 0;  // 0: none
  bool asymmetric = false;                   // how codes are made at each step
  LstmMatrix projection;                     // outputs x cells, or empty
  std::vector<float> projection_bias;        // outputs, or empty
};

int64_t LstmFloatScratchBytes(const LstmFloat& lstm);
void RunLstmFloat(const LstmFloat& lstm, const float* input, float* output_state, float* cell_state,
                  float* output, uint8_t* scratch);

}  // namespace dlpu
