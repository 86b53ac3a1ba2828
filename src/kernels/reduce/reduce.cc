// SPDX-License-Identifier: Apache-2.0
// Merging of the axes of a reduction.
#include "kernels/reduce/reduce.h"

#include "base/check.h"

namespace dlpu {

ReducePlan PlanReduction(const std::vector<int64_t>& extents, const std::vector<bool>& reduced) {
  DLPU_CHECK(extents.size() == reduced.size());
  ReducePlan plan;
  plan.all = true;
  for (size_t d = 0; d < extents.size(); ++d) {
    (reduced[d] ? plan.folded : plan.outputs) *= extents[d];
    plan.all = plan.all && reduced[d];
    if (extents[d] == 1) continue;
    if (!plan.groups.empty() && plan.groups.back().reduced == reduced[d]) {
      plan.groups.back().extent *= extents[d];
    } else {
      plan.groups.push_back({extents[d], reduced[d], 0});
    }
  }
  int64_t stride = 1;
  for (size_t g = plan.groups.size(); g-- > 0;) {
    if (plan.groups[g].reduced) continue;
    plan.groups[g].out_stride = stride;
    stride *= plan.groups[g].extent;
  }
  return plan;
}

}  // namespace dlpu
