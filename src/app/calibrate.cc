// SPDX-License-Identifier: Apache-2.0
// Fits and leave-one-model-out errors.
#include "app/calibrate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "base/data_path.h"
#include "base/file.h"
#include "target/cost/fit.h"
#include "target/cost/predict.h"
#include "target/cost/price.h"

namespace dlpu {
namespace {

constexpr double kNinety = 1.645;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool IsDropped(const FitRow& row, const std::vector<std::string>& without) {
  return std::ranges::any_of(without, [&](const std::string& what) {
    const std::string text = Lower(row.product + "\n" + row.group + "\n" + row.arch);
    return text.find(Lower(what)) != std::string::npos;
  });
}

// A row with all that pricing needs.
struct Row {
  const FitRow* row = nullptr;
  const Workload* workload = nullptr;
  PriceFactors factors;
  MeasuredTime time;
  bool dropped = false;
};

double LogTime(const Row& row, const CostModel& model, const std::vector<double>& log_values) {
  const CostValues values(model, log_values);
  return std::log(Price(*row.workload, model, values, row.factors).total_ms);
}

// The fit to those of `rows` that `use` accepts.
template <typename Use>
Result<FitResult> FitTo(const CostModel& model, const std::vector<Row>& rows, Use use) {
  FitProblem problem;
  for (const std::string& name : model.FreeNames()) {
    const CostParameter* p = model.Find(name);
    problem.prior_centre.push_back(std::log(p->centre));
    problem.prior_sigma.push_back(std::log(p->factor));
  }
  std::vector<const Row*> used;
  for (const Row& row : rows) {
    if (!use(row)) continue;
    used.push_back(&row);
    problem.measured.push_back(row.time.ms);
    problem.sigma.push_back(row.row->sigma.value_or(model.discrepancy));
  }
  problem.predict = [&](const std::vector<double>& log_values) {
    std::vector<double> logs;
    const CostValues values(model, log_values);
    for (const Row* row : used) {
      logs.push_back(std::log(Price(*row->workload, model, values, row->factors).total_ms));
    }
    return logs;
  };
  return Fit(problem);
}

// Predicts a row by a fit that did not see it.
void PredictLeftOut(const CostModel& model, const Row& row, const FitResult& fit,
                    CalibratedRow* out) {
  const std::vector<double> slopes = Sensitivity(*row.workload, model, fit.log_values, row.factors);
  const double own = row.row->sigma.value_or(model.discrepancy);
  const double sigma = LogSigma(slopes, fit.covariance.data, own);
  const double log_ms = LogTime(row, model, fit.log_values);
  out->left_out_ms = std::exp(log_ms);
  out->interval = std::exp(kNinety * sigma);
  out->inside = std::abs(log_ms - std::log(row.time.ms)) <= kNinety * sigma;
}

KnownTime KnownOf(const Row& row, const CalibratedRow& r) {
  KnownTime known = CountsOf(*row.workload);
  known.model = r.group;
  known.product = r.product;
  known.speed_class = r.speed_class;
  known.measured_ms = r.measured_ms;
  known.measurements = row.time.count;
  known.when = row.time.when;
  known.source = row.time.source;
  return known;
}

void Summarise(const std::vector<Row>& rows, Calibration* c) {
  double in_sample = 0, left_out = 0, dropped = 0;
  int counted = 0;
  std::set<std::string> groups;
  for (size_t i = 0; i < rows.size(); ++i) {
    const CalibratedRow& r = c->rows[i];
    const double error = std::abs(r.left_out_ms / r.measured_ms - 1);
    if (!r.fitted) {
      dropped += error;
      c->dropped_worst = std::max(c->dropped_worst, error);
      ++c->dropped;
      continue;
    }
    if (!r.counted) continue;
    groups.insert(r.group);
    for (const auto& [name, value] : FeaturesOf(*rows[i].workload)) {
      const auto [at, is_new] = c->fit.ranges.try_emplace(name, std::array{value, value});
      at->second = {std::min(at->second[0], value), std::max(at->second[1], value)};
    }
    if (!rows[i].factors.end_to_end) c->fit.known.push_back(KnownOf(rows[i], r));
    ++counted;
    in_sample += std::abs(r.fitted_ms / r.measured_ms - 1);
    left_out += error;
    c->fit.worst = std::max(c->fit.worst, error);
    c->fit.covered += r.inside;
  }
  c->fit.rows = counted;
  c->fit.models = static_cast<int>(groups.size());
  c->fit.in_sample = counted > 0 ? in_sample / counted : 0;
  c->fit.leave_one_out = counted > 0 ? left_out / counted : 0;
  c->dropped_mean = c->dropped > 0 ? dropped / c->dropped : 0;
}

Result<Calibration> CalibrateEra(const Target& target, const CostEra& era,
                                 const std::vector<Row>& rows) {
  const CostModel& model = *target.cost;
  Calibration c;
  c.target = target.name;
  c.title = target.title;
  c.era = era.name;
  DLPU_TRY(const FitResult all, FitTo(model, rows, [](const Row& row) { return !row.dropped; }));
  c.fit.name = era.name;
  c.fit.names = model.FreeNames();
  c.fit.log_values = all.log_values;
  c.fit.covariance = all.covariance.data;
  std::map<std::string, FitResult> without;
  for (const Row& row : rows) {
    const std::string& group = row.row->group;
    if (row.dropped || without.contains(group)) continue;
    DLPU_TRY(FitResult fit, FitTo(model, rows, [&](const Row& other) {
               return !other.dropped && other.row->group != group;
             }));
    without.emplace(group, std::move(fit));
  }
  for (const Row& row : rows) {
    CalibratedRow out;
    out.group = row.row->group;
    out.arch = row.row->arch;
    out.product = row.row->product;
    out.speed_class = row.row->speed_class;
    out.measured_ms = row.time.ms;
    out.measurements = row.time.count;
    out.counted = !row.row->sigma.has_value();
    out.fitted = !row.dropped;
    out.why = row.row->why;
    out.fitted_ms = std::exp(LogTime(row, model, all.log_values));
    PredictLeftOut(model, row, row.dropped ? all : without.at(row.row->group), &out);
    c.rows.push_back(std::move(out));
  }
  Summarise(rows, &c);
  return c;
}

}  // namespace

Result<CalibrationData> LoadCalibrationData() {
  CalibrationData data;
  DLPU_TRY(const std::string latency_path, DataPath("latency.csv"));
  DLPU_TRY(const std::string latency, ReadTextFile(latency_path));
  DLPU_TRY(data.latency, ParseLatency(latency, latency_path));
  DLPU_TRY(const std::string tables_path, DataPath("latency_models.toml"));
  DLPU_TRY(const std::string tables, ReadTextFile(tables_path));
  DLPU_TRY(data.tables, ParseFitTables(tables, tables_path));
  return data;
}

Status ChangePrior(const std::string& text, CostModel* model) {
  const size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const char* at = equals == std::string::npos ? "" : text.c_str() + equals + 1;
  char* end = nullptr;
  const double centre = std::strtod(at, &end);
  double factor = 0;
  bool good = end != at && centre > 0 && std::isfinite(centre);
  if (good && *end == ':') {
    at = end + 1;
    factor = std::strtod(at, &end);
    good = end != at && factor > 1 && std::isfinite(factor);
  }
  if (!good || *end != '\0') {
    return InvalidError(
        fmt::format("--prior: '{}' is not NAME=CENTRE or NAME=CENTRE:FACTOR, both positive and the "
                    "factor above 1",
                    text));
  }
  if (name == "discrepancy" && factor == 0) {
    model->discrepancy = centre;
    return OkStatus();
  }
  const auto p = std::ranges::find_if(model->parameters, [&](const CostParameter& parameter) {
    return parameter.name == name && parameter.tied_to.empty();
  });
  if (p == model->parameters.end()) {
    return NotFoundError(fmt::format("--prior: no parameter is called '{}'; these are: {}", name,
                                     fmt::join(model->FreeNames(), ", ")));
  }
  p->centre = centre;
  if (factor > 0) p->factor = factor;
  return OkStatus();
}

Result<std::vector<Calibration>> Calibrate(const Target& target, const CalibrationData& data,
                                           const std::vector<std::string>& without) {
  const auto table = std::ranges::find(data.tables, target.name, &FitTable::target);
  if (table == data.tables.end() || !target.cost.has_value()) {
    return NotFoundError(
        fmt::format("no rows of data/latency_models.toml are about {}", target.title));
  }
  std::map<std::string, Workload> workloads;
  for (const FitRow& row : table->rows) {
    if (workloads.contains(row.arch)) continue;
    DLPU_TRY(workloads[row.arch], LoadArchitecture(row.arch));
  }
  std::vector<Calibration> calibrations;
  for (const CostEra& era : target.cost->eras) {
    if (era.fit != era.name) continue;
    std::vector<Row> rows;
    for (const FitRow& fit_row : table->rows) {
      Row row;
      row.row = &fit_row;
      row.workload = &workloads.at(fit_row.arch);
      row.dropped = IsDropped(fit_row, without);
      row.factors.speed_class = target.cost->FindClass(fit_row.speed_class);
      row.factors.end_to_end = fit_row.end_to_end && !row.dropped;
      if (row.factors.speed_class == nullptr) {
        return InvalidError(fmt::format("data/latency_models.toml: {} has no class '{}'",
                                        target.title, fit_row.speed_class));
      }
      const std::optional<MeasuredTime> time = TimeOf(fit_row, era, data.latency);
      if (!time.has_value()) {
        return NotFoundError(fmt::format("data/latency.csv has no time for {} on '{}' in {}",
                                         fit_row.model, fit_row.product, era.name));
      }
      row.time = *time;
      rows.push_back(row);
    }
    if (std::ranges::all_of(rows, &Row::dropped)) {
      return InvalidError(fmt::format("--without leaves no row of {} to fit", target.title));
    }
    DLPU_TRY(Calibration c, CalibrateEra(target, era, rows));
    calibrations.push_back(std::move(c));
  }
  return calibrations;
}

}  // namespace dlpu
