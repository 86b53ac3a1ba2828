// SPDX-License-Identifier: Apache-2.0
// Applying a target's rules to a model.
#include "app/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "app/check_file.h"
#include "app/check_price.h"
#include "formats/tflite.h"
#include "target/firmware.h"
#include "target/model_values.h"
#include "target/node_values.h"
#include "target/os_version.h"

namespace dlpu {
namespace {

// A finding before equal ones are put together.
struct RawFinding {
  const Condition* rule;
  Severity severity;
  int node = -1;  // index; -1: the model
  std::vector<std::string> names;
  std::string op, says, found, camera_says, fix;
  int unblocks = 0;
  std::vector<int> nodes;  // indices
};

class Checker {
 public:
  Checker(const LoadedModel& model, const Target& target, const CheckOptions& options,
          const FirmwareTable& firmware)
      : model_(model),
        graph_(model.graph),
        target_(target),
        options_(options),
        firmware_(firmware),
        partition_(PartitionGraph(model.graph, target)),
        facts_(FactsOf(model.graph, partition_)) {
    facts_.file_format = model.format;
    Price();
    if (!options.os.empty()) known_ = firmware.Find(options.os);
  }

  void SetSpreads(std::vector<double> spreads) { spreads_ = std::move(spreads); }

  CheckReport Run() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) CheckNode(static_cast<int>(i));
    for (const Condition& rule : target_.rules) CheckRule(rule);
    AddBlockers();
    CheckReport report;
    report.target = target_.name;
    report.title = target_.title;
    report.device = target_.device;
    report.product = options_.product ? options_.product->name : "";
    report.os = options_.os;
    report.findings = Grouped(Shown());
    CountInto(report);
    AddCuts(report);
    if (prediction_ && report.verdict != CheckVerdict::kRefused) {
      const Prediction& p = *prediction_;
      report.time =
          CheckTime{p.total_ms, p.low_ms, p.high_ms, p.total_ms > 0 ? p.cpu_ms / p.total_ms : 0};
    }
    AddDevices(report);
    return report;
  }

 private:
  void Price() {
    pricer_ = Pricer::Make(model_, target_, PredictionOptions());
    if (!pricer_) return;
    prediction_ = pricer_->At(graph_, partition_);
    if (target_.partition.order != "prefix") return;
    several_ = PartitionGraph(graph_, target_, {.several_parts = true});
  }

  PredictOptions PredictionOptions() const {
    PredictOptions options;
    options.product = options_.product;
    options.os = options_.os;
    return options;
  }

  // `lookup`, and behind it what only the model, the product and the firmware know.
  ValueLookup WithContext(ValueLookup lookup) const {
    return [this, lookup = std::move(lookup)](std::string_view name) {
      std::optional<Value> value = lookup(name);
      return value ? value : Context(name, lookup);
    };
  }

  std::optional<Value> Context(std::string_view name, const ValueLookup& lookup) const {
    if (name == "ram_bytes" && options_.product && options_.product->ram_mb) {
      return Value(*options_.product->ram_mb * 1048576.0);
    }
    if (name == "firmware_runtime" && known_ && known_->edgetpu_runtime) {
      return Value(static_cast<double>(*known_->edgetpu_runtime));
    }
    const std::optional<Value> own = FileValue(name);
    if (own) return own;
    if (const std::optional<double> time = TimeValue(name)) {
      return Value(std::round(*time * 100) / 100);
    }
    if (name == "known_version" && known_ && !known_->tflite.empty()) {
      const std::optional<Value> op = lookup("op");
      if (!op) return std::nullopt;
      const std::optional<int> newest =
          firmware_.NewestVersion(std::get<std::string>(*op), known_->tflite);
      if (newest) return Value(static_cast<double>(*newest));
    }
    return std::nullopt;
  }

  std::optional<Value> FileValue(std::string_view name) const {
    const std::string& format = facts_.file_format;
    if (name == "device") return Value(target_.device);
    if (name == "file_kind") return Value(FormatText(format));
    if (name == "taking_devices") return Value(DevicesTakingFormat(format));
    if (name == "device_takes") return Value(Takes(format) ? 1.0 : 0.0);
    if (name == "min_runtime") {
      const std::optional<int> version = MinRuntimeOf(model_);
      if (version) return Value(static_cast<double>(*version));
    }
    return std::nullopt;
  }

