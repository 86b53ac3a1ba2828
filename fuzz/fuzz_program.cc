// SPDX-License-Identifier: Apache-2.0
// Fuzz target: bytes that claim to be a .dlpu program (without its checksum, which is made here)
// are read, loaded and run. With the fuzz preset this is a libFuzzer program; other builds link
// replay_main.cc instead and run the files they are given.
#include <cstddef>
#include <cstdint>

#include "hostile/try_model.h"
#include "ir/program_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dlpu::hostile::TryProgram(dlpu::SealProgram({data, size}));
  return 0;
}
