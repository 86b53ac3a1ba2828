// SPDX-License-Identifier: Apache-2.0
// Finding and running chains of steps.
#include "run/chain.h"

#include <algorithm>
#include <optional>

namespace dlpu {
namespace {

// Elements of a strip: the strips of a few tensors stay in the first-level cache.
constexpr int64_t kStrip = 4096;
// A convolution's output that is smaller stays in the cache anyway.
constexpr int64_t kLeastElements = 4096;

int64_t RoundUp64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

int64_t Chain::scratch_bytes(int threads) const {
  const auto float_bytes = static_cast<int64_t>(sizeof(float));
  return front_scratch_ + threads * (front_strip_ + slots_ * kStrip) * float_bytes;
}

void Chain::Bind(const std::function<uint8_t*(TensorId)>& address) {
  for (Link& link : links_) {
    for (Operand* operand : {&link.inputs[0], &link.inputs[1], &link.output}) {
      if (operand->place != Place::kWhole) continue;
      operand->whole = reinterpret_cast<float*>(address(operand->id));
    }
  }
}

void Chain::RunRange(const std::vector<PreparedOp>& prepared, float* block, int64_t begin,
                     int64_t end, float* strips) const {
  const size_t first = group_.last + 1 - links_.size();
  for (int64_t element = begin; element < end; element += kStrip) {
    const int64_t count = std::min(kStrip, end - element);
    const auto at = [&](const Operand& operand) {
      if (operand.place == Place::kBlock) return block + (element - begin);
      if (operand.place == Place::kSlot) return strips + operand.slot * kStrip;
      return operand.whole + (operand.moves ? element : 0);
    };
    for (size_t i = 0; i < links_.size(); ++i) {
      const Link& link = links_[i];
      const float* inputs[2] = {at(link.inputs[0]), at(link.inputs[1])};
      prepared[first + i].part.run(inputs, at(link.output), element, count);
    }
  }
}

void Chain::Run(const std::vector<PreparedOp>& prepared, const RunArgs& args) const {
  auto* strips = reinterpret_cast<float*>(args.scratch + front_scratch_);
  float* slots = strips + args.pool.threads() * front_strip_;
  const int64_t slot_elements = slots_ * kStrip;
  if (has_front()) {
    const auto done = [&](float* block, int64_t begin, int64_t count, int thread) {
      RunRange(prepared, block, begin, begin + count, slots + thread * slot_elements);
    };
    BlockSink sink;
    sink.strips = front_strip_ > 0 ? strips : nullptr;
    sink.strip = front_strip_;
    sink.done = std::ref(done);  // no memory is allocated for it
    prepared[group_.first].run_blocks(args, sink);
    return;
  }
  args.pool.ParallelFor(elements_, 2 * kStrip, [&](int64_t begin, int64_t end, int thread) {
    RunRange(prepared, nullptr, begin, end, slots + thread * slot_elements);
  });
}

// Looks at one place of the program at a time.
class ChainBuilder {
 public:
  ChainBuilder(const Program& program, const std::vector<PreparedOp>& prepared)
      : program_(program), prepared_(prepared) {
    last_use_.assign(program.tensors.size(), -1);
    for (size_t i = 0; i < program.steps.size(); ++i) {
      for (const TensorId id : program.steps[i].node.inputs) {
        if (id != kNoTensor) last_use_[id] = static_cast<int64_t>(i);
      }
    }
    for (const TensorId id : program.outputs) last_use_[id] = INT64_MAX;
  }

  // The longest chain that begins with step `first`; nothing when it would be that step alone.
  std::optional<Chain> At(size_t first) const {
    const bool front = IsFront(first);
    const size_t first_link = first + (front ? 1 : 0);
    if (first_link >= program_.steps.size()) return std::nullopt;
    // A step that reads nothing of the chain is taken in if a later one reads what it makes.
    size_t end = first_link;
    for (size_t at = first_link; at < program_.steps.size() && Fits(first, at); ++at) {
      if (at == first || Joins(first, at)) end = at + 1;
    }
    if (end < first + 2) return std::nullopt;
    return Build(first, first_link, end);
  }

 private:
  const Node& node(size_t step) const { return program_.steps[step].node; }
  TensorId output(size_t step) const { return node(step).outputs[0]; }
  bool IsVariable(TensorId id) const { return program_.tensors[id].is_variable; }

