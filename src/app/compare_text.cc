// SPDX-License-Identifier: Apache-2.0
// A comparison as a table and as JSON.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/compare.h"
#include "report/table.h"

namespace dlpu {
namespace {

nlohmann::ordered_json Number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

std::string ShareText(double share) {
  if (share == 0) return "0";
  return share < 0.001 ? fmt::format("{:.1g} %", 100 * share)
                       : fmt::format("{:.1f} %", 100 * share);
}

// The place in a path or a list of joined names that tells layers apart is most often the end.
std::string ShortName(const std::string& name) {
  constexpr size_t kMost = 44;
  return name.size() <= kMost ? name : "..." + name.substr(name.size() - kMost + 3);
}

}  // namespace

std::string DecibelText(const ErrorStats& stats) {
  const double db = stats.sqnr_db();
  if (std::isinf(db)) return db > 0 ? "equal" : "-inf";
  return fmt::format("{:.1f}", db);
}

nlohmann::ordered_json ErrorJson(const ErrorStats& stats) {
  return {{"sqnr_db", Number(stats.sqnr_db())},
          {"equal", stats.equal()},
          {"cosine", stats.cosine()},
          {"max_abs", stats.worst},
          {"differing", stats.differing()},
          {"max_codes", stats.worst_code},
          {"values", stats.values},
          {"not_finite", stats.not_finite}};
}

std::string CompareText(const CompareReport& report, int most_layers) {
  std::string text = fmt::format("reference  {}\nother      {}\ninputs     {}{}\n",
                                 report.reference, report.other, report.samples.size(),
                                 report.samples.size() == 1 ? ": " + report.samples[0] : "");
  if (!report.layers.empty()) {
    Table table({"layer", "op", ">isolated dB", ">cosine", ">max abs", ">codes differ",
                 ">accumulated dB", "why"});
    int left = most_layers;
    for (const ComparedLayer& row : report.layers) {
      if (left-- == 0) break;
      const ErrorStats& shown = row.isolated.has_value() ? *row.isolated : row.accumulated;
      table.AddRow({(row.bad ? "! " : "  ") + ShortName(row.name), row.op,
                    row.isolated.has_value() ? DecibelText(*row.isolated) : "-",
                    fmt::format("{:.5f}", shown.cosine()), fmt::format("{:.4g}", shown.worst),
                    ShareText(shown.differing()), DecibelText(row.accumulated), row.reason});
    }
    text += table.Text();
    const auto rest = static_cast<int>(report.layers.size()) - most_layers;
    if (rest > 0) text += fmt::format("  and {} more layers, less bad (--layers)\n", rest);
  }
  Table table({"output", ">dB", ">cosine", ">max abs", ">differ", ">most codes"});
  for (const ComparedOutput& output : report.outputs) {
    table.AddRow({ShortName(output.name), DecibelText(output.stats),
                  fmt::format("{:.5f}", output.stats.cosine()),
                  fmt::format("{:.4g}", output.stats.worst), ShareText(output.stats.differing()),
                  output.stats.worst_code == 0 && output.stats.differing() > 0
                      ? "-"
                      : std::to_string(output.stats.worst_code)});
  }
  text += table.Text();
  for (const ComparedLayer& row : report.layers) {
    if (!row.bad) continue;
    text += fmt::format("bad layer  {} {}: {} dB alone{}\n", row.op, row.name,
                        DecibelText(*row.isolated), row.reason.empty() ? "" : "; " + row.reason);
  }
  if (report.unmatched > 0) {
    text += fmt::format("{} layers have no counterpart and count with the next one that has\n",
                        report.unmatched);
  }
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

nlohmann::ordered_json CompareJson(const CompareReport& report) {
  nlohmann::ordered_json json = {{"reference", report.reference},
                                 {"other", report.other},
                                 {"samples", report.samples},
                                 {"layers", nlohmann::ordered_json::array()},
                                 {"outputs", nlohmann::ordered_json::array()},
                                 {"unmatched", report.unmatched},
                                 {"notes", report.notes}};
  for (const ComparedLayer& row : report.layers) {
    json["layers"].push_back(
        {{"name", row.name},
         {"op", row.op},
         {"reference", row.reference},
         {"matched_by", row.by_order ? "weights or order" : "name"},
         {"isolated",
          row.isolated.has_value() ? ErrorJson(*row.isolated) : nlohmann::ordered_json(nullptr)},
         {"accumulated", ErrorJson(row.accumulated)},
         {"reason", row.reason},
         {"bad", row.bad}});
  }
  for (const ComparedOutput& output : report.outputs) {
    nlohmann::ordered_json row = {{"name", output.name}, {"reference", output.reference}};
    row.update(ErrorJson(output.stats));
    json["outputs"].push_back(std::move(row));
  }
  return json;
}

}  // namespace dlpu
