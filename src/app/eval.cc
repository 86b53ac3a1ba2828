// SPDX-License-Identifier: Apache-2.0
// Runs the model on every picture of the shard and keeps a record of each.
#include "app/eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/interpret.h"
#include "base/file.h"
#include "base/sha256.h"
#include "vision/image.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

// A loaded model with what its outputs mean.
struct Side {
  const CompareSide* side = nullptr;
  std::unique_ptr<Runner> runner;
  Head head;
};

Result<Side> LoadSide(const CompareSide* given, EvalTask task, int threads) {
  Side side;
  side.side = given;
  ModelOptions options = given->options;
  if (threads > 0) options.threads = threads;
  DLPU_TRY(side.runner, LoadRunner(given->model, options));
  if (task == EvalTask::kOutputs) return side;
  Result<Head> head = FindHead(*side.runner, std::string(EvalTaskName(task)));
  if (head.ok() && head->kind != HeadKind::kUnknown) {
    side.head = *std::move(head);
    return side;
  }
  const EvalTask others[] = {EvalTask::kClassify, EvalTask::kDetect, EvalTask::kSegment};
  for (const EvalTask other : others) {
    if (other == task || !FindHead(*side.runner, std::string(EvalTaskName(other))).ok()) continue;
    return UnsupportedError(
        fmt::format("{}: its outputs are none that --task {} knows; give --task {}", given->label,
                    EvalTaskName(task), EvalTaskName(other)));
  }
  return UnsupportedError(fmt::format(
      "{}: its outputs are none that --task {} knows; --task outputs compares any with --float",
      given->label, EvalTaskName(task)));
}

