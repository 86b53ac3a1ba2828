// SPDX-License-Identifier: Apache-2.0
// Worked steps of one cell, and a float cell against the formulas.
#include "kernels/lstm/lstm.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace dlpu {
namespace {

// A gate whose value before its function is `bias`, whatever the input.
LstmGateInt8 ConstantGate(int32_t bias) {
  LstmGateInt8 gate;
  gate.input_weights = gate.recurrent_weights = {0};
  gate.input_bias = {bias};
  gate.recurrent_bias = {0};
  gate.input_scale = gate.recurrent_scale = QuantizeMultiplier(1.0);
  return gate;
}

LstmInt8 OneCell() {
  LstmInt8 lstm;
  lstm.gates[kInputGate] = ConstantGate(4096);
  lstm.gates[kForgetGate] = ConstantGate(-2048);
  lstm.gates[kCellGate] = ConstantGate(1024);
  lstm.gates[kOutputGate] = ConstantGate(0);
  lstm.hidden_scale = {1073741824, -22};  // hidden scale 1/128
  return lstm;
}

TEST(Lstm, WorkedIntegerStep) {
  const LstmInt8 lstm = OneCell();
  alignas(64) std::array<uint8_t, 64> scratch;
  ASSERT_LE(LstmInt8ScratchBytes(lstm), 64);
  const int8_t input = 5;
  int8_t state = 3, output = 0;
  int16_t cell = -5000;
  RunLstmInt8(lstm, &input, &state, &cell, &output, scratch.data());
  EXPECT_EQ(cell, -1520);
  EXPECT_EQ(output, -40);
  EXPECT_EQ(state, -40);
}

TEST(Lstm, IntegerCellClip) {
  LstmInt8 lstm = OneCell();
  lstm.cell_clip = 1000;
  alignas(64) std::array<uint8_t, 64> scratch;
  const int8_t input = 0;
  int8_t state = 0, output = 0;
  int16_t cell = -5000;
  RunLstmInt8(lstm, &input, &state, &cell, &output, scratch.data());
  EXPECT_EQ(cell, -1000);
}

TEST(Lstm, FloatKeepsItsStateOverSteps) {
  LstmFloat lstm;
  lstm.shape.time = 2;
  lstm.coupled = true;
  for (int g = kForgetGate; g < kLstmGates; ++g) {
    lstm.gates[g].input_weights.values = {1};
    lstm.gates[g].recurrent_weights.values = {0.5f};
    lstm.gates[g].bias = {0.25f};
  }
  alignas(64) std::array<uint8_t, 64> scratch;
  const std::array<float, 2> input = {0.3f, -0.7f};
  std::array<float, 2> output{};
  float state = 0, cell = 0;
  RunLstmFloat(lstm, input.data(), &state, &cell, output.data(), scratch.data());
  double h = 0, c = 0;
  for (const float x : input) {
    const double z = x + 0.5 * h + 0.25, s = 1 / (1 + std::exp(-z));
    c = s * c + (1 - s) * std::tanh(z);
    h = s * std::tanh(c);
  }
  EXPECT_NEAR(output[1], h, 1e-6);
  EXPECT_NEAR(cell, c, 1e-6);
}

// Weights 64 and -127 of scale 1/127; the codes of (0.5, 0.25) are 127 and 64 of scale 0.5 / 127.
TEST(Lstm, CodesAreMultipliedWithCodes) {
  LstmFloat lstm;
  lstm.shape.inputs = 2;
  lstm.coupled = true;
  lstm.activation = LstmActivation::kNone;
  for (int g = kForgetGate; g < kLstmGates; ++g) {
    lstm.gates[g].input_weights.codes = {64, -127};
    lstm.gates[g].input_weights.scale = 1.0f / 127;
    lstm.gates[g].recurrent_weights.codes = {127};
    lstm.gates[g].recurrent_weights.scale = 1.0f / 127;
    lstm.gates[g].bias = {0};
  }
  ASSERT_LE(LstmFloatScratchBytes(lstm), 64);
  alignas(64) std::array<uint8_t, 64> scratch;
  const std::array<float, 2> input = {0.5f, 0.25f};
  float state = 0, cell = 0, output = 0;
  RunLstmFloat(lstm, input.data(), &state, &cell, &output, scratch.data());
  const double z = (64 * 127 - 127 * 64) * 0.5 / 127 / 127;  // 0
  EXPECT_EQ(cell, 0.5f * static_cast<float>(z));
  // The other input makes it 127 * 64 + 64 * 127 of scale 0.5 / 127^2.
  const std::array<float, 2> turned = {0.5f, -0.25f};
  RunLstmFloat(lstm, turned.data(), &state, &cell, &output, scratch.data());
  const double gate = 2 * 64 * 127 * 0.5 / 127 / 127, s = 1 / (1 + std::exp(-gate));
  EXPECT_NEAR(cell, (1 - s) * gate, 1e-6);
}

}  // namespace
}  // namespace dlpu
