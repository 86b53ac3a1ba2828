// SPDX-License-Identifier: Apache-2.0
// Which device takes a file.
#include "app/compiled_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "target/target.h"

namespace dlpu {

Result<std::vector<TakingDevice>> DevicesTaking(FileKind kind) {
  std::vector<TakingDevice> devices;
  const std::string format(DeviceFormat(kind));
  if (format.empty()) return devices;
  DLPU_TRY(const std::vector<Target> targets, LoadTargets());
  for (const Target& target : targets) {
    for (const TargetDevice& device : target.devices) {
      const auto& takes = device.takes;
      if (std::find(takes.begin(), takes.end(), format) != takes.end()) {
        devices.push_back({device.name, target.name});
      }
    }
  }
  return devices;
}

std::string DevicesText(const std::vector<TakingDevice>& devices) {
  std::vector<std::string> names;
  for (const TakingDevice& device : devices) {
    if (std::find(names.begin(), names.end(), device.device) == names.end()) {
      names.push_back(device.device);
    }
  }
  std::string text;
  for (const std::string& name : names) {
    std::string targets;
    for (const TakingDevice& device : devices) {
      if (device.device == name) targets += (targets.empty() ? "" : ", ") + device.target;
    }
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", name, targets);
  }
  return text.empty() ? "none that is known" : text;
}

std::string DevicesTextOf(FileKind kind) {
  const Result<std::vector<TakingDevice>> devices = DevicesTaking(kind);
  return devices.ok() ? DevicesText(*devices) : "not known: " + devices.error().message;
}

std::string OnlyOnCamera(const std::string& path, FileKind kind) {
  switch (kind) {
    case FileKind::kLarod:
      return fmt::format(
          "{}: is {}, whose format is not published; give the .tflite or .onnx it was made from",
          path, FileKindText(kind));
    case FileKind::kEdgeTpuTflite:
    case FileKind::kCvflow2:
    case FileKind::kCvflow3:
    case FileKind::kVivanteNb:
      return fmt::format(
          "{}: is {}, which runs on a camera only (larod device {}); give the {} it was made from",
          path, FileKindText(kind), DevicesTextOf(kind),
          kind == FileKind::kEdgeTpuTflite ? ".tflite" : ".tflite or .onnx");
    default:
      return "";
  }
}

}  // namespace dlpu
