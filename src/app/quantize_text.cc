// SPDX-License-Identifier: Apache-2.0
// What quantizing did, for people and for programs.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/quantize.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

// Skipped inputs that are named in text; JSON has all.
constexpr size_t kShownSkipped = 10;
// Tensors that are named with what 8 bits would leave of them.
constexpr size_t kShownWide = 3;

std::string Decibel(double db) { return std::isinf(db) ? "exact" : fmt::format("{:.1f} dB", db); }

// No number of JSON is infinite.
Json DecibelJson(double db) { return std::isinf(db) ? Json() : Json(std::round(db * 100) / 100); }

std::string TypeOf(const std::optional<DataType>& type, QuantScheme scheme) {
  return std::string(DataTypeName(type.value_or(ActivationType(scheme))));
}

const char* BiasText(BiasCorrection how) {
  switch (how) {
    case BiasCorrection::kAnalytic:
      return ", biases corrected for rounded weights";
    case BiasCorrection::kEmpirical:
      return ", biases corrected by measured means";
    default:
      return "";
  }
}

// In what form an output was compared.
std::string ReadText(const OutputLoss& loss) {
  if (loss.read == "sigmoid") return "through the sigmoid that reads it";
  return loss.read.empty() ? "" : "rows weighed by their scores";
}

std::string LossTable(const QuantizeReport& report) {
  Table table({"output", ">SQNR", ">largest error", ""});
  for (const OutputLoss& loss : report.losses) {
    table.AddRow({loss.name, Decibel(loss.sqnr_db), fmt::format("{:.2f} %", 100 * loss.worst),
                  loss.constant ? "nearly constant over the calibration set" : ReadText(loss)});
  }
  return table.Text();
}

// Flattened layers that are named in text; JSON has all.
constexpr size_t kShownFlattened = 12;

// Some ranges are those of rounding residue.
std::string RatioText(double ratio) {
  return ratio < 1e6 ? fmt::format("1:{:.0f}", ratio) : "1:more than a million";
}

// What one scale for all channels would do, where the scheme has one.
std::string FlattenedText(const QuantizeReport& report) {
  if (report.flattened.empty() || !HasOneWeightScale(report.settings.scheme)) return "";
  const bool equalized = report.equalization.layers > 0;
  std::string text =
      fmt::format("{} layers whose channels one scale would flatten:\n", report.flattened.size());
  for (size_t i = 0; i < std::min(kShownFlattened, report.flattened.size()); ++i) {
    const FlattenedLayer& layer = report.flattened[i];
    text +=
        fmt::format("  {} '{}': channel ranges {}", layer.op, layer.name, RatioText(layer.ratio));
    text += equalized ? fmt::format(", equalized to {}\n", RatioText(layer.ratio_equalized))
                      : std::string("\n");
  }
  if (report.flattened.size() > kShownFlattened) {
    text += fmt::format("  and {} more\n", report.flattened.size() - kShownFlattened);
  }
  return text;
}

std::string BitsText(const QuantizeReport& report) {
  if (!report.bits) return "";
  const BitChoice& bits = *report.bits;
  std::string text = fmt::format(
      "16 bits for {} of {} tensors, those with less than {} in 8, so in {} layers",
      bits.wide.size(), bits.tensors, Decibel(report.wide_below_db.value_or(0)), bits.nodes.size());
  for (size_t i = 0; i < std::min(kShownWide, bits.wide.size()); ++i) {
    // A converter joins the names of what it fused with ';'.
    text += fmt::format("{} '{}' {}", i == 0 ? ":" : ",",
                        bits.wide[i].name.substr(0, bits.wide[i].name.find(';')),
                        Decibel(bits.wide[i].sqnr_db));
  }
  return text + "\n";
}

Json BitsJson(const BitChoice& bits) {
  Json json = {{"tensors", bits.tensors}, {"wide", Json::array()}, {"layers", Json::array()}};
  for (const TensorSqnr& tensor : bits.wide) {
    json["wide"].push_back({{"name", tensor.name}, {"sqnr_db", DecibelJson(tensor.sqnr_db)}});
  }
  for (const auto& [name, type] : bits.nodes) json["layers"].push_back(name);
  return json;
}

}  // namespace

