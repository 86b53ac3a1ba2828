// SPDX-License-Identifier: Apache-2.0
// Records: kept in a file of one line of JSON each, and summed up. Sums go through the records in
// the order of the pictures, so shards and interruptions leave no trace in them.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/eval.h"
#include "base/file.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

Error Damaged(const std::string& record) {
  return InvalidError(fmt::format("a damaged record: {}", record.substr(0, 80)));
}

void AddClassified(const Json& record, EvalResult& result) {
  const auto truth = record.value("truth", int64_t{-1});
  const std::vector<int64_t> top = record.value("top", std::vector<int64_t>());
  for (size_t i = 0; i < top.size() && i < 5; ++i) {
    if (top[i] != truth) continue;
    result.top1 += i == 0 ? 1 : 0;
    ++result.top5;
    break;
  }
}

using Rows = std::vector<std::vector<double>>;

bool AddDetected(const Json& record, std::vector<PictureBoxes>& pictures) {
  pictures.emplace_back();
  for (const std::vector<double>& row : record.value("found", Rows())) {
    if (row.size() != 6) return false;
    pictures.back().found.push_back(
        {static_cast<int64_t>(row[0]), row[1], row[2], row[3], row[4], row[5]});
  }
  for (const std::vector<double>& row : record.value("truth", Rows())) {
    if (row.size() != 7) return false;
    pictures.back().truth.push_back(
        {static_cast<int64_t>(row[0]), row[1], row[2], row[3], row[4], row[5], row[6] != 0});
  }
  return true;
}

bool AddSegmented(const Json& record, EvalResult& result) {
  for (const auto& row : record.value("classes", std::vector<std::vector<int64_t>>())) {
    if (row.size() != 4) return false;
    EvalResult::Overlap& overlap = result.overlaps[row[0]];
    overlap.both += row[1];
    overlap.found += row[2];
    overlap.truth += row[3];
  }
  return true;
}

bool AddOutputs(const Json& record, EvalResult& result) {
  const Rows rows = record.value("outputs", Rows());
  if (result.outputs.size() < rows.size()) result.outputs.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != 7) return false;
    ErrorStats& stats = result.outputs[i];
    stats.signal += rows[i][0];
    stats.error += rows[i][1];
    stats.dot += rows[i][2];
    stats.other += rows[i][3];
    stats.worst = std::max(stats.worst, rows[i][4]);
    stats.values += static_cast<int64_t>(rows[i][5]);
    stats.not_finite += static_cast<int64_t>(rows[i][6]);
  }
  return true;
}

std::optional<EvalTask> TaskFromName(const std::string& name) {
  for (const EvalTask task :
       {EvalTask::kClassify, EvalTask::kDetect, EvalTask::kSegment, EvalTask::kOutputs}) {
    if (EvalTaskName(task) == name) return task;
  }
  return std::nullopt;
}

// nlohmann's typed access throws on another type: records come from files.
Result<EvalResult> Sum(const EvalState& state) {
  const Json header = Json::parse(state.header, nullptr, false);
  if (!header.is_object()) return Damaged(state.header);
  EvalResult result;
  const auto task = TaskFromName(header.value("task", ""));
  if (!task.has_value()) return Damaged(state.header);
  result.task = *task;
  result.agreement = header.value("agreement", false);
  result.all = header.value("pictures", size_t{0});
  result.class_names = header.value("class_names", std::vector<std::string>());
  result.categories = header.value("categories", std::vector<int64_t>());
  result.notes = header.value("notes", std::vector<std::string>());
  std::vector<PictureBoxes> pictures;
  for (const auto& [index, text] : state.records) {
    const Json record = Json::parse(text, nullptr, false);
    if (!record.is_object()) return Damaged(text);
    if (record.contains("skipped")) {
      result.skipped.emplace_back(record.value("file", ""), record.value("skipped", ""));
      continue;
    }
    if (record.contains("note")) result.notes.push_back(record.value("note", ""));
    ++result.pictures;
    bool good = true;
    if (result.task == EvalTask::kClassify) AddClassified(record, result);
    if (result.task == EvalTask::kDetect) good = AddDetected(record, pictures);
    if (result.task == EvalTask::kSegment) good = AddSegmented(record, result);
    if (result.task == EvalTask::kOutputs) good = AddOutputs(record, result);
    if (!good) return Damaged(text);
  }
  if (result.task == EvalTask::kDetect) result.precision = AveragePrecision(pictures);
  return result;
}

}  // namespace

double EvalResult::metric() const {
  const double none = std::numeric_limits<double>::quiet_NaN();
  if (pictures == 0) return none;
  if (task == EvalTask::kClassify) {
    return static_cast<double>(top1) / static_cast<double>(pictures);
  }
  if (task == EvalTask::kDetect) return precision.map < 0 ? none : precision.map;
  if (task == EvalTask::kSegment) {
    double sum = 0;
    for (const auto& [id, o] : overlaps) {
      sum += static_cast<double>(o.both) / static_cast<double>(o.found + o.truth - o.both);
    }
    return overlaps.empty() ? none : sum / static_cast<double>(overlaps.size());
  }
  double least = std::numeric_limits<double>::infinity();
  for (const ErrorStats& stats : outputs) least = std::min(least, stats.sqnr_db());
  return outputs.empty() ? none : least;
}

Result<EvalState> ReadEvalState(const std::string& path) {
  EvalState state;
  if (!std::filesystem::exists(path)) return state;
  DLPU_TRY(const std::string text, ReadTextFile(path));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (state.header.empty()) {
      if (!json.is_object() || !json.contains("dlpu_eval")) {
        return InvalidError(fmt::format("{}: not the records of dlpu eval", path));
      }
      state.header = line;
      continue;
    }
    const bool whole = json.is_object() && json.contains("i") && json["i"].is_number_unsigned();
    if (!whole && lines.peek() == EOF) break;  // cut off when the run ended
    if (!whole) return InvalidError(fmt::format("{}: {}", path, Damaged(line).message));
    state.records[json["i"].get<size_t>()] = line;
  }
  return state;
}

Result<EvalResult> SummariseEval(const EvalState& state) {
  try {
    return Sum(state);
  } catch (const Json::exception& error) {
    return InvalidError(fmt::format("damaged records: {}", error.what()));
  }
}

Result<EvalResult> MergeEvaluations(const std::vector<std::string>& states) {
  EvalState all;
  for (const std::string& path : states) {
    DLPU_TRY(const EvalState one, ReadEvalState(path));
    if (one.header.empty()) return NotFoundError(fmt::format("{}: no records", path));
    if (!all.header.empty() && one.header != all.header) {
      return InvalidError(fmt::format(
          "{}: another run than {} (model, pictures, labels or options differ)", path, states[0]));
    }
    all.header = one.header;
    for (const auto& [index, record] : one.records) {
      const auto [at, added] = all.records.emplace(index, record);
      if (!added && at->second != record) {
        return InvalidError(
            fmt::format("{}: picture {} has another record than in the files "
                        "before it",
                        path, index));
      }
    }
  }
  DLPU_TRY(EvalResult result, SummariseEval(all));
  if (all.records.size() != result.all) {
    return InvalidError(
        fmt::format("{} of {} pictures have no record: name the files of all "
                    "shards, each run to its end",
                    result.all - all.records.size(), result.all));
  }
  return result;
}

}  // namespace dlpu
