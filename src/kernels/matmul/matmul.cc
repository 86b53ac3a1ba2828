// SPDX-License-Identifier: Apache-2.0
// Chooses the row for a float batch matrix multiplication.
#include "kernels/matmul/matmul.h"

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

}  // namespace

std::unique_ptr<PreparedMatMul> PrepareMatMul(const MatMulSpec& spec, CpuFlags) {
  return std::make_unique<ReferenceMatMul>(spec);
}

}  // namespace dlpu
