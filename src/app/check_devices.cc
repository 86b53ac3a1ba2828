// SPDX-License-Identifier: Apache-2.0
// The camera's devices and one file.
#include <fmt/format.h>

#include <algorithm>

#include "app/check_parts.h"

namespace dlpu {
namespace {

class DeviceJudge {
 public:
  DeviceJudge(const CheckSubject& subject, const CheckReport& report)
      : s_(subject), report_(report) {}

  std::vector<CheckDevice> Run() {
    for (const TargetDevice& device : s_.target.devices) {
      if (device.runs != "model") continue;
      CheckDevice row = Judged(device);
      if (row.takes && device.name == s_.target.device &&
          report_.verdict == CheckVerdict::kRefused) {
        row.takes = false;
        row.why = "refused: see the findings";
      }
      if (row.takes && report_.verdict == CheckVerdict::kRefused) AskOwnTarget(device, row);
      AddTime(device, row);
      if (!row.takes && device.name == s_.target.device) AddCompiler(row);
      devices_.push_back(std::move(row));
    }
    if (s_.options.product && s_.target.dlpu == "none") AddDevicesOfSoc();
    return std::move(devices_);
  }

 private:
  CheckDevice Judged(const TargetDevice& device) const {
    CheckDevice row = {device.name, device.engine, false, "", std::nullopt};
    row.takes = std::ranges::find(device.takes, s_.facts.file_format) != device.takes.end();
    if (!row.takes) row.why = "takes " + (device.takes.empty() ? "nothing known" : device.takes[0]);
    return row;
  }

  // The prediction for the target's own device; another target's for a device that is its own.
  void AddTime(const TargetDevice& device, CheckDevice& row) const {
    if (!row.takes) return;
    if (device.name == s_.target.device) {
      if (report_.time) row.ms = report_.time->total_ms;
    } else {
      for (const Target& other : s_.options.targets) {
        if (other.device != device.name) continue;
        const auto pricer = Pricer::Make(s_.model, other, s_.PredictionOptions());
        if (pricer) row.ms = pricer->Ms(s_.graph, PartitionGraph(s_.graph, other));
      }
    }
    if (!row.ms) row.why = "time not available";
  }

  // What is refused here may be refused by another target's device for the same reason.
  void AskOwnTarget(const TargetDevice& device, CheckDevice& row) const {
    for (const Target& other : s_.options.targets) {
      if (other.device != device.name || other.name == s_.target.name) continue;
      CheckOptions options;
      options.os = s_.options.os;
      const Result<CheckReport> report = Check(s_.model, other, options);
      if (!report.ok() || report->verdict != CheckVerdict::kRefused) continue;
      row.takes = false;
      row.why = fmt::format("refused: {}", report->findings[0].message);
    }
  }

  // A model in a form that a vendor's compiler makes into what the device loads.
  void AddCompiler(CheckDevice& row) const {
    const auto& formats = s_.target.formats;
    if (!s_.target.compiler || report_.verdict == CheckVerdict::kRefused) return;
    if (std::ranges::find(formats, s_.facts.file_format) == formats.end()) return;
    row.why = fmt::format("only what {} makes of it", s_.target.compiler->name);
    if (report_.time) row.ms = report_.time->total_ms;
  }

  // A product without the DLPU that others of its SoC have: what is left of that SoC's devices.
  void AddDevicesOfSoc() {
    for (const Target& soc : s_.options.targets) {
      if (soc.title != s_.options.product->soc) continue;
      for (const TargetDevice& device : soc.devices) {
        const bool known = std::ranges::any_of(
            devices_, [&](const CheckDevice& d) { return d.device == device.name; });
        if (device.runs != "model" || known) continue;
        CheckDevice row = Judged(device);
        if (device.engine == "dlpu") {
          row.takes = false;
          row.why = fmt::format("{} has no {}", s_.options.product->name, soc.dlpu);
        } else {
          AddTime(device, row);
        }
        devices_.push_back(std::move(row));
      }
    }
  }

  const CheckSubject& s_;
  const CheckReport& report_;
  std::vector<CheckDevice> devices_;
};

}  // namespace

std::vector<CheckDevice> JudgeDevices(const CheckSubject& subject, const CheckReport& report) {
  return DeviceJudge(subject, report).Run();
}

}  // namespace dlpu
