// SPDX-License-Identifier: Apache-2.0
// Chooses the row for a convolution.
#include "kernels/conv/conv.h"

namespace dlpu {
namespace {

// The reference as a row: any layer, any CPU, split over output rows.
class ReferenceConv : public PreparedConv {
 public:
  ReferenceConv(const ConvSpec& spec, const uint8_t* weights, const int32_t* bias)
      : spec_(spec),
        weights_(weights, weights + static_cast<int64_t>(spec.out_c) * spec.kernel_h *
                                        spec.kernel_w * (spec.in_c / spec.groups)) {
    if (bias != nullptr) bias_.assign(bias, bias + spec.out_c);
  }
  std::string_view row() const override { return "conv_reference"; }
  int64_t ScratchBytes(int) const override { return 0; }
  void Run(const uint8_t* input, uint8_t* output, uint8_t*, ThreadPool&) const override {
    ConvReference(spec_, input, weights_.data(), bias_.empty() ? nullptr : bias_.data(), output);
  }

 private:
  const ConvSpec spec_;
  const std::vector<uint8_t> weights_;
  std::vector<int32_t> bias_;
};

}  // namespace

std::unique_ptr<PreparedConv> PrepareConv(const ConvSpec& spec, const uint8_t* weights,
                                          const int32_t* bias, CpuFlags) {
  return std::make_unique<ReferenceConv>(spec, weights, bias);
}

}  // namespace dlpu
