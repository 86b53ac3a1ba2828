// SPDX-License-Identifier: Apache-2.0
// dlpu predict: how long a model takes on a camera.
#include "app/predict.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/size_sweep.h"
#include "app/user_times.h"
#include "base/file.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "larod/pipeline.h"
#include "report/inspect.h"
#include "report/prediction.h"
#include "report/table.h"
#include "target/cost/explain.h"

namespace dlpu {
namespace {

constexpr double kNoTime = -1;

struct Arguments {
  ModelArguments model;
  std::string targets, product, speed_class, os, json, csv, trace, what_if;
  std::string calibrate, sizes, pipeline;
  double explain = kNoTime;
  bool steps = false;
};

// What to predict for: a product's own target, or the targets named.
struct Subject {
  std::vector<Target> all, chosen;
  PredictOptions options;
};

Result<Subject> ChooseSubject(const Arguments& arguments) {
  Subject subject;
  DLPU_TRY(subject.all, LoadTargets());
  subject.options.os = arguments.os;
  subject.options.speed_class = arguments.speed_class;
  if (!arguments.what_if.empty()) {
    DLPU_TRY(subject.options.what_if, ParseWhatIf(arguments.what_if));
  }
  std::string names = arguments.targets.empty() ? "all" : arguments.targets;
  if (!arguments.product.empty()) {
    DLPU_TRY(subject.options.product, FindProduct(arguments.product));
    const Product& product = *subject.options.product;
    if (arguments.targets.empty()) {
      if (!product.target.has_value()) {
        return UnsupportedError(
            fmt::format("{}: which DLPU it has is not known; add --target", product.name));
      }
      names = *product.target;
    }
  }
  if (names == "all") {
    subject.chosen = subject.all;
    return subject;
  }
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    DLPU_TRY(Target target, FindTarget(subject.all, name));
    subject.chosen.push_back(std::move(target));
  }
  if (subject.chosen.empty()) return InvalidError("--target: name a target, or 'all'");
  return subject;
}

Status WriteExtras(const Arguments& arguments, const std::vector<Prediction>& predictions) {
  if (arguments.csv.empty() && arguments.trace.empty()) return OkStatus();
  if (predictions.size() != 1) {
    return InvalidError("--csv and --trace: name one target, or a product");
  }
  if (!arguments.csv.empty()) {
    DLPU_RETURN_IF_ERROR(WriteTextFile(arguments.csv, PredictionCsv(predictions[0])));
  }
  return WriteJson(arguments.trace, PredictionTrace(predictions[0]));
}

// Fits the user's measurements to factors of their products, and stores them.
Status CalibrateProducts(const Arguments& arguments) {
  DLPU_TRY(const std::string text, ReadTextFile(arguments.calibrate));
  DLPU_TRY(const std::vector<UserTime> times,
           ParseUserTimes(text, arguments.calibrate, arguments.product));
  DLPU_TRY(const std::vector<Target> targets, LoadTargets());
  std::map<std::string, std::vector<UserSample>> by_product;
  std::map<std::string, Target> target_of;
  for (const UserTime& time : times) {
    DLPU_TRY(const Product product, FindProduct(time.product));
    if (!product.target.has_value()) {
      return UnsupportedError(product.name + ": which DLPU it has is not known");
    }
    DLPU_TRY(const Target target, FindTarget(targets, *product.target));
    DLPU_TRY(const LoadedModel model, LoadModel(time.model));
    DLPU_TRY(Workload workload, WorkloadOfModel(model, {}, target));
    by_product[product.name].push_back({std::move(workload), time});
    target_of.emplace(product.name, target);
  }
  for (const auto& [name, samples] : by_product) {
    const Target& target = target_of.at(name);
    DLPU_TRY(const UserFactor factor, FitUserFactor(target, samples));
    DLPU_TRY(const std::string path, SaveUserFactor({name, target.name, factor}));
    PrintNote(
        fmt::format("{} on {}: {:.3f} times (x/ {:.2f}) the fastest class, stored as yours in {}",
                    name, target.name, factor.value, factor.factor, path));
  }
  return OkStatus();
}

std::string SizesText(const std::vector<SizeRow>& rows) {
  Table table({">height", ">width", "fits", ">ms", "90 %", ">peak memory", ">streamed", ">CPU"});
  std::string notes;
  for (const SizeRow& row : rows) {
    std::vector<std::string> cells = {std::to_string(row.size.height),
                                      std::to_string(row.size.width), "no"};
    if (row.prediction.has_value()) {
      const Prediction& p = *row.prediction;
      const PredictedMemory& m = p.memory;
      cells = {cells[0],
               cells[1],
               "yes",
               fmt::format("{:.3g}", p.total_ms),
               fmt::format("{:.3g} to {:.3g}", p.low_ms, p.high_ms),
               m.peak_bytes ? BytesText(*m.peak_bytes) : "n/a",
               m.streamed_bytes ? BytesText(*m.streamed_bytes) : "-",
               fmt::format("{:.0f} %", 100 * p.cpu_ms / p.total_ms)};
    } else {
      notes += fmt::format("{}x{}: {}\n", row.size.height, row.size.width, row.error);
    }
    table.AddRow(std::move(cells));
  }
  return table.Text() + notes;
}

CommandResult RunSizes(const Arguments& arguments, const Subject& subject, const LoadedModel& model,
                       const ModelOptions& options) {
  DLPU_TRY(const std::vector<InputSize> sizes, ParseSizes(arguments.sizes));
  std::string text = model.path + "\n";
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"model", model.path},
                                 {"sha256", model.sha256},
                                 {"sweeps", nlohmann::ordered_json::array()}};
  for (const Target& target : subject.chosen) {
    DLPU_TRY(const std::vector<SizeRow> rows,
             SweepSizes(model, options, target, subject.options, sizes));
    text += fmt::format("\n{}\n{}", target.title, SizesText(rows));
    nlohmann::ordered_json items = nlohmann::ordered_json::array();
    for (const SizeRow& row : rows) {
      nlohmann::ordered_json item = {{"height", row.size.height},
                                     {"width", row.size.width},
                                     {"fits", row.prediction.has_value()},
                                     {"error", row.error}};
      if (row.prediction.has_value()) item["prediction"] = PredictionJson(*row.prediction);
      items.push_back(std::move(item));
    }
    json["sweeps"].push_back({{"target", target.name}, {"sizes", std::move(items)}});
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

CommandResult RunExplain(const Arguments& arguments, const Subject& subject,
                         const LoadedModel& model, const ModelOptions& options) {
  if (subject.chosen.size() != 1) {
    return InvalidError("--explain: name the product, or one target, that was measured");
  }
  const Target& target = subject.chosen[0];
  DLPU_TRY(const Workload workload, WorkloadOfModel(model, options, target));
  DLPU_TRY(const PredictOptions own, WithUserFactor(target, subject.options));
  DLPU_TRY(const GapReport gap, ExplainGap(workload, target, own, arguments.explain));
  nlohmann::ordered_json json = {
      {"schema_version", kJsonSchemaVersion}, {"model", model.path}, {"sha256", model.sha256}};
  json.update(PredictionJson(gap.prediction));
  json["explanation"] = GapJson(gap);
  PrintText(arguments.json, model.path + "\n\n" + GapText(gap));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

// Frames a second of a model whose input is prepared from a video of that size.
struct PipelineReport {
  std::string text;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
};

// Of the first input that is an RGB picture.
Result<larod::PictureSize> NetworkPicture(const LoadedModel& model) {
  for (const TensorId id : model.graph.inputs) {
    const Shape& shape = model.graph.tensors[static_cast<size_t>(id)].shape;
    if (shape.size() == 4 && shape[3] == 3 && shape[1] > 0 && shape[2] > 0) {
      return larod::PictureSize{static_cast<int>(shape[2]), static_cast<int>(shape[1])};
    }
  }
  return InvalidError(
      "--pipeline: the model has no input that is an RGB picture (1,height,width,3)");
}

Result<PipelineReport> ReportPipelines(const Arguments& arguments, const LoadedModel& model,
                                       const Target& target, double network_ms) {
  DLPU_TRY(const larod::PictureSize network, NetworkPicture(model));
  larod::PictureSize video;
  char end = 0;
  if (std::sscanf(arguments.pipeline.c_str(), "%dx%d%c", &video.width, &video.height, &end) != 2) {
    return InvalidError("--pipeline: give the size of the video as WIDTHxHEIGHT, e.g. 1920x1080");
  }
  const auto catalogue =
      larod::MakeCatalogue(arguments.product.empty() ? target.name : arguments.product);
  if (!catalogue.ok()) return InvalidError(catalogue.failure().message);
  PipelineReport report;
  std::string notes;
  Table table({"preprocessing", ">picture", ">network", "together", ">one by one", ">queued"});
  for (const larod::Pipeline& p : larod::PredictPipelines(*catalogue, network_ms, video, network)) {
    if (!p.refusal.empty()) {
      notes += fmt::format("{}: {}\n", p.device, p.refusal);
      report.json.push_back({{"device", p.device}, {"refusal", p.refusal}});
      continue;
    }
    table.AddRow({p.device, DurationText(p.prepare_ms), DurationText(p.network_ms),
                  p.overlaps ? "overlap" : "one after the other",
                  fmt::format("{:.1f} fps", p.fps_one_by_one),
                  fmt::format("{:.1f} fps", p.fps_queued)});
    report.json.push_back({{"device", p.device},
                           {"prepare_ms", p.prepare_ms},
                           {"network_ms", p.network_ms},
                           {"overlaps", p.overlaps},
                           {"fps_one_by_one", p.fps_one_by_one},
                           {"fps_queued", p.fps_queued}});
  }
  report.text = fmt::format(
      "\nFrames a second with NV12 pictures of {}x{} scaled and converted to {}x{}\n{}times of "
      "pictures: published for cpu-proc and the GPU of one ARTPEC-9 camera, assumed for others\n",
      video.width, video.height, network.width, network.height, table.Text() + notes);
  return report;
}

CommandResult RunPredict(const Arguments& arguments) {
  DLPU_TRY(ModelOptions options, Parse(arguments.model));
  DLPU_TRY(const Subject subject, ChooseSubject(arguments));
  if (!arguments.calibrate.empty()) DLPU_RETURN_IF_ERROR(CalibrateProducts(arguments));
  DLPU_TRY(const LoadedModel model, LoadModel(options));
  if (!arguments.sizes.empty()) return RunSizes(arguments, subject, model, options);
  if (arguments.explain != kNoTime) return RunExplain(arguments, subject, model, options);
  // Of several targets, one for which there is no time does not hide the others'.
  std::vector<Prediction> predictions;
  std::vector<const Target*> predicted;
  std::vector<std::pair<const Target*, Error>> without;
  for (const Target& target : subject.chosen) {
    Result<Prediction> p = PredictModel(model, options, target, subject.options);
    if (!p.ok()) {
      without.emplace_back(&target, p.error());
      continue;
    }
    predictions.push_back(std::move(p).value());
    predicted.push_back(&target);
  }
  if (predictions.empty()) return without[0].second;
  const bool one = subject.chosen.size() == 1;
  const Product* product = subject.options.product ? &*subject.options.product : nullptr;
  std::string text = model.path + "\n\n";
  text +=
      one ? PredictionText(predictions[0], arguments.steps ? 0 : 12) : PredictionsText(predictions);
  for (const auto& [target, error] : without) {
    text += fmt::format("{}: not available: {}\n", target->name, error.message);
  }
  nlohmann::ordered_json json = {
      {"schema_version", kJsonSchemaVersion}, {"model", model.path}, {"sha256", model.sha256}};
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (size_t i = 0; i < predictions.size(); ++i) {
    nlohmann::ordered_json item = PredictionJson(predictions[i]);
    item["not_available"] = nlohmann::ordered_json::array();
    for (const UnknownTime& u : UnknownTimes(*predicted[i], subject.all, product)) {
      if (one) text += fmt::format("{}: {}\n", u.device, u.says);
      item["not_available"].push_back({{"device", u.device}, {"says", u.says}});
    }
    items.push_back(std::move(item));
  }
  for (const auto& [target, error] : without) {
    items.push_back({{"target", target->name}, {"error", error.message}});
  }
  if (!arguments.pipeline.empty()) {
    for (size_t i = 0; i < predictions.size(); ++i) {
      DLPU_TRY(PipelineReport report,
               ReportPipelines(arguments, model, *predicted[i], predictions[i].total_ms));
      text += one ? report.text : "\n" + predicted[i]->title + report.text;
      items[i]["pipelines"] = std::move(report.json);
    }
  }
  if (one) {
    json.update(items[0]);
  } else {
    json["targets"] = std::move(items);
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteExtras(arguments, predictions));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddPredictCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "predict", "Predict a model's time on a camera",
                  [arguments] { return RunPredict(*arguments); });
  AddModelOptions(command, &arguments->model);
  command.Option("--target", "T[,T..]|all", &arguments->targets, "Targets (default: all)",
                 AreTargets);
  command.Option("--product", "P", &arguments->product, "A camera, e.g. Q1656-LE", IsProduct);
  command.Option("--class", "C", &arguments->speed_class,
                 "Speed class of the camera where products.toml does not know it");
  command.Option("--os", "V", &arguments->os, "AXIS OS, e.g. 12.4 (default: the newest known)");
  command.Flag("--steps", &arguments->steps, "Every step, in order");
  command.Option("--what-if", "KEY=VALUE,..", &arguments->what_if,
                 "Change clock, sram or dlpu_bandwidth: clock=1.2x,sram=2MiB");
  command.Option("--explain", "MS", &arguments->explain, 1e-6, 1e9,
                 "Why a camera's measured time differs");
  command.Option("--calibrate", "FILE", &arguments->calibrate,
                 "Your own measurements (CSV or TOML: product, model, ms); stored as yours");
  command.Option("--sizes", "HxW,..", &arguments->sizes, "The model at other input sizes");
  command.Option("--pipeline", "WxH", &arguments->pipeline,
                 "Frames a second with each preprocessing device, for a video of that size");
  command.Option("--csv", "FILE", &arguments->csv, "Write the steps as CSV");
  command.Option("--trace", "FILE", &arguments->trace,
                 "Write a timeline for chrome://tracing or Perfetto");
  command.Json(&arguments->json);
}

}  // namespace dlpu
