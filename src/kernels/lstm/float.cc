// SPDX-License-Identifier: Apache-2.0
// The scalar float LSTM, also with int8 weights. LiteRT sums products in vectors, whose order
// depends on the machine; the results agree within the rounding of such sums.
#include <algorithm>
#include <cmath>
#include <span>

#include "kernels/hybrid/hybrid.h"
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

// What weights are multiplied with: `depth` values, and their codes where weights are codes.
struct Operand {
  const float* x;
  int64_t depth;
  int8_t* codes;
  HybridScale scale;

  // Makes the codes of what x holds now.
  void Quantize(bool asymmetric) {
    const std::span<const float> values(x, static_cast<size_t>(depth));
    scale = asymmetric ? QuantizeHybridAsymmetric(values, codes)
                       : QuantizeHybridSymmetric(values, codes);
  }
};

// result[i] += weights[i] * x.
void Accumulate(const LstmMatrix& weights, const Operand& x, int64_t rows, float* result) {
  const float* w = weights.values.data();
  for (int64_t i = 0; i < rows && weights.codes.empty(); ++i, w += x.depth) {
    float sum = 0;
    for (int64_t k = 0; k < x.depth; ++k) sum += w[k] * x.x[k];
    result[i] += sum;
  }
  if (weights.codes.empty()) return;
  const int8_t* c = weights.codes.data();
  const float scale = x.scale.scale * weights.scale;
  for (int64_t i = 0; i < rows; ++i, c += x.depth) {
    uint32_t sum = 0;  // wraps like the original's
    for (int64_t k = 0; k < x.depth; ++k) {
      sum += static_cast<uint32_t>((x.codes[k] - x.scale.zero_point) * c[k]);
    }
    result[i] += static_cast<float>(static_cast<int32_t>(sum)) * scale;
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

void RunGate(const LstmFloat& s, LstmGate which, const Operand& input, const Operand& output_state,
             const float* cell, float* gate) {
  const LstmGateFloat& g = s.gates[which];
  const int64_t cells = s.shape.cells;
  if (g.norm.empty()) {
    std::copy(g.bias.begin(), g.bias.end(), gate);
  } else {
    std::fill(gate, gate + cells, 0.0f);
  }
  Accumulate(g.input_weights, input, cells, gate);
  Accumulate(g.recurrent_weights, output_state, cells, gate);
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

// `room` takes the hidden state when there is a projection; `hidden` refers to it.
void UpdateOutput(const LstmFloat& s, const float* cell, const float* output_gate, float* room,
                  Operand hidden, float* output_state) {
  const bool projected = !s.projection.empty();
  float* to = projected ? room : output_state;
  for (int64_t i = 0; i < s.shape.cells; ++i) {
    to[i] = output_gate[i] * Activate(s.activation, cell[i]);
  }
  if (!projected) return;
  std::fill(output_state, output_state + s.shape.outputs, 0.0f);
  std::copy(s.projection_bias.begin(), s.projection_bias.end(), output_state);
  if (!s.projection.codes.empty()) hidden.Quantize(s.asymmetric);
  Accumulate(s.projection, hidden, s.shape.outputs, output_state);
  for (int64_t o = 0; o < s.shape.outputs; ++o) {
    output_state[o] = Clip(output_state[o], s.projection_clip);
  }
}

}  // namespace

int64_t LstmFloatScratchBytes(const LstmFloat& lstm) {
  const LstmShape& s = lstm.shape;
  return static_cast<int64_t>(s.cells) * (kLstmGates + 1) * static_cast<int64_t>(sizeof(float)) +
         s.inputs + s.outputs + s.cells;
}

void RunLstmFloat(const LstmFloat& s, const float* input, float* output_state, float* cell_state,
                  float* output, uint8_t* scratch) {
  const LstmShape& shape = s.shape;
  float* gates[kLstmGates + 1];
  for (int g = 0; g <= kLstmGates; ++g) {
    gates[g] = reinterpret_cast<float*>(scratch) + static_cast<int64_t>(g) * shape.cells;
  }
  float* room = gates[kLstmGates];
  auto* codes = reinterpret_cast<int8_t*>(room + shape.cells);
  const bool coded = !s.gates[kOutputGate].input_weights.codes.empty();
  for (int64_t b = 0; b < shape.batch; ++b) {
    float* state = output_state + b * shape.outputs;
    float* cell = cell_state + b * shape.cells;
    for (int64_t t = 0; t < shape.time; ++t) {
      const int64_t at = shape.time_major ? t * shape.batch + b : b * shape.time + t;
      Operand x{input + at * shape.inputs, shape.inputs, codes, {}};
      Operand last{state, shape.outputs, codes + shape.inputs, {}};
      const Operand hidden{room, shape.cells, last.codes + shape.outputs, {}};
      if (coded) {
        x.Quantize(s.asymmetric);
        last.Quantize(s.asymmetric);
      }
      if (!s.coupled) RunGate(s, kInputGate, x, last, cell, gates[kInputGate]);
      RunGate(s, kForgetGate, x, last, cell, gates[kForgetGate]);
      RunGate(s, kCellGate, x, last, cell, gates[kCellGate]);
      UpdateCell(s, gates[kInputGate], gates[kForgetGate], gates[kCellGate], cell);
      RunGate(s, kOutputGate, x, last, cell, gates[kOutputGate]);
      UpdateOutput(s, cell, gates[kOutputGate], room, hidden, state);
      std::copy(state, state + shape.outputs, output + at * shape.outputs);
    }
  }
}

}  // namespace dlpu
