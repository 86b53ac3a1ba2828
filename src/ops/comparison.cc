// SPDX-License-Identifier: Apache-2.0
// Shape rule and code scaling of comparisons.
#include "ops/comparison.h"

#include <fmt/format.h>

namespace dlpu {

Result<std::vector<OutputSpec>> InferComparison(const OpContext& context) {
  DLPU_TRY(auto specs, InferBinary(context));
  specs[0].type = DataType::kBool;
  return specs;
}

Result<ComparableCode> MakeComparableCode(const OpContext& context, const Tensor& tensor) {
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, tensor));
  const ComparableCode code{tensor.quantization.zero0(),
                            QuantizeMultiplier(tensor.quantization.scale0())};
  if (code.scale.shift > 0) {
    return context.Unsupported(
        fmt::format("tensor '{}' has scale {}; codes can be compared up to a scale below 1",
                    tensor.name, tensor.quantization.scale0()));
  }
  return code;
}

}  // namespace dlpu
