// SPDX-License-Identifier: Apache-2.0
// Reads and writes TensorFlow Lite models (.tflite). Any thread.
//
// Read: one subgraph of static shapes, float32, float16, int8, uint8, int16x8 and mixed models,
// sparse constants (expanded), signatures, metadata and its label files. Refused by name: control
// flow, several subgraphs, strings, resource variables. An op that the IR does not know is kept as
// Op::kUnknown. A dynamic extent is -1 in an input's shape, except a batch, which is the file's
// own default (usually 1).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

// Key of Graph::metadata under which the zip archive of label files that stands behind a model is
// kept, with offsets counted from its own start.
inline constexpr const char* kArchiveMetadata = "(appended zip archive)";

// `name` is used in messages and becomes Graph::name.
Result<Graph> ReadTflite(std::span<const uint8_t> bytes, const std::string& name);

// The same; constants stay where they lie in the file's bytes and share them.
Result<Graph> ReadTfliteInPlace(const FileBytes& bytes, const std::string& name);

// The same model as bytes that LiteRT loads; equal graphs give equal bytes. Expanded sparse
// constants are written dense and their DENSIFY nodes left out. An unknown builtin op cannot be
// written.
Result<std::vector<uint8_t>> WriteTflite(const Graph& graph);

// The number by which TensorFlow Lite's logs call an op: 0 is ADD, 3 CONV_2D; custom ops, and names
// it does not know, have that of CUSTOM.
inline constexpr int kTfliteCustomOpCode = 32;
int TfliteOpCode(std::string_view op);

}  // namespace dlpu
