// SPDX-License-Identifier: Apache-2.0
// PAD steps that need not run: they put zeros around pictures for one float or 8-bit convolution,
// which can as well pad by itself, or for a maximum of codes, which sees no lower ones. Pure.
#pragma once

#include <vector>

#include "ir/program.h"
#include "ops/op.h"

namespace dlpu {

struct TakenPad {
  size_t step = 0, reader = 0;  // the PAD, and the step that takes it in
  PictureBorder border;
};

std::vector<TakenPad> FindTakenPads(const Program& program);

}  // namespace dlpu
