// SPDX-License-Identifier: Apache-2.0
// The rows of float batch matrix multiplication, and the choice among them.
#include "kernels/matmul/matmul.h"

#include <string>

#include "base/check.h"
#include "kernels/matmul/rows.h"
#include "kernels/matmul/tiled_matmul.h"

namespace dlpu {
namespace {

// The reference as a row: any product, any CPU.
class ReferenceMatMul : public PreparedMatMul {
 public:
  explicit ReferenceMatMul(const MatMulSpec& spec) : spec_(spec) {}
  std::string_view row() const override { return "matmul_reference"; }
  int64_t ScratchBytes(int) const override { return 0; }
  void Run(const float* lhs, const float* rhs, float* output, uint8_t*,
           ThreadPool&) const override {
    MatMulReference(spec_, lhs, rhs, output);
  }

 private:
  const MatMulSpec spec_;
};

std::unique_ptr<PreparedMatMul> PrepareReference(const MatMulRow&, const MatMulSpec& spec) {
  return std::make_unique<ReferenceMatMul>(spec);
}

// One row for every row of gemm_f32, in the same order, then the reference.
struct RowTable {
  std::vector<std::string> names;
  std::vector<MatMulRow> rows;

  RowTable() {
    const std::span<const GemmF32Row> gemm = GemmF32Rows();
    for (const GemmF32Row& row : gemm) names.push_back("matmul_" + std::string(row.name));
    for (size_t i = 0; i < gemm.size(); ++i) {
      int32_t vectors = kGemmF32MaxVectors;
      while (gemm[i].max_rows[vectors - 1] == 0) --vectors;
      rows.push_back({names[i].c_str(), gemm[i].cpu, gemm[i].lanes, gemm[i].max_rows[vectors - 1],
                      vectors, PrepareTiles});
    }
    rows.push_back({"matmul_reference", kCpuNone, 0, 0, 0, PrepareReference});
  }
  static std::unique_ptr<PreparedMatMul> PrepareTiles(const MatMulRow& row,
                                                      const MatMulSpec& spec) {
    const size_t index = static_cast<size_t>(&row - MatMulRows().data());
    return PrepareTiledMatMul(GemmF32Rows()[index], row.name, spec);
  }
};

}  // namespace

std::span<const MatMulRow> MatMulRows() {
  static const RowTable table;
  return table.rows;
}

std::unique_ptr<PreparedMatMul> PrepareMatMul(const MatMulSpec& spec, CpuFlags cpu) {
  for (const MatMulRow& row : MatMulRows()) {
    if ((row.cpu & ~cpu) == 0) return row.prepare(row, spec);
  }
  DLPU_CHECK(false);
}

}  // namespace dlpu
