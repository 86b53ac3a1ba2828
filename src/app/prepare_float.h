// SPDX-License-Identifier: Apache-2.0
// A model as the float32 graph that calibration runs and that is quantized. Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"
#include "passes/quantize.h"

namespace dlpu {

struct FloatGraph {
  Graph graph;                     // shapes inferred, constants folded, float16 weights widened
  std::vector<std::string> notes;  // what was changed, for the user
  // The same before anything was changed but shapes and constants; absent for a model that came
  // quantized.
  std::optional<Graph> original;
  // Of a model that came quantized: what its codes could stand for, by tensor name.
  std::map<std::string, RealRange> code_ranges;
};

// Structural fixes that leave the function as it is: batch normalization and activations go into
// the layers before them, pads into convolutions, transpositions that undo each other go. With
// `from_channels` a model in int8 with a scale for each channel is brought back to the real values
// of its codes. Errors: other models that are quantized already; a weight that is not
// finite, by name; a model that dlpu cannot run.
Result<FloatGraph> PrepareFloat(const LoadedModel& model, const std::string& cut_at,
                                const std::map<std::string, Shape>& shapes, bool from_channels);

}  // namespace dlpu
