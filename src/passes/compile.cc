// SPDX-License-Identifier: Apache-2.0
// The compiler as a list.
#include "passes/compile.h"

#include "ir/verify.h"

namespace dlpu {

Result<Program> Compile(Graph graph, const CompileOptions& options) {
  DLPU_RETURN_IF_ERROR(Verify(graph));
  if (!options.cut_at.empty()) DLPU_RETURN_IF_ERROR(CutAt(graph, options.cut_at));
  DLPU_RETURN_IF_ERROR(FixShapes(graph, options.shapes));
  DLPU_RETURN_IF_ERROR(InferAndFold(graph, options.profile));
  RemoveDead(graph);
  DLPU_RETURN_IF_ERROR(Verify(graph));
  Program program = Emit(std::move(graph), options);
  Allocate(program);
  DLPU_RETURN_IF_ERROR(Verify(program));
  return program;
}

}  // namespace dlpu
