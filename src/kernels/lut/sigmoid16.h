// SPDX-License-Identifier: Apache-2.0
// LOGISTIC and TANH of 16-bit codes: linear interpolation in a table of 256 samples of the
// sigmoid. Source: LiteRT's reference kernels (integer_ops/logistic.h and tanh.h). Any thread.
#pragma once

#include <cstdint>

namespace dlpu {

// How a code is brought to the table's input scale, 1 / (3 * 4096): (code * multiplier + half) >>
// shift.
struct Sigmoid16Input {
  int32_t multiplier = 3;
  int shift = 0;
};
// For an input of scale `scale`. A scale that is 2^-12 within 1e-3 of its logarithm (for TANH also
// 2^-11) is taken as exactly that.
Sigmoid16Input MakeSigmoid16Input(float scale, bool tanh);

// 32768 / (1 + exp(-x)), x the code times the input's scale.
int16_t Logistic16(Sigmoid16Input input, int16_t code);
// 32768 * tanh(x).
int16_t Tanh16(Sigmoid16Input input, int16_t code);

}  // namespace dlpu
