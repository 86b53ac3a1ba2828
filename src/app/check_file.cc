// SPDX-License-Identifier: Apache-2.0
// Compiled files.
#include "app/check_file.h"

#include <fmt/format.h>

#include "app/compiled_file.h"
#include "base/sha256.h"

namespace dlpu {
namespace {

constexpr FileKind kKinds[] = {FileKind::kTflite,  FileKind::kEdgeTpuTflite, FileKind::kOnnx,
                               FileKind::kCvflow2, FileKind::kCvflow3,       FileKind::kVivanteNb,
                               FileKind::kLarod};

std::string FormatOf(FileKind kind) {
  if (kind == FileKind::kLarod) return "larod-wrapper";
  if (kind == FileKind::kOnnx) return "onnx";
  return std::string(DeviceFormat(kind));
}

FileKind KindOf(const std::string& format) {
  for (const FileKind kind : kKinds) {
    if (FormatOf(kind) == format) return kind;
  }
  return FileKind::kUnknown;
}

}  // namespace

Result<LoadedModel> LoadForCheck(const std::string& name_or_path,
                                 const std::map<std::string, Shape>& shapes) {
  DLPU_TRY(const ModelFile file, ReadModelFile(name_or_path));
  const bool opaque = file.kind == FileKind::kCvflow2 || file.kind == FileKind::kCvflow3 ||
                      file.kind == FileKind::kVivanteNb || file.kind == FileKind::kLarod;
  if (!opaque) {
    ModelOptions options;
    options.shapes = shapes;
    DLPU_TRY(LoadedModel model, LoadModel(file, options));
    if (!options.shapes.empty()) {
      return InvalidError(fmt::format(
          "{}: --shape fixes the open extents of ONNX models; this is {}, whose shapes are judged "
          "as they are in the file",
          file.path, FileKindText(file.kind)));
    }
    if (model.program.has_value()) {
      return InvalidError(fmt::format(
          "{}: is a program that dlpu compiled for {}; check the model it was made from (sha256 "
          "{})",
          file.path, model.program->target.empty() ? "no target" : model.program->target,
          model.program->source_sha256));
    }
    model.format = FormatOf(file.kind);
    return model;
  }
  LoadedModel model;
  model.path = file.path;
  model.sha256 = Sha256Hex(file.bytes);
  model.bytes = static_cast<int64_t>(file.bytes.size());
  model.format = FormatOf(file.kind);
  return model;
}

std::string FormatText(const std::string& format) {
  return std::string(FileKindText(KindOf(format)));
}

std::string DevicesTakingFormat(const std::string& format) { return DevicesTextOf(KindOf(format)); }

std::optional<int> MinRuntimeOf(const LoadedModel& model) {
  if (!HasEdgeTpuNode(model.graph)) return std::nullopt;
  const auto packages = ReadEdgeTpuPackages(model.graph);
  std::optional<int> newest;
  if (!packages.ok()) return newest;
  for (const EdgeTpuPackage& package : *packages) {
    if (package.min_runtime_version) {
      newest = std::max(newest.value_or(0), *package.min_runtime_version);
    }
  }
  return newest;
}

}  // namespace dlpu
