// SPDX-License-Identifier: Apache-2.0
// Times a model here and in other engines, in turns, so that all meet the same load on the
// machine. One thread, one Runner.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "run/bench.h"
#include "run/runner.h"

namespace dlpu {

struct PeerResult {
  std::string name;     // litert, litert-reference, onnxruntime, openvino, ncnn
  std::string version;  // empty when it did not run
  std::string problem;  // why it did not run; empty when it did
  std::vector<double> milliseconds;
};

struct ComparedBench {
  BenchResult ours;
  std::vector<PeerResult> peers;
};

// Rounds of a few runs each, ours and every peer's in turn, until options.max_seconds are spent.
// Peers are Python packages, run by $DLPU_PYTHON or python3; one that is not installed has a
// problem. A peer NAME reads `model_path` and the inputs in the Runner; NAME=FILE reads another
// file of the same network, with random inputs where it has other types or shapes.
Result<ComparedBench> BenchAgainst(Runner& runner, const std::string& model_path,
                                   const std::vector<std::string>& peers,
                                   const BenchOptions& options);

}  // namespace dlpu
