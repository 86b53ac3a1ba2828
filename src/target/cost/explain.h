// SPDX-License-Identifier: Apache-2.0
// Explaining a gap: what would make a camera take the time that was measured rather than the one
// predicted, ranked by how well each reason alone fits. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "target/cost/predict.h"

namespace dlpu {

struct Explanation {
  std::string kind;  // class, os, contention, first run, fallback, ...
  std::string says;
  double low_ms = 0, high_ms = 0;  // the time if this reason alone held
  double closes = 0;               // share of the gap it closes, 0 to 1, at best
  std::string source;
  Confidence confidence = Confidence::kAssumed;
};

struct GapReport {
  Prediction prediction;
  double measured_ms = 0;
  bool inside = false;  // the measured time lies in the 90 % interval: nothing to explain
  double ratio = 1;     // measured / predicted
  std::vector<Explanation> reasons;  // best first; those that move the wrong way are left out
};

Result<GapReport> ExplainGap(const Workload& workload, const Target& target,
                             const PredictOptions& options, double measured_ms);

}  // namespace dlpu