  // Whether the target's device loads a format, or a user brings it to be made into one it loads.
  bool Takes(const std::string& format) const {
    if (std::ranges::find(target_.formats, format) != target_.formats.end()) return true;
    return std::ranges::any_of(target_.devices, [&](const TargetDevice& device) {
      return device.name == target_.device &&
             std::ranges::find(device.takes, format) != device.takes.end();
    });
  }

  std::optional<double> TimeValue(std::string_view name) const {
    if (!prediction_) return std::nullopt;
    if (name == "predicted_ms") return prediction_->total_ms;
    if (name == "cpu_only_ms") return pricer_->OnCpuMs();
    if (!several_) return std::nullopt;
    if (name == "several_parts") return several_->dlpu_parts;
    if (name == "several_parts_ms") return pricer_->Ms(graph_, *several_);
    return std::nullopt;
  }

  ValueLookup OfNode(int i) const {
    ValueLookup values = NodeValues(graph_, graph_.nodes[i]);
    const int blocker = partition_.nodes[i].blocker;
    return WithContext([this, blocker, values](std::string_view name) -> std::optional<Value> {
      if (name == "blocked_by" && blocker >= 0) return Value(graph_.nodes[blocker].name);
      return values(name);
    });
  }

  // Whether a rule holds for the AXIS OS version asked about; without one only rules that hold for
  // the newest version count as certain.
  enum class OsMatch { kNo, kMaybe, kYes };
  OsMatch MatchOs(const Condition& rule) const {
    if (rule.os_from.empty() && rule.os_to.empty()) return OsMatch::kYes;
    if (options_.os.empty()) return OsMatch::kMaybe;
    return OsVersionWithin(options_.os, rule.os_from, rule.os_to) ? OsMatch::kYes : OsMatch::kNo;
  }

  RawFinding Make(const Condition& rule, const ValueLookup& lookup, int node) const {
    RawFinding raw;
    raw.rule = &rule;
    raw.severity = MatchOs(rule) == OsMatch::kYes ? rule.severity : Severity::kNote;
    raw.node = node;
    raw.says = Filled(rule, rule.says, lookup);
    raw.camera_says = Filled(rule, rule.error, lookup);
    raw.fix = Filled(rule, rule.fix, lookup);
    // What the sentence says itself need not be said again.
    const std::optional<Value> value = rule.test ? lookup(rule.test->value) : std::nullopt;
    const auto* word = value ? std::get_if<std::string>(&*value) : nullptr;
    const bool said = rule.says.find('{') != std::string::npos ||
                      (rule.test && rule.test->value == "op") ||
                      (word && rule.says.find(*word) != std::string::npos);
    if (!said) raw.found = Found(rule, lookup);
    if (node >= 0) {
      raw.nodes = {node};
      raw.op = NodeOpName(graph_.nodes[node]);
      raw.names = {graph_.nodes[node].name};
      const bool falls_back =
          rule.effect == Effect::kCpu && partition_.nodes[node].where == Support::Where::kCpu;
      if (raw.camera_says.empty() && falls_back) raw.camera_says = FallbackLog(raw.op);
    }
    return raw;
  }

  // The camera's log line about an op on the CPU, with the number that it gives the op.
  std::string FallbackLog(const std::string& op) const {
    std::string text = target_.partition.fallback_log;
    const std::string_view place = "{op}";
    const size_t at = text.find(place);
    if (at == std::string::npos) return text;
    const int code = TfliteOpCode(op);
    text.replace(at, place.size(), std::to_string(code));
    return fmt::format("{} ({} is {})", text, code,
                       code == kTfliteCustomOpCode ? "CUSTOM, here " + op : op);
  }

  void Add(const Condition& rule, const ValueLookup& lookup, int node) {
    if (MatchOs(rule) != OsMatch::kNo) raw_.push_back(Make(rule, lookup, node));
  }

  // The conditions of the node's op and the rules about nodes meant for the DLPU.
  void CheckNode(int i) {
    const NodePlace& place = partition_.nodes[i];
    const ValueLookup values = OfNode(i);
    for (const Support::Finding& finding : place.support.findings) {
      const Condition& rule = *finding.condition;
      if (finding.verdict == Verdict::kUnknown && rule.test) {
        AddUnknown(rule, i);
      } else {
        Add(rule, values, i);
      }
    }
    const bool listed = target_.coverage != "listed" || FindOp(target_, Op(i)) != nullptr;
    for (const Condition& rule : target_.rules) {
      const bool about = rule.about == About::kLayer ||
                         (rule.about == About::kUnlisted && !listed) ||
                         (rule.about == About::kBehind && place.blocker >= 0);
      if (about) Judge(rule, values, i);
    }
  }

