// SPDX-License-Identifier: Apache-2.0
// dlpu calibrate: fits the cost models to measured times and says how good they are.
#include "app/calibrate.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/data_path.h"
#include "base/file.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string targets, json;
  std::vector<std::string> without, priors;
  bool write = false;
};

std::string Signed(double predicted, double measured) {
  return fmt::format("{:+.1f} %", 100 * (predicted / measured - 1));
}

std::string RowsText(const Calibration& c) {
  Table table(
      {"model", "product", "class", ">measured", ">n", ">fitted", ">left out", ">90 %", "inside"});
  for (const CalibratedRow& r : c.rows) {
    table.AddRow({r.group + (r.counted ? "" : " *"), r.product.empty() ? "not named" : r.product,
                  r.speed_class, fmt::format("{:.4g}", r.measured_ms),
                  std::to_string(r.measurements),
                  r.fitted ? Signed(r.fitted_ms, r.measured_ms) : "not fitted",
                  Signed(r.left_out_ms, r.measured_ms), fmt::format("x/ {:.2f}", r.interval),
                  r.inside ? "yes" : "no"});
  }
  std::set<std::string> notes;
  for (const CalibratedRow& r : c.rows) {
    if (r.counted) continue;
    notes.insert(fmt::format("* {} on {}: not counted in the errors{}\n", r.group,
                             r.product.empty() ? "a product not named" : r.product,
                             r.why.empty() ? "" : "; " + r.why));
  }
  std::string text = table.Text();
  for (const std::string& note : notes) text += note;
  return text;
}

// Where each prior comes from: what is said of it, and how it is known.
std::string PriorsText(const CostModel& model) {
  std::string text = fmt::format(
      "priors (x/ is one standard deviation as a factor; each time deviates by {:.0f} %):\n",
      100 * model.discrepancy);
  for (const CostParameter& p : model.parameters) {
    const std::string value = p.tied_to.empty()
                                  ? fmt::format("{:.4g} x/ {:.2f} {}", p.centre, p.factor, p.unit)
                                  : fmt::format("{:.4g} times {}", p.ratio, p.tied_to);
    text += fmt::format("  {}: {}{}{} [{}, {}]\n", p.name, value, p.says.empty() ? "" : "; ",
                        p.says, ConfidenceName(p.fact.confidence), p.fact.source);
  }
  return text;
}

std::string ParametersText(const Calibration& c, const CostModel& model) {
  Table table({"parameter", ">prior", ">x/", ">fitted", ">x/", ">informed", "unit"});
  const size_t n = c.fit.names.size();
  for (size_t i = 0; i < n; ++i) {
    const CostParameter* p = model.Find(c.fit.names[i]);
    const double variance = c.fit.covariance[i * n + i];
    const double before = std::pow(std::log(p->factor), 2);
    table.AddRow({p->name, fmt::format("{:.4g}", p->centre), fmt::format("{:.2f}", p->factor),
                  fmt::format("{:.4g}", std::exp(c.fit.log_values[i])),
                  fmt::format("{:.2f}", std::exp(std::sqrt(variance))),
                  fmt::format("{:.0f} %", 100 * std::max(0.0, 1 - variance / before)), p->unit});
  }
  return table.Text();
}

std::string CalibrationText(const Calibration& c, const CostModel& model) {
  std::string text = fmt::format("{}, AXIS OS {}\n{}", c.title, c.era, RowsText(c));
  text += fmt::format(
      "{} rows of {} models: in sample {:.1f} %, leaving a model out {:.1f} % (worst {:.0f} %), "
      "{} of {} inside the 90 % interval\n",
      c.fit.rows, c.fit.models, 100 * c.fit.in_sample, 100 * c.fit.leave_one_out, 100 * c.fit.worst,
      c.fit.covered, c.fit.rows);
  if (c.dropped > 0) {
    text += fmt::format("not fitted, {} rows: predicted within {:.1f} % (mean {:.1f} %)\n",
                        c.dropped, 100 * c.dropped_worst, 100 * c.dropped_mean);
  }
  return text + ParametersText(c, model) + "\n";
}

nlohmann::ordered_json PriorsJson(const CostModel& model) {
  nlohmann::ordered_json priors = nlohmann::ordered_json::array();
  for (const CostParameter& p : model.parameters) {
    nlohmann::ordered_json prior = {{"name", p.name}, {"unit", p.unit}};
    if (p.tied_to.empty()) {
      prior.update({{"centre", p.centre}, {"factor", p.factor}});
    } else {
      prior.update({{"tied_to", p.tied_to}, {"ratio", p.ratio}});
    }
    prior.update({{"says", p.says},
                  {"source", p.fact.source},
                  {"confidence", ConfidenceName(p.fact.confidence)}});
    priors.push_back(std::move(prior));
  }
  return priors;
}

