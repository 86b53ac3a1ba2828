// SPDX-License-Identifier: Apache-2.0
// How an elementwise op with broadcasting walks its operands: as few nested loops as possible
// around one contiguous run. A BroadcastPlan is made once, is a plain value and may be read by any
// thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "base/threads.h"

namespace dlpu {

struct BroadcastPlan {
  static constexpr int kMaxOperands = 3;
  static constexpr int kMaxAxes = 8;

  int operands = 0;
  int64_t count = 0;  // elements of the output
  // The innermost loop: `run` consecutive output elements; each operand either advances with them
  // or stays at one element.
  int64_t run = 0;
  bool advances[kMaxOperands] = {};
  // The loops around it, outermost first: extent, and each operand's stride in elements.
  int axes = 0;
  int64_t extent[kMaxAxes] = {};
  int64_t stride[kMaxAxes][kMaxOperands] = {};
};

// Plan for operands of these shapes (outermost extent first) that broadcast, aligned at the
// innermost extent, to `output`. REQUIRES: they do, and output has at most 8 dimensions.
BroadcastPlan PlanBroadcast(std::initializer_list<const std::vector<int32_t>*> operands,
                            const std::vector<int32_t>& output);

// Makes the runs of a plan longer when they are short and one operand, which advances, starts each
// of them anew, as the values of the channels do. Returns how often that operand must then be
// repeated, one copy behind the other; 1: the plan is as it was. For operands that are constants.
int64_t LengthenRuns(BroadcastPlan& plan, int operand);

// Calls body(offsets, out, n) for the runs that make up output elements [begin, end): offsets[k] is
// where operand k starts, out is the first output element, n <= plan.run the number of elements.
template <typename Body>
void ForEachRun(const BroadcastPlan& plan, int64_t begin, int64_t end, const Body& body) {
  if (begin >= end) return;
  int64_t index[BroadcastPlan::kMaxAxes] = {};
  int64_t base[BroadcastPlan::kMaxOperands] = {};
  int64_t rest = begin / plan.run;
  for (int axis = plan.axes - 1; axis >= 0; --axis) {
    index[axis] = rest % plan.extent[axis];
    rest /= plan.extent[axis];
    for (int k = 0; k < plan.operands; ++k) base[k] += index[axis] * plan.stride[axis][k];
  }
  int64_t within = begin % plan.run;
  for (int64_t out = begin;;) {
    int64_t offsets[BroadcastPlan::kMaxOperands];
    for (int k = 0; k < BroadcastPlan::kMaxOperands; ++k) {
      offsets[k] = base[k] + (plan.advances[k] ? within : 0);
    }
    const int64_t n = std::min(plan.run - within, end - out);
    body(static_cast<const int64_t*>(offsets), out, n);
    out += n;
    if (out >= end) return;
    within = 0;
    for (int axis = plan.axes - 1; axis >= 0; --axis) {
      for (int k = 0; k < plan.operands; ++k) base[k] += plan.stride[axis][k];
      if (++index[axis] < plan.extent[axis]) break;
      for (int k = 0; k < plan.operands; ++k) base[k] -= index[axis] * plan.stride[axis][k];
      index[axis] = 0;
    }
  }
}

// Elements that one thread takes at a time: small tensors are not worth a second thread.
inline constexpr int64_t kElementwiseGrain = 8192;

// out[i] = f(a[i], b[i]) with broadcasting for elements [begin, end). Operands of `plan`: a, b.
template <typename A, typename B, typename Out, typename F>
void BroadcastRange(const BroadcastPlan& plan, int64_t begin, int64_t end, const A* a, const B* b,
                    Out* out, const F& f) {
  ForEachRun(plan, begin, end, [&](const int64_t* offsets, int64_t first, int64_t n) {
    const A* x = a + offsets[0];
    const B* y = b + offsets[1];
    Out* z = out + first;
    if (plan.advances[0] && plan.advances[1]) {
      for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], y[i]);
    } else if (plan.advances[0]) {
      const B fixed = *y;
      for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], fixed);
    } else {
      const A fixed = *x;
      const int64_t step = plan.advances[1] ? 1 : 0;
      for (int64_t i = 0; i < n; ++i) z[i] = f(fixed, y[i * step]);
    }
  });
}

// The same for all elements, over all threads.
template <typename A, typename B, typename Out, typename F>
void BroadcastBinary(const BroadcastPlan& plan, const A* a, const B* b, Out* out, ThreadPool& pool,
                     const F& f) {
  pool.ParallelFor(plan.count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
    BroadcastRange(plan, begin, end, a, b, out, f);
  });
}

// out[i] = f(in[i]), over all threads.
template <typename In, typename Out, typename F>
void MapElements(const In* in, Out* out, int64_t count, ThreadPool& pool, const F& f) {
  pool.ParallelFor(count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) out[i] = f(in[i]);
  });
}

}  // namespace dlpu
