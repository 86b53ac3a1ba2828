// SPDX-License-Identifier: Apache-2.0
// Measured times: data/latency.csv, and which of its rows a target's cost model is fitted to
// (data/latency_models.toml). Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "target/cost/model.h"

namespace dlpu {

// One line of latency.csv, as its source has it.
struct LatencyRow {
  std::string target, product, model, framework, input, quantization;
  double ms = 0;
  std::string when;  // "AXIS OS 12.3.56 (2025-03-06)", or a date
  std::string source, notes;
};

// Splits lines of comma-separated values; a cell in double quotes may hold commas and quotes.
std::vector<std::string> SplitCsvLine(const std::string& line);
// `name` is how errors call the text.
Result<std::vector<LatencyRow>> ParseLatency(const std::string& text, const std::string& name);

// A row of latency_models.toml.
struct FitRow {
  std::string group, arch, speed_class;
  std::string target, product, model, quantization, input, at;
  bool any_os = false, least = false, end_to_end = false;
  std::optional<double> sigma;
  std::string why;
};

struct FitTable {
  std::string target;  // a name of data/targets
  std::vector<FitRow> rows;
};
Result<std::vector<FitTable>> ParseFitTables(const std::string& text, const std::string& name);

// The measured time a row stands for: the median (or least) of all that match it within an era.
struct MeasuredTime {
  double ms = 0;
  int count = 0;  // how many rows of latency.csv
  std::string when,
      source;  // the first and the last of them; who published them, without revisions
};
// Nothing when no row matches in that era.
std::optional<MeasuredTime> TimeOf(const FitRow& row, const CostEra& era,
                                   const std::vector<LatencyRow>& latency);

}  // namespace dlpu
