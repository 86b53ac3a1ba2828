// SPDX-License-Identifier: Apache-2.0
// Checks the invariants of a Graph and a Program: the contract between readers, passes and the
// runner. Linear and cheap, so it runs after every pass. Any thread.
#pragma once

#include "base/result.h"
#include "ir/graph.h"
#include "ir/program.h"

namespace dlpu {

// The first broken invariant of graph.h, named with its tensor or node.
Status Verify(const Graph& graph);

// As for a Graph; and every tensor that has a place in the arena lies inside it. That tensors which
// are alive at once do not overlap is the duty of passes/allocate.cc and not checked here.
Status Verify(const Program& program);

}  // namespace dlpu
