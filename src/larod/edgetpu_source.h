// SPDX-License-Identifier: Apache-2.0
// A file compiled for the Edge TPU holds a program for that chip, which nothing else can run. The
// virtual camera runs the .tflite it was made from, if that can be found. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "larod/outcome.h"

namespace dlpu::larod {

// The model from which `file`, read as `compiled`, was made: the one that `dlpu compile` noted, or
// "model.tflite" for "model_edgetpu.tflite", beside it or in one of the folders of $DLPU_SOURCES
// (with ':' between them). Its inputs and outputs must be the same. A failure names the places that
// were looked at. `path` is empty for a file in memory.
Outcome<Graph> FindEdgeTpuSource(const Graph& compiled, std::span<const uint8_t> file,
                                 const std::string& path);

}  // namespace dlpu::larod
