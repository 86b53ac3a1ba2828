// SPDX-License-Identifier: Apache-2.0
// A graph run node by node over several inputs at once, so that constants of a node may be changed
// after everything before it has run. Keeps the values that are still to be read, of all samples.
// One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

class NodeRuns {
 public:
  // [sample][input of the graph]: bytes. The graph must outlive the result. `portable`: floats
  // are computed with the kernels that give the same bits on every CPU. An error for a graph with
  // variables.
  static Result<NodeRuns> Make(const Graph& graph,
                               const std::vector<std::vector<std::vector<uint8_t>>>& inputs,
                               int threads, bool portable);

  // Runs a node of the graph on all samples, with the constants that it has now. REQUIRES: those
  // before it have been run, each once.
  Status Run(const Node& node);

  // Bytes of a tensor that nodes to come read, by sample.
  const std::vector<std::vector<uint8_t>>& values(TensorId id) const { return values_[id]; }

 private:
  explicit NodeRuns(const Graph& graph) : graph_(&graph) {}

  const Graph* graph_;
  size_t samples_ = 0;
  int threads_ = 0;
  bool portable_ = true;
  std::vector<int> readers_left_;                          // by tensor
  std::vector<std::vector<std::vector<uint8_t>>> values_;  // [tensor][sample]
};

}  // namespace dlpu
