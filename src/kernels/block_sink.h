// SPDX-License-Identifier: Apache-2.0
// Takes the output of a float kernel block by block, as soon as each block is complete, so that
// what comes next finds it in the cache. A plain value of the caller's; `done` is called by many
// threads.
#pragma once

#include <cstdint>
#include <functional>

namespace dlpu {

struct BlockSink {
  // Thread t writes its blocks to strips + t * strip instead of to the output; null: to the output.
  float* strips = nullptr;
  int64_t strip = 0;
  // Elements [begin, begin + count) of the output are at `block`. Every element comes once.
  std::function<void(float* block, int64_t begin, int64_t count, int thread)> done;

  // Where elements from `begin` on go.
  float* Place(float* output, int64_t begin, int thread) const {
    return strips != nullptr ? strips + thread * strip : output + begin;
  }
};

}  // namespace dlpu
