// SPDX-License-Identifier: Apache-2.0
// Merges the dimensions of broadcasting operands into as few loops as possible.
#include "kernels/elementwise/broadcast.h"

#include "base/check.h"

namespace dlpu {
namespace {

// One dimension of the output and how far each operand moves along it.
struct Axis {
  int64_t extent = 1;
  int64_t stride[BroadcastPlan::kMaxOperands] = {};
};

// An outer dimension continues the inner one when every operand does.
bool Continues(const Axis& outer, const Axis& inner, int operands) {
  for (int k = 0; k < operands; ++k) {
    if (outer.stride[k] != inner.stride[k] * inner.extent) return false;
  }
  return true;
}

}  // namespace

BroadcastPlan PlanBroadcast(std::initializer_list<const std::vector<int32_t>*> operands,
                            const std::vector<int32_t>& output) {
  BroadcastPlan plan;
  plan.operands = static_cast<int>(operands.size());
  DLPU_CHECK(plan.operands <= BroadcastPlan::kMaxOperands);
  DLPU_CHECK(output.size() <= BroadcastPlan::kMaxAxes);
  plan.count = 1;
  for (const int32_t extent : output) plan.count *= extent;
  if (plan.count <= 0) {
    plan.count = 0;
    return plan;
  }
  Axis merged[BroadcastPlan::kMaxAxes];  // innermost first
  int count = 0;
  int64_t step[BroadcastPlan::kMaxOperands] = {1, 1, 1};
  for (size_t from_end = 0; from_end < output.size(); ++from_end) {
    Axis axis;
    axis.extent = output[output.size() - 1 - from_end];
    int k = 0;
    for (const std::vector<int32_t>* shape : operands) {
      const int32_t extent = from_end < shape->size() ? (*shape)[shape->size() - 1 - from_end] : 1;
      DLPU_CHECK(extent == 1 || extent == axis.extent);
      axis.stride[k] = extent == 1 ? 0 : step[k];
      step[k] *= extent;
      ++k;
    }
    if (axis.extent == 1) continue;
    if (count > 0 && Continues(axis, merged[count - 1], plan.operands)) {
      merged[count - 1].extent *= axis.extent;
    } else {
      merged[count++] = axis;
    }
  }
  plan.run = count > 0 ? merged[0].extent : 1;
  for (int k = 0; k < plan.operands; ++k) plan.advances[k] = count > 0 && merged[0].stride[k] != 0;
  plan.axes = std::max(0, count - 1);
  for (int i = 0; i < plan.axes; ++i) {
    const Axis& axis = merged[count - 1 - i];
    plan.extent[i] = axis.extent;
    for (int k = 0; k < plan.operands; ++k) plan.stride[i][k] = axis.stride[k];
  }
  return plan;
}

int64_t LengthenRuns(BroadcastPlan& plan, int operand) {
  constexpr int64_t kShort = 256, kLong = 1024;  // elements
  if (plan.run >= kShort || plan.axes != 1 || !plan.advances[operand]) return 1;
  for (int k = 0; k < plan.operands; ++k) {
    // The others continue from run to run.
    const int64_t stride = k == operand ? 0 : plan.run;
    if (!plan.advances[k] || plan.stride[0][k] != stride) return 1;
  }
  const int64_t copies = std::min(kLong / plan.run, plan.extent[0]);
  plan.run *= copies;
  plan.extent[0] = (plan.extent[0] + copies - 1) / copies;  // ForEachRun ends the last one early
  for (int k = 0; k < plan.operands; ++k) plan.stride[0][k] *= copies;
  return copies;
}

}  // namespace dlpu