std::string QuantizeText(const QuantizeReport& report) {
  const QuantizeSettings& settings = report.settings;
  std::string text = fmt::format(
      "{}: ranges {} of {} inputs from {}, weights {}{}{}{}{}\n", SchemeName(settings.scheme),
      RangeMethodName(settings.range.method), report.used.size(), report.calibration,
      settings.weight_range == WeightRange::kMse ? "by least squared error" : "min-max",
      settings.rounding == Rounding::kAdaptive ? ", rounded adaptively" : "",
      report.equalization.layers > 0
          ? fmt::format(", {} layers equalized", report.equalization.layers)
          : "",
      report.absorption.any()
          ? fmt::format(", biases of {} layers absorbed", report.absorption.layers)
          : "",
      BiasText(settings.bias));
  for (size_t i = 0; i < std::min(kShownSkipped, report.skipped.size()); ++i) {
    text += fmt::format("skipped {}: {}\n", report.skipped[i].name, report.skipped[i].why);
  }
  if (!report.skipped.empty()) {
    text += fmt::format("{} of {} inputs skipped\n", report.skipped.size(),
                        report.skipped.size() + report.used.size());
  }
  for (const std::string& note : report.notes) text += note + "\n";
  if (report.equalization.silenced > 0) {
    text += fmt::format("{} dead channels lost weights that no output depends on\n",
                        report.equalization.silenced);
  }
  text += StructureText(report.structure) + FlattenedText(report);
  text += BitsText(report);
  for (const std::string& name : report.float_nodes) {
    text += fmt::format("stays float32: {}\n", name);
  }
  text += fmt::format("against the float model, over {} of the calibration inputs:\n{}",
                      report.loss_inputs, LossTable(report));
  if (report.mixed) text += MixedText(*report.mixed);
  return text;
}

Json QuantizeJson(const QuantizeReport& report) {
  const QuantizeSettings& settings = report.settings;
  Json json = {{"scheme", SchemeName(settings.scheme)},
               {"ranges", RangeMethodName(settings.range.method)},
               {"weights", settings.weight_range == WeightRange::kMse ? "mse" : "min-max"},
               {"rounding", RoundingName(settings.rounding)},
               {"bias_correction", BiasCorrectionName(settings.bias)},
               {"input_type", TypeOf(settings.input_type, settings.scheme)},
               {"output_type", TypeOf(settings.output_type, settings.scheme)},
               {"calibration", report.calibration},
               {"calibration_inputs", report.used.size()},
               {"skipped", Json::array()},
               {"equalized_layers", report.equalization.layers},
               {"absorbed_layers", report.absorption.layers},
               {"silenced_channels", report.equalization.silenced},
               {"flattened_layers", Json::array()},
               {"equalized", report.equalization.regions},
               {"structure", StructureJson(report.structure)},
               {"float_change", report.float_change},
               {"nodes", report.nodes},
               {"float_nodes", report.float_nodes},
               {"loss_inputs", report.loss_inputs},
               {"outputs", Json::array()},
               {"warnings", report.warnings},
               {"notes", report.notes}};
  if (report.bits) json["bits"] = BitsJson(*report.bits);
  for (const SkippedInput& skipped : report.skipped) {
    json["skipped"].push_back({{"input", skipped.name}, {"why", skipped.why}});
  }
  for (const FlattenedLayer& layer : report.flattened) {
    json["flattened_layers"].push_back({{"name", layer.name},
                                        {"op", layer.op},
                                        {"channel_ratio", layer.ratio},
                                        {"channel_ratio_equalized", layer.ratio_equalized}});
  }
  for (const OutputLoss& loss : report.losses) {
    json["outputs"].push_back({{"name", loss.name},
                               {"sqnr_db", DecibelJson(loss.sqnr_db)},
                               {"largest_error", loss.worst},
                               {"nearly_constant", loss.constant}});
    if (!loss.read.empty()) json["outputs"].back()["read"] = loss.read;
  }
  if (report.mixed) json["mixed"] = MixedJson(*report.mixed);
  return json;
}

}  // namespace dlpu
