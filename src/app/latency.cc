// SPDX-License-Identifier: Apache-2.0
// Reading measured times and choosing among them.
#include "app/latency.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/toml.h"

namespace dlpu {
namespace {

FitRow ReadFitRow(const TomlTable& t, const std::string& latency_target) {
  FitRow row;
  row.group = t.Str("group");
  row.arch = t.Str("arch");
  row.speed_class = t.Str("class");
  row.target = t.Str("target", latency_target);
  row.product = t.Str("product");
  row.model = t.Str("model");
  row.quantization = t.Str("quantization", "");
  row.input = t.Str("input", "");
  row.at = t.Str("at", "");
  row.any_os = t.Bool("any_os", false);
  row.least = t.Word("take", {"median", "least"}, "median") == "least";
  row.end_to_end = t.Bool("end_to_end", false);
  if (t.Has("sigma")) row.sigma = t.Num("sigma");
  if (row.sigma.has_value() && !(*row.sigma > 0)) t.Fail("sigma", "'sigma' must be positive");
  row.why = t.Str("why", "");
  return row;
}

bool Matches(const FitRow& row, const CostEra& era, const LatencyRow& l) {
  if (l.target != row.target || l.product != row.product || l.model != row.model) return false;
  if (!l.quantization.starts_with(row.quantization)) return false;
  if (!row.input.empty() && l.input != row.input) return false;
  if (row.any_os) return true;
  if (!row.at.empty()) return l.when.starts_with(row.at);
  if (!l.when.starts_with("AXIS OS ")) return false;
  const Result<OsVersion> os = ParseOs(l.when);
  return os.ok() && *os >= era.from && (era.to == OsVersion() || *os <= era.to);
}

}  // namespace

std::vector<std::string> SplitCsvLine(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

Result<std::vector<LatencyRow>> ParseLatency(const std::string& text, const std::string& name) {
  std::vector<LatencyRow> rows;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);  // the header
  for (int number = 2; std::getline(lines, line); ++number) {
    if (line.empty() || line == "\r") continue;
    std::vector<std::string> cells = SplitCsvLine(line);
    const double ms = cells.size() == 10 ? std::atof(cells[6].c_str()) : 0;
    if (!(ms > 0)) {
      return InvalidError(fmt::format(
          "{}:{}: is no row of ten cells with a positive time in the seventh", name, number));
    }
    rows.push_back({std::move(cells[0]), std::move(cells[1]), std::move(cells[2]),
                    std::move(cells[3]), std::move(cells[4]), std::move(cells[5]), ms,
                    std::move(cells[7]), std::move(cells[8]), std::move(cells[9])});
  }
  if (rows.empty()) return InvalidError(name + ": holds no row");
  return rows;
}

Result<std::vector<FitTable>> ParseFitTables(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  std::vector<FitTable> tables;
  for (const TomlTable& t : file.Root().Tables("target")) {
    FitTable table;
    table.target = t.Str("name");
    const std::string latency_target = t.Str("latency_target");
    for (const TomlTable& row : t.Tables("rows")) {
      table.rows.push_back(ReadFitRow(row, latency_target));
    }
    tables.push_back(std::move(table));
  }
  DLPU_RETURN_IF_ERROR(file.Finish());
  return tables;
}

std::optional<MeasuredTime> TimeOf(const FitRow& row, const CostEra& era,
                                   const std::vector<LatencyRow>& latency) {
  std::vector<double> times;
  std::vector<std::string> sources;
  std::string first, last;
  for (const LatencyRow& l : latency) {
    if (!Matches(row, era, l)) continue;
    times.push_back(l.ms);
    if (first.empty()) first = l.when;
    last = l.when;
    const std::string source = l.source.substr(0, l.source.find(" @"));
    if (std::ranges::find(sources, source) == sources.end()) sources.push_back(source);
  }
  if (times.empty()) return std::nullopt;
  std::ranges::sort(times);
  const size_t half = times.size() / 2;
  const double median = times.size() % 2 == 1 ? times[half] : (times[half - 1] + times[half]) / 2;
  return MeasuredTime{row.least ? times.front() : median, static_cast<int>(times.size()),
                      first == last ? first : first + " to " + last,
                      fmt::format("{}", fmt::join(sources, "; "))};
}

}  // namespace dlpu
