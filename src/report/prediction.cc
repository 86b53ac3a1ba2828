// SPDX-License-Identifier: Apache-2.0
// A prediction for people and for machines.
#include "report/prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json OrNull(const std::optional<int64_t>& value) { return value ? Json(*value) : Json(nullptr); }

std::string Percent(double part, double whole) {
  return fmt::format("{:.0f} %", whole > 0 ? 100 * part / whole : 0);
}

// "ARTPEC-8, AXIS Q1656-LE (normal), AXIS OS 12.11".
std::string Subject(const Prediction& p) {
  std::string text = p.target;
  if (!p.product.empty()) text += ", " + p.product;
  if (p.classes.empty() && p.product != "AXIS " + p.speed_class) {
    text += fmt::format(" ({})", p.speed_class);
  }
  return text + ", AXIS OS " + p.os;
}

std::string PartsText(const Prediction& p) {
  Table table({"part", ">ms", ">share", "bound by", "what"});
  double dlpu = 0, cpu = 0;
  for (const PredictedStep& step : p.steps) (step.engine == Engine::kCpu ? cpu : dlpu) += step.ms;
  const auto add = [&](const std::string& name, double ms, const std::string& bound,
                       const std::string& says) {
    if (ms == 0) return;
    table.AddRow({name, fmt::format("{:.3f}", ms), Percent(ms, p.total_ms), bound, says});
  };
  add("layers on the DLPU", dlpu, "", "see the steps");
  add("layers on the CPU", cpu, "cpu", "see the steps");
  for (const PredictedPart& part : p.parts) {
    add(part.name, part.ms, std::string(BoundName(part.bound)), part.says);
  }
  return table.Text();
}

