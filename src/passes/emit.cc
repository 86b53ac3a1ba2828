// SPDX-License-Identifier: Apache-2.0
// Pass: the steps of the program, each with what it costs.
#include "ops/op.h"
#include "passes/compile.h"

namespace dlpu {

Program Emit(Graph graph, const CompileOptions& options) {
  Program program;
  program.name = graph.name;
  program.target = options.target;
  program.source_sha256 = options.source_sha256;
  program.profile = options.profile;
  program.tensors = std::move(graph.tensors);
  program.inputs = std::move(graph.inputs);
  program.outputs = std::move(graph.outputs);
  program.offsets.assign(program.tensors.size(), -1);
  program.steps.reserve(graph.nodes.size());
  for (Node& node : graph.nodes) {
    Step step;
    step.node = std::move(node);
    step.work = WorkOf(OpContext(program.tensors, step.node));
    program.steps.push_back(std::move(step));
  }
  return program;
}

}  // namespace dlpu
