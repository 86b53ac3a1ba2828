// SPDX-License-Identifier: Apache-2.0
// The scalar float LSTM. LiteRT sums products in vectors, whose order depends on the machine; the
// results agree within the rounding of such sums.
#include <algorithm>
#include <cmath>

#include "kernels/lstm/lstm.h"

namespace dlpu {
namespace {

float Activate(LstmActivation activation, float v) {
  switch (activation) {
    case LstmActivation::kNone:
      return v;
    case LstmActivation::kRelu:
      return std::max(0.0f, v);
    case LstmActivation::kRelu6:
      return std::min(std::max(0.0f, v), 6.0f);
    case LstmActivation::kReluN1To1:
      return std::min(std::max(-1.0f, v), 1.0f);
    case LstmActivation::kTanh:
      return std::tanh(v);
  }
  return v;
}

// result[i] += weights[i] * x.
void Accumulate(const std::vector<float>& weights, const float* x, int64_t depth, int64_t rows,
                float* result) {
  const float* w = weights.data();
  for (int64_t i = 0; i < rows; ++i, w += depth) {
    float sum = 0;
    for (int64_t k = 0; k < depth; ++k) sum += w[k] * x[k];
    result[i] += sum;
  }
}

// To mean 0 and variance 1, then weights and bias.
void Normalize(const LstmGateFloat& g, int64_t cells, float* gate) {
  float sum = 0;
  for (int64_t i = 0; i < cells; ++i) sum += gate[i];
  const float mean = sum / static_cast<float>(cells);
  float squares = 0;
  for (int64_t i = 0; i < cells; ++i) squares += (gate[i] - mean) * (gate[i] - mean);
  const float variance = squares / static_cast<float>(cells);
  const float inverse = 1.0f / std::sqrt(variance + 1e-8f);
  for (int64_t i = 0; i < cells; ++i) {
    gate[i] = (gate[i] - mean) * inverse * g.norm[i] + g.bias[i];
  }
}

void RunGate(const LstmFloat& s, LstmGate which, const float* input, const float* output_state,
             const float* cell, float* gate) {
  const LstmGateFloat& g = s.gates[which];
  const int64_t cells = s.shape.cells;
  if (g.norm.empty()) {
    std::copy(g.bias.begin(), g.bias.end(), gate);
  } else {
    std::fill(gate, gate + cells, 0.0f);
  }
  Accumulate(g.input_weights, input, s.shape.inputs, cells, gate);
  Accumulate(g.recurrent_weights, output_state, s.shape.outputs, cells, gate);
  for (size_t i = 0; i < g.peephole.size(); ++i) gate[i] += g.peephole[i] * cell[i];
  if (!g.norm.empty()) Normalize(g, cells, gate);
  for (int64_t i = 0; i < cells; ++i) {
    gate[i] =
        which == kCellGate ? Activate(s.activation, gate[i]) : 1.0f / (1.0f + std::exp(-gate[i]));
  }
}

float Clip(float v, float limit) { return limit > 0 ? std::min(std::max(v, -limit), limit) : v; }

void UpdateCell(const LstmFloat& s, const float* input_gate, const float* forget_gate,
                const float* cell_gate, float* cell) {
  for (int64_t i = 0; i < s.shape.cells; ++i) {
    const float open = s.coupled ? 1.0f - forget_gate[i] : input_gate[i];
    cell[i] = Clip(forget_gate[i] * cell[i] + cell_gate[i] * open, s.cell_clip);
  }
}

void UpdateOutput(const LstmFloat& s, const float* cell, const float* output_gate, float* hidden,
                  float* output_state) {
  const bool projected = !s.projection.empty();
  float* to = projected ? hidden : output_state;
  for (int64_t i = 0; i < s.shape.cells; ++i) {
    to[i] = output_gate[i] * Activate(s.activation, cell[i]);
  }
  if (!projected) return;
  std::fill(output_state, output_state + s.shape.outputs, 0.0f);
  std::copy(s.projection_bias.begin(), s.projection_bias.end(), output_state);
  Accumulate(s.projection, hidden, s.shape.cells, s.shape.outputs, output_state);
  for (int64_t o = 0; o < s.shape.outputs; ++o) {
    output_state[o] = Clip(output_state[o], s.projection_clip);
  }
}

}  // namespace

int64_t LstmFloatScratchBytes(const LstmFloat& lstm) {
  return static_cast<int64_t>(lstm.shape.cells) * (kLstmGates + 1) *
         static_cast<int64_t>(sizeof(float));
}

void RunLstmFloat(const LstmFloat& s, const float* input, float* output_state, float* cell_state,
                  float* output, uint8_t* scratch) {
  const LstmShape& shape = s.shape;
  float* gates[kLstmGates + 1];
  for (int g = 0; g <= kLstmGates; ++g) {
    gates[g] = reinterpret_cast<float*>(scratch) + static_cast<int64_t>(g) * shape.cells;
  }
  for (int64_t b = 0; b < shape.batch; ++b) {
    float* state = output_state + b * shape.outputs;
    float* cell = cell_state + b * shape.cells;
    for (int64_t t = 0; t < shape.time; ++t) {
      const int64_t at = shape.time_major ? t * shape.batch + b : b * shape.time + t;
      const float* x = input + at * shape.inputs;
      if (!s.coupled) RunGate(s, kInputGate, x, state, cell, gates[kInputGate]);
      RunGate(s, kForgetGate, x, state, cell, gates[kForgetGate]);
      RunGate(s, kCellGate, x, state, cell, gates[kCellGate]);
      UpdateCell(s, gates[kInputGate], gates[kForgetGate], gates[kCellGate], cell);
      RunGate(s, kOutputGate, x, state, cell, gates[kOutputGate]);
      UpdateOutput(s, cell, gates[kOutputGate], gates[kLstmGates], state);
      std::copy(state, state + shape.outputs, output + at * shape.outputs);
    }
  }
}

}  // namespace dlpu
