// SPDX-License-Identifier: Apache-2.0
// Fuzz target: bytes that claim to be an ONNX model are read, converted, compiled and run.
#include <cstddef>
#include <cstdint>

#include "onnx/try_onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dlpu::onnx_test::TryOnnx({data, size});
  return 0;
}
