// SPDX-License-Identifier: Apache-2.0
// What calibration saw of the float graphs of one model, kept so that quantizing it for several
// targets runs each graph over the calibration set once. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/observe.h"

namespace dlpu {

struct SkippedInput {
  std::string name, why;
};

struct Observation {
  std::shared_ptr<const Observer> observer;
  std::vector<size_t> used;  // of the set
  std::vector<SkippedInput> skipped;
  std::string note;  // how inputs were filled
};

// REQUIRES: one calibration set and one preparation of its inputs, whatever the graphs.
class Observations {
 public:
  // What stands for a graph with its constants and the kernels that run it; empty when the graph
  // cannot be told from others.
  static std::string Key(const Graph& graph, bool portable);

  // Null when the graph was not seen yet.
  const Observation* Find(const std::string& key) const;
  void Keep(const std::string& key, const Observation& observation);

 private:
  std::map<std::string, Observation> seen_;
};

}  // namespace dlpu
