// SPDX-License-Identifier: Apache-2.0
// Mixed precision: which layers are to compute in int16 or float instead of 8 bits, by the accuracy
// that is gained for each predicted millisecond. Plain values; one thread at a time.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

class Trials;
struct QuantizeReport;

struct MixedRequest {
  // Give layers more bits until the outputs (mean in dB) are this near to the float model's, ...
  std::optional<double> min_sqnr_db;
  // ... and as long as the predicted time grows by no more than this.
  std::optional<double> max_ms_more;
  // The predicted time of a quantized graph in milliseconds, and where that is.
  std::function<Result<double>(const Graph&)> price;
  std::string priced_for;
};

// A layer that could have more bits.
struct LayerChoice {
  std::string name, op;
  DataType type = DataType::kFloat32;  // that is best for it by gain per millisecond
  double alone_db = 0;  // signal to noise of the outputs when only this layer has 8 bits
  double gain_db = 0;   // expected, of its own; measured for layers that were taken
  double ms = 0;        // predicted, more; of its own, or when it was taken
  bool taken = false;
};

struct MixedReport {
  std::string priced_for;
  double before_db = 0, after_db = 0, before_ms = 0, after_ms = 0;
  bool reached = true;              // of what was asked for
  std::vector<LayerChoice> layers;  // those taken in their order, then the worst ones alone
  int looked_at = 0;                // layers whose error was measured
};

// Adds node types to the report's settings, and the losses with them. Layers for which the settings
// name a type already keep it. Greedy: the layer with the most gain per millisecond, then the next
// with that one in place; a layer that turns out to gain nothing is given back. Decisions are made
// on figures rounded to 0.01 dB and 0.001 ms.
Result<MixedReport> ChooseMixed(Trials& trials, const MixedRequest& request,
                                QuantizeReport& report);

std::string MixedText(const MixedReport& report);
nlohmann::ordered_json MixedJson(const MixedReport& report);

}  // namespace dlpu
