// SPDX-License-Identifier: Apache-2.0
// Files as a check meets them: models, and what a vendor's compiler made of models, whose layers
// nobody can judge but whose camera is known. Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "app/model.h"
#include "base/result.h"

namespace dlpu {

// LoadModel, but a file that only a camera loads is a model without layers, and its format says
// which: "edgetpu-tflite" (with the layers around the compiled part), "cvflow2-bin", "cvflow3-bin",
// "vip-nb", "larod-wrapper". `shapes` fix open extents of an ONNX model; an error for others.
Result<LoadedModel> LoadForCheck(const std::string& name_or_path,
                                 const std::map<std::string, Shape>& shapes = {});

// "a Vivante network binary (.nb)" for "vip-nb".
std::string FormatText(const std::string& format);

// "google-edge-tpu-tflite (artpec7)": the devices of all targets that load a format.
std::string DevicesTakingFormat(const std::string& format);

// The Edge TPU runtime version that a compiled model needs; nothing for other models.
std::optional<int> MinRuntimeOf(const LoadedModel& model);

}  // namespace dlpu
