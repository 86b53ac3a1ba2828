// SPDX-License-Identifier: Apache-2.0
// The inputs that a model is quantized with: pictures of a folder or a list, or the arrays of an
// .npz file. Plain values; any thread, one Runner each.
#pragma once

#include <string>
#include <vector>

#include "app/model.h"
#include "app/tensor_input.h"
#include "base/result.h"
#include "formats/npy.h"
#include "run/runner.h"

namespace dlpu {

struct CalibrationSet {
  std::string source;              // as the user named it
  std::vector<std::string> files;  // pictures or .npy files, one input each, sorted by path
  // Of an .npz file: the array of each input by name ("arr_0" for a lone one); their first axis
  // counts the samples.
  std::map<std::string, NpyArray> arrays;

  size_t size() const;
};

// `where` is a folder (searched with its subfolders), an .npz file, a picture or .npy file, or a
// text file with one path a line (relative to the list; '#' begins a comment). More than `most`
// inputs: every n-th is taken, so that all parts of the folder count. Errors: nothing there, no
// picture among it.
Result<CalibrationSet> FindCalibration(const std::string& where, int most);

// Fills all inputs of the runner with sample i. An error names the file that cannot be used.
Result<std::vector<FilledInput>> FillSample(Runner& runner, const LoadedModel& model,
                                            const InputOptions& options, const CalibrationSet& set,
                                            size_t i);

// How errors and reports call sample i.
std::string SampleName(const CalibrationSet& set, size_t i);

}  // namespace dlpu
