// SPDX-License-Identifier: Apache-2.0
// The scalar integer LSTM (LiteRT lstm_eval.cc, 8x8_16).
#include <algorithm>

#include "base/fixed_math.h"
#include "kernels/lstm/lstm.h"

namespace dlpu {
namespace {

// gate[i] = sat16(scaled(bias + weights * x) + gate[i]).
void Accumulate(const std::vector<int8_t>& weights, const std::vector<int32_t>& bias,
                QuantizedMultiplier scale, const int8_t* x, int64_t depth, int64_t cells,
                int16_t* gate) {
  const int8_t* w = weights.data();
  for (int64_t i = 0; i < cells; ++i, w += depth) {
    int32_t sum = bias[i];
    for (int64_t k = 0; k < depth; ++k) sum += w[k] * x[k];
    gate[i] = SaturateToInt16(AddWrap(MultiplyByQuantizedMultiplier(sum, scale), gate[i]));
  }
}

// Layer normalization with 10 extra bits.
void Normalize(const LstmGateInt8& g, int64_t cells, int16_t* gate) {
  int64_t sum = 0, squares = 0;
  for (int64_t i = 0; i < cells; ++i) {
    sum += gate[i];
    squares += static_cast<int32_t>(gate[i]) * gate[i];
  }
  const int32_t mean = static_cast<int32_t>(sum * 1024 / cells);
  const int64_t share = (int64_t{1} << 20) / cells;
  const int64_t wide = squares * share - static_cast<int64_t>(mean) * mean;
  int32_t variance = static_cast<int32_t>(wide / (1 << 20));
  if (variance < 1) variance = g.variance_guard;
  const QuantizedMultiplier inverse = InverseSqrt(variance);
  QuantizedMultiplier scale = g.norm_scale;
  scale.shift += 12;
  for (int64_t i = 0; i < cells; ++i) {
    const int32_t shifted = 1024 * gate[i] - mean;
    const int32_t rescaled = MultiplyByQuantizedMultiplier(shifted, inverse);
    const int64_t value = static_cast<int64_t>(rescaled) * g.norm[i] + g.norm_bias[i];
    const auto rounded = static_cast<int32_t>((value > 0 ? value + 512 : value - 512) / 1024);
    gate[i] = SaturateToInt16(MultiplyByQuantizedMultiplier(rounded, scale));
  }
}

// One gate for one step of one sequence; tanh for the cell gate, the logistic function otherwise.
void RunGate(const LstmInt8& s, LstmGate which, const int8_t* input, const int8_t* output_state,
             const int16_t* cell, int16_t* gate) {
  const LstmGateInt8& g = s.gates[which];
  const int64_t cells = s.shape.cells;
  std::fill(gate, gate + cells, int16_t{0});
  Accumulate(g.input_weights, g.input_bias, g.input_scale, input, s.shape.inputs, cells, gate);
  Accumulate(g.recurrent_weights, g.recurrent_bias, g.recurrent_scale, output_state,
             s.shape.outputs, cells, gate);
  for (size_t i = 0; i < g.peephole.size(); ++i) {
    const int32_t product = static_cast<int32_t>(g.peephole[i]) * cell[i];
    gate[i] =
        SaturateToInt16(AddWrap(MultiplyByQuantizedMultiplier(product, g.peephole_scale), gate[i]));
  }
  if (!g.norm.empty()) Normalize(g, cells, gate);
  for (int64_t i = 0; i < cells; ++i) {
    gate[i] =
        which == kCellGate ? FixedTanh<int16_t>(gate[i], 3) : FixedLogistic<int16_t>(gate[i], 3);
  }
}

int16_t RoundedProduct(int16_t a, int16_t b, int shift) {
  return static_cast<int16_t>(RoundingDivideByPOT(static_cast<int32_t>(a) * b, shift));
}

void UpdateCell(const LstmInt8& s, const int16_t* input_gate, const int16_t* forget_gate,
                const int16_t* cell_gate, int16_t* cell) {
  for (int64_t i = 0; i < s.shape.cells; ++i) {
    const int16_t kept = RoundedProduct(forget_gate[i], cell[i], 15);
    const auto open = s.coupled ? static_cast<int16_t>(32767 - forget_gate[i]) : input_gate[i];
    const int16_t added = RoundedProduct(open, cell_gate[i], 30 + s.cell_exponent);
    int16_t sum = SaturateToInt16(kept + added);
    if (s.cell_clip > 0) {
      sum = std::clamp(sum, static_cast<int16_t>(-s.cell_clip), s.cell_clip);
    }
    cell[i] = sum;
  }
}

int8_t ClampToInt8(int32_t v) { return static_cast<int8_t>(std::min(std::max(v, -128), 127)); }

void Project(const LstmInt8& s, const int8_t* hidden, int8_t* output_state) {
  const int8_t* w = s.projection.data();
  for (int64_t o = 0; o < s.shape.outputs; ++o, w += s.shape.cells) {
    int32_t sum = s.projection_bias[o];
    for (int64_t i = 0; i < s.shape.cells; ++i) sum += w[i] * hidden[i];
    int8_t code =
        ClampToInt8(AddWrap(MultiplyByQuantizedMultiplier(sum, s.projection_scale), s.output_zero));
    if (s.projection_clip > 0) {
      code = std::clamp(code, static_cast<int8_t>(-s.projection_clip), s.projection_clip);
    }
    output_state[o] = code;
  }
}

void UpdateOutput(const LstmInt8& s, const int16_t* cell, const int16_t* output_gate,
                  int8_t* hidden, int8_t* output_state) {
  const bool projected = !s.projection.empty();
  // LiteRT takes the zero point off before a projection, whose bias makes up for it.
  const int32_t zero = projected ? -s.hidden_zero : s.hidden_zero;
  int8_t* to = projected ? hidden : output_state;
  for (int64_t i = 0; i < s.shape.cells; ++i) {
    const int16_t t = FixedTanh<int16_t>(cell[i], 15 + s.cell_exponent);
    const int32_t product = static_cast<int32_t>(output_gate[i]) * t;
    to[i] = ClampToInt8(AddWrap(MultiplyByQuantizedMultiplier(product, s.hidden_scale), zero));
  }
  if (projected) Project(s, hidden, output_state);
}

}  // namespace

int64_t LstmInt8ScratchBytes(const LstmInt8& lstm) {
  return static_cast<int64_t>(lstm.shape.cells) * (kLstmGates * 2 + 1);
}

void RunLstmInt8(const LstmInt8& s, const int8_t* input, int8_t* output_state, int16_t* cell_state,
                 int8_t* output, uint8_t* scratch) {
  const LstmShape& shape = s.shape;
  int16_t* gates[kLstmGates];
  for (int g = 0; g < kLstmGates; ++g) {
    gates[g] = reinterpret_cast<int16_t*>(scratch) + static_cast<int64_t>(g) * shape.cells;
  }
  auto* hidden = reinterpret_cast<int8_t*>(gates[kLstmGates - 1] + shape.cells);
  for (int64_t b = 0; b < shape.batch; ++b) {
    int8_t* state = output_state + b * shape.outputs;
    int16_t* cell = cell_state + b * shape.cells;
    for (int64_t t = 0; t < shape.time; ++t) {
      const int64_t at = shape.time_major ? t * shape.batch + b : b * shape.time + t;
      const int8_t* x = input + at * shape.inputs;
      if (!s.coupled) RunGate(s, kInputGate, x, state, cell, gates[kInputGate]);
      RunGate(s, kForgetGate, x, state, cell, gates[kForgetGate]);
      RunGate(s, kCellGate, x, state, cell, gates[kCellGate]);
      UpdateCell(s, gates[kInputGate], gates[kForgetGate], gates[kCellGate], cell);
      RunGate(s, kOutputGate, x, state, cell, gates[kOutputGate]);
      UpdateOutput(s, cell, gates[kOutputGate], hidden, state);
      std::copy(state, state + shape.outputs, output + at * shape.outputs);
    }
  }
}

}  // namespace dlpu
