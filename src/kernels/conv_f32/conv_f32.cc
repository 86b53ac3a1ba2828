// SPDX-License-Identifier: Apache-2.0
// Chooses the row for a float convolution.
#include "kernels/conv_f32/conv_f32.h"

#include <vector>

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

}  // namespace

std::unique_ptr<PreparedConvF32> PrepareConvF32(const ConvF32Spec& spec, const float* weights,
                                                const float* bias, CpuFlags) {
  return std::make_unique<ReferenceConvF32>(spec, weights, bias);
}

}  // namespace dlpu
