// SPDX-License-Identifier: Apache-2.0
// Reductions over any set of axes: sum, mean, product, maximum, minimum. Elements are folded in
// row-major order of the input, as LiteRT's reference kernels do, except long contiguous runs of a
// sum, a maximum or a minimum: those are folded in kReduceLanes interleaved parts, which are then
// joined in order. The order is the same on every CPU and with any number of threads, so results
// are too; a float sum in this order is within the bound of recursive summation (SumBound of the
// test) of the reference's. Plans are plain values; any thread may use them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/fixed_point.h"
#include "base/threads.h"

namespace dlpu {

// An input shape with neighbouring axes of one kind merged: outermost first, kinds alternate, no
// extent of 1. `outputs` is the product of the kept extents, `folded` that of the reduced ones.
struct ReducePlan {
  struct Group {
    int64_t extent;
    bool reduced;
    int64_t out_stride;  // in outputs; 0 for a reduced group
  };
  std::vector<Group> groups;
  int64_t outputs = 1, folded = 1;
  bool all = false;  // every axis is reduced
};

// reduced[d] says whether axis d of `extents` is folded.
ReducePlan PlanReduction(const std::vector<int64_t>& extents, const std::vector<bool>& reduced);

// How one element joins an accumulator. First is used for the element whose reduced indices are
// all zero, Next for the others; `whole` says that all axes are reduced, in which case the
// original starts with the first element itself. A fold with a Part, an accumulator for one element
// that Next joins to another, may be folded in parts.
template <typename Acc>
struct SumFold {
  template <typename In>
  Acc Part(In in) const {
    return static_cast<Acc>(in);
  }
  template <typename In>
  Acc First(In in, bool whole) const {
    const Acc value = static_cast<Acc>(in);
    if constexpr (std::numeric_limits<Acc>::is_integer) return value;
    return whole ? value : Acc(0) + value;  // 0 + -0 is 0
  }
  template <typename In>
  Acc Next(Acc acc, In in) const {
    if constexpr (std::numeric_limits<Acc>::is_integer) {
      return static_cast<Acc>(static_cast<uint64_t>(acc) + static_cast<uint64_t>(in));
    } else {
      return acc + static_cast<Acc>(in);
    }
  }
};

template <typename T>
struct ProductFold {
  T First(T in, bool) const { return in; }
  T Next(T acc, T in) const {
    if constexpr (std::numeric_limits<T>::is_integer) {
      return static_cast<T>(static_cast<uint64_t>(acc) * static_cast<uint64_t>(in));
    } else {
      return acc * in;
    }
  }
};

// Comparisons with NaN are false: a NaN is skipped, except as the first element of a reduction
// over every axis.
template <typename T>
struct MaximumFold {
  T Part(T in) const { return First(in, false); }
  T First(T in, bool whole) const {
    return whole ? in : Next(std::numeric_limits<T>::lowest(), in);
  }
  T Next(T acc, T in) const { return in > acc ? in : acc; }
};

template <typename T>
struct MinimumFold {
  T Part(T in) const { return First(in, false); }
  T First(T in, bool whole) const { return whole ? in : Next(std::numeric_limits<T>::max(), in); }
  T Next(T acc, T in) const { return in < acc ? in : acc; }
};

// A product of codes that is rescaled after each step with rule R64 (LiteRT QuantizedReduceProd).
struct QuantizedProductFold {
  int32_t zero_point;
  QuantizedMultiplier scale;
  template <typename In>
  int32_t First(In in, bool) const {
    return static_cast<int32_t>(in) - zero_point;
  }
  template <typename In>
  int32_t Next(int32_t acc, In in) const {
    return MultiplyByQuantizedMultiplier64(
        static_cast<int64_t>(acc) * (static_cast<int32_t>(in) - zero_point), scale);
  }
};

// Parts in which a long run is folded, and the least run.
inline constexpr int64_t kReduceLanes = 16, kReduceLongRun = 64;

// A range of one group's indices: how a reduction is split over threads.
struct ReduceSlice {
  int group = -1;  // -1: everything
  int64_t begin = 0, end = 0;
};

namespace reduce_internal {

template <typename In, typename Acc, typename Fold>
class Walker {
 public:
  Walker(const ReducePlan& plan, const Fold& fold, const ReduceSlice& slice, Acc* acc)
      : plan_(plan), fold_(fold), slice_(slice), acc_(acc) {
    stride_.resize(plan.groups.size());
    int64_t stride = 1;
    for (size_t g = plan.groups.size(); g-- > 0;) {
      stride_[g] = stride;
      stride *= plan.groups[g].extent;
    }
  }

