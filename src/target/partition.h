// SPDX-License-Identifier: Apache-2.0
// Partition: where each node of a graph runs on a target, and why. How a target cuts a graph is
// data (TargetPartition): `any` cuts as TensorFlow Lite does when an accelerator takes some of the
// nodes (lite/graph_info.cc: one part after another, each as large as it can be); `prefix` gives
// the DLPU a single part, which ends at the first node it cannot take on each path. On a target
// without a DLPU every node is on the CPU. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "target/target.h"

namespace dlpu {

// What became of one node.
struct NodePlace {
  Support::Where where = Support::Where::kUnknown;  // where it runs
  bool supported = false;                           // the DLPU could run it, if it were alone
  int part = 0;      // the part it belongs to, from 0, in the order the parts run
  int blocker = -1;  // supported but on the CPU: the node (an index) that keeps it there
  Support support;   // the op table's answer; refers to the target's conditions
};

// A tensor that leaves one part and enters another.
struct Cut {
  TensorId tensor = kNoTensor;
  int producer = -1;  // index of the node that writes it
  int from_part = 0, to_part = 0;
  int64_t bytes = 0;  // of the packed tensor; 0 when an extent is not known
};

struct Partition {
  std::vector<NodePlace> nodes;       // parallel to Graph::nodes
  std::vector<Support::Where> parts;  // where each part runs
  int dlpu_parts = 0, cpu_parts = 0;  // as the camera counts them
  std::vector<Cut> cuts;              // by producer, then by part
  // Why the target does not load the graph, in the camera's words where they are known; empty when
  // it does.
  std::string refusal;

  int Count(Support::Where where) const;  // nodes
};

struct PartitionOptions {
  // Cut a `prefix` target's graph into as many DLPU parts as there are, to see what that costs.
  bool several_parts = false;
  // Nodes (indices) to be taken for supported, to see what supporting them changes.
  std::vector<int> assume_supported = {};
};

// Refers to the target's conditions: the target must outlive the result.
Partition PartitionGraph(const Graph& graph, const Target& target,
                         const PartitionOptions& options = {});

// A node that the DLPU cannot run and that costs more than itself.
struct Blocker {
  int node = -1;
  std::vector<int> dependents;  // supported nodes kept on the CPU by it
  std::vector<int> gained;      // nodes that reach the DLPU once it is supported, itself included
  int parts = 0;                // the graph's parts then
};
// In the order of the graph, at most `most` of them. Every unsupported node that keeps another one
// off the DLPU or that cuts the graph into more parts. Front nodes of a `prefix` partition block
// nothing.
std::vector<Blocker> FindBlockers(const Graph& graph, const Target& target,
                                  const Partition& partition, int most = 64);

// One sentence part that says why a node is where it is: "RESIZE_BILINEAR is not among the ops that
// ARTPEC-7's DLPU runs", "the stride must be 1 or 2; found stride_h 3", "behind 'up1'
// (RESIZE_BILINEAR), which stays on the CPU"; empty for a node on the DLPU.
std::string WhyThere(const Graph& graph, const Target& target, const Partition& partition,
                     int node);

}  // namespace dlpu
