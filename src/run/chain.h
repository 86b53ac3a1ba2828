// SPDX-License-Identifier: Apache-2.0
// Consecutive steps that run block by block: elementwise steps, copies that feed them (PAD,
// RESIZE_NEAREST_NEIGHBOR), and a convolution in front of them that hands out its blocks as they
// are complete. A block passes through all of them while it is in the cache, and tensors that only
// they read are never written to memory. Each element is computed by the same operations as step by
// step, so nothing changes but the time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/threads.h"
#include "ir/program.h"
#include "ops/allocate.h"
#include "ops/op.h"

namespace dlpu {

class Chain {
 public:
  // The steps, and the tensors that need no memory.
  const StepGroup& group() const { return group_; }
  size_t count() const { return group_.last - group_.first + 1; }
  int64_t scratch_bytes(int threads) const;
  // address(id) is where a tensor lies that is not inside the group.
  void Bind(const std::function<uint8_t*(TensorId)>& address);
  // `prepared` are the program's steps; args are those of the first, with scratch_bytes of scratch.
  void Run(const std::vector<PreparedOp>& prepared, const RunArgs& args) const;

 private:
  friend class ChainBuilder;
  // Where an operand is: in the memory of a whole tensor, in a strip of scratch, or in the block
  // that the convolution in front has made.
  enum class Place : uint8_t { kWhole, kSlot, kBlock };
  struct Operand {
    Place place = Place::kWhole;
    bool moves = true;
    int slot = 0;
    TensorId id = kNoTensor;
    float* whole = nullptr;
  };
  struct Link {
    Operand inputs[2], output;
  };
  // Elements [begin, end) through all links; `block` begins at element `begin`.
  void RunRange(const std::vector<PreparedOp>& prepared, float* block, int64_t begin, int64_t end,
                float* strips) const;
  bool has_front() const { return links_.size() < count(); }

  StepGroup group_;
  int64_t elements_ = 0;
  int slots_ = 0;
  // Of a convolution in front: its own scratch, and the elements of its strips if its output is
  // inside the group.
  int64_t front_scratch_ = 0, front_strip_ = 0;
  std::vector<Link> links_;
};

// The chains of a program for so many threads, in order. Those with little to gain are left out.
std::vector<Chain> FindChains(const Program& program, const std::vector<PreparedOp>& prepared);

}  // namespace dlpu
