// SPDX-License-Identifier: Apache-2.0
// The memory plan. Largest tensors first, each at the lowest offset that is free during its
// whole life (greedy by size, as in arXiv:2001.03288); tensors that alias share one block.
#include "ops/allocate.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "ops/op.h"

namespace dlpu {
namespace {

struct Block {
  int64_t bytes = 0;
  int first = -1, last = -1;  // steps during which it is alive, inclusive
  int64_t offset = 0;
};

class Planner {
 public:
  Planner(Program& program, std::span<const StepGroup> groups)
      : program_(program),
        groups_(groups),
        block_of_(program.tensors.size()),
        blocks_(program.tensors.size()) {
    std::iota(block_of_.begin(), block_of_.end(), 0);
  }

  void Plan() {
    ShareAliases();
    MeasureLives();
    Place();
    for (size_t i = 0; i < block_of_.size(); ++i) {
      const Block& block = blocks_[block_of_[i]];
      if (!program_.tensors[i].is_constant && block.first >= -1 && used_[i]) {
        program_.offsets[i] = block.offset;
      }
    }
  }

 private:
  // An output shares its input's block when the op keeps the bytes and the input's own value is
  // needed nowhere as a constant or a variable.
  void ShareAliases() {
    for (const Step& step : program_.steps) {
      if (GetOp(step.node.op).alias.value != Alias::kInput0) continue;
      const TensorId in = step.node.inputs[0], out = step.node.outputs[0];
      const Tensor &source = program_.tensors[in], &target = program_.tensors[out];
      if (source.is_constant || source.is_variable || target.is_variable) continue;
      if (ByteCount(source.type, source.shape) != ByteCount(target.type, target.shape)) continue;
      block_of_[out] = block_of_[in];
    }
  }

  void Extend(TensorId id, int step) {
    if (inside_[id]) return;
    used_[id] = true;
    Block& block = blocks_[block_of_[id]];
    const Tensor& tensor = program_.tensors[id];
    block.bytes = std::max(block.bytes, ByteCount(tensor.type, tensor.shape));
    block.first = block.first == -2 ? step : std::min(block.first, step);
    block.last = std::max(block.last, step);
  }

  void MeasureLives() {
    used_.assign(program_.tensors.size(), false);
    inside_.assign(program_.tensors.size(), false);
    for (const StepGroup& group : groups_) {
      for (const TensorId id : group.inside) inside_[id] = true;
    }
    for (Block& block : blocks_) block.first = -2;
    const int end = static_cast<int>(program_.steps.size());
    for (const TensorId id : program_.inputs) Extend(id, -1);
    auto group = groups_.begin();
    for (int i = 0; i < end; ++i) {
      while (group != groups_.end() && static_cast<int>(group->last) < i) ++group;
      const bool grouped = group != groups_.end() && static_cast<int>(group->first) <= i;
      const int from = grouped ? static_cast<int>(group->first) : i;
      const int until = grouped ? static_cast<int>(group->last) : i;
      for (const TensorId id : program_.steps[i].node.inputs) {
        if (id != kNoTensor) Extend(id, until);
      }
      for (const TensorId id : program_.steps[i].node.outputs) {
        Extend(id, from);
        Extend(id, until);
      }
    }
    for (const TensorId id : program_.outputs) Extend(id, end);
    for (size_t i = 0; i < program_.tensors.size(); ++i) {
      // Inputs stay as the caller wrote them, and variables keep their value between runs.
      const auto id = static_cast<TensorId>(i);
      const bool is_input =
          std::find(program_.inputs.begin(), program_.inputs.end(), id) != program_.inputs.end();
      if (used_[i] && (program_.tensors[i].is_variable || is_input)) {
        Extend(id, -1);
        Extend(id, end);
      }
    }
  }

  void Place() {
    std::vector<int> order;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i].first != -2 && !program_.tensors[i].is_constant) {
        order.push_back(static_cast<int>(i));
      }
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return blocks_[a].bytes > blocks_[b].bytes; });
    std::vector<int> placed;  // by offset
    for (const int i : order) {
      Block& block = blocks_[i];
      // Kernels may read a little past the end of a tensor, never write.
      const int64_t bytes = (block.bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
      int64_t offset = 0;
      for (const int j : placed) {
        const Block& other = blocks_[j];
        if (other.last < block.first || other.first > block.last) continue;
        if (other.offset - offset >= bytes) break;
        const int64_t other_end =
            (other.offset + other.bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
        offset = std::max(offset, other_end);
      }
      block.offset = offset;
      program_.arena_bytes = std::max(program_.arena_bytes, offset + bytes);
      placed.insert(
          std::upper_bound(placed.begin(), placed.end(), i,
                           [&](int a, int b) { return blocks_[a].offset < blocks_[b].offset; }),
          i);
    }
  }

  Program& program_;
  const std::span<const StepGroup> groups_;
  std::vector<int> block_of_;  // the tensor whose block this tensor lives in
  std::vector<Block> blocks_;
  std::vector<bool> used_, inside_;
};

}  // namespace

void Allocate(Program& program, std::span<const StepGroup> groups) {
  Planner(program, groups).Plan();
}

}  // namespace dlpu