  std::string Op(int i) const { return NodeOpName(graph_.nodes[i]); }

  // A condition of an op whose value the file does not tell.
  void AddUnknown(const Condition& rule, int node) {
    RawFinding raw = Make(rule, OfNode(node), node);
    raw.severity = Severity::kNote;
    raw.found = rule.test->value + " is not known";
    raw.camera_says.clear();
    raw_.push_back(std::move(raw));
  }

  void Judge(const Condition& rule, const ValueLookup& lookup, int node) {
    const Verdict verdict = dlpu::Check(rule, lookup);
    // A rule without a test is about what is there; what is not known is not held against it.
    if (verdict == Verdict::kHolds || (verdict == Verdict::kUnknown && rule.test)) return;
    if (verdict == Verdict::kUnknown && !Applies(rule, lookup)) return;
    Add(rule, lookup, node);
  }

  static bool Applies(const Condition& rule, const ValueLookup& lookup) {
    return std::ranges::all_of(rule.applies, [&](const Test& test) {
      return dlpu::Check(test, lookup) == Verdict::kHolds;
    });
  }

  // The rules that are not about single nodes.
  void CheckRule(const Condition& rule) {
    if (rule.about == About::kModel) Judge(rule, WithContext(ModelValues(facts_)), -1);
    if (rule.about == About::kInput) {
      for (const TensorId id : graph_.inputs) JudgeTensor(rule, InputValues(graph_, id), id);
    }
    if (rule.about == About::kOutput) {
      for (size_t i = 0; i < graph_.outputs.size(); ++i) {
        const ValueLookup values = OutputValues(graph_, graph_.outputs[i]);
        JudgeTensor(
            rule,
            [&, i](std::string_view name) -> std::optional<Value> {
              if (name == "output_spread" && i < spreads_.size() && spreads_[i] >= 0) {
                return Value(spreads_[i]);
              }
              return values(name);
            },
            graph_.outputs[i]);
      }
    }
    if (rule.about == About::kIsland) {
      for (const FloatIsland& island : FindFloatIslands(graph_)) {
        RawFinding raw = Make(rule, WithContext(IslandValues(graph_, island)), island.nodes[0]);
        raw.names.clear();
        raw.nodes = island.nodes;
        for (const int i : island.nodes) raw.names.push_back(graph_.nodes[i].name);
        raw_.push_back(std::move(raw));
      }
    }
  }

  // An input or output is named by its tensor.
  void JudgeTensor(const Condition& rule, const ValueLookup& lookup, TensorId id) {
    const size_t before = raw_.size();
    Judge(rule, WithContext(lookup), -1);
    for (size_t i = before; i < raw_.size(); ++i) raw_[i].names = {graph_.tensors[id].name};
  }

  // How many ops follow a node to the DLPU, on its first finding that keeps it off.
  void AddBlockers() {
    constexpr int kMost = 16;
    for (const Blocker& blocker : FindBlockers(graph_, target_, partition_, kMost)) {
      const auto at = std::ranges::find_if(raw_, [&](const RawFinding& raw) {
        return raw.node == blocker.node && raw.rule->effect == Effect::kCpu;
      });
      if (at != raw_.end()) at->unblocks = static_cast<int>(blocker.gained.size());
    }
  }

  // What no other finding already says.
  std::vector<RawFinding> Shown() const {
    std::map<std::string, std::set<std::string>> layers;  // by rule
    std::set<std::string> whole;                          // rules broken by the model itself
    for (const RawFinding& raw : raw_) {
      if (raw.names.empty()) whole.insert(raw.rule->id);
      layers[raw.rule->id].insert(raw.names.begin(), raw.names.end());
    }
    std::vector<RawFinding> shown;
    for (const RawFinding& raw : raw_) {
      const bool hidden = std::ranges::any_of(raw.rule->unless, [&](const std::string& id) {
        const auto same = layers.find(id);
        return whole.contains(id) ||
               (same != layers.end() && !raw.names.empty() && same->second.contains(raw.names[0]));
      });
      if (!hidden) shown.push_back(raw);
    }
    return shown;
  }