  // Folds the elements below group g; `first` while every reduced index so far is zero.
  void Walk(size_t g, const In* in, int64_t out, bool first) const {
    const ReducePlan::Group& group = plan_.groups[g];
    const bool sliced = static_cast<int>(g) == slice_.group;
    const int64_t begin = sliced ? slice_.begin : 0;
    const int64_t end = sliced ? slice_.end : group.extent;
    if (g + 1 == plan_.groups.size()) {
      group.reduced ? FoldRun(in, out, first, begin, end) : FoldRow(in, out, first, begin, end);
      return;
    }
    for (int64_t i = begin; i < end; ++i) {
      Walk(g + 1, in + i * stride_[g], out + i * group.out_stride,
           first && (!group.reduced || i == 0));
    }
  }

 private:
  // The innermost group is folded into one output.
  void FoldRun(const In* in, int64_t out, bool first, int64_t begin, int64_t end) const {
    Acc acc = first ? fold_.First(in[begin], plan_.all) : fold_.Next(acc_[out], in[begin]);
    int64_t i = begin + 1;
    if constexpr (requires { fold_.Part(*in); }) {
      if (end - i >= kReduceLongRun) FoldParts(in, i, end, acc);
    }
    for (; i < end; ++i) acc = fold_.Next(acc, in[i]);
    acc_[out] = acc;
  }
  // As many elements from i on as whole rounds of lanes take; i moves past them.
  void FoldParts(const In* in, int64_t& i, int64_t end, Acc& acc) const {
    Acc parts[kReduceLanes];
    for (int64_t k = 0; k < kReduceLanes; ++k) parts[k] = fold_.Part(in[i + k]);
    for (i += kReduceLanes; i + kReduceLanes <= end; i += kReduceLanes) {
      for (int64_t k = 0; k < kReduceLanes; ++k) parts[k] = fold_.Next(parts[k], in[i + k]);
    }
    for (const Acc part : parts) acc = fold_.Next(acc, part);
  }
  // The innermost group is kept: a row of inputs joins a row of outputs.
  void FoldRow(const In* in, int64_t out, bool first, int64_t begin, int64_t end) const {
    Acc* __restrict acc = acc_ + out;
    if (first) {
      for (int64_t i = begin; i < end; ++i) acc[i] = fold_.First(in[i], plan_.all);
    } else {
      for (int64_t i = begin; i < end; ++i) acc[i] = fold_.Next(acc[i], in[i]);
    }
  }

  const ReducePlan& plan_;
  const Fold& fold_;
  const ReduceSlice slice_;
  Acc* const acc_;
  std::vector<int64_t> stride_;
};

}  // namespace reduce_internal

// acc[o] = fold of all elements that belong to output o. REQUIRES: plan.folded > 0.
template <typename In, typename Acc, typename Fold>
void Reduce(const ReducePlan& plan, const Fold& fold, const In* in, Acc* acc, ThreadPool& pool) {
  if (plan.outputs == 0) return;
  if (plan.groups.empty()) {
    acc[0] = fold.First(in[0], plan.all);
    return;
  }
  constexpr int64_t kGrain = 1 << 15;  // elements worth a second thread
  const int64_t elements = plan.outputs * plan.folded;
  // Outputs are split, never a fold: the result may not depend on the number of threads.
  int group = -1;
  if (!plan.groups.front().reduced) {
    group = 0;
  } else if (!plan.groups.back().reduced) {
    group = static_cast<int>(plan.groups.size()) - 1;
  }
  if (group < 0 || elements < 2 * kGrain || pool.threads() == 1) {
    reduce_internal::Walker<In, Acc, Fold>(plan, fold, {}, acc).Walk(0, in, 0, true);
    return;
  }
  const int64_t extent = plan.groups[group].extent;
  int64_t grain = std::max<int64_t>(1, kGrain * extent / elements);
  if (group != 0) grain = std::max<int64_t>(grain, 64);  // whole cache lines of a row
  pool.ParallelFor(extent, grain, [&](int64_t begin, int64_t end, int) {
    reduce_internal::Walker<In, Acc, Fold>(plan, fold, {group, begin, end}, acc)
        .Walk(0, in, 0, true);
  });
}

}  // namespace dlpu
