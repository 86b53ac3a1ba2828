// SPDX-License-Identifier: Apache-2.0
// The main job's report for people and for machines.
#include "app/port_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "app/check_text.h"
#include "report/inspect.h"
#include "report/prediction.h"
#include "report/table.h"

namespace dlpu {
namespace {

constexpr const char* kNotAvailable = "n/a";
constexpr size_t kAdvice = 3;  // findings shown for each target without --findings

std::string VerdictText(const PortRow& row) {
  switch (row.verdict) {
    case PortVerdict::kRuns:
      return row.quantized.empty() ? "yes" : "yes, quantized";
    case PortVerdict::kRunsWithFallback:
      return fmt::format("yes, {}{} ops on the CPU", row.quantized.empty() ? "" : "quantized, ",
                         row.check.cpu_ops);
    case PortVerdict::kPrepare:
      return row.quantized.empty() ? "no" : "quantized";
    case PortVerdict::kRefused:
      return "refused";
  }
  return "";
}

// Whether the predicted time is not of this file but of what it must become first.
bool AfterPreparation(const PortRow& row) {
  return row.check.verdict == CheckVerdict::kRefused ||
         (row.verdict == PortVerdict::kPrepare && !row.quantize.empty());
}

// "5.7 ms", with several classes of products "5.7 to 10.2 ms"; '*': once it is prepared.
std::string CameraText(const PortRow& row) {
  if (!row.time.has_value()) return kNotAvailable;
  const Prediction& time = *row.time;
  double least = time.total_ms, most = time.total_ms;
  for (const ClassTime& one : time.classes) {
    least = std::min(least, one.total_ms);
    most = std::max(most, one.total_ms);
  }
  const std::string text = least == most ? DurationText(least) : DurationRangeText(least, most);
  return text + (AfterPreparation(row) ? " *" : "");
}

std::string CpuShare(double cpu_ms, double total_ms) {
  return total_ms > 0 && cpu_ms > 0 ? fmt::format("{:.0f} %", 100 * cpu_ms / total_ms) : "-";
}

void AddTimes(const PortRow& row, Table& table) {
  const Prediction& time = *row.time;
  const std::string confidence(ConfidenceName(time.confidence));
  const std::string share = CpuShare(time.cpu_ms, time.total_ms);
  const std::string mark = AfterPreparation(row) ? " *" : "";
  if (time.classes.empty()) {
    const std::string subject = time.product.empty() ? time.speed_class : time.product;
    table.AddRow({row.target, subject, DurationText(time.total_ms) + mark,
                  DurationRangeText(time.low_ms, time.high_ms), share, time.os, confidence});
  }
  for (const ClassTime& one : time.classes) {
    table.AddRow({row.target, one.speed_class, DurationText(one.total_ms) + mark,
                  DurationRangeText(one.low_ms, one.high_ms), share, time.os, confidence});
  }
}

std::string TimesText(const PortReport& report) {
  Table table({"target", "product or class", ">predicted", "90 % interval", ">on its CPU",
               "AXIS OS", "confidence"});
  std::string notes;
  std::map<std::string, std::string> warnings;  // what is said, and of which targets
  bool prepared = false;
  for (const PortRow& row : report.rows) {
    if (!row.time.has_value()) {
      if (!row.time_error.empty()) notes += fmt::format("  {}: {}\n", row.target, row.time_error);
      continue;
    }
    prepared = prepared || AfterPreparation(row);
    AddTimes(row, table);
    for (const Assumption& warning : row.time->warnings) {
      std::string& targets = warnings[warning.says];
      targets += (targets.empty() ? "" : ", ") + row.target;
    }
  }
  for (const auto& [says, targets] : warnings) notes += fmt::format("  {}: {}\n", targets, says);
  std::string text = "\nTime of one inference on a camera (dlpu predict says more)\n";
  if (table.rows() > 0) text += table.Text();
  if (prepared) text += "  * once the target takes it: the same layers in 8 bits on the DLPU\n";
  return text + notes;
}

// What to change first: what keeps the model from loading, then by what it gains.
std::vector<Finding> FirstAdvice(std::vector<Finding> findings) {
  std::erase_if(findings, [](const Finding& finding) {
    return finding.severity == Severity::kNote || finding.fix.empty();
  });
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    return a.gain_ms.value_or(0) > b.gain_ms.value_or(0);
  });
  if (findings.size() > kAdvice) findings.resize(kAdvice);
  return findings;
}

