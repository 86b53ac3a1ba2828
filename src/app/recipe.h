// SPDX-License-Identifier: Apache-2.0
// A recipe: a TOML file with everything a quantized model depends on, so that it can be made again
// byte for byte. Plain values; any thread.
#pragma once

#include <string>
#include <vector>

#include "app/quantize.h"
#include "base/result.h"

namespace dlpu {

struct RecipeFile {
  std::string path, sha256;
};

struct Recipe {
  QuantizeSettings settings;
  std::string model_sha256;       // of the float model; empty: any
  std::string calibration;        // where the inputs came from
  std::vector<RecipeFile> files;  // those that were used; empty: what `calibration` has
  std::string output_sha256;      // of the model that was written; empty: not told
};

// The recipe of a result; its calibration files are hashed here.
Result<Recipe> RecipeOf(const LoadedModel& model, const QuantizeReport& report,
                        const std::string& output_sha256);
std::string RecipeText(const Recipe& recipe);
// Unknown keys and wrong values are errors that name file, line and key.
Result<Recipe> ParseRecipe(const std::string& text, const std::string& name);

// The calibration set of a recipe; an error names a file that is missing or has changed.
Result<CalibrationSet> CalibrationOf(const Recipe& recipe);

}  // namespace dlpu
