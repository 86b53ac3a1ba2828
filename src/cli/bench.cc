// SPDX-License-Identifier: Apache-2.0
// dlpu bench: how long a model takes on this machine.
#include "run/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "app/peers.h"
#include "app/tensor_input.h"
#include "cli/command.h"
#include "ops/peak.h"
#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  BenchOptions bench;
  std::string json, against;
};

std::string StepsText(const Runner& runner, const BenchResult& result) {
  const double total =
      std::accumulate(result.step_milliseconds.begin(), result.step_milliseconds.end(), 0.0);
  Table table({">step", "op", "output", ">time", ">share", ">GMAC/s", "kernel", "layer"});
  for (size_t i = 0; i < result.step_milliseconds.size(); ++i) {
    const Step& step = runner.program().steps[i];
    const double ms = result.step_milliseconds[i];
    const Tensor& output = runner.program().tensors[step.node.outputs[0]];
    table.AddRow({std::to_string(i), NodeOpName(step.node), ShapeText(output.shape),
                  DurationText(ms), fmt::format("{:.1f} %", 100 * ms / total),
                  step.work.macs != 0 && ms > 0
                      ? fmt::format("{:.1f}", static_cast<double>(step.work.macs) * 1e-6 / ms)
                      : "",
                  runner.row(i), step.node.name});
  }
  return table.Text();
}

// What a step's time is compared by: its op, and for convolutions what kind.
std::string ClassOf(const Program& program, const Step& step) {
  const std::string op = NodeOpName(step.node);
  if (op != "CONV_2D" || step.node.inputs.size() < 2) return op;
  const Shape& weights = program.tensors[step.node.inputs[1]].shape;
  if (weights.size() != 4) return op;
  if (weights[3] <= 4) return op + " of a picture";
  return fmt::format("{} {}", op, weights[1] * weights[2] == 1 ? "1x1" : "KxK");
}

// Time of each class and how far it is from what the threads could multiply at most.
std::string ClassesText(const Runner& runner, const BenchResult& result,
                        nlohmann::ordered_json& json) {
  struct Class {
    double ms = 0;
    int64_t macs = 0;
    int steps = 0;
    PeakKind kind = PeakKind::kInt8;
  };
  std::map<std::string, Class> classes;
  double total = 0;
  for (size_t i = 0; i < result.step_milliseconds.size(); ++i) {
    const Step& step = runner.program().steps[i];
    Class& c = classes[ClassOf(runner.program(), step)];
    c.ms += result.step_milliseconds[i];
    c.macs += step.work.macs;
    ++c.steps;
    const DataType type = runner.program().tensors[step.node.outputs[0]].type;
    if (type == DataType::kFloat32) c.kind = PeakKind::kFloat32;
    total += result.step_milliseconds[i];
  }
  double peak[2] = {};
  std::string text;
  for (const PeakKind kind : {PeakKind::kInt8, PeakKind::kFloat32}) {
    const PeakRow* row = ChoosePeak(kind, EnabledCpuFlags());
    if (row == nullptr) continue;
    double& rate = peak[static_cast<int>(kind)];
    rate = MeasurePeak(*row) * runner.threads();
    const char* name = kind == PeakKind::kInt8 ? "int8" : "float32";
    text += fmt::format("most {} multiply-accumulates of {} thread{}, {}: {:.0f} G/s\n", name,
                        runner.threads(), runner.threads() == 1 ? "" : "s", row->name, rate * 1e-9);
    json["peak_gmacs"][name] = rate * 1e-9;
  }
  std::vector<std::pair<std::string, Class>> sorted(classes.begin(), classes.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.ms > b.second.ms; });
  Table table({"class", ">steps", ">time", ">share", ">GMAC/s", ">of the most"});
  json["classes"] = nlohmann::ordered_json::array();
  for (const auto& [name, c] : sorted) {
    const double rate = c.ms > 0 ? static_cast<double>(c.macs) / c.ms * 1e3 : 0;
    const double most = peak[static_cast<int>(c.kind)];
    const bool compared = c.macs != 0 && most > 0;
    table.AddRow({name, std::to_string(c.steps), DurationText(c.ms),
                  fmt::format("{:.1f} %", 100 * c.ms / total),
                  c.macs != 0 ? fmt::format("{:.1f}", rate * 1e-9) : "",
                  compared ? fmt::format("{:.0f} %", 100 * rate / most) : ""});
    json["classes"].push_back(
        {{"class", name}, {"steps", c.steps}, {"ms", c.ms}, {"macs", c.macs}});
    if (compared) json["classes"].back()["of_peak"] = rate / most;
  }
  return text + table.Text();
}

std::vector<std::string> Names(const std::string& list) {
  std::vector<std::string> names;
  std::istringstream words(list);
  for (std::string name; std::getline(words, name, ',');) names.push_back(name);
  return names;
}

