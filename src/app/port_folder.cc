// SPDX-License-Identifier: Apache-2.0
// Writing what the main job leaves behind.
#include "app/port_folder.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/port_text.h"
#include "base/file.h"
#include "report/prediction.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

// A path as seen from the folder with the README.
std::string Below(const std::string& path, const std::string& folder) {
  return fs::path(path).lexically_relative(folder).string();
}

// The file that the camera's device loads; empty when only a vendor's tool makes it.
std::string CameraFile(const CompiledTarget& compiled) {
  if (compiled.vendor.has_value() && compiled.vendor->problem.empty()) {
    return compiled.vendor->output_path;
  }
  if (compiled.target == nullptr || compiled.target->compiler.has_value()) return "";
  for (const Artifact& artifact : compiled.artifacts) {
    if (fs::path(artifact.path).extension() == ".tflite") return artifact.path;
  }
  return "";
}

std::string OnCamera(const std::string& file, const std::string& device) {
  const std::string name = fs::path(file).filename().string();
  return fmt::format(
      "  On the camera (an account that may use SSH, or your application's own folder):\n"
      "    scp {} root@CAMERA:/tmp/\n"
      "    larod-client -g /tmp/{} -c {} -R 100 -i ''\n"
      "  The same larod-client line works on this PC; DLPU_PRODUCT names the virtual camera.\n",
      file, name, device);
}

// "-m 13 ": what makes the compiled file load on the firmware.
std::string RuntimeFlags(const CompiledTarget& compiled) {
  std::string flags;
  if (!compiled.runtime.has_value()) return flags;
  for (std::string word : compiled.target->compiler->runtime_arguments) {
    const std::string_view place = "{runtime}";
    const size_t at = word.find(place);
    if (at != std::string::npos) {
      word.replace(at, place.size(), std::to_string(compiled.runtime->version));
    }
    flags += word + " ";
  }
  return flags;
}

std::string VendorSteps(const Target& target, const CompiledTarget& compiled,
                        const std::string& folder) {
  std::string text;
  const TargetCompiler& compiler = *target.compiler;
  if (!compiler.program.empty()) {
    for (const Artifact& artifact : compiled.artifacts) {
      if (fs::path(artifact.path).extension() != ".tflite") continue;
      text += fmt::format("  Compile it: {} {}{}\n", compiler.program, RuntimeFlags(compiled),
                          Below(artifact.path, folder));
    }
  }
  if (compiled.notes.empty()) text += fmt::format("  {}\n", compiler.says);
  text += fmt::format("  Then: larod-client -g COMPILED -c {} -R 100 -i ''\n", target.device);
  return text;
}

std::string TimeLines(const PortRow& row) {
  if (!row.time.has_value()) return "  Predicted time: not available: " + row.time_error + "\n";
  const Prediction& time = *row.time;
  const std::string tail = fmt::format("AXIS OS {}, {}", time.os, ConfidenceName(time.confidence));
  if (time.classes.empty()) {
    return fmt::format("  Predicted time: {}; {}\n",
                       IntervalText(time.total_ms, time.low_ms, time.high_ms), tail);
  }
  std::string text;
  for (const ClassTime& one : time.classes) {
    text += fmt::format("  Predicted time, {} products: {}; {}\n", one.speed_class,
                        IntervalText(one.total_ms, one.low_ms, one.high_ms), tail);
  }
  return text;
}

std::string TargetSteps(const PortRow& row, const Target& target, const CompiledTarget& compiled,
                        const std::string& folder) {
  std::string text =
      fmt::format("{} ({})\n  Verdict: {}{}\n", row.title, row.device, PortVerdictName(row.verdict),
                  row.needs.empty() ? "" : "; needs: " + row.needs);
  text += TimeLines(row);
  if (compiled.artifacts.empty()) {
    const std::string why = compiled.refusal.empty() ? row.needs : compiled.refusal;
    return text + fmt::format("  Nothing was written: {}\n", why);
  }
  for (const Artifact& artifact : compiled.artifacts) {
    text += fmt::format("  {}: {}\n", Below(artifact.path, folder), artifact.what);
  }
  for (const std::string& note : compiled.notes) text += fmt::format("  Note: {}\n", note);
  const std::string file = CameraFile(compiled);
  if (!file.empty()) return text + OnCamera(Below(file, folder), row.device);
  return text + (target.compiler.has_value() ? VendorSteps(target, compiled, folder) : "");
}

}  // namespace

std::string PortReadme(const LoadedModel& model, const PortReport& report,
                       const std::vector<Target>& targets,
                       const std::vector<CompiledTarget>& compiled, const std::string& folder) {
  std::string text = fmt::format(
      "{} on Axis cameras: next steps\n\nMade by dlpu from {} (SHA-256 {}).\nreport.txt is the "
      "whole table, report.json the same for programs.\nFiles ending in .dlpu are for this PC: "
      "dlpu run FILE.dlpu.\n",
      fs::path(model.path).filename().string(), model.path, model.sha256);
  for (size_t i = 0; i < report.rows.size(); ++i) {
    text += "\n" + TargetSteps(report.rows[i], targets[i], compiled[i], folder);
  }
  return text;
}

Result<std::vector<std::string>> WritePortFolder(const LoadedModel& model, const PortReport& report,
                                                 const std::vector<Target>& targets,
                                                 const PortOptions& options,
                                                 const std::string& folder) {
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder));
  std::vector<std::string> paths;
  std::vector<CompiledTarget> compiled;
  for (size_t i = 0; i < targets.size(); ++i) {
    compiled.emplace_back();
    // What must be quantized first is not written: the camera would not take it.
    if (!report.rows[i].quantize.empty() && !TakenAsItIs(report.rows[i])) continue;
    const std::string& scheme = report.rows[i].quantized;
    const LoadedModel& made = scheme.empty() ? model : report.quantized.at(scheme).model;
    CompileRequest request;
    request.model = options.model;
    if (!scheme.empty()) {
      request.model.cut_at.clear();
      request.model.shapes.clear();
    }
    request.targets = {targets[i]};
    request.output = (fs::path(folder) / targets[i].name).string();
    request.os = options.os;
    request.report = true;
    if (!report.rows[i].fixed_point.empty()) {
      request.fixed_point = &report.quantized.at(report.rows[i].fixed_point);
      request.calibration = options.calibration;
      request.input = options.input;
    }
    DLPU_TRY(CompileOutcome outcome, CompileForTargets(made, request));
    compiled.back() = std::move(outcome.targets[0]);
    compiled.back().target = &targets[i];
    for (const Artifact& artifact : compiled.back().artifacts) paths.push_back(artifact.path);
  }
  const auto write = [&](const char* name, const std::string& text) -> Status {
    paths.push_back((fs::path(folder) / name).string());
    return WriteTextFile(paths.back(), text);
  };
  for (const auto& [scheme, quantized] : report.quantized) {
    DLPU_RETURN_IF_ERROR(write((scheme + ".recipe.toml").c_str(), quantized.recipe));
  }
  DLPU_RETURN_IF_ERROR(write("report.txt", PortText(report, model, true)));
  DLPU_RETURN_IF_ERROR(write("report.json", PortJson(report, model).dump(2) + "\n"));
  DLPU_RETURN_IF_ERROR(write("README.txt", PortReadme(model, report, targets, compiled, folder)));
  return paths;
}

}  // namespace dlpu
