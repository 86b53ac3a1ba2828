// SPDX-License-Identifier: Apache-2.0
// Fuzz target: bytes that claim to be a .tflite model are read, compiled, loaded and run.
// With the fuzz preset this is a libFuzzer program; other builds link replay_main.cc instead and
// run the files they are given.
#include <cstddef>
#include <cstdint>

#include "hostile/try_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dlpu::hostile::TryModel({data, size});
  return 0;
}
