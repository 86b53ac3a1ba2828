// SPDX-License-Identifier: Apache-2.0
// dlpu convert: writes a loaded model in another format. Any thread.
#pragma once

#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"

namespace dlpu {

struct Conversion {
  int64_t bytes = 0;
  int nodes = 0, transposes = 0;                           // of the written file
  int between_convolutions = 0;                            // of those transposes
  std::vector<std::string> turned_inputs, turned_outputs;  // whose axis order changed
  std::vector<std::string> notes;                          // for people
};

// The format follows the name of `output`. Errors: another extension, a quantized model as .onnx,
// an op that the format cannot express.
Result<Conversion> Convert(const LoadedModel& model, const ModelOptions& options,
                           const std::string& output);

}  // namespace dlpu