  bool IsFront(size_t step) const {
    if (prepared_[step].block_elements == 0 || node(step).outputs.size() != 1) return false;
    const Tensor& made = program_.tensors[output(step)];
    return !made.is_variable && ElementCount(made.shape) >= kLeastElements;
  }
  bool IsMadeBy(TensorId id, size_t first, size_t end) const {
    for (size_t i = first; i < end; ++i) {
      if (output(i) == id) return true;
    }
    return false;
  }
  // Whether step `at` can run block by block behind steps [first, at).
  bool Fits(size_t first, size_t at) const {
    const ElementwisePart& part = prepared_[at].part;
    const Node& n = node(at);
    if (!part.run || part.count == 0 || n.outputs.size() != 1 || n.inputs.empty() ||
        n.inputs.size() > 2 || IsVariable(n.outputs[0])) {
      return false;
    }
    if (at == first) return true;
    if (part.count != ElementCount(program_.tensors[output(first)].shape)) return false;
    for (size_t k = 0; k < n.inputs.size(); ++k) {
      if (!part.moves[k] && IsMadeBy(n.inputs[k], first, at)) return false;
    }
    return true;
  }
  // Whether step `at` reads what steps [first, at) make.
  bool Joins(size_t first, size_t at) const {
    return std::any_of(node(at).inputs.begin(), node(at).inputs.end(),
                       [&](TensorId id) { return IsMadeBy(id, first, at); });
  }

  std::optional<Chain> Build(size_t first, size_t first_link, size_t end) const {
    Chain chain;
    chain.group_ = {first, end - 1, {}};
    chain.elements_ = prepared_[end - 1].part.count;
    const auto is_inside = [&](TensorId id) { return last_use_[id] < static_cast<int64_t>(end); };
    const TensorId front = first_link > first ? output(first) : kNoTensor;
    if (front != kNoTensor) {
      chain.front_scratch_ = RoundUp64(prepared_[first].scratch_bytes);
      if (is_inside(front)) {
        chain.group_.inside.push_back(front);
        chain.front_strip_ = (prepared_[first].block_elements + 15) / 16 * 16;
      }
    }
    std::vector<TensorId> holder;  // of each slot; kNoTensor: free
    const auto slot_of = [&](TensorId id) {
      return std::find(holder.begin(), holder.end(), id) - holder.begin();
    };
    for (size_t i = first_link; i < end; ++i) {
      Chain::Link link;
      const Node& n = node(i);
      for (size_t k = 0; k < n.inputs.size(); ++k) {
        Chain::Operand& operand = link.inputs[k];
        operand.id = n.inputs[k];
        operand.moves = prepared_[i].part.moves[k];
        const auto slot = slot_of(operand.id);
        if (operand.id == front) {
          operand.place = Chain::Place::kBlock;
        } else if (slot < std::ssize(holder)) {
          operand.place = Chain::Place::kSlot;
          operand.slot = static_cast<int>(slot);
        }
      }
      if (n.inputs.size() == 1) link.inputs[1] = link.inputs[0];
      // What is read for the last time may be overwritten by this step.
      for (TensorId& id : holder) {
        if (id != kNoTensor && last_use_[id] <= static_cast<int64_t>(i)) id = kNoTensor;
      }
      link.output.id = n.outputs[0];
      if (is_inside(link.output.id) && i + 1 < end) {
        const auto free = slot_of(kNoTensor);
        if (free == std::ssize(holder)) holder.push_back(kNoTensor);
        holder[static_cast<size_t>(free)] = link.output.id;
        link.output.place = Chain::Place::kSlot;
        link.output.slot = static_cast<int>(free);
        chain.group_.inside.push_back(link.output.id);
      }
      chain.links_.push_back(link);
    }
    chain.slots_ = static_cast<int>(holder.size());
    return chain;
  }

  const Program& program_;
  const std::vector<PreparedOp>& prepared_;
  std::vector<int64_t> last_use_;
};

std::vector<Chain> FindChains(const Program& program, const std::vector<PreparedOp>& prepared) {
  const ChainBuilder builder(program, prepared);
  std::vector<Chain> chains;
  for (size_t i = 0; i < program.steps.size();) {
    std::optional<Chain> chain = builder.At(i);
    if (chain) chains.push_back(*std::move(chain));
    i += chain ? chains.back().count() : 1;
  }
  return chains;
}

}  // namespace dlpu
