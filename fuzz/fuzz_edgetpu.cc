// SPDX-License-Identifier: Apache-2.0
// Fuzz target: bytes that claim to be the options of an Edge TPU node.
#include <cstddef>
#include <cstdint>

#include "formats/edgetpu_package.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto read = dlpu::ReadEdgeTpuOptions({data, size});
  if (read.ok() && read->executables.empty()) __builtin_trap();
  return 0;
}
