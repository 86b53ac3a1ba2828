// SPDX-License-Identifier: Apache-2.0
// Finding and running chains of elementwise steps.
#include "run/chain.h"

#include <algorithm>
#include <optional>

namespace dlpu {
namespace {

// Elements of a strip: the strips of a few tensors stay in the first-level cache.
constexpr int64_t kStrip = 4096;
constexpr int64_t kStripBytes = kStrip * static_cast<int64_t>(sizeof(float));

}  // namespace

int64_t Chain::scratch_bytes(int threads) const { return threads * slots_ * kStripBytes; }

void Chain::Run(const std::vector<PreparedOp>& prepared, uint8_t* scratch, ThreadPool& pool) const {
  pool.ParallelFor(elements_, 2 * kStrip, [&](int64_t begin, int64_t end, int thread) {
    uint8_t* strips = scratch + thread * slots_ * kStripBytes;
    const auto at = [&](const Operand& operand, int64_t element) {
      uint8_t* p = operand.whole != nullptr
                       ? operand.whole + (operand.moves ? element * sizeof(float) : 0)
                       : strips + operand.slot * kStripBytes;
      return reinterpret_cast<float*>(p);
    };
    for (int64_t element = begin; element < end; element += kStrip) {
      const int64_t count = std::min(kStrip, end - element);
      for (size_t i = 0; i < links_.size(); ++i) {
        const Link& link = links_[i];
        const float* inputs[2] = {at(link.inputs[0], element), at(link.inputs[1], element)};
        prepared[first_ + i].part.run(inputs, at(link.output, element), element, count);
      }
    }
  });
}

// Looks at one place of the program at a time.
class ChainBuilder {
 public:
  ChainBuilder(const Program& program, const std::vector<PreparedOp>& prepared,
               const std::function<uint8_t*(TensorId)>& address)
      : program_(program), prepared_(prepared), address_(address) {
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
    size_t end = first;
    while (end < program_.steps.size() && Continues(first, end)) ++end;
    for (; end > first + 1; --end) {
      std::optional<Chain> chain = Build(first, end);
      if (chain) return chain;
    }
    return std::nullopt;
  }

 private:
  struct Range {
    const uint8_t *begin, *end;
    bool moves;
  };

  const Node& node(size_t step) const { return program_.steps[step].node; }
  bool IsMadeBy(TensorId id, size_t first, size_t end) const {
    for (size_t i = first; i < end; ++i) {
      if (node(i).outputs[0] == id) return true;
    }
    return false;
  }
  // Whether step `at` can follow steps [first, at).
  bool Continues(size_t first, size_t at) const {
    const ElementwisePart& part = prepared_[at].part;
    const Node& n = node(at);
    if (!part.run || part.count == 0 || n.outputs.size() != 1 || n.inputs.empty() ||
        n.inputs.size() > 2 || program_.tensors[n.outputs[0]].is_variable) {
      return false;
    }
    if (at == first) return true;
    if (part.count != prepared_[first].part.count) return false;
    return std::any_of(n.inputs.begin(), n.inputs.end(),
                       [&](TensorId id) { return IsMadeBy(id, first, at); });
  }
  Range RangeOf(TensorId id, bool moves) const {
    const Tensor& tensor = program_.tensors[id];
    const uint8_t* begin = address_(id);
    return {begin, begin + (begin == nullptr ? 0 : ByteCount(tensor.type, tensor.shape)), moves};
  }

  std::optional<Chain> Build(size_t first, size_t end) const {
    Chain chain;
    chain.first_ = first;
    chain.elements_ = prepared_[first].part.count;
    std::vector<Range> read, written;
    std::vector<TensorId> holder;  // of each slot; kNoTensor: free
    const auto slot_of = [&](TensorId id) {
      return std::find(holder.begin(), holder.end(), id) - holder.begin();
    };
    for (size_t i = first; i < end; ++i) {
      Chain::Link link;
      const Node& n = node(i);
      for (size_t k = 0; k < n.inputs.size(); ++k) {
        Chain::Operand& operand = link.inputs[k];
        operand.moves = prepared_[i].part.moves[k];
        if (const auto slot = slot_of(n.inputs[k]); slot < std::ssize(holder)) {
          if (!operand.moves) return std::nullopt;
          operand.slot = static_cast<int>(slot);
        } else {
          operand.whole = address_(n.inputs[k]);
          if (operand.whole != nullptr && !IsMadeBy(n.inputs[k], first, i)) {
            read.push_back(RangeOf(n.inputs[k], operand.moves));
          }
        }
      }
      if (n.inputs.size() == 1) link.inputs[1] = link.inputs[0];
      // What is read for the last time may be overwritten by this step.
      for (TensorId& id : holder) {
        if (id != kNoTensor && last_use_[id] <= static_cast<int64_t>(i)) id = kNoTensor;
      }
      const TensorId out = n.outputs[0];
      if (last_use_[out] >= static_cast<int64_t>(end) || i + 1 == end) {
        link.output.whole = address_(out);
        written.push_back(RangeOf(out, true));
      } else {
        const auto free = slot_of(kNoTensor);
        if (free == std::ssize(holder)) holder.push_back(out);
        holder[static_cast<size_t>(free)] = out;
        link.output.slot = static_cast<int>(free);
      }
      chain.links_.push_back(link);
    }
    chain.slots_ = static_cast<int>(holder.size());
    for (const Range& w : written) {
      for (const Range& r : read) {
        const bool apart = w.end <= r.begin || r.end <= w.begin;
        if (!apart && (w.begin != r.begin || !r.moves)) return std::nullopt;
      }
    }
    return chain;
  }

  const Program& program_;
  const std::vector<PreparedOp>& prepared_;
  const std::function<uint8_t*(TensorId)>& address_;
  std::vector<int64_t> last_use_;
};

std::vector<Chain> FindChains(const Program& program, const std::vector<PreparedOp>& prepared,
                              const std::function<uint8_t*(TensorId)>& address) {
  const ChainBuilder builder(program, prepared, address);
  std::vector<Chain> chains;
  for (size_t i = 0; i < program.steps.size();) {
    std::optional<Chain> chain = builder.At(i);
    if (chain) chains.push_back(*std::move(chain));
    i += chain ? chains.back().count() : 1;
  }
  return chains;
}

}  // namespace dlpu
