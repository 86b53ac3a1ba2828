// SPDX-License-Identifier: Apache-2.0
// How a picture most likely has to be prepared for a model that does not say: a guess with its
// reason, for a user to confirm or replace. Pure functions; any thread.
#pragma once

#include <span>
#include <string>

#include "vision/head.h"
#include "vision/input.h"

namespace dlpu {

struct InputSuggestion {
  InputSpec spec;
  std::string reason;  // one sentence: what was assumed and from what
};

// `tensor` has sizes, layout, type, scale and zero point of the input; normalisation and fit are
// filled in. 8-bit inputs get raw pixels, as a camera gives them. Float inputs get what the
// public models with this head were trained with; int16 inputs the same.
InputSuggestion SuggestInput(const InputSpec& tensor, const Head& head,
                             std::span<const OutputInfo> outputs);

}  // namespace dlpu
