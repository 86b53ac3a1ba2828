// SPDX-License-Identifier: Apache-2.0
// Consecutive elementwise steps that run strip by strip: a strip passes through all of them while
// it is in the first-level cache, and tensors that only they read are never written to memory. Each
// element is computed by the same operations as step by step, so nothing changes but the time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/threads.h"
#include "ir/program.h"
#include "ops/op.h"

namespace dlpu {

class Chain {
 public:
  size_t first() const { return first_; }
  size_t count() const { return links_.size(); }
  int64_t scratch_bytes(int threads) const;
  // `prepared` are the program's steps, scratch has scratch_bytes(pool.threads()).
  void Run(const std::vector<PreparedOp>& prepared, uint8_t* scratch, ThreadPool& pool) const;

 private:
  friend class ChainBuilder;
  // Where an operand is: memory of the whole tensor, or a strip of scratch.
  struct Operand {
    uint8_t* whole = nullptr;
    int slot = 0;
    bool moves = true;
  };
  struct Link {
    Operand inputs[2], output;
  };
  size_t first_ = 0;
  int64_t elements_ = 0;
  int slots_ = 0;
  std::vector<Link> links_;
};

// The chains of a program, in order. address(id) is where a tensor lies; chains whose outputs share
// memory with what the chain still reads are left out.
std::vector<Chain> FindChains(const Program& program, const std::vector<PreparedOp>& prepared,
                              const std::function<uint8_t*(TensorId)>& address);

}  // namespace dlpu
