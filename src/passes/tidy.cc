// SPDX-License-Identifier: Apache-2.0
// The tidying passes as a list.
#include "passes/tidy.h"

#include "ir/verify.h"
#include "passes/compile.h"

namespace dlpu {

Status Tidy(Graph& graph) {
  FoldAffine(graph);
  FuseActivations(graph);
  FuseQdq(graph);
  RemoveDead(graph);
  DropUnusedTensors(graph);
  return Verify(graph);
}

}  // namespace dlpu
