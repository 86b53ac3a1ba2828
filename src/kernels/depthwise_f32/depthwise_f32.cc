// SPDX-License-Identifier: Apache-2.0
// The rows of float depthwise convolution, and the choice among them.
#include "kernels/depthwise_f32/depthwise_f32.h"

#include <string>
#include <vector>

#include "base/check.h"
#include "kernels/depthwise_f32/rows.h"
#include "kernels/depthwise_f32/strip_depthwise.h"

namespace dlpu {
namespace {

// The reference as a row: any layer, any CPU.
class ReferenceDepthwiseF32 : public PreparedDepthwiseF32 {
 public:
  ReferenceDepthwiseF32(const DepthwiseF32Spec& spec, const float* weights, const float* bias)
      : spec_(spec),
        weights_(weights, weights + static_cast<int64_t>(spec.kernel_h) * spec.kernel_w *
                                        spec.in_c * spec.multiplier) {
    if (bias != nullptr) bias_.assign(bias, bias + int64_t{spec.in_c} * spec.multiplier);
  }
  std::string_view row() const override { return "depthwise_f32_reference"; }
  int64_t ScratchBytes(int) const override { return 0; }
  void Run(const float* input, float* output, uint8_t*, ThreadPool&) const override {
    DepthwiseF32Reference(spec_, input, weights_.data(), bias_.empty() ? nullptr : bias_.data(),
                          output);
  }

 private:
  const DepthwiseF32Spec spec_;
  const std::vector<float> weights_;
  std::vector<float> bias_;
};

std::unique_ptr<PreparedDepthwiseF32> PrepareReference(const DepthwiseF32Row&,
                                                       const DepthwiseF32Spec& spec,
                                                       const float* weights, const float* bias) {
  return std::make_unique<ReferenceDepthwiseF32>(spec, weights, bias);
}

// One row for every kernel, best first, then the reference.
struct RowTable {
  std::vector<const DepthwiseF32Kernel*> kernels;
  std::vector<std::string> names;
  std::vector<DepthwiseF32Row> rows;

  RowTable() {
    for (const DepthwiseF32KernelList& list :
         {DepthwiseF32Avx512(), DepthwiseF32Avx2(), DepthwiseF32Neon(), DepthwiseF32Portable()}) {
      for (int32_t i = 0; i < list.count; ++i) kernels.push_back(list.kernels + i);
    }
    for (const auto* kernel : kernels)
      names.push_back("depthwise_f32_" + std::string(kernel->name));
    for (size_t i = 0; i < kernels.size(); ++i) {
      rows.push_back({names[i].c_str(), kernels[i]->cpu, kernels[i]->lanes, kernels[i]->pixels,
                      PrepareStrips});
    }
    rows.push_back({"depthwise_f32_reference", kCpuNone, 0, 0, PrepareReference});
  }
  static std::unique_ptr<PreparedDepthwiseF32> PrepareStrips(const DepthwiseF32Row& row,
                                                             const DepthwiseF32Spec& spec,
                                                             const float* weights,
                                                             const float* bias);
};

const RowTable& Table() {
  static const RowTable table;
  return table;
}

std::unique_ptr<PreparedDepthwiseF32> RowTable::PrepareStrips(const DepthwiseF32Row& row,
                                                              const DepthwiseF32Spec& spec,
                                                              const float* weights,
                                                              const float* bias) {
  const size_t index = static_cast<size_t>(&row - Table().rows.data());
  return PrepareStripDepthwiseF32(*Table().kernels[index], row.name, spec, weights, bias);
}

}  // namespace

std::span<const DepthwiseF32Row> DepthwiseF32Rows() { return Table().rows; }

std::unique_ptr<PreparedDepthwiseF32> PrepareDepthwiseF32(const DepthwiseF32Spec& spec,
                                                          const float* weights, const float* bias,
                                                          CpuFlags cpu) {
  for (const DepthwiseF32Row& row : DepthwiseF32Rows()) {
    if ((row.cpu & ~cpu) == 0) return row.prepare(row, spec, weights, bias);
  }
  DLPU_CHECK(false);
}

}  // namespace dlpu
