// SPDX-License-Identifier: Apache-2.0
// The specification of byte tables and the list of rows.
#include "kernels/lut/table.h"

#include "kernels/lut/byte_table_rows.h"

namespace dlpu {

void ByteTableReference(const uint8_t table[256], const uint8_t* in, uint8_t* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = table[in[i]];
}

const std::vector<ByteTableRow>& ByteTableRows() {
  static const std::vector<ByteTableRow> rows = [] {
    std::vector<ByteTableRow> built;
    for (const ByteTableRow& row :
         {ByteTableRow{"table_avx512vnni", kCpuAvx512 | kCpuAvx512Vnni, ByteTableRunAvx512Vnni()},
          ByteTableRow{"table_avx2", kCpuAvx2, ByteTableRunAvx2()},
          ByteTableRow{"table_neon", kCpuNeon, ByteTableRunNeon()},
          ByteTableRow{"table_reference", kCpuNone, ByteTableReference}}) {
      if (row.run != nullptr) built.push_back(row);
    }
    return built;
  }();
  return rows;
}

const ByteTableRow& ChooseByteTable(CpuFlags cpu) {
  for (const ByteTableRow& row : ByteTableRows()) {
    if ((row.flags & ~cpu) == 0) return row;
  }
  return ByteTableRows().back();
}

}  // namespace dlpu
