// SPDX-License-Identifier: Apache-2.0
// From the outputs of a Runner to what they mean: classes, boxes, points, masks. Any thread, one
// Runner each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/model.h"
#include "app/tensor_input.h"
#include "base/result.h"
#include "run/runner.h"
#include "vision/interpret.h"

namespace dlpu {

// An output as real numbers: scale * (code - zero_point) where it is quantized.
std::vector<float> RealValues(const Tensor& tensor, std::span<const uint8_t> bytes);

// The head of a loaded model; `task` (classify, detect, segment, pose) narrows what may be
// recognised, empty or "auto" takes anything, "none" nothing.
Result<Head> FindHead(const Runner& runner, const std::string& task);

// Interprets the outputs of the last Run. `placement` is of the picture in the input. An unknown
// head gives an empty Interpretation. `score_threshold` replaces the decoder's own.
Result<Interpretation> InterpretOutputs(const Runner& runner, const LoadedModel& model,
                                        const Head& head, const Placement& placement,
                                        std::optional<float> score_threshold = std::nullopt);

// Lines for people: "Cat 0.85  at 12,30 to 250,299" (pixels of the picture), "golden retriever
// 0.91".
std::vector<std::string> InterpretationLines(const Interpretation& result, const Labels& labels,
                                             int picture_width, int picture_height);
// A few words for a table cell: "1 Cat 0.85", "2 Person, 1 Chair".
std::string InterpretationSummary(const Interpretation& result, const Labels& labels);

}  // namespace dlpu