void AddPeer(const PeerResult& peer, double our_median, std::string& text,
             nlohmann::ordered_json& json) {
  nlohmann::ordered_json row = {{"peer", peer.name}, {"version", peer.version}};
  if (peer.milliseconds.empty()) {
    text += fmt::format("{}: not run: {}\n", peer.name, peer.problem);
    row["problem"] = peer.problem;
  } else {
    const BenchResult times{peer.milliseconds, {}};
    const double median = times.Quantile(0.5);
    text += fmt::format("{} {}: median {}, p90 {}; dlpu takes {:.2f} of its time\n", peer.name,
                        peer.version, DurationText(median), DurationText(times.Quantile(0.9)),
                        our_median / median);
    row["median_ms"] = median;
    row["p90_ms"] = times.Quantile(0.9);
    row["ratio"] = our_median / median;
  }
  json["peers"].push_back(std::move(row));
}

CommandResult RunBench(const Arguments& arguments) {
  DLPU_TRY(ModelOptions options, Parse(arguments.model));
  options.hashed = !arguments.json.empty();
  options.in_place = true;
  // An ONNX file may need the size of the zoo's picture.
  options.recognized = !options.model.ends_with(".tflite");
  DLPU_TRY(LoadedModel model, LoadModel(options));
  const auto before = std::chrono::steady_clock::now();
  DLPU_TRY(const std::unique_ptr<Runner> runner, LoadRunner(std::move(model), options));
  const double load_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count();
  FillRandom(*runner, 1);
  ComparedBench compared;
  if (arguments.against.empty()) {
    DLPU_TRY(compared.ours, Bench(*runner, arguments.bench));
  } else {
    DLPU_TRY(compared,
             BenchAgainst(*runner, model.path, Names(arguments.against), arguments.bench));
  }
  const BenchResult& result = compared.ours;
  const double median = result.Quantile(0.5);
  const int64_t macs = TotalsOf(runner->program()).macs;
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"model", model.path},
                                 {"sha256", model.sha256},
                                 {"cpu", CpuModelName()},
                                 {"cpu_features", CpuFlagNames(EnabledCpuFlags())},
                                 {"target", runner->program().target},
                                 {"profile", ProfileName(runner->program().profile)},
                                 {"threads", runner->threads()},
                                 {"repeats", result.milliseconds.size()},
                                 {"median_ms", median},
                                 {"p10_ms", result.Quantile(0.1)},
                                 {"p90_ms", result.Quantile(0.9)},
                                 {"p99_ms", result.Quantile(0.99)},
                                 {"min_ms", result.Quantile(0)},
                                 {"load_ms", load_ms},
                                 {"macs", macs}};
  std::string text = fmt::format(
      "{}\nmedian {}, p90 {}, p99 {} over {} runs with {} thread{}; load {}\n"
      "{}MACs, {:.1f} GMAC/s\n",
      model.path, DurationText(median), DurationText(result.Quantile(0.9)),
      DurationText(result.Quantile(0.99)), result.milliseconds.size(), runner->threads(),
      runner->threads() == 1 ? "" : "s", DurationText(load_ms), CountText(macs),
      static_cast<double>(macs) * 1e-6 / median);
  for (const PeerResult& peer : compared.peers) AddPeer(peer, median, text, json);
  if (arguments.bench.steps && !result.step_milliseconds.empty()) {
    text += "\n" + StepsText(*runner, result);
    text += "\n" + ClassesText(*runner, result, json);
    json["steps"] = nlohmann::ordered_json::array();
    for (size_t i = 0; i < result.step_milliseconds.size(); ++i) {
      const Step& step = runner->program().steps[i];
      json["steps"].push_back({{"op", NodeOpName(step.node)},
                               {"name", step.node.name},
                               {"kernel", runner->row(i)},
                               {"macs", step.work.macs},
                               {"median_ms", result.step_milliseconds[i]}});
    }
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddBenchCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "bench", "Time a model on this machine",
                  [arguments] { return RunBench(*arguments); });
  AddModelOptions(command, &arguments->model);
  AddTargetOption(command, &arguments->model);
  command.Option("--repeats", "N", &arguments->bench.max_repeats, 1, 1000000,
                 "At most so many timed runs (default 1000)");
  command.Option("--seconds", "S", &arguments->bench.max_seconds, 0, 3600,
                 "Stop after so many seconds (default 2)");
  command.Option("--warm-up", "N", &arguments->bench.warm_up, 0, 100000,
                 "Runs before timing (default 3)");
  command.Option("--against", "PEER[=FILE],...", &arguments->against,
                 "Time litert, litert-reference, onnxruntime, openvino or ncnn in turns with dlpu");
  command.Flag("--steps", &arguments->bench.steps, "Time every step");
  command.Json(&arguments->json);
}

}  // namespace dlpu
