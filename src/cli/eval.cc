// SPDX-License-Identifier: Apache-2.0
// dlpu eval: how right a model is, or how far it agrees with another.
#include "app/eval.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/choose_targets.h"
#include "cli/command.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string model, images, truth, classes, task = "classify", reference, json, shard, profile,
                                             cut_at;
  std::vector<std::string> shapes, merge;
  EvalRequest request;
  int first_class = 0, label_offset = -1;
  bool portable = false;
  double min = NAN;
};

Result<EvalTask> ParseTask(const std::string& name) {
  for (const EvalTask task :
       {EvalTask::kClassify, EvalTask::kDetect, EvalTask::kSegment, EvalTask::kOutputs}) {
    if (EvalTaskName(task) == name) return task;
  }
  return InvalidError(fmt::format("--task {}: give classify, detect, segment or outputs", name));
}

Status ParseShard(const std::string& text, EvalRequest& request) {
  if (text.empty()) return OkStatus();
  int i = 0, n = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%d/%d%c", &i, &n, &rest) != 2 || i < 1 || i > n) {
    return InvalidError(fmt::format("--shard {}: give I/N with 1 <= I <= N, such as 2/4", text));
  }
  if (request.state.empty()) {
    return InvalidError("--shard: name a file for the records with --state, to be merged later");
  }
  request.shard = i;
  request.shards = n;
  return OkStatus();
}

void ShowProgress(size_t done, size_t all) {
  constexpr size_t kWidth = 30;
  const size_t filled = all == 0 ? kWidth : kWidth * done / all;
  std::fprintf(stderr, "\r[%s%s] %zu of %zu", std::string(filled, '#').c_str(),
               std::string(kWidth - filled, '.').c_str(), done, all);
  if (done == all) std::fprintf(stderr, "\n");
}

Result<EvalResult> RunModel(Arguments& arguments) {
  if (arguments.model.empty() || arguments.images.empty()) {
    return InvalidError("give MODEL and --images DIR, or --merge FILE for the records of shards");
  }
  EvalRequest& request = arguments.request;
  DLPU_TRY(request.task, ParseTask(arguments.task));
  DLPU_RETURN_IF_ERROR(ParseShard(arguments.shard, request));
  if (arguments.label_offset >= 0) request.label_offset = arguments.label_offset;
  ModelOptions options;
  DLPU_TRY(options.shapes, ParseShapes(arguments.shapes));
  options.cut_at = arguments.cut_at;
  options.portable = arguments.portable;
  ModelOptions plain = options;
  options.profile = arguments.profile;
  DLPU_TRY(const CompareSide model, LoadCompareSide(arguments.model, options));
  request.model = &model;
  std::optional<CompareSide> reference;
  if (!arguments.reference.empty()) {
    DLPU_TRY(reference, LoadCompareSide(arguments.reference, plain));
    request.reference = &*reference;
  }
  // Labels do not count when another model is the truth.
  const EvalTask files = reference.has_value() ? EvalTask::kOutputs : request.task;
  DLPU_TRY(const EvalSet set,
           FindEvalSet(files, arguments.images, reference.has_value() ? "" : arguments.truth,
                       arguments.first_class, reference.has_value() ? "" : arguments.classes));
  if (isatty(STDERR_FILENO) != 0) request.progress = ShowProgress;
  return Evaluate(set, request);
}

CommandResult Run(Arguments& arguments) {
  EvalResult result;
  if (arguments.merge.empty()) {
    DLPU_TRY(result, RunModel(arguments));
  } else {
    DLPU_TRY(result, MergeEvaluations(arguments.merge));
  }
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion}};
  json.update(EvalJson(result));
  PrintText(arguments.json, EvalText(result));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  if (result.pictures == 0) {
    PrintNote("no picture could be used");
    return static_cast<int>(kExitFailed);
  }
  const double metric = result.task == EvalTask::kOutputs ? result.metric() : 100 * result.metric();
  if (!std::isnan(arguments.min) && !(metric >= arguments.min)) {
    PrintNote(fmt::format("{:.4g} is below --min {}", metric, arguments.min));
    return static_cast<int>(kExitGate);
  }
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddEvalCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "eval", "Measure how right a model is on labelled pictures",
                  [arguments] { return Run(*arguments); });
  EvalRequest& request = arguments->request;
  command.Positional("MODEL", &arguments->model, "MODEL or MODEL@TARGET", false);
  command.Option("--images", "DIR", &arguments->images,
                 "Pictures; folders in it are classes when there is no --truth");
  command.Option("--task", "TASK", &arguments->task,
                 "classify (default), detect, segment, outputs (any, with --float)");
  command.Option(
      "--truth", "FILE|DIR", &arguments->truth,
      "Labels: a list (classify), COCO's JSON (detect), a folder of class maps (segment)");
  command.Option("--float", "MODEL", &arguments->reference,
                 "Instead of labels: how far MODEL agrees with this one");
  command.Option("--classes", "FILE", &arguments->classes,
                 "All classes, one a line by name, in the model's order; with ILSVRC's numbers "
                 "(n02119789 1 kit_fox) it is the sorted one");
  command.Option("--first-class", "N", &arguments->first_class, 0, 1000000,
                 "The list's number of the first class (default: 0)");
  command.Option(
      "--label-offset", "N", &arguments->label_offset, 0, 1000000,
      "Output of the first class (default: 1 when there is one output more than classes)");
  command.Option("--state", "FILE", &request.state,
                 "Keep a record of each picture here; an interrupted run goes on");
  command.Option("--shard", "I/N", &arguments->shard, "Only every N-th picture, from the I-th on");
  command.Option("--merge", "FILE", &arguments->merge,
                 "The result of the records of all shards; repeat for each");
  command.Option("--min", "X", &arguments->min, -1000, 1000,
                 "Exit with 4 when the result (percent; dB of outputs) is below it");
  AddPictureOptions(command, &request.input);
  command.Option("--profile", "NAME", &arguments->profile,
                 "Integer arithmetic: tflite-reference, tflite-builtin, xnnpack", IsProfile);
  command.Option("--shape", "NAME=1,300,300,3", &arguments->shapes, "Shape of an open input");
  command.Option("--cut-at", "OP_OR_LAYER", &arguments->cut_at,
                 "Leave out the first such op or layer and all that depends on it");
  command.Flag("--portable", &arguments->portable,
               "Float layers give the same bits on every CPU; slower (integer layers do anyway)");
  command.Option("--threads", "N", &request.threads, 0, 256,
                 "Threads (default: one for each physical core)");
  command.Json(&arguments->json);
}

}  // namespace dlpu
