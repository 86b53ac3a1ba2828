// SPDX-License-Identifier: Apache-2.0
// Memory for tensors: zeroed, at an alignment and with slack behind its end as ir/program.h states
// them for arenas. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "ir/program.h"

namespace dlpu {

struct FreeMemory {
  void operator()(uint8_t* memory) const;
};
using Memory = std::unique_ptr<uint8_t, FreeMemory>;

// At least `bytes` bytes; every page has been touched. An error says for `what` memory is missing.
Result<Memory> MakeMemory(int64_t bytes, const char* what);

// The same with these bytes at its beginning.
Result<Memory> CopyToMemory(std::span<const uint8_t> bytes, const char* what);

}  // namespace dlpu
