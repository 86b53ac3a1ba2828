// SPDX-License-Identifier: Apache-2.0
// Reads and writes ONNX models (.onnx). Any thread.
//
// Read: opsets 7 and later of the standard's domain, static shapes after symbolic ones are fixed,
// weights in the file or beside it (external data). Every op of the standard that the IR can
// express; docs/onnx.md lists them. float16, bfloat16 and float64 are computed as float32. An op
// with a spatial meaning works on NHWC in the IR, so the reader puts a TRANSPOSE before and after
// it; passes/layout.cc takes them away again. Models in the QDQ and QLinear forms keep their
// DEQUANTIZE and QUANTIZE nodes; passes/fuse_qdq.cc makes integer nodes of them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

struct OnnxReadOptions {
  // Shapes of inputs, in the file's own axis order, by name. A batch that is not stated is 1.
  std::map<std::string, Shape> shapes;
  // Height and width of a picture where the file leaves both open and `shapes` says nothing; 0:
  // none.
  std::array<int32_t, 2> picture{0, 0};
  std::string folder;  // of the model file, where external data lies; empty: none is read
  // What the reader asks of the ops, which it does not see. Both are required.
  // Sets types and shapes of the node's outputs; a declared type may be consulted.
  std::function<Status(Graph&, const Node&)> infer;
  // Computes the outputs of a node whose inputs are all constant, and makes them constants.
  std::function<Status(Graph&, const Node&)> evaluate;
};

// `name` is used in messages and becomes Graph::name. Ops that cannot be expressed are all named
// in one error.
Result<Graph> ReadOnnx(std::span<const uint8_t> bytes, const std::string& name,
                       const OnnxReadOptions& options);

// The graph as float32 ONNX, opset 13. Pictures become NCHW, inputs and outputs too unless
// keep_layout. REQUIRES: shapes and types are inferred and static. Errors: a quantized model, ops
// that ONNX is not written for (all named).
Result<std::vector<uint8_t>> WriteOnnx(const Graph& graph, bool keep_layout);

// One line for each ONNX op that the reader takes, for documentation and tests.
struct OnnxOpInfo {
  std::string op;       // ONNX's name
  std::string becomes;  // what it is in the IR
};
std::vector<OnnxOpInfo> OnnxOps();

}  // namespace dlpu
