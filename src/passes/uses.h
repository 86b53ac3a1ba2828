// SPDX-License-Identifier: Apache-2.0
// Who writes and who reads each tensor of a graph: a table that a pass makes when it starts.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace dlpu {

struct TensorUses {
  static constexpr int kNone = -1;

  explicit TensorUses(const Graph& graph)
      : writer(graph.tensors.size(), kNone),
        readers(graph.tensors.size()),
        is_output(graph.tensors.size(), false) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const TensorId id : graph.nodes[i].inputs) {
        if (id != kNoTensor) readers[id].push_back(static_cast<int>(i));
      }
      for (const TensorId id : graph.nodes[i].outputs) writer[id] = static_cast<int>(i);
    }
    for (const TensorId id : graph.outputs) is_output[id] = true;
  }

  // Whether exactly one node reads it and it is no output of the model.
  bool read_once(TensorId id) const { return readers[id].size() == 1 && !is_output[id]; }

  std::vector<int> writer;                // node that writes the tensor; kNone for inputs
  std::vector<std::vector<int>> readers;  // nodes, once for each use
  std::vector<bool> is_output;
};

}  // namespace dlpu
