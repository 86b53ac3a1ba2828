// SPDX-License-Identifier: Apache-2.0
// The digit classifier that comes inside the program, so that it can show something without any
// file: data/models/digits.tflite, trained by tools/train_digits.py. Any thread.
#pragma once

#include <cstdint>
#include <span>

namespace dlpu {

// A .tflite file, float32: input 1x28x28x1 (batch, height, width, channel), white digit on black
// in 0..1; output 1x10, softmax over the digits 0 to 9. The bytes live as long as the program and
// are aligned to 16.
std::span<const uint8_t> DigitsModel();

}  // namespace dlpu
