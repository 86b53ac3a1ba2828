// SPDX-License-Identifier: Apache-2.0
// The folder for a vendor's tool that dlpu cannot run.
#include <fmt/format.h>

#include <filesystem>

#include "app/compile.h"
#include "base/file.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

// Rows of a picture as the target wants them in memory.
std::string PitchText(const Tensor& tensor, const TargetInput& input) {
  if (tensor.shape.size() != 4) return "";
  const int width = tensor.shape[2];
  if (width <= 0) return "";
  const int pitch =
      (width + input.pitch_multiple - 1) / input.pitch_multiple * input.pitch_multiple;
  return fmt::format("  row pitch: {} bytes ({} pixels of one plane{})\n", pitch, width,
                     pitch == width ? ""
                                    : fmt::format(" and {} bytes of padding: rows start at "
                                                  "multiples of {}",
                                                  pitch - width, input.pitch_multiple));
}

std::string FactsText(const LoadedModel& model, const Graph& graph, const Target& target,
                      const std::string& file_name) {
  std::string text = fmt::format(
      "Facts for {} ({})\n\nmodel file: {}\nmade from: {} (sha256 {})\nlarod device: {}\n",
      target.compiler->name, target.title, file_name, model.path, model.sha256, target.device);
  text += fmt::format("\nThe camera loads a file that only {} makes. {}\n", target.compiler->name,
                      target.compiler->says);
  for (const TensorId id : graph.inputs) {
    const Tensor& tensor = graph.tensors[id];
    text += fmt::format("\ninput '{}': {} {}\n  layout on the camera: {}; {}\n", tensor.name,
                        ShapeText(tensor.shape), TypeText(tensor), target.input.layout,
                        target.input.says);
    text += PitchText(tensor, target.input);
  }
  for (const TensorId id : graph.outputs) {
    const Tensor& tensor = graph.tensors[id];
    text += fmt::format("\noutput '{}': {} {}\n", tensor.name, ShapeText(tensor.shape),
                        TypeText(tensor));
  }
  text += fmt::format("\nquantization: {}\n", target.quantization.says);
  return text;
}

constexpr const char* kCalibrationText =
    "# Calibration pictures, one path on each line. This list is empty: dlpu has no pictures of\n"
    "# yours. Put in 100 to 200 that look like what the camera will see, prepared exactly as the\n"
    "# application prepares its input (size, channel order, normalisation).\n";

}  // namespace

Result<Artifact> WriteHandOff(const LoadedModel& model, const Graph& graph, const Target& target,
                              std::span<const uint8_t> model_file, const std::string& format,
                              const std::string& folder) {
  DLPU_CHECK(target.compiler.has_value());
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder));
  const std::string file_name = "model." + format;
  DLPU_RETURN_IF_ERROR(WriteFile(folder + "/" + file_name, model_file));
  DLPU_RETURN_IF_ERROR(WriteTextFile(folder + "/calibration_list.txt", kCalibrationText));
  DLPU_RETURN_IF_ERROR(
      WriteTextFile(folder + "/facts.txt", FactsText(model, graph, target, file_name)));
  return Artifact{folder, "the hand-off folder for " + target.compiler->name, "",
                  static_cast<int64_t>(model_file.size())};
}

}  // namespace dlpu
