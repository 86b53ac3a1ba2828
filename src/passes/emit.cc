// SPDX-License-Identifier: Apache-2.0
// Pass: the steps of the program, each with what it costs.
#include "ops/op.h"
#include "passes/compile.h"

namespace dlpu {

Program Emit(Graph graph, const Partition& partition, const CompileOptions& options) {
  Program program;
  program.name = graph.name;
  program.target = options.target ? options.target->name : "";
  program.source_sha256 = options.source_sha256;
  program.profile = options.profile;
  program.metadata = std::move(graph.metadata);
  program.tensors = std::move(graph.tensors);
  program.inputs = std::move(graph.inputs);
  program.outputs = std::move(graph.outputs);
  program.offsets.assign(program.tensors.size(), -1);
  program.steps.reserve(graph.nodes.size());
  // On a target without a DLPU the CPU is the main engine.
  const bool has_dlpu = options.target && options.target->dlpu != "none";
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const NodePlace& place = partition.nodes[i];
    Step step;
    step.node = std::move(graph.nodes[i]);
    step.engine = place.where == Support::Where::kCpu ? Engine::kCpu : Engine::kDlpu;
    step.part = place.part;
    step.profile = has_dlpu && step.engine == Engine::kCpu ? options.cpu_profile : options.profile;
    step.work = WorkOf(OpContext(program.tensors, step.node));
    program.steps.push_back(std::move(step));
  }
  return program;
}

}  // namespace dlpu
