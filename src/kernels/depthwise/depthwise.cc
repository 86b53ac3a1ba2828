// SPDX-License-Identifier: Apache-2.0
// Chooses the row for a depthwise convolution.
#include "kernels/depthwise/depthwise.h"

namespace dlpu {
namespace {

// The reference as a row: any layer, any CPU.
class ReferenceDepthwise : public PreparedDepthwise {
 public:
  ReferenceDepthwise(const DepthwiseSpec& spec, const uint8_t* weights, const int32_t* bias)
      : spec_(spec),
        weights_(weights, weights + static_cast<int64_t>(spec.kernel_h) * spec.kernel_w *
                                        spec.in_c * spec.multiplier) {
    if (bias != nullptr) bias_.assign(bias, bias + spec.in_c * spec.multiplier);
  }
  std::string_view row() const override { return "depthwise_reference"; }
  int64_t ScratchBytes(int) const override { return 0; }
  void Run(const uint8_t* input, uint8_t* output, uint8_t*, ThreadPool&) const override {
    DepthwiseReference(spec_, input, weights_.data(), bias_.empty() ? nullptr : bias_.data(),
                       output);
  }

 private:
  const DepthwiseSpec spec_;
  const std::vector<uint8_t> weights_;
  std::vector<int32_t> bias_;
};

}  // namespace

std::unique_ptr<PreparedDepthwise> PrepareDepthwise(const DepthwiseSpec& spec,
                                                    const uint8_t* weights, const int32_t* bias,
                                                    CpuFlags) {
  return std::make_unique<ReferenceDepthwise>(spec, weights, bias);
}

}  // namespace dlpu
