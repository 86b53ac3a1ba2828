// SPDX-License-Identifier: Apache-2.0
// Choosing a scheme by what it loses and what it takes.
#include "app/choose_scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "app/predict.h"
#include "formats/tflite.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

constexpr QuantScheme kOffered[] = {QuantScheme::kInt8PerTensor, QuantScheme::kInt8PerChannel};

struct Made {
  LoadedModel model;
  SchemeOffer offer;
};

Result<Made> Make(const LoadedModel& model, QuantScheme scheme, const QuantizeSettings& asked,
                  const CalibrationSet& set, int threads, const QuantizeProgress& progress,
                  Observations& shared) {
  QuantizeSettings settings = DefaultSettings(scheme);
  settings.portable = asked.portable;
  settings.input = asked.input;
  settings.cut_at = asked.cut_at;
  settings.shapes = asked.shapes;
  settings.fix = asked.fix;
  settings.keep_outputs = asked.keep_outputs;
  settings.cut_post_processing = asked.cut_post_processing;
  settings.replace = asked.replace;
  DLPU_TRY(const QuantizeReport report, Quantize(model, settings, set, threads, progress, &shared));
  Made made;
  made.offer.scheme = scheme;
  made.offer.dead = report.dead();
  made.offer.sqnr_db = std::numeric_limits<double>::infinity();
  for (const OutputLoss& loss : report.losses) {
    made.offer.sqnr_db = std::min(made.offer.sqnr_db, loss.sqnr_db);
  }
  ModelFile file;
  DLPU_TRY(file.bytes, WriteTflite(report.graph));
  file.path = fmt::format("{} ({})", model.path, SchemeName(scheme));
  file.kind = FileKind::kTflite;
  DLPU_TRY(made.model, LoadModel(file));
  return made;
}

std::string Decibel(double db) { return std::isinf(db) ? "exact" : fmt::format("{:.1f} dB", db); }

std::string Short(QuantScheme scheme) {
  return scheme == QuantScheme::kInt8PerTensor ? "per-tensor" : "per-channel";
}

// Whether a is so much faster than b that it counts; times that are not known count as equal.
bool Faster(const SchemeOffer& a, const SchemeOffer& b) {
  return a.time && b.time && a.time->total_ms < b.time->total_ms * (1 - kSameTime);
}

}  // namespace

void Recommend(const Target& target, SchemeChoice& choice) {
  const std::vector<SchemeOffer>& offers = choice.offers;
  double best = -std::numeric_limits<double>::infinity();
  for (const SchemeOffer& offer : offers) {
    if (!offer.dead) best = std::max(best, offer.sqnr_db);
  }
  const Result<QuantScheme> wanted = SchemeFor(target);
  int chosen = -1;
  for (size_t i = 0; i < offers.size(); ++i) {
    const SchemeOffer& offer = offers[i];
    if (offer.dead || offer.sqnr_db < best - kAccuracyWorthTime) continue;
    const bool preferred = wanted.ok() && offer.scheme == *wanted;
    const bool better = chosen < 0 || Faster(offer, offers[static_cast<size_t>(chosen)]) ||
                        (preferred && !Faster(offers[static_cast<size_t>(chosen)], offer));
    if (better) chosen = static_cast<int>(i);
  }
  choice.recommended = chosen;
  if (chosen < 0) {
    choice.why = "every scheme leaves an output that hardly depends on the input";
    return;
  }
  const SchemeOffer& taken = offers[static_cast<size_t>(chosen)];
  for (const SchemeOffer& other : offers) {
    if (&other == &taken) continue;
    if (other.dead) {
      choice.why = fmt::format("{} is dead", Short(other.scheme));
    } else if (other.sqnr_db < best - kAccuracyWorthTime) {
      choice.why =
          fmt::format("{} loses {:.1f} dB more", Short(other.scheme), best - other.sqnr_db);
    } else if (Faster(taken, other)) {
      choice.why =
          fmt::format("{:.1f} times as fast, {:+.1f} dB",
                      other.time->total_ms / taken.time->total_ms, taken.sqnr_db - other.sqnr_db);
    } else {
      choice.why = fmt::format("as fast, and what this DLPU is made for; {:+.1f} dB",
                               taken.sqnr_db - other.sqnr_db);
    }
  }
}

