// SPDX-License-Identifier: Apache-2.0
// Comparisons with what a camera or an application wrote: raw output tensors (larod-client's
// files), and raw input tensors. Plain values; any thread.
#pragma once

#include <string>
#include <vector>

#include "app/compare.h"
#include "app/model.h"
#include "base/result.h"
#include "vision/explain_input.h"

namespace dlpu {

// Raw outputs of one run.
struct Dump {
  std::string label;
  std::vector<std::string> files;             // in the order of the model's outputs
  std::vector<std::vector<uint8_t>> outputs;  // codes (or floats) as the model's outputs have them
};

// Whether a path that the user named is a dump rather than a model: a folder, or a file that is
// none of the model formats.
bool LooksLikeDump(const std::string& path);

// A folder's files ordered by the last number in their names (out0, out1, ...); a file ending in 0
// together with those beside it that end in 1, 2, ...; or one file. .npy files give their data.
// Errors: another number of files than `outputs`.
Result<Dump> ReadDump(const std::string& path, size_t outputs);

// A side that is a model, or a dump of what `of` gave; `of` may be null for a model.
struct OutputsSide {
  std::string label;
  const CompareSide* model = nullptr;
  std::string dump;
};

// Compares outputs only. `of`: the model that dumps belong to, for their types and scales; null:
// that of the side that is a model. Errors: files of another size, with what they would fit.
Result<CompareReport> CompareOutputs(const OutputsSide& reference, const OutputsSide& other,
                                     const CompareSide* of, const CompareOptions& options);

// Why the tensor in `theirs` (raw or .npy) is not what `mine` becomes as input of the model: `mine`
// is the picture, or a raw or .npy tensor that is right. `input` names the input; empty: the first.
struct InputComparison {
  std::string input, note;
  bool from_picture = false;
  InputReport report;
};
Result<InputComparison> CompareInputs(const CompareSide& model, const std::string& mine,
                                      const std::string& theirs, const std::string& input,
                                      const InputOptions& options);

std::string CompareInputsText(const InputComparison& comparison);
nlohmann::ordered_json CompareInputsJson(const InputComparison& comparison);

}  // namespace dlpu