std::string StepsText(const Prediction& p, size_t most) {
  std::vector<size_t> order(p.steps.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const bool all = most == 0 || p.steps.size() <= most;
  if (!all) {
    std::ranges::stable_sort(order,
                             [&](size_t a, size_t b) { return p.steps[a].ms > p.steps[b].ms; });
    order.resize(most);
  }
  Table table({">#", "op", "name", "engine", ">MACs", ">bytes", ">ms", ">share", "bound by"});
  for (const size_t i : order) {
    const PredictedStep& s = p.steps[i];
    table.AddRow({std::to_string(i), s.op, s.name.substr(0, 40), std::string(EngineName(s.engine)),
                  CountText(s.macs), CountText(s.input_bytes + s.weight_bytes + s.output_bytes),
                  fmt::format("{:.4f}", s.ms), Percent(s.ms, p.total_ms),
                  std::string(BoundName(s.bound))});
  }
  std::string text =
      all ? "\nsteps\n" : fmt::format("\nthe {} dearest of {} steps\n", most, p.steps.size());
  return text + table.Text();
}

std::string StartText(const Prediction& p) {
  const std::string unknown = "not available";
  std::string load = unknown;
  if (p.first_load_ms.has_value()) {
    load = fmt::format("{:.0f} s ({:.0f} to {:.0f} s)", *p.first_load_ms / 1000,
                       *p.first_load_low_ms / 1000, *p.first_load_high_ms / 1000);
  }
  return fmt::format(
      "\nfirst load {}; later loads {}; first run {}\n", load,
      p.cached_load_ms ? fmt::format("about {:.1f} s", *p.cached_load_ms / 1000) : unknown,
      p.first_run_ms ? DurationText(*p.first_run_ms) : unknown);
}

std::string MemoryLine(const PredictedMemory& m) {
  std::string text = fmt::format("memory: weights {}", BytesText(m.weight_bytes));
  if (m.peak_bytes.has_value()) {
    text += fmt::format(", activations {}, peak {}", BytesText(*m.activation_bytes),
                        BytesText(*m.peak_bytes));
  }
  if (m.cache_bytes.has_value()) {
    text += fmt::format("; parameter cache {}: of {} as compiled, {} cached, {} streamed",
                        BytesText(*m.cache_bytes), BytesText(*m.parameter_bytes),
                        BytesText(*m.cached_bytes), BytesText(*m.streamed_bytes));
  }
  return text + "\n";
}

Json AssumptionJson(const Assumption& a) {
  return {{"says", a.says}, {"source", a.source}, {"confidence", ConfidenceName(a.confidence)}};
}

Json StepsJson(const Prediction& p) {
  Json steps = Json::array();
  for (const PredictedStep& s : p.steps) {
    steps.push_back({{"op", s.op},
                     {"name", s.name},
                     {"engine", EngineName(s.engine)},
                     {"macs", s.macs},
                     {"input_bytes", s.input_bytes},
                     {"weight_bytes", s.weight_bytes},
                     {"output_bytes", s.output_bytes},
                     {"ms", s.ms},
                     {"bound_by", BoundName(s.bound)}});
  }
  return steps;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

std::string IntervalText(double total_ms, double low_ms, double high_ms) {
  return fmt::format("{} (90 %: {} to {})", DurationText(total_ms), DurationText(low_ms),
                     DurationText(high_ms));
}

std::string PredictionText(const Prediction& p, size_t most) {
  std::string text =
      fmt::format("{}: {} [{}]\n", Subject(p), IntervalText(p.total_ms, p.low_ms, p.high_ms),
                  ConfidenceName(p.confidence));
  if (p.measured.has_value() && p.measured->same_product) {
    text +=
        fmt::format("a published time, not a prediction: {} on the AXIS {}, {} ({})\n",
                    p.measured->model, p.measured->product, p.measured->source, p.measured->when);
  }
  for (const ClassTime& c : p.classes) {
    text += fmt::format("  {}: {} - {}\n", c.speed_class,
                        IntervalText(c.total_ms, c.low_ms, c.high_ms), c.says);
  }
  text += "\n" + PartsText(p) + StepsText(p, most) + StartText(p) + MemoryLine(p.memory);
  for (const Assumption& w : p.warnings) {
    text += fmt::format("warning: {} [{}, {}]\n", w.says, ConfidenceName(w.confidence), w.source);
  }
  for (const Assumption& a : p.assumptions) {
    text += fmt::format("assumes: {} [{}, {}]\n", a.says, ConfidenceName(a.confidence), a.source);
  }
  return text;
}

std::string PredictionsText(const std::vector<Prediction>& predictions) {
  Table table({"target", "product or class", "AXIS OS", ">ms", "90 % interval", ">on the CPU",
               ">warnings"});
  for (const Prediction& p : predictions) {
    std::string who = p.product;
    if (who.empty()) who = p.classes.empty() ? p.speed_class : "class not known";
    table.AddRow({p.target, who, p.os, fmt::format("{:.3g}", p.total_ms),
                  fmt::format("{:.3g} to {:.3g}", p.low_ms, p.high_ms),
                  Percent(p.cpu_ms, p.total_ms), std::to_string(p.warnings.size())});
  }
  return table.Text();
}

nlohmann::ordered_json PredictionJson(const Prediction& p) {
  Json json = {{"target", p.target},
               {"product", p.product.empty() ? Json(nullptr) : Json(p.product)},
               {"class", p.speed_class},
               {"os", p.os},
               {"era", p.era},
               {"total_ms", p.total_ms},
               {"low_ms", p.low_ms},
               {"high_ms", p.high_ms},
               {"confidence", ConfidenceName(p.confidence)},
               {"measured", nullptr},
               {"dlpu_ms", p.dlpu_ms},
               {"cpu_ms", p.cpu_ms},
               {"steps", StepsJson(p)},
               {"parts", Json::array()},
               {"classes", Json::array()},
               {"first_load_ms", OrNull(p.first_load_ms)},
               {"first_load_low_ms", OrNull(p.first_load_low_ms)},
               {"first_load_high_ms", OrNull(p.first_load_high_ms)},
               {"cached_load_ms", OrNull(p.cached_load_ms)},
               {"first_run_ms", OrNull(p.first_run_ms)},
               {"memory",
                {{"weight_bytes", p.memory.weight_bytes},
                 {"activation_bytes", OrNull(p.memory.activation_bytes)},
                 {"peak_bytes", OrNull(p.memory.peak_bytes)},
                 {"cache_bytes", OrNull(p.memory.cache_bytes)},
                 {"parameter_bytes", OrNull(p.memory.parameter_bytes)},
                 {"cached_bytes", OrNull(p.memory.cached_bytes)},
                 {"streamed_bytes", OrNull(p.memory.streamed_bytes)}}},
               {"assumptions", Json::array()},
               {"warnings", Json::array()},
               {"parameters", Json::array()}};
  if (p.measured.has_value()) {
    json["measured"] = {{"model", p.measured->model},   {"product", p.measured->product},
                        {"ms", p.measured->ms},         {"same_product", p.measured->same_product},
                        {"layers", p.measured->layers}, {"times", p.measured->measurements},
                        {"when", p.measured->when},     {"source", p.measured->source}};
  }
  for (const PredictedPart& part : p.parts) {
    json["parts"].push_back({{"name", part.name},
                             {"ms", part.ms},
                             {"bound_by", BoundName(part.bound)},
                             {"says", part.says}});
  }
  for (const ClassTime& c : p.classes) {
    json["classes"].push_back({{"class", c.speed_class},
                               {"total_ms", c.total_ms},
                               {"low_ms", c.low_ms},
                               {"high_ms", c.high_ms},
                               {"says", c.says}});
  }
  for (const Assumption& a : p.assumptions) json["assumptions"].push_back(AssumptionJson(a));
  for (const Assumption& w : p.warnings) json["warnings"].push_back(AssumptionJson(w));
  for (const UsedParameter& u : p.parameters) {
    json["parameters"].push_back({{"name", u.name},
                                  {"value", u.value},
                                  {"unit", u.unit},
                                  {"factor", u.factor},
                                  {"informed", u.informed},
                                  {"source", u.source},
                                  {"confidence", ConfidenceName(u.confidence)}});
  }
  return json;
}

std::string PredictionCsv(const Prediction& p) {
  std::string text = "step,op,name,engine,macs,input_bytes,weight_bytes,output_bytes,ms,bound_by\n";
  for (size_t i = 0; i < p.steps.size(); ++i) {
    const PredictedStep& s = p.steps[i];
    text += fmt::format("{},{},{},{},{},{},{},{},{:.6f},{}\n", i, s.op, Quoted(s.name),
                        EngineName(s.engine), s.macs, s.input_bytes, s.weight_bytes, s.output_bytes,
                        s.ms, BoundName(s.bound));
  }
  for (const PredictedPart& part : p.parts) {
    text += fmt::format(",{},{},,,,,,{:.6f},{}\n", part.name, Quoted(part.says), part.ms,
                        BoundName(part.bound));
  }
  return text;
}

nlohmann::ordered_json PredictionTrace(const Prediction& p) {
  Json events = Json::array();
  double at_us = 0;
  const auto add = [&](const std::string& name, const char* thread, double ms, Json args) {
    if (ms <= 0) return;
    events.push_back({{"name", name},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", thread},
                      {"ts", at_us},
                      {"dur", ms * 1000},
                      {"args", std::move(args)}});
    at_us += ms * 1000;
  };
  const auto part = [&](std::string_view name) {
    for (const PredictedPart& x : p.parts) {
      if (x.name == name) add(x.name, "transfer", x.ms, {{"says", x.says}});
    }
  };
  for (const char* name : {"fixed", "input", "streaming"}) part(name);
  bool out = p.parts.empty();
  for (const PredictedStep& s : p.steps) {
    const bool cpu = s.engine == Engine::kCpu;
    if (cpu && !out) part("output");
    out |= cpu;
    add(s.op, cpu ? "cpu" : "dlpu", s.ms,
        {{"layer", s.name}, {"macs", s.macs}, {"bound_by", BoundName(s.bound)}});
  }
  if (!out) part("output");
  return {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
}

}  // namespace dlpu
