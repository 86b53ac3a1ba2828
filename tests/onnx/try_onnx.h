// SPDX-License-Identifier: Apache-2.0
// Bytes that claim to be an ONNX model, taken as far as they go. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace dlpu::onnx_test {

struct OnnxTrial {
  bool read = false, ran = false;
  std::string error;  // what the user is told; empty when it ran
};

// Reads, converts, compiles and runs on zeros. A model of more than 64 MiB of tensors or 20 million
// multiplications is not run: it costs what it says.
OnnxTrial TryOnnx(std::span<const uint8_t> model);

}  // namespace dlpu::onnx_test
