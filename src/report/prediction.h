// SPDX-License-Identifier: Apache-2.0
// What `dlpu predict` shows, as text, JSON, CSV and a trace for a timeline viewer. Pure functions;
// any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "target/cost/explain.h"
#include "target/cost/predict.h"

namespace dlpu {

// "5.6 ms (90 %: 4.6 to 6.8 ms)".
std::string IntervalText(double total_ms, double low_ms, double high_ms);
// Total, parts, the `most` dearest steps (0: all), start, memory, assumptions and warnings.
std::string PredictionText(const Prediction& prediction, size_t most);
// One line for each prediction.
std::string PredictionsText(const std::vector<Prediction>& predictions);
// Every number with its source and confidence; docs/json.md describes the fields.
nlohmann::ordered_json PredictionJson(const Prediction& prediction);
// step,op,name,engine,macs,input_bytes,weight_bytes,output_bytes,ms,bound_by; parts are last.
std::string PredictionCsv(const Prediction& prediction);
// The steps one after the other, in the JSON that chrome://tracing and Perfetto read.
nlohmann::ordered_json PredictionTrace(const Prediction& prediction);

// Why a measured time differs, and the same as {"measured_ms", "inside", "ratio", "reasons"}.
std::string GapText(const GapReport& report);
nlohmann::ordered_json GapJson(const GapReport& report);

}  // namespace dlpu
