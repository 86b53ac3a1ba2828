// SPDX-License-Identifier: Apache-2.0
// An ONNX model as a Graph that the rest of dlpu takes: read, brought to NHWC, tidied. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "ir/graph.h"
#include "passes/layout.h"

namespace dlpu {

struct OnnxImportOptions {
  std::map<std::string, Shape> shapes;   // of inputs, in the file's own axis order
  std::array<int32_t, 2> picture{0, 0};  // height and width where nothing else says them; 0: none
  bool keep_nchw = false;                // inputs and outputs keep the file's axis order
};

struct ImportedOnnx {
  Graph graph;
  LayoutReport layout;
};

// `path` is used in messages and tells where external data lies.
Result<ImportedOnnx> ImportOnnx(std::span<const uint8_t> bytes, const std::string& path,
                                const OnnxImportOptions& options);

}  // namespace dlpu
