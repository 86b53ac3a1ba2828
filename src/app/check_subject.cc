// SPDX-License-Identifier: Apache-2.0
// Values that rules ask for and no graph alone can tell.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/check_file.h"
#include "app/check_parts.h"
#include "target/node_values.h"
#include "target/os_version.h"

namespace dlpu {

CheckSubject::CheckSubject(const LoadedModel& m, const Target& t, const CheckOptions& o,
                           const FirmwareTable& f)
    : model(m),
      graph(m.graph),
      target(t),
      options(o),
      firmware(f),
      partition(PartitionGraph(m.graph, t)),
      facts(FactsOf(m.graph, partition)) {
  facts.file_format = model.format;
  if (!options.os.empty()) known = firmware.Find(options.os);
  pricer = Pricer::Make(model, target, PredictionOptions());
  if (!pricer) return;
  prediction = pricer->At(graph, partition);
  formula_ms = pricer->FormulaMs(graph, partition);
  if (target.partition.order != "prefix") return;
  several = PartitionGraph(graph, target, {.several_parts = true});
}

PredictOptions CheckSubject::PredictionOptions() const {
  PredictOptions predict;
  predict.product = options.product;
  predict.os = options.os;
  return predict;
}

ValueLookup CheckSubject::WithContext(ValueLookup lookup) const {
  return [this, lookup = std::move(lookup)](std::string_view name) {
    std::optional<Value> value = lookup(name);
    return value ? value : Context(name, lookup);
  };
}

std::optional<Value> CheckSubject::Context(std::string_view name, const ValueLookup& lookup) const {
  if (name == "ram_bytes" && options.product && options.product->ram_mb) {
    return Value(*options.product->ram_mb * 1048576.0);
  }
  if (name == "firmware_runtime" && known && known->edgetpu_runtime) {
    return Value(static_cast<double>(*known->edgetpu_runtime));
  }
  if (name == "padded_width") {  // planar pictures have one byte a pixel in each row
    const std::optional<Value> width = lookup("in_width");
    if (!width) return std::nullopt;
    const double pitch = target.input.pitch_multiple;
    return Value(std::ceil(std::get<double>(*width) / pitch) * pitch);
  }
  const std::optional<Value> own = FileValue(name);
  if (own) return own;
  if (name == "several_parts_are") {
    const std::optional<double> then = TimeValue("several_parts_ms");
    if (!then) return std::nullopt;
    const double now = prediction->total_ms;
    return Value(std::string(*then > now ? "slower" : *then < now ? "faster" : "as fast"));
  }
  if (const std::optional<double> time = TimeValue(name)) {
    return Value(std::round(*time * 100) / 100);
  }
  if (name == "known_version" && known && !known->tflite.empty()) {
    const std::optional<Value> op = lookup("op");
    if (!op) return std::nullopt;
    const std::optional<int> newest =
        firmware.NewestVersion(std::get<std::string>(*op), known->tflite);
    if (newest) return Value(static_cast<double>(*newest));
  }
  return std::nullopt;
}

std::optional<Value> CheckSubject::FileValue(std::string_view name) const {
  const std::string& format = facts.file_format;
  if (name == "device") return Value(target.device);
  if (name == "file_kind") return Value(FormatText(format));
  if (name == "taking_devices") return Value(DevicesTakingFormat(format));
  if (name == "device_takes") return Value(Takes(format) ? 1.0 : 0.0);
  if (name == "min_runtime") {
    const std::optional<int> version = MinRuntimeOf(model);
    if (version) return Value(static_cast<double>(*version));
  }
  return std::nullopt;
}

// Whether the target's device loads a format, or a user brings it to be made into one it loads.
bool CheckSubject::Takes(const std::string& format) const {
  if (std::ranges::find(target.formats, format) != target.formats.end()) return true;
  return std::ranges::any_of(target.devices, [&](const TargetDevice& device) {
    return device.name == target.device &&
           std::ranges::find(device.takes, format) != device.takes.end();
  });
}

std::optional<double> CheckSubject::TimeValue(std::string_view name) const {
  if (!prediction) return std::nullopt;
  if (name == "predicted_ms") return prediction->total_ms;
  if (name == "cpu_only_ms") return pricer->OnCpuMs();
  if (!several) return std::nullopt;
  if (name == "several_parts") return several->dlpu_parts;
  if (name == "several_parts_ms") return MsOnce(*several);
  return std::nullopt;
}

std::optional<double> CheckSubject::MsOnce(const Partition& then,
                                           const Pricer::Change& change) const {
  if (!prediction || !formula_ms) return std::nullopt;
  const std::optional<double> after = pricer->FormulaMs(graph, then, change);
  return after ? std::optional(prediction->total_ms * *after / *formula_ms) : std::nullopt;
}

ValueLookup CheckSubject::OfNode(int i) const {
  ValueLookup values = NodeValues(graph, graph.nodes[i]);
  const int blocker = partition.nodes[i].blocker;
  return WithContext([this, blocker, values](std::string_view name) -> std::optional<Value> {
    if (name == "blocked_by" && blocker >= 0) return Value(graph.nodes[blocker].name);
    return values(name);
  });
}

CheckSubject::OsMatch CheckSubject::MatchOs(const Condition& rule) const {
  if (rule.os_from.empty() && rule.os_to.empty()) return OsMatch::kYes;
  if (options.os.empty()) return OsMatch::kMaybe;
  return OsVersionWithin(options.os, rule.os_from, rule.os_to) ? OsMatch::kYes : OsMatch::kNo;
}

}  // namespace dlpu
