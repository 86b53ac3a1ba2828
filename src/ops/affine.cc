// SPDX-License-Identifier: Apache-2.0
// Checks of per-channel quantization.
#include "ops/affine.h"

#include <fmt/format.h>

namespace dlpu {

Result<ChannelLayout> ExpectPerChannel(const OpContext& context, const Tensor& tensor) {
  const Quantization& q = tensor.quantization;
  const auto rank = static_cast<int32_t>(tensor.shape.size());
  if (q.axis < 0 || q.axis >= rank ||
      static_cast<int64_t>(q.scale.size()) != tensor.shape[q.axis]) {
    return context.Invalid(fmt::format("tensor '{}' {} has {} scales along axis {}", tensor.name,
                                       ShapeText(tensor.shape), q.scale.size(), q.axis));
  }
  DLPU_RETURN_IF_ERROR(ExpectWeightQuantization(context, tensor, q.axis));
  for (size_t c = 0; c < q.scale.size(); ++c) {
    const int32_t zero = ChannelZero(q, c);
    if (!(q.scale[c] > 0) || zero < LowestCode(tensor.type) || zero > HighestCode(tensor.type)) {
      return context.Invalid(fmt::format("tensor '{}', channel {}: scale {}, zero point {}",
                                         tensor.name, c, q.scale[c], zero));
    }
  }
  ChannelLayout layout;
  layout.channels = tensor.shape[q.axis];
  for (int32_t i = 0; i < q.axis; ++i) layout.outer *= tensor.shape[i];
  for (int32_t i = q.axis + 1; i < rank; ++i) layout.inner *= tensor.shape[i];
  return layout;
}

}  // namespace dlpu