  // One finding for each sentence, with all its nodes and the values found.
  std::vector<Finding> Grouped(const std::vector<RawFinding>& raws) const {
    struct Group {
      Finding finding;
      const Condition* rule;
      std::vector<int> nodes;
      std::vector<std::pair<std::string, int>> found;  // and how often
    };
    std::vector<Group> groups;
    std::map<std::tuple<const Condition*, std::string, std::string, Severity>, size_t> places;
    for (const RawFinding& raw : raws) {
      const bool alone = raw.rule->about == About::kIsland;
      const auto key = std::tuple(raw.rule, raw.says + (alone ? raw.names[0] : ""), raw.camera_says,
                                  raw.severity);
      const auto [at, fresh] = places.emplace(key, groups.size());
      if (fresh) {
        Finding f;
        f.rule = raw.rule->id;
        f.severity = raw.severity;
        f.effect = EffectName(raw.rule->effect);
        f.op = raw.op;
        f.message = raw.says;
        f.camera_says = raw.camera_says;
        f.fix = raw.fix;
        f.source = raw.rule->fact.source;
        f.confidence = ConfidenceName(raw.rule->fact.confidence);
        groups.push_back({std::move(f), raw.rule, {}, {}});
      }
      Group& group = groups[at->second];
      group.finding.nodes.insert(group.finding.nodes.end(), raw.names.begin(), raw.names.end());
      group.nodes.insert(group.nodes.end(), raw.nodes.begin(), raw.nodes.end());
      group.finding.unblocks = std::max(group.finding.unblocks, raw.unblocks);
      if (raw.found.empty()) continue;
      const auto same =
          std::ranges::find(group.found, raw.found, &std::pair<std::string, int>::first);
      if (same == group.found.end()) {
        group.found.emplace_back(raw.found, 1);
      } else {
        ++same->second;
      }
    }
    std::vector<Finding> findings;
    for (Group& group : groups) {
      Weigh(*group.rule, group.nodes, group.finding);
      group.finding.message += FoundText(group.found);
      if (group.finding.unblocks > 1) {
        group.finding.message += fmt::format("; {} ops would then run on the DLPU, itself included",
                                             group.finding.unblocks);
      }
      findings.push_back(std::move(group.finding));
    }
    std::ranges::stable_sort(findings, std::greater(), &Finding::severity);
    return findings;
  }

  // The predicted gain of the fix, and the share of the time spent in the nodes.
  void Weigh(const Condition& rule, const std::vector<int>& nodes, Finding& finding) const {
    constexpr size_t kMostNodes = 200;  // beyond it the sum says little about any of them
    if (!prediction_ || !partition_.refusal.empty()) return;
    std::optional<double> then;
    if (rule.gain == "per-tensor") {
      then = pricer_->Ms(graph_, partition_, true);
    } else if (rule.gain == "dlpu" && !nodes.empty() && nodes.size() <= kMostNodes &&
               rule.about != About::kBehind) {
      std::set<std::string> names(finding.nodes.begin(), finding.nodes.end());
      for (const PredictedStep& step : prediction_->steps) {
        if (names.contains(step.name)) finding.cpu_share += step.ms / prediction_->total_ms;
      }
      if (finding.severity == Severity::kNote) return;  // nothing to mend
      then = pricer_->Ms(graph_, PartitionGraph(graph_, target_, {.assume_supported = nodes}));
    }
    if (then) finding.gain_ms = prediction_->total_ms - *then;
  }

  // "; found out_channels 16 (3 times), out_channels 32 and 4 more values".
  static std::string FoundText(const std::vector<std::pair<std::string, int>>& found) {
    constexpr size_t kMost = 3;
    std::string text;
    for (size_t i = 0; i < std::min(kMost, found.size()); ++i) {
      text += (i == 0 ? "; found " : ", ") + found[i].first;
      if (found[i].second > 1) text += fmt::format(" ({} times)", found[i].second);
    }
    if (found.size() > kMost) text += fmt::format(" and {} more values", found.size() - kMost);
    return text;
  }

