// SPDX-License-Identifier: Apache-2.0
// A check from beginning to end.
#include "app/check.h"

#include <algorithm>

#include "app/check_parts.h"
#include "target/os_version.h"

namespace dlpu {
namespace {

void CountInto(const CheckSubject& s, CheckReport& report) {
  report.dlpu_ops = s.partition.Count(Support::Where::kDlpu);
  report.unknown_ops = s.partition.Count(Support::Where::kUnknown);
  report.cpu_ops = static_cast<int>(s.graph.nodes.size()) - report.dlpu_ops - report.unknown_ops;
  report.partitions = static_cast<int>(s.partition.parts.size());
  report.dlpu_partitions = s.partition.dlpu_parts;
  if (report.Count(Severity::kError) > 0 || !s.partition.refusal.empty()) {
    report.verdict = CheckVerdict::kRefused;
  } else if (report.unknown_ops > 0) {
    report.verdict = CheckVerdict::kUnknown;
  } else if (report.cpu_ops > 0 && s.target.dlpu != "none") {
    report.verdict = CheckVerdict::kRunsWithFallback;
  }
}

void AddCuts(const CheckSubject& s, CheckReport& report) {
  for (const Cut& cut : s.partition.cuts) {
    const Tensor& tensor = s.graph.tensors[cut.tensor];
    report.cuts.push_back({tensor.name, std::string(DataTypeName(tensor.type)),
                           s.graph.nodes[cut.producer].name, s.Op(cut.producer), cut.bytes,
                           cut.from_part, cut.to_part});
  }
}

void AddTime(const CheckSubject& s, CheckReport& report) {
  if (!s.prediction || report.verdict == CheckVerdict::kRefused) return;
  const Prediction& p = *s.prediction;
  report.time =
      CheckTime{p.total_ms, p.low_ms, p.high_ms, p.total_ms > 0 ? p.cpu_ms / p.total_ms : 0};
}

}  // namespace

std::string_view CheckVerdictName(CheckVerdict verdict) {
  constexpr std::string_view kNames[] = {"runs", "runs_with_fallback", "refused", "unknown"};
  return kNames[static_cast<int>(verdict)];
}

int CheckReport::Count(Severity severity) const {
  return static_cast<int>(std::ranges::count(findings, severity, &Finding::severity));
}

Result<CheckReport> Check(const LoadedModel& model, const Target& target,
                          const CheckOptions& options) {
  if (!options.os.empty()) DLPU_RETURN_IF_ERROR(CheckOsVersion(options.os));
  DLPU_TRY(const FirmwareTable firmware, LoadFirmware());
  CheckSubject subject(model, target, options, firmware);
  CheckReport report;
  if (options.run) {
    Result<std::vector<double>> spreads = OutputSpreads(model, options.threads);
    if (!spreads.ok()) report.run_error = spreads.error().message;
    if (spreads.ok()) subject.spreads = *std::move(spreads);
  }
  report.target = target.name;
  report.title = target.title;
  report.device = target.device;
  report.product = options.product ? options.product->name : "";
  report.os = options.os;
  report.findings = GroupFindings(subject, ApplyRules(subject));
  CountInto(subject, report);
  AddCuts(subject, report);
  AddTime(subject, report);
  report.devices = JudgeDevices(subject, report);
  return report;
}

}  // namespace dlpu
