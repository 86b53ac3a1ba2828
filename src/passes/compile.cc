// SPDX-License-Identifier: Apache-2.0
// The compiler as a list.
#include "passes/compile.h"

#include "ir/verify.h"

namespace dlpu {
namespace {

// Without a target there is one part, on the CPU.
Partition WholeOnCpu(const Graph& graph) {
  Partition partition;
  NodePlace place;
  place.where = Support::Where::kCpu;
  partition.nodes.assign(graph.nodes.size(), place);
  partition.parts = {Support::Where::kCpu};
  partition.cpu_parts = 1;
  return partition;
}

}  // namespace

CompileOptions OptionsFor(const Target& target) {
  CompileOptions options;
  options.target = &target;
  // The names were checked when the data was read.
  options.profile = ProfileFromName(target.arithmetic.profile).value_or(options.profile);
  options.cpu_profile =
      ProfileFromName(target.arithmetic.cpu_profile).value_or(options.cpu_profile);
  return options;
}

Result<Program> Compile(Graph graph, const CompileOptions& options) {
  DLPU_RETURN_IF_ERROR(Verify(graph));
  if (!options.cut_at.empty()) DLPU_RETURN_IF_ERROR(CutAt(graph, options.cut_at));
  DLPU_RETURN_IF_ERROR(FixShapes(graph, options.shapes));
  WidenTypes(graph);
  DLPU_RETURN_IF_ERROR(InferAndFold(graph, options.profile));
  RemoveDead(graph);
  DLPU_RETURN_IF_ERROR(Verify(graph));
  const Partition partition =
      options.target ? PartitionGraph(graph, *options.target) : WholeOnCpu(graph);
  if (!partition.refusal.empty()) return UnsupportedError(partition.refusal);
  Program program = Emit(std::move(graph), partition, options);
  Allocate(program);
  DLPU_RETURN_IF_ERROR(Verify(program));
  return program;
}

}  // namespace dlpu
