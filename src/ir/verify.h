// SPDX-License-Identifier: Apache-2.0
// Checks the invariants of a Graph and a Program: the contract between readers, passes and the
// runner. Nearly linear and cheap, so it runs after every pass. Any thread.
#pragma once

#include "base/result.h"
#include "ir/graph.h"
#include "ir/program.h"

namespace dlpu {

// A tensor has at most as many elements, and so has an empty one without its extents of 0: then no
// product of some of its extents overflows. TooManyElements says whether a shape breaks this; an
// unknown extent counts as 0.
inline constexpr int64_t kMostElements = int64_t{1} << 31;
bool TooManyElements(const Shape& shape);

// The first broken invariant of graph.h, named with its tensor or node.
Status Verify(const Graph& graph);

// As for a Graph, and VerifyArena.
Status Verify(const Program& program);

// The same without VerifyArena: of a program that has no memory plan yet.
Status VerifySteps(const Program& program);

// Every tensor that a step or the caller uses has a place inside the arena, and tensors that are
// alive at once do not overlap. An output may lie exactly on its step's first input; whether the op
// may compute in place is for ops/allocate.cc to know. REQUIRES: ids are in range.
Status VerifyArena(const Program& program);

}  // namespace dlpu
