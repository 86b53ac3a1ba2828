// SPDX-License-Identifier: Apache-2.0
// Factors of products from their users' measurements.
#include "app/user_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "app/latency.h"
#include "base/file.h"
#include "base/toml.h"
#include "target/cost/fit.h"

namespace dlpu {
namespace {

constexpr double kPriorSigma = 1.1;    // of the factor's logarithm: anything from 1/6 to 6
constexpr double kSampleSigma = 0.05;  // of ln(measured / model) once the network is known

std::string TomlQuoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

// Cells as people type them: blanks around them do not count.
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells = SplitCsvLine(line);
  for (std::string& cell : cells) {
    const size_t first = cell.find_first_not_of(" \t");
    if (first == std::string::npos) {
      cell.clear();
    } else {
      cell = cell.substr(first, cell.find_last_not_of(" \t") - first + 1);
    }
  }
  return cells;
}

// The number a cell holds and nothing else; 0 when it holds none.
double NumberIn(const std::string& cell) {
  char* end = nullptr;
  const double value = std::strtod(cell.c_str(), &end);
  return end != cell.c_str() && *end == '\0' && std::isfinite(value) ? value : 0;
}

Result<std::vector<UserTime>> ParseCsv(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // as spreadsheets write it
  std::map<std::string, size_t> columns;
  for (const std::string& cell : Cells(line)) columns.emplace(cell, columns.size());
  if (!columns.contains("model") || !columns.contains("ms")) {
    return InvalidError(name + ": the first line must name the columns product, model, ms");
  }
  std::vector<UserTime> times;
  for (int number = 2; std::getline(lines, line); ++number) {
    if (line.empty() || line == "\r") continue;
    const std::vector<std::string> cells = Cells(line);
    const auto cell = [&](const char* column) {
      const auto at = columns.find(column);
      return at == columns.end() || at->second >= cells.size() ? "" : cells[at->second];
    };
    times.push_back({cell("product"), cell("model"), cell("os"), NumberIn(cell("ms"))});
    if (times.back().model.empty()) {
      return InvalidError(fmt::format("{}:{}: names no model", name, number));
    }
    if (!(times.back().ms > 0)) {
      return InvalidError(fmt::format("{}:{}: '{}' is no positive number of milliseconds", name,
                                      number, cell("ms")));
    }
  }
  return times;
}

Result<std::vector<UserTime>> ParseToml(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  std::vector<UserTime> times;
  for (const TomlTable& t : file.Root().Tables("measurement")) {
    times.push_back({t.Str("product", ""), t.Str("model"), t.Str("os", ""), t.Num("ms")});
    if (!(times.back().ms > 0)) t.Fail("ms", "'ms' must be positive");
  }
  DLPU_RETURN_IF_ERROR(file.Finish());
  return times;
}

}  // namespace

Result<std::vector<UserTime>> ParseUserTimes(const std::string& text, const std::string& name,
                                             const std::string& default_product) {
  const bool toml = text.find("[[measurement]]") != std::string::npos;
  DLPU_TRY(std::vector<UserTime> times, toml ? ParseToml(text, name) : ParseCsv(text, name));
  if (times.empty()) return InvalidError(name + ": holds no measurement");
  for (UserTime& time : times) {
    if (time.product.empty()) time.product = default_product;
    if (time.product.empty()) {
      return InvalidError(name + ": a measurement names no product; name one or use --product");
    }
  }
  return times;
}

