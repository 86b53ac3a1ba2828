// SPDX-License-Identifier: Apache-2.0
// The rows of float convolution, and the choice among them.
#include "kernels/conv_f32/conv_f32.h"

#include <string>
#include <vector>

#include "base/check.h"
#include "kernels/conv_f32/gemm_conv.h"
#include "kernels/conv_f32/rows.h"

namespace dlpu {
namespace {

// The reference as a row: any layer, any CPU.
class ReferenceConvF32 : public PreparedConvF32 {
 public:
  ReferenceConvF32(const ConvF32Spec& spec, const float* weights, const float* bias)
      : spec_(spec),
        weights_(weights, weights + static_cast<int64_t>(spec.out_c) * spec.kernel_h *
                                        spec.kernel_w * (spec.in_c / spec.groups)) {
    if (bias != nullptr) bias_.assign(bias, bias + spec.out_c);
  }
  std::string_view row() const override { return "conv_f32_reference"; }
  int64_t ScratchBytes(int) const override { return 0; }
  void Run(const float* input, float* output, uint8_t*, ThreadPool&) const override {
    ConvF32Reference(spec_, input, weights_.data(), bias_.empty() ? nullptr : bias_.data(), output);
  }

 private:
  const ConvF32Spec spec_;
  const std::vector<float> weights_;
  std::vector<float> bias_;
};

std::unique_ptr<PreparedConvF32> PrepareReference(const ConvF32Row&, const ConvF32Spec& spec,
                                                  const float* weights, const float* bias) {
  return std::make_unique<ReferenceConvF32>(spec, weights, bias);
}

// One row for every row of gemm_f32, in the same order, then the reference.
struct RowTable {
  std::vector<std::string> names;
  std::vector<ConvF32Row> rows;

  RowTable() {
    const std::span<const GemmF32Row> gemm = GemmF32Rows();
    for (const GemmF32Row& row : gemm) names.push_back("conv_f32_" + std::string(row.name));
    for (size_t i = 0; i < gemm.size(); ++i) {
      int32_t vectors = kGemmF32MaxVectors;
      while (gemm[i].max_rows[vectors - 1] == 0) --vectors;
      rows.push_back({names[i].c_str(), gemm[i].cpu, gemm[i].lanes, gemm[i].max_rows[vectors - 1],
                      vectors, PrepareTiles});
    }
    rows.push_back({"conv_f32_reference", kCpuNone, 0, 0, 0, PrepareReference});
  }
  static std::unique_ptr<PreparedConvF32> PrepareTiles(const ConvF32Row& row,
                                                       const ConvF32Spec& spec,
                                                       const float* weights, const float* bias) {
    const size_t index = static_cast<size_t>(&row - ConvF32Rows().data());
    return PrepareGemmConvF32(GemmF32Rows()[index], row.name, spec, weights, bias);
  }
};

}  // namespace

std::span<const ConvF32Row> ConvF32Rows() {
  static const RowTable table;
  return table.rows;
}

std::unique_ptr<PreparedConvF32> PrepareConvF32(const ConvF32Spec& spec, const float* weights,
                                                const float* bias, CpuFlags cpu) {
  for (const ConvF32Row& row : ConvF32Rows()) {
    if ((row.cpu & ~cpu) == 0) return row.prepare(row, spec, weights, bias);
  }
  DLPU_CHECK(false);
}

}  // namespace dlpu
