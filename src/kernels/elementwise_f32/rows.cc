// SPDX-License-Identifier: Apache-2.0
// The list of vector rows of elementwise ops on float32.
#include "kernels/elementwise_f32/rows.h"

#include <vector>

namespace dlpu {

ElementwiseF32RowList ElementwiseF32Rows() {
  static const std::vector<ElementwiseF32Row> rows = [] {
    std::vector<ElementwiseF32Row> all;
    for (const ElementwiseF32RowList& list : {ElementwiseF32Avx512(), ElementwiseF32Avx2()}) {
      all.insert(all.end(), list.rows, list.rows + list.count);
    }
    return all;
  }();
  return {rows.data(), static_cast<int32_t>(rows.size())};
}

const ElementwiseF32Row* ChooseElementwiseF32(CpuFlags cpu) {
  const ElementwiseF32RowList list = ElementwiseF32Rows();
  for (int32_t i = 0; i < list.count; ++i) {
    if ((list.rows[i].cpu & ~cpu) == 0) return &list.rows[i];
  }
  return nullptr;
}

}  // namespace dlpu
