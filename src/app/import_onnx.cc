// SPDX-License-Identifier: Apache-2.0
// The way of an ONNX model into the IR.
#include "app/import_onnx.h"

#include <filesystem>

#include "formats/onnx.h"
#include "ir/verify.h"
#include "passes/compile.h"
#include "passes/tidy.h"

namespace dlpu {

Result<ImportedOnnx> ImportOnnx(std::span<const uint8_t> bytes, const std::string& path,
                                const OnnxImportOptions& options) {
  OnnxReadOptions read;
  read.shapes = options.shapes;
  read.picture = options.picture;
  read.folder = std::filesystem::path(path).parent_path().string();
  if (read.folder.empty()) read.folder = ".";
  read.infer = InferNode;
  read.evaluate = EvaluateNode;
  ImportedOnnx result;
  DLPU_TRY(result.graph, ReadOnnx(bytes, path, read));
  RemoveDead(result.graph);
  DLPU_TRY(result.layout, PropagateLayout(result.graph, {.nhwc_borders = !options.keep_nchw}));
  DLPU_RETURN_IF_ERROR(Tidy(result.graph));
  FoldChannelShuffles(result.graph);
  return result;
}

}  // namespace dlpu
