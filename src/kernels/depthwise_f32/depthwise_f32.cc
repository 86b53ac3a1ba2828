// SPDX-License-Identifier: Apache-2.0
// Chooses the row for a float depthwise convolution.
#include "kernels/depthwise_f32/depthwise_f32.h"

#include <vector>

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

}  // namespace

std::unique_ptr<PreparedDepthwiseF32> PrepareDepthwiseF32(const DepthwiseF32Spec& spec,
                                                          const float* weights, const float* bias,
                                                          CpuFlags) {
  return std::make_unique<ReferenceDepthwiseF32>(spec, weights, bias);
}

}  // namespace dlpu
