// SPDX-License-Identifier: Apache-2.0
// Whether the camera would refuse a model that this machine could run: the target's rules and its
// way of cutting models into parts (data/targets, data/rules.toml). Pure functions; any thread.
#pragma once

#include <optional>

#include "ir/graph.h"
#include "larod/catalogue.h"
#include "larod/outcome.h"

namespace dlpu::larod {

// The camera's error for a model that it does not load on a device of its DLPU, with the rule as
// the cause; nothing when no rule speaks against it.
std::optional<Failure> RefusalOf(const Graph& graph, const Catalogue& catalogue);

// The same on any device that takes .tflite files, for an op of a version that no release of
// TensorFlow Lite reads as far as data/firmware.toml knows. Which release a camera has depends on
// its AXIS OS, which a virtual one does not have.
std::optional<Failure> UnknownOpVersion(const Graph& graph);

}  // namespace dlpu::larod
