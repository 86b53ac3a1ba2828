// SPDX-License-Identifier: Apache-2.0
// Fitted cost models as files: data/cost/<target>.toml.
#include <fmt/format.h>

#include "base/toml.h"
#include "target/cost/model.h"

namespace dlpu {
namespace {

// Six significant digits: enough to predict with, and the same on every machine.
std::string Number(double value) { return fmt::format("{:.6g}", value); }

// TOML wants a decimal point or exponent in a float.
std::string Float(double value) {
  std::string text = Number(value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string List(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ", ") + Float(value);
  return text;
}

CostFit ReadFit(const TomlTable& t) {
  CostFit fit;
  fit.name = t.Str("name");
  fit.names = t.Strs("parameters");
  fit.log_values = t.Nums("log_values");
  for (const TomlTable& row : t.Tables("covariance")) {
    const std::vector<double> values = row.Nums("row");
    fit.covariance.insert(fit.covariance.end(), values.begin(), values.end());
  }
  const size_t n = fit.names.size();
  if (fit.log_values.size() != n || fit.covariance.size() != n * n) {
    t.Fail("log_values", "'parameters', 'log_values' and 'covariance' do not fit each other");
    fit.names.clear();
  }
  fit.rows = static_cast<int>(t.Int("rows", 0, 100000));
  fit.models = static_cast<int>(t.Int("models", 0, 100000));
  fit.covered = static_cast<int>(t.Int("covered", 0, 100000));
  fit.in_sample = t.Num("in_sample");
  fit.leave_one_out = t.Num("leave_one_out");
  fit.worst = t.Num("worst");
  const TomlTable ranges = t.Table("ranges");
  for (const std::string& key : ranges.Keys()) {
    const std::vector<double> pair = ranges.Nums(key);
    if (pair.size() == 2) fit.ranges[key] = {pair[0], pair[1]};
    if (pair.size() != 2) ranges.Fail(key, "a range is [smallest, largest]");
  }
  constexpr int64_t kMost = int64_t{1} << 52;
  for (const TomlTable& k : t.Tables("known")) {
    fit.known.push_back({k.Str("model"), k.Str("product"), k.Str("class"), k.Num("ms"),
                         static_cast<int>(k.Int("times", 1, 100000)), k.Str("when"),
                         k.Str("source"), k.Str("layers"), k.Int("macs", 0, kMost),
                         k.Int("weights", 0, kMost), k.Int("input_bytes", 0, kMost),
                         k.Int("output_bytes", 0, kMost), k.Int("scores", 0, kMost)});
  }
  return fit;
}

}  // namespace

Status ReadCostFits(const std::string& text, const std::string& name, CostModel* model) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  std::vector<CostFit> fits;
  for (const TomlTable& t : file.Root().Tables("fit")) fits.push_back(ReadFit(t));
  DLPU_RETURN_IF_ERROR(file.Finish());
  model->fits = std::move(fits);
  return OkStatus();
}

std::string CostFitsText(const std::vector<CostFit>& fits) {
  std::string text =
      "# Fitted by `dlpu calibrate --write` from data/latency.csv; do not edit by hand. "
      "Logarithms\n"
      "# of the parameters that data/targets gives priors for, and their covariance.\n";
  for (const CostFit& fit : fits) {
    const size_t n = fit.names.size();
    text += fmt::format("\n[[fit]]\nname = \"{}\"\nparameters = [", fit.name);
    for (size_t i = 0; i < n; ++i) text += fmt::format("{}\"{}\"", i ? ", " : "", fit.names[i]);
    text += fmt::format("]\nlog_values = [{}]\ncovariance = [\n", List(fit.log_values));
    for (size_t i = 0; i < n; ++i) {
      const auto row = fit.covariance.begin() + static_cast<std::ptrdiff_t>(i * n);
      text +=
          fmt::format("  {{ row = [{}] }},\n", List({row, row + static_cast<std::ptrdiff_t>(n)}));
    }
    text +=
        fmt::format("]\nrows = {}\nmodels = {}\ncovered = {}\n", fit.rows, fit.models, fit.covered);
    text += fmt::format("in_sample = {}\nleave_one_out = {}\nworst = {}\n", Float(fit.in_sample),
                        Float(fit.leave_one_out), Float(fit.worst));
    text += "ranges = {";
    bool first = true;
    for (const auto& [key, range] : fit.ranges) {
      text +=
          fmt::format("{} {} = [{}, {}]", first ? "" : ",", key, Float(range[0]), Float(range[1]));
      first = false;
    }
    text += " }\nknown = [\n";
    for (const KnownTime& k : fit.known) {
      text += fmt::format(
          "  {{ model = \"{}\", product = \"{}\", class = \"{}\", ms = {}, times = {}, when = "
          "\"{}\", "
          "source = \"{}\", layers = \"{}\", macs = {}, weights = {}, input_bytes = {}, "
          "output_bytes = {}, scores = {} }},\n",
          k.model, k.product, k.speed_class, Float(k.measured_ms), k.measurements, k.when, k.source,
          k.layers, k.macs, k.weights, k.input_bytes, k.output_bytes, k.scores);
    }
    text += "]\n";
  }
  return text;
}

}  // namespace dlpu
