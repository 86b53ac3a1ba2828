// SPDX-License-Identifier: Apache-2.0
// Whether a program's memory plan holds: places are inside the arena, and tensors that are alive at
// once do not share bytes.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <queue>
#include <vector>

#include "ir/verify.h"

namespace dlpu {
namespace {

// What one or more tensors that share a place occupy, and the steps (inclusive) during which it is
// needed; -1 is before the first step.
struct Block {
  TensorId name = 0;  // one of its tensors
  int64_t offset = 0, bytes = 0;
  int first = 0, last = -1;
};

class ArenaCheck {
 public:
  explicit ArenaCheck(const Program& program)
      : program_(program), block_of_(program.tensors.size()), blocks_(program.tensors.size()) {
    std::iota(block_of_.begin(), block_of_.end(), 0);
  }

  Status Run() {
    const int end = static_cast<int>(program_.steps.size());
    JoinInPlaceOutputs();
    for (const TensorId id : program_.inputs) DLPU_RETURN_IF_ERROR(Need(id, -1, end));
    for (int i = 0; i < end; ++i) {
      const Node& node = program_.steps[i].node;
      for (const TensorId id : node.inputs) {
        if (id != kNoTensor) DLPU_RETURN_IF_ERROR(Need(id, i, i));
      }
      for (const TensorId id : node.outputs) DLPU_RETURN_IF_ERROR(Need(id, i, i));
    }
    for (const TensorId id : program_.outputs) DLPU_RETURN_IF_ERROR(Need(id, end, end));
    return ExpectDisjoint();
  }

 private:
  int64_t Bytes(TensorId id) const {
    return ByteCount(program_.tensors[id].type, program_.tensors[id].shape);
  }

  // An output at the very place of its step's first input is the same block.
  void JoinInPlaceOutputs() {
    for (const Step& step : program_.steps) {
      if (step.node.inputs.empty() || step.node.inputs[0] == kNoTensor) continue;
      const TensorId in = step.node.inputs[0];
      for (const TensorId out : step.node.outputs) {
        if (program_.offsets[in] == program_.offsets[out] && Bytes(in) == Bytes(out)) {
          block_of_[out] = block_of_[in];
        }
      }
    }
  }

  // The tensor has a place, and its block is needed from one step to another. A variable keeps its
  // value between runs.
  Status Need(TensorId id, int first, int last) {
    const Tensor& tensor = program_.tensors[id];
    if (tensor.is_constant) return OkStatus();
    const int64_t offset = program_.offsets[id], bytes = Bytes(id);
    if (offset < 0 || offset % kArenaAlignment != 0 || bytes > program_.arena_bytes ||
        offset > program_.arena_bytes - bytes) {
      return InternalError(
          fmt::format("tensor '{}' has no place in the arena of {} bytes (offset {}, {} bytes)",
                      tensor.name, program_.arena_bytes, offset, bytes));
    }
    if (tensor.is_variable) {
      first = -1;
      last = static_cast<int>(program_.steps.size());
    }
    Block& block = blocks_[block_of_[id]];
    if (block.last < block.first) {
      block = {id, offset, bytes, first, last};
    } else {
      block.first = std::min(block.first, first);
      block.last = std::max(block.last, last);
    }
    return OkStatus();
  }

  // Goes through the steps with the blocks that are needed, in order of their offsets: only
  // neighbours can overlap.
  Status ExpectDisjoint() {
    std::erase_if(blocks_, [](const Block& b) { return b.last < b.first || b.bytes == 0; });
    std::stable_sort(blocks_.begin(), blocks_.end(),
                     [](const Block& a, const Block& b) { return a.first < b.first; });
    std::map<int64_t, const Block*> needed;
    const auto later = [](const Block* a, const Block* b) { return a->last > b->last; };
    std::priority_queue<const Block*, std::vector<const Block*>, decltype(later)> ends(later);
    for (const Block& block : blocks_) {
      while (!ends.empty() && ends.top()->last < block.first) {
        needed.erase(ends.top()->offset);
        ends.pop();
      }
      const auto after = needed.lower_bound(block.offset);
      if (after != needed.end() && after->first < block.offset + block.bytes) {
        return Overlap(block, *after->second);
      }
      if (after != needed.begin()) {
        const Block& before = *std::prev(after)->second;
        if (before.offset + before.bytes > block.offset) return Overlap(block, before);
      }
      needed.emplace(block.offset, &block);
      ends.push(&block);
    }
    return OkStatus();
  }

  Status Overlap(const Block& a, const Block& b) const {
    return InternalError(fmt::format("tensors '{}' and '{}' overlap in the arena",
                                     program_.tensors[a.name].name, program_.tensors[b.name].name));
  }

  const Program& program_;
  std::vector<TensorId> block_of_;  // the tensor whose block a tensor lives in
  std::vector<Block> blocks_;
};

}  // namespace

Status VerifyArena(const Program& program) { return ArenaCheck(program).Run(); }

}  // namespace dlpu