nlohmann::ordered_json CalibrationJson(const Calibration& c) {
  nlohmann::ordered_json json = {{"target", c.target},
                                 {"os", c.era},
                                 {"rows", nlohmann::ordered_json::array()},
                                 {"models", c.fit.models},
                                 {"in_sample", c.fit.in_sample},
                                 {"leave_one_out", c.fit.leave_one_out},
                                 {"worst", c.fit.worst},
                                 {"covered", c.fit.covered},
                                 {"counted", c.fit.rows},
                                 {"dropped_mean", nullptr},
                                 {"dropped_worst", nullptr},
                                 {"parameters", nlohmann::ordered_json::object()}};
  if (c.dropped > 0) {
    json["dropped_mean"] = c.dropped_mean;
    json["dropped_worst"] = c.dropped_worst;
  }
  for (const CalibratedRow& r : c.rows) {
    json["rows"].push_back({{"model", r.group},
                            {"architecture", r.arch},
                            {"product", r.product},
                            {"class", r.speed_class},
                            {"measured_ms", r.measured_ms},
                            {"measurements", r.measurements},
                            {"fitted", r.fitted},
                            {"counted", r.counted},
                            {"fitted_ms", r.fitted_ms},
                            {"left_out_ms", r.left_out_ms},
                            {"interval", r.interval},
                            {"inside", r.inside},
                            {"why", r.why}});
  }
  for (size_t i = 0; i < c.fit.names.size(); ++i) {
    json["parameters"][c.fit.names[i]] = std::exp(c.fit.log_values[i]);
  }
  return json;
}

Result<std::vector<Target>> ChooseTargets(const std::string& names) {
  DLPU_TRY(const std::vector<Target> all, LoadTargets());
  if (names.empty() || names == "all") return all;
  std::vector<Target> chosen;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    DLPU_TRY(Target target, FindTarget(all, name));
    chosen.push_back(std::move(target));
  }
  return chosen;
}

Status WriteFits(const Target& target, const std::vector<Calibration>& calibrations) {
  std::vector<CostFit> fits;
  for (const Calibration& c : calibrations) fits.push_back(c.fit);
  DLPU_TRY(const std::string targets, DataPath("targets"));
  const std::string folder = targets.substr(0, targets.find_last_of('/')) + "/cost";
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder));
  const std::string path = folder + "/" + target.name + ".toml";
  DLPU_RETURN_IF_ERROR(WriteTextFile(path, CostFitsText(fits)));
  PrintNote("wrote " + path);
  return OkStatus();
}

CommandResult RunCalibrate(const Arguments& arguments) {
  if (arguments.write && !(arguments.without.empty() && arguments.priors.empty())) {
    return InvalidError("--write: stores fits to all rows; leave --without and --prior away");
  }
  DLPU_TRY(std::vector<Target> targets, ChooseTargets(arguments.targets));
  if (!arguments.priors.empty() && targets.size() != 1) {
    return InvalidError("--prior: name the one target whose prior is changed");
  }
  for (const std::string& prior : arguments.priors) {
    DLPU_RETURN_IF_ERROR(ChangePrior(prior, &*targets[0].cost));
  }
  DLPU_TRY(const CalibrationData data, LoadCalibrationData());
  std::string text;
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"calibrations", nlohmann::ordered_json::array()}};
  for (const Target& target : targets) {
    DLPU_TRY(const std::vector<Calibration> calibrations,
             Calibrate(target, data, arguments.without));
    for (const Calibration& c : calibrations) {
      text += CalibrationText(c, *target.cost);
      json["calibrations"].push_back(CalibrationJson(c));
      json["calibrations"].back()["discrepancy"] = target.cost->discrepancy;
      json["calibrations"].back()["priors"] = PriorsJson(*target.cost);
    }
    text += PriorsText(*target.cost) + "\n";
    if (arguments.write) DLPU_RETURN_IF_ERROR(WriteFits(target, calibrations));
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddCalibrateCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "calibrate", "Fit the cost models to measured times and show the errors",
                  [arguments] { return RunCalibrate(*arguments); });
  command.Option("--target", "T[,T..]|all", &arguments->targets, "Targets (default: all)",
                 AreTargets);
  command.Option("--without", "TEXT", &arguments->without,
                 "Predict instead of fit the rows whose product or model contains it");
  command.Option("--prior", "NAME=CENTRE[:FACTOR]", &arguments->priors,
                 "Try another prior of the one target (discrepancy=0.03: of all residuals)");
  command.Flag("--write", &arguments->write, "Store the fits in data/cost");
  command.Json(&arguments->json);
}

}  // namespace dlpu
