// SPDX-License-Identifier: Apache-2.0
// 8-bit ADD, SUB and MUL in the arithmetic of XNNPACK (profile xnnpack). Any thread.
#pragma once

#include <optional>

#include "base/result.h"
#include "kernels/elementwise/quantized.h"
#include "ops/op.h"

namespace dlpu {

// REQUIRES for both: ExpectBinaryCodes succeeded and the type has 8 bits. Nothing when the scales
// are outside what XNNPACK takes; LiteRT's own kernel runs then.
Result<std::optional<XnnpackSum>> MakeXnnpackSum(const OpContext& context, bool subtract);
Result<std::optional<XnnpackProduct>> MakeXnnpackProduct(const OpContext& context);

// Steps that compute these.
Result<PreparedOp> PrepareXnnpackSum(const PrepareContext& context, const XnnpackSum& sum);
Result<PreparedOp> PrepareXnnpackProduct(const PrepareContext& context,
                                         const XnnpackProduct& product);

}  // namespace dlpu
