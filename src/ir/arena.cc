// SPDX-License-Identifier: Apache-2.0
#include "ir/arena.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <utility>

namespace dlpu {
namespace {

struct Block {
  Memory memory;
  size_t size;
};

// What `bytes` take with alignment and slack; not initialised.
Result<Block> Allocate(int64_t bytes, const char* what) {
  const auto size = static_cast<size_t>((bytes + kArenaSlack + kArenaAlignment - 1) /
                                        kArenaAlignment * kArenaAlignment);
  Memory memory(static_cast<uint8_t*>(std::aligned_alloc(kArenaAlignment, size)));
  if (memory == nullptr) {
    return ExhaustedError(fmt::format("{} bytes of memory for {} are not to be had", size, what));
  }
  return Block{std::move(memory), size};
}

}  // namespace

void FreeMemory::operator()(uint8_t* memory) const { std::free(memory); }

Result<Memory> MakeMemory(int64_t bytes, const char* what) {
  DLPU_TRY(Block block, Allocate(bytes, what));
  std::memset(block.memory.get(), 0, block.size);
  return std::move(block.memory);
}

Result<Memory> CopyToMemory(std::span<const uint8_t> bytes, const char* what) {
  DLPU_TRY(Block block, Allocate(static_cast<int64_t>(bytes.size()), what));
  if (!bytes.empty()) std::memcpy(block.memory.get(), bytes.data(), bytes.size());
  std::memset(block.memory.get() + bytes.size(), 0, block.size - bytes.size());
  return std::move(block.memory);
}

}  // namespace dlpu
