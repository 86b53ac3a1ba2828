// SPDX-License-Identifier: Apache-2.0
// Fitting cost models to measured times, and saying how good they are: residuals, the error when a
// model is left out, and how often the 90 % interval held. Deterministic; any thread.
#pragma once

#include <string>
#include <vector>

#include "app/latency.h"
#include "base/result.h"
#include "target/target.h"

namespace dlpu {

struct CalibratedRow {
  std::string group, arch, product, speed_class;
  double measured_ms = 0;
  int measurements = 0;    // how many rows of latency.csv stand behind it
  double fitted_ms = 0;    // by the fit to all rows
  double left_out_ms = 0;  // by the fit without this row's group
  double interval = 1;     // factor of that prediction's 90 % interval
  bool inside = false;     // the measured time lies in it
  bool counted = true;     // in the errors; false: its camera is not named
  bool fitted = true;      // false: left out by the caller, left_out_ms is of the fit
  std::string why;
};

struct Calibration {
  std::string target, title, era;
  std::vector<CalibratedRow> rows;
  CostFit fit;  // its figures are those of the counted rows
  // For the dropped rows: mean and largest error of the prediction.
  double dropped_mean = 0, dropped_worst = 0;
  int dropped = 0;
};

// All that calibration reads.
struct CalibrationData {
  std::vector<LatencyRow> latency;
  std::vector<FitTable> tables;
};
Result<CalibrationData> LoadCalibrationData();

// Changes priors for a trial: "input_ms_per_mb=8" a centre, "input_ms_per_mb=8:1.5" a centre and
// its factor, "discrepancy=0.03" the standard deviation of all residuals.
Status ChangePrior(const std::string& text, CostModel* model);

// One calibration for each era of the target that has its own fit. Rows whose product, group or
// network contains one of `without` (case does not count) are not fitted but predicted, without
// what an application adds around the inference.
Result<std::vector<Calibration>> Calibrate(const Target& target, const CalibrationData& data,
                                           const std::vector<std::string>& without = {});

}  // namespace dlpu
