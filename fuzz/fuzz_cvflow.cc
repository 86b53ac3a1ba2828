// SPDX-License-Identifier: Apache-2.0
// Fuzz target: bytes that claim to be a CVflow network file.
#include <cstddef>
#include <cstdint>

#include "formats/cvflow_bin.h"
#include "formats/sniff.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  (void)dlpu::SniffFile(bytes);
  const auto read = dlpu::ReadCvflowBin(bytes, "fuzz");
  if (read.ok() && (read->inputs.empty() || read->outputs.empty())) __builtin_trap();
  return 0;
}
