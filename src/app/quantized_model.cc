// SPDX-License-Identifier: Apache-2.0
// Quantizing a model and loading the result as if from its file.
#include "app/quantized_model.h"

#include <filesystem>

#include "app/recipe.h"
#include "formats/tflite.h"

namespace dlpu {

Result<QuantizedModel> MakeQuantizedModel(const LoadedModel& model,
                                          const QuantizeSettings& settings,
                                          const CalibrationSet& set, int threads,
                                          const QuantizeProgress& progress, Observations* shared) {
  QuantizedModel result;
  DLPU_TRY(result.report, Quantize(model, settings, set, threads, progress, shared));
  ModelFile file;
  DLPU_TRY(file.bytes, WriteTflite(result.report.graph));
  file.path = std::filesystem::path(model.path).stem().string() + ".tflite";
  file.kind = FileKind::kTflite;
  file.zoo = model.zoo;
  file.labels = model.labels;
  DLPU_TRY(result.model, LoadModel(file));
  DLPU_TRY(const Recipe recipe, RecipeOf(model, result.report, result.model.sha256));
  result.recipe = RecipeText(recipe);
  return result;
}

}  // namespace dlpu