Result<UserFactor> FitUserFactor(const Target& target, const std::vector<UserSample>& samples) {
  if (samples.empty()) return InvalidError("no measurement to fit a factor to");
  FitProblem problem;
  problem.prior_centre = {0};
  problem.prior_sigma = {kPriorSigma};
  std::vector<double> scaled, fixed;
  std::string says;
  for (const UserSample& sample : samples) {
    PredictOptions options;
    options.os = sample.time.os;
    options.user = UserFactor{};
    DLPU_TRY(const Prediction p, PredictWorkload(sample.workload, target, options));
    const bool all = target.cost->cpu_only;
    scaled.push_back(all ? p.total_ms : p.dlpu_ms);
    fixed.push_back(all ? 0 : p.cpu_ms);
    if (sample.time.ms <= fixed.back()) {
      return InvalidError(fmt::format(
          "{} in {:.4g} ms: less than its CPU part alone is predicted to take ({:.4g} ms)",
          sample.time.model, sample.time.ms, fixed.back()));
    }
    problem.measured.push_back(sample.time.ms);
    problem.sigma.push_back(p.measured.has_value() ? kSampleSigma : target.cost->discrepancy);
    says +=
        fmt::format("{}{} {:.4g} ms", says.empty() ? "" : ", ", sample.time.model, sample.time.ms);
  }
  problem.predict = [&](const std::vector<double>& at) {
    std::vector<double> logs;
    for (size_t i = 0; i < scaled.size(); ++i) {
      logs.push_back(std::log(std::exp(at[0]) * scaled[i] + fixed[i]));
    }
    return logs;
  };
  DLPU_TRY(const FitResult fit, Fit(problem));
  return UserFactor{std::exp(fit.log_values[0]), std::exp(std::sqrt(fit.covariance.at(0, 0))),
                    fmt::format("the product's own factor, from your measurement{}: {}",
                                samples.size() == 1 ? "" : "s", says)};
}

Result<std::string> UserFactorsPath() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && data[0] == '/') return std::string(data) + "/dlpu/calibration.toml";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') {
    return std::string(home) + "/.local/share/dlpu/calibration.toml";
  }
  return NotFoundError("no folder to keep measurements in: set XDG_DATA_HOME or HOME");
}

Result<std::vector<StoredFactor>> ParseUserFactors(const std::string& text,
                                                   const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  std::vector<StoredFactor> factors;
  for (const TomlTable& t : file.Root().Tables("product")) {
    factors.push_back(
        {t.Str("name"), t.Str("target"), {t.Num("value"), t.Num("factor"), t.Str("says")}});
    const UserFactor& f = factors.back().factor;
    if (!(f.value > 0) || !(f.factor >= 1)) t.Fail("value", "'value' > 0 and 'factor' >= 1");
  }
  DLPU_RETURN_IF_ERROR(file.Finish());
  return factors;
}

Result<std::optional<UserFactor>> LoadUserFactor(const std::string& product,
                                                 const std::string& target) {
  std::optional<UserFactor> found;
  const Result<std::string> path = UserFactorsPath();
  std::error_code error;
  if (!path.ok() || !std::filesystem::exists(*path, error)) return found;
  DLPU_TRY(const std::string text, ReadTextFile(*path));
  DLPU_TRY(const std::vector<StoredFactor> factors, ParseUserFactors(text, *path));
  for (const StoredFactor& f : factors) {
    if (f.product == product && f.target == target) found = f.factor;
  }
  return found;
}

Result<std::string> SaveUserFactor(const StoredFactor& factor) {
  DLPU_TRY(const std::string path, UserFactorsPath());
  std::vector<StoredFactor> factors;
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    DLPU_TRY(const std::string text, ReadTextFile(path));
    DLPU_TRY(factors, ParseUserFactors(text, path));
  }
  std::erase_if(factors, [&](const StoredFactor& f) {
    return f.product == factor.product && f.target == factor.target;
  });
  factors.push_back(factor);
  std::ranges::sort(factors, {}, [](const StoredFactor& f) { return f.product + "\n" + f.target; });
  std::string text =
      "# Your own measurements, made into factors by `dlpu predict --calibrate`. They are not\n"
      "# published times. Delete an entry, or this file, to predict without them.\n";
  for (const StoredFactor& f : factors) {
    text += fmt::format(
        "\n[[product]]\nname = {}\ntarget = {}\nvalue = {:#.6g}\nfactor = {:#.6g}\nsays = {}\n",
        TomlQuoted(f.product), TomlQuoted(f.target), f.factor.value, f.factor.factor,
        TomlQuoted(f.factor.says));
  }
  DLPU_RETURN_IF_ERROR(MakeDirectory(path.substr(0, path.find_last_of('/'))));
  DLPU_RETURN_IF_ERROR(WriteTextFile(path, text));
  return path;
}

}  // namespace dlpu