// A class or a box of no number is none: every comparison with it is false.
Status ExpectNumbers(const Runner& runner, const std::string& label, const std::string& picture) {
  for (size_t i = 0; i < runner.output_count(); ++i) {
    const Tensor& tensor = runner.output_tensor(i);
    if (tensor.type != DataType::kFloat32) continue;
    for (const float value : RealValues(tensor, runner.output(i))) {
      if (!std::isnan(value)) continue;
      return UnsupportedError(fmt::format(
          "{}: output '{}' has NaN for {}; dlpu compare finds the layer where that begins", label,
          tensor.name, picture));
    }
  }
  return OkStatus();
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class Evaluator {
 public:
  Evaluator(const EvalSet& set, const EvalRequest& request) : set_(set), request_(request) {}

  Result<EvalResult> Run() {
    DLPU_RETURN_IF_ERROR(Prepare());
    EvalState state;
    state.header = Header();
    if (!request_.state.empty()) DLPU_RETURN_IF_ERROR(Continue(state));
    std::ofstream file;
    if (!request_.state.empty()) DLPU_RETURN_IF_ERROR(Open(state, file));
    size_t done = 0;
    const auto shards = static_cast<size_t>(request_.shards);
    const size_t first = static_cast<size_t>(request_.shard) - 1;
    const size_t mine =
        first >= set_.items.size() ? 0 : (set_.items.size() - first - 1) / shards + 1;
    for (size_t i = first; i < set_.items.size(); i += shards) {
      if (!state.records.contains(i)) {
        DLPU_TRY(const Json record, Judge(i));
        state.records[i] = record.dump(-1, ' ', false, Json::error_handler_t::replace);
        if (file.is_open() && !(file << state.records[i] << '\n' << std::flush)) {
          return IoError(fmt::format("{}: cannot be written", request_.state));
        }
      }
      if (request_.progress) request_.progress(++done, mine);
    }
    return SummariseEval(state);
  }

 private:
  Status Prepare() {
    if (request_.reference == nullptr && !set_.has_truth) {
      return InvalidError(
          "nothing to judge by: give --truth, class folders, or a model to agree "
          "with (--float)");
    }
    DLPU_TRY(model_, LoadSide(request_.model, request_.task, request_.threads));
    if (request_.reference != nullptr) {
      DLPU_TRY(reference_, LoadSide(request_.reference, request_.task, request_.threads));
    }
    if (request_.task == EvalTask::kOutputs && request_.reference == nullptr) {
      return InvalidError("--task outputs compares with a model: name it with --float");
    }
    if (request_.task == EvalTask::kClassify) return PrepareClasses();
    if (request_.task == EvalTask::kDetect && request_.reference == nullptr) PrepareCategories();
    return OkStatus();
  }

  const Tensor& Scores(const Side& side) const {
    return side.runner->output_tensor(static_cast<size_t>(side.head.outputs.at(0)));
  }

  Status PrepareClasses() {
    const int64_t outputs = ElementCount(Scores(model_).shape);
    if (request_.reference != nullptr) {
      const int64_t others = ElementCount(Scores(*reference_).shape);
      if (others != outputs) {
        return InvalidError(fmt::format("{} has {} classes, {} has {}", request_.model->label,
                                        outputs, request_.reference->label, others));
      }
      return OkStatus();
    }
    if (set_.named && set_.classes != outputs && set_.classes + 1 != outputs) {
      return InvalidError(fmt::format(
          "the labels do not match: {} classes are named ('{}', ...), the model has {} outputs; "
          "name all classes in the model's order with --classes",
          set_.classes, set_.class_names.at(0), outputs));
    }
    // 1001 outputs for 1000 classes: the first one is the background.
    offset_ = request_.label_offset.value_or(outputs == set_.classes + 1 ? 1 : 0);
    if (offset_ != 0 && !request_.label_offset.has_value()) {
      notes_.push_back(
          fmt::format("{} outputs for {} classes: output 0 is taken for the "
                      "background (--label-offset)",
                      outputs, set_.classes));
    }
    if (set_.classes + offset_ > outputs) {
      return InvalidError(fmt::format(
          "the labels do not match: they go to class {}, the model has {} outputs (label offset "
          "{}; --first-class, --label-offset)",
          set_.classes - 1, outputs, offset_));
    }
    return OkStatus();
  }

  // By name when the model's labels are known; else the categories in the order of their ids.
  void PrepareCategories() {
    std::map<std::string, int64_t> by_name;
    for (size_t i = 0; i < set_.categories.size(); ++i) {
      by_name[Lower(set_.class_names[i])] = set_.categories[i];
    }
    const Labels& labels = request_.model->model.labels;
    size_t known = 0;
    for (size_t c = 0; c < labels.size(); ++c) {
      const auto found = by_name.find(Lower(labels[c]));
      if (found == by_name.end()) continue;
      category_of_[static_cast<int>(c)] = found->second;
      ++known;
    }
    if (known > 0) {
      if (known < by_name.size()) {
        notes_.push_back(
            fmt::format("{} of {} categories are among the model's labels; the others "
                        "count as never found",
                        known, by_name.size()));
      }
      return;
    }
    for (size_t i = 0; i < set_.categories.size(); ++i) {
      category_of_[static_cast<int>(i)] = set_.categories[i];
    }
    notes_.push_back("the model's labels are not known: class 0 is taken for the first category");
  }

  std::string Header() const {
    Json list = Json::array();
    for (const EvalItem& item : set_.items) {
      list.push_back(item.name);
      if (item.label.has_value()) list.push_back(*item.label);
    }
    const auto side = [](const CompareSide* s) {
      return s == nullptr ? Json()
                          : Json{{"sha256", s->model.sha256},
                                 {"target", s->options.target},
                                 {"profile", s->options.profile},
                                 {"portable", s->options.portable},
                                 {"cut_at", s->options.cut_at}};
    };
    const InputOptions& input = request_.input;
    const Json run = {{"items", list},
                      {"model", side(request_.model)},
                      {"reference", side(request_.reference)},
                      {"mean", input.mean},
                      {"std", input.std},
                      {"resize", input.resize},
                      {"bgr", input.bgr},
                      {"offset", offset_},
                      {"threshold", request_.score_threshold},
                      {"truth", set_.source}};
    const std::string text = run.dump(-1, ' ', false, Json::error_handler_t::replace);
    const Json header = {
        {"dlpu_eval", 1},
        {"run", Sha256Hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()})},
        {"task", EvalTaskName(request_.task)},
        {"agreement", request_.reference != nullptr},
        {"pictures", set_.items.size()},
        {"notes", notes_},
        {"class_names", set_.class_names},
        {"categories", set_.categories}};
    return header.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  Status Continue(EvalState& state) const {
    DLPU_TRY(EvalState before, ReadEvalState(request_.state));
    if (before.header.empty()) return OkStatus();
    if (before.header != state.header) {
      return InvalidError(fmt::format(
          "{}: the records of another run (model, pictures, labels or options differ); name "
          "another file or delete it",
          request_.state));
    }
    state.records = std::move(before.records);
    return OkStatus();
  }

  // The file anew with what is known, open for more.
  Status Open(const EvalState& state, std::ofstream& file) const {
    std::string text = state.header + "\n";
    for (const auto& [index, record] : state.records) text += record + "\n";
    DLPU_RETURN_IF_ERROR(WriteTextFile(request_.state, text));
    file.open(request_.state, std::ios::app);
    if (!file) return IoError(fmt::format("{}: cannot be written", request_.state));
    return OkStatus();
  }

  // Fills and runs one side; the error says why the picture is no use.
  Result<FilledInput> RunOn(Side& side, const EvalItem& item) const {
    InputOptions input = request_.input;
    input.files = {item.file};
    DLPU_TRY(std::vector<FilledInput> filled, FillInputs(*side.runner, side.side->model, input));
    DLPU_RETURN_IF_ERROR(side.runner->Run());
    DLPU_RETURN_IF_ERROR(ExpectNumbers(*side.runner, side.side->label, item.name));
    return std::move(filled[0]);
  }

  Result<Json> Judge(size_t index) {
    const EvalItem& item = set_.items[index];
    Json record = {{"i", index}, {"file", item.name}};
    const Result<FilledInput> filled = RunOn(model_, item);
    if (!filled.ok()) {
      // What is wrong with every picture is an error; with this one it is counted.
      if (filled.error().code == ErrorCode::kUnsupported) return filled.error();
      record["skipped"] = filled.error().message;
      return record;
    }
    // The same for all: kept with the first one, so that resuming and merging say it as well.
    if (!filled->note.empty() && index == 0) {
      record["note"] = fmt::format("input '{}': {}", filled->name, filled->note);
    }
    if (request_.reference != nullptr) {
      const Result<FilledInput> other = RunOn(*reference_, item);
      if (!other.ok()) return other.error();
    }
    switch (request_.task) {
      case EvalTask::kClassify:
        return Classify(item, record);
      case EvalTask::kDetect:
        return Detect(item, *filled, record);
      case EvalTask::kSegment:
        return Segment(item, *filled, record);
      case EvalTask::kOutputs:
        return Outputs(record);
    }
    return record;
  }

  std::vector<int64_t> Top(const Side& side, int offset) const {
    const auto at = static_cast<size_t>(side.head.outputs.at(0));
    const std::vector<float> scores =
        RealValues(side.runner->output_tensor(at), side.runner->output(at));
    ClassifyOptions options;
    options.label_offset = -offset;
    std::vector<int64_t> classes;
    for (const Classification& c : TopClasses(scores, options)) classes.push_back(c.class_id);
    return classes;
  }

  Result<Json> Classify(const EvalItem& item, Json record) const {
    const int offset = request_.reference != nullptr ? 0 : offset_;
    if (request_.reference != nullptr) {
      const std::vector<int64_t> best = Top(*reference_, 0);
      record["truth"] = best.empty() ? -1 : best[0];
    } else {
      record["truth"] = *item.label;
    }
    record["top"] = Top(model_, offset);
    return record;
  }

  // Boxes in pixels of the picture.
  Result<std::vector<FoundBox>> Boxes(const Side& side, const FilledInput& filled,
                                      std::optional<float> threshold, bool map) const {
    DLPU_TRY(const Interpretation found, InterpretOutputs(*side.runner, side.side->model, side.head,
                                                          filled.placement, threshold));
    const double width = filled.picture.width, height = filled.picture.height;
    std::vector<FoundBox> boxes;
    for (const Detection& d : found.detections) {
      FoundBox box;
      box.category = d.class_id;
      if (map) {
        const auto category = category_of_.find(d.class_id);
        if (category == category_of_.end()) continue;
        box.category = category->second;
      }
      box.score = d.score;
      box.x = static_cast<double>(d.xmin) * width;
      box.y = static_cast<double>(d.ymin) * height;
      box.width = static_cast<double>(d.xmax - d.xmin) * width;
      box.height = static_cast<double>(d.ymax - d.ymin) * height;
      boxes.push_back(box);
    }
    return boxes;
  }

  Result<Json> Detect(const EvalItem& item, const FilledInput& filled, Json record) const {
    const bool agree = request_.reference != nullptr;
    DLPU_TRY(const std::vector<FoundBox> found,
             Boxes(model_, filled, request_.score_threshold, !agree));
    std::vector<TruthBox> truth = item.boxes;
    if (agree) {
      truth.clear();
      DLPU_TRY(const std::vector<FoundBox> theirs, Boxes(*reference_, filled, std::nullopt, false));
      for (const FoundBox& b : theirs) {
        truth.push_back({b.category, b.x, b.y, b.width, b.height, b.width * b.height, false});
      }
    }
    record["found"] = Json::array();
    for (const FoundBox& b : found) {
      record["found"].push_back({b.category, b.score, b.x, b.y, b.width, b.height});
    }
    record["truth"] = Json::array();
    for (const TruthBox& b : truth) {
      record["truth"].push_back({b.category, b.x, b.y, b.width, b.height, b.area, b.crowd ? 1 : 0});
    }
    return record;
  }

  Result<ClassMap> MapOf(const Side& side, const FilledInput& filled) const {
    DLPU_TRY(const Interpretation found,
             InterpretOutputs(*side.runner, side.side->model, side.head, filled.placement));
    if (!found.map.has_value()) return InternalError("no class map");
    return *found.map;
  }

  Result<ClassMap> Truth(const EvalItem& item, const FilledInput& filled) const {
    if (request_.reference != nullptr) return MapOf(*reference_, filled);
    DLPU_TRY(const Image mask, ReadImage(item.mask));
    if (mask.channels != 1 || mask.width != filled.picture.width ||
        mask.height != filled.picture.height) {
      return InvalidError(
          fmt::format("{}: {}x{} with {} channels; the picture is {}x{}, and a class "
                      "map has one channel",
                      item.mask, mask.width, mask.height, mask.channels, filled.picture.width,
                      filled.picture.height));
    }
    return ClassMap{mask.width, mask.height, {mask.pixels.begin(), mask.pixels.end()}};
  }

  Result<Json> Segment(const EvalItem& item, const FilledInput& filled, Json record) const {
    DLPU_TRY(const ClassMap found, MapOf(model_, filled));
    DLPU_TRY(const ClassMap truth, Truth(item, filled));
    if (truth.classes.size() != found.classes.size()) {
      return InternalError("class maps of different sizes");
    }
    const bool may_ignore = request_.reference == nullptr;
    std::map<int, EvalResult::Overlap> overlaps;
    for (size_t i = 0; i < truth.classes.size(); ++i) {
      if (may_ignore && truth.classes[i] == 255) continue;
      ++overlaps[truth.classes[i]].truth;
      ++overlaps[found.classes[i]].found;
      if (truth.classes[i] == found.classes[i]) ++overlaps[truth.classes[i]].both;
    }
    record["classes"] = Json::array();
    for (const auto& [id, o] : overlaps) {
      record["classes"].push_back({id, o.both, o.found, o.truth});
    }
    return record;
  }

  Result<Json> Outputs(Json record) const {
    const Runner &a = *reference_->runner, &b = *model_.runner;
    record["outputs"] = Json::array();
    for (size_t i = 0; i < std::min(a.output_count(), b.output_count()); ++i) {
      ErrorStats stats;
      stats.Add(RealValues(a.output_tensor(i), a.output(i)),
                RealValues(b.output_tensor(i), b.output(i)));
      record["outputs"].push_back({stats.signal, stats.error, stats.dot, stats.other, stats.worst,
                                   stats.values, stats.not_finite});
    }
    return record;
  }

  const EvalSet& set_;
  const EvalRequest& request_;
  Side model_;
  std::optional<Side> reference_;
  int offset_ = 0;
  std::map<int, int64_t> category_of_;
  std::vector<std::string> notes_;
};

}  // namespace

Result<EvalResult> Evaluate(const EvalSet& set, const EvalRequest& request) {
  return Evaluator(set, request).Run();
}

}  // namespace dlpu