// What quantizing cost, a block for each scheme.
std::string QuantizedText(const PortReport& report) {
  std::string text;
  for (const auto& [scheme, quantized] : report.quantized) {
    std::string targets;
    for (const PortRow& row : report.rows) {
      if (row.quantized != scheme && row.fixed_point != scheme) continue;
      targets += (targets.empty() ? "" : ", ") + row.target;
    }
    const bool stands_in = quantized.report.settings.scheme == QuantScheme::kPowerOfTwo;
    text += fmt::format("\n{} {}\n{}",
                        stands_in ? "Fixed point in place of the vendor's integers (assumed), for"
                                  : "Quantized for",
                        targets, QuantizeText(quantized.report));
    for (const std::string& warning : quantized.report.warnings) {
      text += "warning: " + warning + "\n";
    }
  }
  return text;
}

std::string AdviceText(const PortReport& report) {
  std::string text;
  for (const PortRow& row : report.rows) {
    for (const Finding& finding : FirstAdvice(row.check.findings)) {
      text += fmt::format("  {}: {}\n", row.target, finding.message);
      text += fmt::format("    fix: {}\n", finding.fix);
      if (!finding.worth.empty()) text += fmt::format("    worth: {}\n", finding.worth);
    }
  }
  return text.empty() ? text : "\nWhat to change\n" + text;
}

nlohmann::ordered_json RowJson(const PortRow& row) {
  using Json = nlohmann::ordered_json;
  Json item = {{"target", row.target},
               {"device", row.device},
               {"takes", row.takes},
               {"verdict", PortVerdictName(row.verdict)},
               {"needs", row.needs},
               {"quantize", row.quantize},
               {"quantized", row.quantized},
               {"fixed_point", row.fixed_point},
               {"dlpu_ops", row.check.dlpu_ops},
               {"cpu_ops", row.check.cpu_ops},
               {"unknown_ops", row.check.unknown_ops},
               {"partitions", row.check.partitions},
               {"camera_ms", nullptr},
               {"low_ms", nullptr},
               {"high_ms", nullptr},
               {"time_error", row.time_error},
               {"prediction", nullptr},
               {"findings", Json::array()}};
  if (row.time.has_value()) {
    item["camera_ms"] = row.time->total_ms;
    item["low_ms"] = row.time->low_ms;
    item["high_ms"] = row.time->high_ms;
    item["prediction"] = PredictionJson(*row.time);
  }
  for (const Finding& finding : row.check.findings) {
    item["findings"].push_back(FindingJson(finding));
  }
  return item;
}

}  // namespace

std::string PortText(const PortReport& report, const LoadedModel& model, bool findings) {
  std::string text =
      fmt::format("{}: {}, {} ops\n\n", model.path, report.quantization, model.graph.nodes.size());
  Table table({"target", "takes", "as it is", "needs", "found", ">this PC", ">camera"});
  for (const PortRow& row : report.rows) {
    const bool shown = TakenAsItIs(row) && row.quantized.empty() && report.run.has_value();
    table.AddRow({row.target, row.takes, VerdictText(row), row.needs.empty() ? "-" : row.needs,
                  shown && report.run->is_picture ? report.run->summary : kNotAvailable,
                  shown ? DurationText(report.run->median_ms) : kNotAvailable, CameraText(row)});
  }
  text += table.Text();
  if (report.run.has_value()) {
    text += fmt::format("\nrun here as it is ({} thread{}, {}): {}\n", report.run->threads,
                        report.run->threads == 1 ? "" : "s", report.run->input,
                        DurationText(report.run->median_ms));
    for (const std::string& line : report.run->lines) text += "  " + line + "\n";
  } else {
    text += "\nnot run here: " + report.run_error + "\n";
  }
  text += QuantizedText(report);
  text += TimesText(report);
  if (!findings) text += AdviceText(report);
  for (const PortRow& row : report.rows) {
    if (findings) text += "\n" + CheckText(row.check, true);
  }
  text +=
      "\nn/a: not available: what the camera computes is known only for a file that it takes.\n";
  if (!findings) text += "--findings lists every finding with its source.\n";
  return text;
}

nlohmann::ordered_json PortJson(const PortReport& report, const LoadedModel& model) {
  using Json = nlohmann::ordered_json;
  Json json = {{"schema_version", kJsonSchemaVersion},
               {"model", model.path},
               {"sha256", model.sha256},
               {"quantization", report.quantization},
               {"targets", Json::array()}};
  for (const PortRow& row : report.rows) json["targets"].push_back(RowJson(row));
  json["quantized"] = Json::object();
  for (const auto& [scheme, quantized] : report.quantized) {
    json["quantized"][scheme] = QuantizeJson(quantized.report);
    json["quantized"][scheme]["sha256"] = quantized.model.sha256;
  }
  if (!report.run.has_value()) {
    json["run"] = nullptr;
    json["run_error"] = report.run_error;
    return json;
  }
  json["run"] = {{"median_ms", report.run->median_ms},
                 {"threads", report.run->threads},
                 {"input", report.run->input},
                 {"found", report.run->lines},
                 {"output_sha256", report.run->output_sha256}};
  return json;
}

}  // namespace dlpu