  void CountInto(CheckReport& report) const {
    report.dlpu_ops = partition_.Count(Support::Where::kDlpu);
    report.unknown_ops = partition_.Count(Support::Where::kUnknown);
    report.cpu_ops = static_cast<int>(graph_.nodes.size()) - report.dlpu_ops - report.unknown_ops;
    report.partitions = static_cast<int>(partition_.parts.size());
    report.dlpu_partitions = partition_.dlpu_parts;
    if (report.Count(Severity::kError) > 0 || !partition_.refusal.empty()) {
      report.verdict = CheckVerdict::kRefused;
    } else if (report.unknown_ops > 0) {
      report.verdict = CheckVerdict::kUnknown;
    } else if (report.cpu_ops > 0 && target_.dlpu != "none") {
      report.verdict = CheckVerdict::kRunsWithFallback;
    }
  }

  void AddCuts(CheckReport& report) const {
    for (const Cut& cut : partition_.cuts) {
      const Tensor& tensor = graph_.tensors[cut.tensor];
      report.cuts.push_back({tensor.name, std::string(DataTypeName(tensor.type)),
                             graph_.nodes[cut.producer].name, Op(cut.producer), cut.bytes,
                             cut.from_part, cut.to_part});
    }
  }

  void AddDevices(CheckReport& report) const {
    for (const TargetDevice& device : target_.devices) {
      if (device.runs != "model") continue;
      CheckDevice row = Judged(device);
      if (row.takes && device.name == target_.device && report.verdict == CheckVerdict::kRefused) {
        row.takes = false;
        row.why = "refused: see the findings";
      }
      AddTime(report, device, row);
      report.devices.push_back(std::move(row));
    }
    if (options_.product && target_.dlpu == "none") AddDevicesOfSoc(report);
  }

  CheckDevice Judged(const TargetDevice& device) const {
    CheckDevice row = {device.name, device.engine, false, "", std::nullopt};
    row.takes = std::ranges::find(device.takes, facts_.file_format) != device.takes.end();
    if (!row.takes) row.why = "takes " + (device.takes.empty() ? "nothing known" : device.takes[0]);
    return row;
  }

  // The prediction for the target's own device; another target's for a device that is its own.
  void AddTime(const CheckReport& report, const TargetDevice& device, CheckDevice& row) const {
    if (!row.takes) return;
    if (device.name == target_.device) {
      if (report.time) row.ms = report.time->total_ms;
    } else {
      for (const Target& other : options_.targets) {
        if (other.device != device.name) continue;
        const auto pricer = Pricer::Make(model_, other, PredictionOptions());
        if (pricer) row.ms = pricer->Ms(graph_, PartitionGraph(graph_, other));
      }
    }
    if (!row.ms) row.why = "time not available";
  }

  // A product without the DLPU that others of its SoC have: what is left of that SoC's devices.
  void AddDevicesOfSoc(CheckReport& report) const {
    for (const Target& soc : options_.targets) {
      if (soc.title != options_.product->soc) continue;
      for (const TargetDevice& device : soc.devices) {
        const bool known = std::ranges::any_of(
            report.devices, [&](const CheckDevice& d) { return d.device == device.name; });
        if (device.runs != "model" || known) continue;
        CheckDevice row = Judged(device);
        if (device.engine == "dlpu") {
          row.takes = false;
          row.why = fmt::format("{} has no {}", options_.product->name, soc.dlpu);
        } else {
          AddTime(report, device, row);
        }
        report.devices.push_back(std::move(row));
      }
    }
  }

  const LoadedModel& model_;
  const Graph& graph_;
  const Target& target_;
  const CheckOptions& options_;
  const FirmwareTable& firmware_;
  const Firmware* known_ = nullptr;  // about the AXIS OS version asked for
  const Partition partition_;
  ModelFacts facts_;
  std::optional<Pricer> pricer_;
  std::optional<Prediction> prediction_;  // with every op where it runs
  std::optional<Partition> several_;      // with as many DLPU parts as there could be
  std::vector<double> spreads_;
  std::vector<RawFinding> raw_;
};

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
  Checker checker(model, target, options, firmware);
  std::string run_error;
  if (options.run) {
    Result<std::vector<double>> spreads = OutputSpreads(model, options.threads);
    if (!spreads.ok()) run_error = spreads.error().message;
    if (spreads.ok()) checker.SetSpreads(*std::move(spreads));
  }
  CheckReport report = checker.Run();
  report.run_error = run_error;
  return report;
}

}  // namespace dlpu
