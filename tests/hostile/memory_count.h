// SPDX-License-Identifier: Apache-2.0
// Counts the memory this process has allocated, through the hooks of AddressSanitizer's allocator.
// Builds without it count nothing. Any thread.
#pragma once

#include <cstdint>

namespace dlpu::hostile {

extern const bool kCountsMemory;
// Starts a new measurement from what is allocated now.
void ResetPeakMemory();
// Most bytes allocated at once since then, beyond those.
int64_t PeakMemory();

}  // namespace dlpu::hostile
