// SPDX-License-Identifier: Apache-2.0
// The memory plan of a program. Pure; any thread.
#pragma once

#include <span>
#include <vector>

#include "ir/program.h"

namespace dlpu {

// Steps first..last that run together, block by block: what one of them reads must stay until all
// have run, what one of them writes is there from the first on. Tensors `inside` need no place.
struct StepGroup {
  size_t first = 0, last = 0;
  std::vector<TensorId> inside;
};

// Places the tensors of a program in its arena: lifetimes do not overlap in memory, the largest
// tensors are placed first, and outputs that alias an input share its place. Groups are in order
// and apart. REQUIRES: arena_bytes is 0 and offsets are -1.
void Allocate(Program& program, std::span<const StepGroup> groups = {});

}  // namespace dlpu
