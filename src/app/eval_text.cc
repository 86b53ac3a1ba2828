// SPDX-License-Identifier: Apache-2.0
// Results of an evaluation for people and for programs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/eval.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

std::string PercentText(double share) {
  return share < 0 ? "-" : fmt::format("{:.2f} %", 100 * share);
}

Json Share(double value) { return value < 0 || std::isnan(value) ? Json() : Json(value); }

std::string CategoryName(const EvalResult& result, int64_t category) {
  const auto at = std::find(result.categories.begin(), result.categories.end(), category);
  const auto i = static_cast<size_t>(at - result.categories.begin());
  return i < result.class_names.size() ? result.class_names[i] : fmt::format("class {}", category);
}

std::string ClassifiedText(const EvalResult& result) {
  const auto all = static_cast<double>(std::max<size_t>(1, result.pictures));
  const char* what = result.agreement ? "agreement" : "top-1    ";
  return fmt::format("{}  {} ({} of {})\ntop-5      {} ({})\n", what,
                     PercentText(static_cast<double>(result.top1) / all), result.top1,
                     result.pictures, PercentText(static_cast<double>(result.top5) / all),
                     result.top5);
}

std::string DetectedText(const EvalResult& result) {
  const MeanPrecision& p = result.precision;
  return fmt::format(
      "mAP        {} (IoU 0.50 to 0.95{})\nAP50       {}\nAP75       {}\nsmall, medium, large  {}, "
      "{}, {}\n",
      PercentText(p.map), result.agreement ? ", against the other model's boxes" : "",
      PercentText(p.ap50), PercentText(p.ap75), PercentText(p.small), PercentText(p.medium),
      PercentText(p.large));
}

double OverlapShare(const EvalResult::Overlap& o) {
  return static_cast<double>(o.both) / static_cast<double>(o.found + o.truth - o.both);
}

std::string SegmentedText(const EvalResult& result) {
  std::string text = fmt::format("mean IoU   {} over {} classes\n", PercentText(result.metric()),
                                 result.overlaps.size());
  for (const auto& [id, overlap] : result.overlaps) {
    text += fmt::format("  class {:<4} {}\n", id, PercentText(OverlapShare(overlap)));
  }
  return text;
}

std::string OutputsText(const EvalResult& result) {
  std::string text;
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    text += fmt::format("output {}   {} dB, cosine {:.5f}\n", i, DecibelText(result.outputs[i]),
                        result.outputs[i].cosine());
  }
  return text;
}

}  // namespace

std::string EvalText(const EvalResult& result) {
  std::string text;
  switch (result.task) {
    case EvalTask::kClassify:
      text = ClassifiedText(result);
      break;
    case EvalTask::kDetect:
      text = DetectedText(result);
      break;
    case EvalTask::kSegment:
      text = SegmentedText(result);
      break;
    case EvalTask::kOutputs:
      text = OutputsText(result);
      break;
  }
  text += fmt::format("pictures   {} of {}", result.pictures, result.all);
  if (!result.skipped.empty()) text += fmt::format(", {} skipped", result.skipped.size());
  text += "\n";
  for (const auto& [file, why] : result.skipped) {
    text += fmt::format("  skipped {}: {}\n", file, why);
  }
  for (const std::string& note : result.notes) text += "note: " + note + "\n";
  return text;
}

Json EvalJson(const EvalResult& result) {
  Json json = {{"task", EvalTaskName(result.task)}, {"agreement", result.agreement},
               {"pictures", result.pictures},       {"all", result.all},
               {"skipped", Json::array()},          {"notes", result.notes}};
  for (const auto& [file, why] : result.skipped) {
    json["skipped"].push_back({{"file", file}, {"reason", why}});
  }
  const double metric = result.metric();
  json["metric"] = std::isfinite(metric) ? Json(metric) : Json();
  if (result.task == EvalTask::kClassify) {
    const auto all = static_cast<double>(std::max<size_t>(1, result.pictures));
    json["correct_top1"] = result.top1;
    json["correct_top5"] = result.top5;
    json["top1"] = static_cast<double>(result.top1) / all;
    json["top5"] = static_cast<double>(result.top5) / all;
  } else if (result.task == EvalTask::kDetect) {
    const MeanPrecision& p = result.precision;
    json["map"] = Share(p.map);
    json["ap50"] = Share(p.ap50);
    json["ap75"] = Share(p.ap75);
    json["ap_small"] = Share(p.small);
    json["ap_medium"] = Share(p.medium);
    json["ap_large"] = Share(p.large);
    json["categories"] = Json::array();
    for (const auto& [id, ap] : p.categories) {
      json["categories"].push_back({{"id", id}, {"name", CategoryName(result, id)}, {"ap", ap}});
    }
  } else if (result.task == EvalTask::kSegment) {
    json["mean_iou"] = json["metric"];
    json["classes"] = Json::array();
    for (const auto& [id, overlap] : result.overlaps) {
      json["classes"].push_back({{"id", id},
                                 {"iou", OverlapShare(overlap)},
                                 {"both", overlap.both},
                                 {"found", overlap.found},
                                 {"truth", overlap.truth}});
    }
  } else {
    json["outputs"] = Json::array();
    for (const ErrorStats& stats : result.outputs) json["outputs"].push_back(ErrorJson(stats));
  }
  return json;
}

}  // namespace dlpu
