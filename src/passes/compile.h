// SPDX-License-Identifier: Apache-2.0
// Compile: Graph -> Program. compile.cc is the list of passes, read top to bottom; each pass is
// one file with one function, declared here. Any thread.
#pragma once

#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "ir/graph.h"
#include "ir/program.h"
#include "ops/allocate.h"
#include "target/partition.h"
#include "target/target.h"

namespace dlpu {

struct CompileOptions {
  // The target whose data says where each step runs; it must outlive the call. Null: no target,
  // every step on the CPU.
  const Target* target = nullptr;
  Profile profile = Profile::kTfliteReference;      // of steps on the DLPU; of all without one
  Profile cpu_profile = Profile::kTfliteReference;  // of steps that fall back to a target's CPU
  std::map<std::string, Shape> shapes;              // of inputs, by tensor or signature name
  std::string cut_at;  // an op or layer; it and all that depends on it is left out
  std::string source_sha256;
};

// The options that a target's data asks for.
CompileOptions OptionsFor(const Target& target);

// Consumes the graph. The error names the layer that cannot be compiled, or says why the target
// does not load the model.
Result<Program> Compile(Graph graph, const CompileOptions& options);

// A program as it was saved: the bytes are checked, every step's shapes are computed again and must
// be what the file says, and work and memory plan are made anew. `name` is how errors call it.
Result<Program> LoadProgram(std::span<const uint8_t> bytes, const std::string& name);

// Gives inputs the shapes the user stated; refuses, by name, inputs that stay dynamic.
Status FixShapes(Graph& graph, const std::map<std::string, Shape>& shapes);

// Leaves out the first node whose op or name is `what` and everything that depends on it. What
// the left-out nodes read become outputs.
Status CutAt(Graph& graph, const std::string& what);

// Puts CASTs around ops with float16 or 4-bit tensors that are computed in a wider type.
void WidenTypes(Graph& graph);

// Computes every shape in order; nodes whose inputs are all constant are computed now, and so is
// arithmetic on shapes.
Status InferAndFold(Graph& graph, Profile profile);

// Sets types and shapes of a node's outputs from its inputs; declared types may be consulted.
Status InferNode(Graph& graph, const Node& node);
// Computes the outputs of a node whose inputs are all constant; they become constants.
// REQUIRES: InferNode succeeded.
Status EvaluateNode(Graph& graph, const Node& node);

// Drops nodes that contribute to no output, and constants that nothing reads.
void RemoveDead(Graph& graph);

// Drops tensors that nothing refers to.
void DropUnusedTensors(Graph& graph);

// The program without a memory plan; `partition` has a place for each node.
Program Emit(Graph graph, const Partition& partition, const CompileOptions& options);

}  // namespace dlpu
