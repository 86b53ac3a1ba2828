// SPDX-License-Identifier: Apache-2.0
// What an instruction set provides for byte tables. Plain declarations: files with instruction-set
// flags include this.
#pragma once

#include <cstdint>

namespace dlpu {

// out[i] = table[in[i]] for n bytes; in and out may be the same, nothing beyond is touched.
using ByteTableRun = void (*)(const uint8_t* table, const uint8_t* in, uint8_t* out, int64_t n);

// nullptr when the library was built for another processor.
ByteTableRun ByteTableRunAvx512Vnni();
ByteTableRun ByteTableRunAvx2();
ByteTableRun ByteTableRunNeon();

}  // namespace dlpu
