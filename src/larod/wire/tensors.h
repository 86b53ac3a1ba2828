// SPDX-License-Identifier: Apache-2.0
// Descriptions of tensors as bytes; see codec.h.
#pragma once

#include "larod/types.h"
#include "larod/wire/message.h"

namespace dlpu::larod {

inline constexpr size_t kLeastSpecBytes = 12;

// Without the name.
void PutSpec(Writer& writer, const TensorSpec& spec);
TensorSpec GetSpec(Reader& reader);

}  // namespace dlpu::larod