Result<std::vector<SchemeChoice>> ChooseSchemes(const LoadedModel& model,
                                                const std::vector<Target>& targets,
                                                const QuantizeSettings& settings,
                                                const CalibrationSet& set, int threads,
                                                const QuantizeProgress& progress) {
  std::vector<SchemeChoice> choices;
  std::vector<Made> made;
  Observations shared;
  for (const Target& target : targets) {
    if (target.quantization.need != "int8") continue;
    for (const QuantScheme scheme : kOffered) {
      if (made.size() == std::size(kOffered)) break;
      DLPU_TRY(Made one, Make(model, scheme, settings, set, threads, progress, shared));
      made.push_back(std::move(one));
    }
    SchemeChoice choice;
    choice.target = target.name;
    choice.title = target.title;
    for (const Made& one : made) {
      SchemeOffer offer = one.offer;
      const Result<Program> program = ProgramToPrice(one.model, {}, target);
      Result<Prediction> time = program.ok() ? Predict(*program, target) : program.error();
      if (time.ok()) {
        offer.time = *std::move(time);
      } else {
        offer.time_error = time.error().message;
      }
      choice.offers.push_back(std::move(offer));
    }
    Recommend(target, choice);
    choices.push_back(std::move(choice));
  }
  if (choices.empty()) {
    return InvalidError("none of these targets wants an int8 model, so there is nothing to choose");
  }
  return choices;
}

std::string ChoicesText(const std::vector<SchemeChoice>& choices) {
  Table table({"target", "scheme", ">accuracy", ">predicted", "90 %", ""});
  for (const SchemeChoice& choice : choices) {
    for (size_t i = 0; i < choice.offers.size(); ++i) {
      const SchemeOffer& offer = choice.offers[i];
      const bool taken = static_cast<int>(i) == choice.recommended;
      table.AddRow({choice.target, Short(offer.scheme),
                    offer.dead ? "dead" : Decibel(offer.sqnr_db),
                    offer.time ? DurationText(offer.time->total_ms) : "not known",
                    offer.time ? DurationRangeText(offer.time->low_ms, offer.time->high_ms)
                               : offer.time_error,
                    taken ? "recommended: " + choice.why : ""});
    }
  }
  return table.Text() +
         "accuracy: signal to noise of the worst output against the float model, on calibration "
         "inputs\n";
}

Json ChoicesJson(const std::vector<SchemeChoice>& choices) {
  Json list = Json::array();
  for (const SchemeChoice& choice : choices) {
    Json offers = Json::array();
    for (const SchemeOffer& offer : choice.offers) {
      offers.push_back({{"scheme", SchemeName(offer.scheme)},
                        {"sqnr_db", std::isinf(offer.sqnr_db) ? Json() : Json(offer.sqnr_db)},
                        {"dead", offer.dead},
                        {"camera_ms", offer.time ? Json(offer.time->total_ms) : Json()},
                        {"low_ms", offer.time ? Json(offer.time->low_ms) : Json()},
                        {"high_ms", offer.time ? Json(offer.time->high_ms) : Json()},
                        {"time_error", offer.time_error}});
    }
    const Json recommended =
        choice.recommended < 0
            ? Json()
            : Json(SchemeName(choice.offers[static_cast<size_t>(choice.recommended)].scheme));
    list.push_back({{"target", choice.target},
                    {"offers", offers},
                    {"recommended", recommended},
                    {"why", choice.why}});
  }
  return list;
}

}  // namespace dlpu
