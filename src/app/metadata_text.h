// SPDX-License-Identifier: Apache-2.0
// What a model's own metadata says, as lines and as JSON for `dlpu inspect`. Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/model.h"

namespace dlpu {

// "labels       output 'probability': 'imagenet_labels.txt', 1001 names" and the like, one line for
// each fact; empty when the model has no metadata.
std::string MetadataText(const LoadedModel& model);
// {"name", "description", "min_runtime_version", "inputs", "outputs"} or {"error"}; null when the
// model has no metadata.
nlohmann::ordered_json MetadataJson(const LoadedModel& model);

// The oldest TensorFlow Lite that runs the model, as its converter says ("1.14.0"); empty when it
// does not.
std::string MinRuntimeVersion(const Graph& graph);

}  // namespace dlpu
