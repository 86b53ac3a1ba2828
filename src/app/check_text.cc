// SPDX-License-Identifier: Apache-2.0
// Printing findings.
#include "app/check_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report/table.h"

namespace dlpu {
namespace {

// Converters give fused layers names of hundreds of characters.
std::string Shortened(const std::string& name) {
  constexpr size_t kMost = 60;
  return name.size() <= kMost ? name : name.substr(0, kMost - 3) + "...";
}

std::string NodesText(const Finding& finding) {
  constexpr size_t kMost = 3;
  std::string text = finding.op;
  for (size_t i = 0; i < std::min(kMost, finding.nodes.size()); ++i) {
    text += fmt::format("{}'{}'",
                        text.empty() ? ""
                        : i == 0     ? " "
                                     : ", ",
                        Shortened(finding.nodes[i]));
  }
  if (finding.nodes.size() > kMost) {
    text += fmt::format(" and {} more", finding.nodes.size() - kMost);
  }
  return text.empty() ? "the model" : text;
}

std::string FindingText(const Finding& finding) {
  std::string text = fmt::format("  {} {}: {}\n    {}\n", SeverityName(finding.severity),
                                 finding.rule, NodesText(finding), finding.message);
  if (!finding.camera_says.empty()) text += "    camera: " + finding.camera_says + "\n";
  if (!finding.fix.empty()) text += "    fix: " + finding.fix + "\n";
  if (finding.cpu_share > 0) {
    const double percent = 100 * finding.cpu_share;
    text += fmt::format("    takes {} of the predicted time\n",
                        percent < 1 ? "less than 1 %" : fmt::format("about {:.0f} %", percent));
  }
  if (!finding.worth.empty()) text += "    worth: " + finding.worth + "\n";
  text += fmt::format("    [{}: {}]\n", finding.confidence, finding.source);
  return text;
}

}  // namespace

std::string CheckSummary(const CheckReport& report) {
  const int ops = report.dlpu_ops + report.cpu_ops + report.unknown_ops;
  std::string text =
      fmt::format("{}: {} of {} ops on the DLPU, {} on the CPU", CheckVerdictName(report.verdict),
                  report.dlpu_ops, ops, report.cpu_ops);
  if (report.unknown_ops > 0) text += fmt::format(", {} not known", report.unknown_ops);
  text += fmt::format(", {} part{}", report.partitions, report.partitions == 1 ? "" : "s");
  if (report.time) {
    text += fmt::format("; {} (90 %: {} to {})", DurationText(report.time->total_ms),
                        DurationText(report.time->low_ms), DurationText(report.time->high_ms));
  }
  return text;
}

std::string CheckText(const CheckReport& report, bool notes) {
  std::string text =
      fmt::format("{} ({}){}{}: {}\n", report.target, report.device,
                  report.product.empty() ? "" : ", " + report.product,
                  report.os.empty() ? "" : ", AXIS OS " + report.os, CheckSummary(report));
  int hidden = 0;
  for (const Finding& finding : report.findings) {
    if (!notes && finding.severity == Severity::kNote) {
      ++hidden;
    } else {
      text += FindingText(finding);
    }
  }
  if (hidden > 0) text += fmt::format("  and {} notes: --notes shows them\n", hidden);
  for (const CheckDevice& device : report.devices) {
    text += fmt::format("  device {}: {}{}{}\n", device.device, device.takes ? "takes it" : "no",
                        device.why.empty() ? "" : ", " + device.why,
                        device.ms ? ", about " + DurationText(*device.ms) : "");
  }
  if (!report.run_error.empty()) text += "  not run: " + report.run_error + "\n";
  constexpr size_t kMostCuts = 20;
  for (size_t i = 0; i < report.cuts.size() && i < kMostCuts; ++i) {
    const CheckCut& cut = report.cuts[i];
    text += fmt::format("  cut: '{}' ({}, {}), made by {} '{}', goes from part {} to part {}\n",
                        Shortened(cut.tensor), cut.type, BytesText(cut.bytes), cut.op,
                        Shortened(cut.node), cut.from_part, cut.to_part);
  }
  if (report.cuts.size() > kMostCuts) {
    text += fmt::format("  and {} more cuts: --json lists them\n", report.cuts.size() - kMostCuts);
  }
  return text;
}

nlohmann::ordered_json FindingJson(const Finding& f) {
  nlohmann::ordered_json json = {{"rule", f.rule},
                                 {"severity", SeverityName(f.severity)},
                                 {"effect", f.effect},
                                 {"op", f.op},
                                 {"nodes", f.nodes},
                                 {"message", f.message},
                                 {"camera_says", f.camera_says},
                                 {"fix", f.fix},
                                 {"gain_ms", nullptr},
                                 {"worth", f.worth},
                                 {"unblocks", f.unblocks},
                                 {"cpu_share", f.cpu_share},
                                 {"source", f.source},
                                 {"confidence", f.confidence}};
  if (f.gain_ms) json["gain_ms"] = *f.gain_ms;
  return json;
}

nlohmann::ordered_json CheckJson(const CheckReport& report) {
  using Json = nlohmann::ordered_json;
  Json json = {{"target", report.target},
               {"device", report.device},
               {"product", nullptr},
               {"os", nullptr},
               {"verdict", CheckVerdictName(report.verdict)},
               {"dlpu_ops", report.dlpu_ops},
               {"cpu_ops", report.cpu_ops},
               {"unknown_ops", report.unknown_ops},
               {"partitions", report.partitions},
               {"dlpu_partitions", report.dlpu_partitions},
               {"predicted_ms", nullptr},
               {"low_ms", nullptr},
               {"high_ms", nullptr},
               {"cpu_share", nullptr},
               {"findings", Json::array()},
               {"cuts", Json::array()},
               {"devices", Json::array()}};
  if (!report.product.empty()) json["product"] = report.product;
  if (!report.os.empty()) json["os"] = report.os;
  if (report.time) {
    json["predicted_ms"] = report.time->total_ms;
    json["low_ms"] = report.time->low_ms;
    json["high_ms"] = report.time->high_ms;
    json["cpu_share"] = report.time->cpu_share;
  }
  if (!report.run_error.empty()) json["run_error"] = report.run_error;
  for (const Finding& finding : report.findings) json["findings"].push_back(FindingJson(finding));
  for (const CheckCut& cut : report.cuts) {
    json["cuts"].push_back({{"tensor", cut.tensor},
                            {"type", cut.type},
                            {"bytes", cut.bytes},
                            {"op", cut.op},
                            {"node", cut.node},
                            {"from_part", cut.from_part},
                            {"to_part", cut.to_part}});
  }
  for (const CheckDevice& device : report.devices) {
    Json row = {{"device", device.device},
                {"engine", device.engine},
                {"takes", device.takes},
                {"why", device.why},
                {"ms", nullptr}};
    if (device.ms) row["ms"] = *device.ms;
    json["devices"].push_back(std::move(row));
  }
  return json;
}

}  // namespace dlpu
