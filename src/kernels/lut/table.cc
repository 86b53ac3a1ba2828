// SPDX-License-Identifier: Apache-2.0
// The specification of byte tables and the list of rows.
#include "kernels/lut/table.h"

namespace dlpu {

void ByteTableReference(const uint8_t table[256], const uint8_t* in, uint8_t* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = table[in[i]];
}

const std::vector<ByteTableRow>& ByteTableRows() {
  static const std::vector<ByteTableRow> rows = {
      {"table_reference", kCpuNone, ByteTableReference},
  };
  return rows;
}

const ByteTableRow& ChooseByteTable(CpuFlags cpu) {
  for (const ByteTableRow& row : ByteTableRows()) {
    if ((row.flags & ~cpu) == 0) return row;
  }
  return ByteTableRows().back();
}

}  // namespace dlpu
