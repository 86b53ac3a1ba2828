// SPDX-License-Identifier: Apache-2.0
// Which scheme to quantize a model with for which target: both are made, and what each loses and
// how long each takes there decides. Plain values; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/calibration_set.h"
#include "app/model.h"
#include "app/quantize.h"
#include "base/result.h"
#include "target/cost/predict.h"
#include "target/target.h"

namespace dlpu {

// One scheme on one target.
struct SchemeOffer {
  QuantScheme scheme = QuantScheme::kInt8PerChannel;
  // The worst output's signal to noise against the float model on calibration inputs: what stands
  // for accuracy. Infinite: equal.
  double sqnr_db = 0;
  bool dead = false;               // an output hardly depends on the input any more
  std::optional<Prediction> time;  // on the target's cameras
  std::string time_error;          // why there is none
};

struct SchemeChoice {
  std::string target, title;
  std::vector<SchemeOffer> offers;
  int recommended = -1;  // of offers; -1: none is alive
  std::string why;       // a sentence part
};

// A scheme that is so much worse than the best (in dB) is not taken for its speed, ...
inline constexpr double kAccuracyWorthTime = 6;
// ... and times this near to each other are the same.
inline constexpr double kSameTime = 0.05;

// Recommends one of the offers: of those that lose little the fastest, of those as fast the one the
// target's data asks for, unless it loses more.
void Recommend(const Target& target, SchemeChoice& choice);

// Quantizes per tensor and per channel, with DefaultSettings and the input and model options of
// `settings`, and prices both on every target that wants int8. An error when none of them does.
Result<std::vector<SchemeChoice>> ChooseSchemes(const LoadedModel& model,
                                                const std::vector<Target>& targets,
                                                const QuantizeSettings& settings,
                                                const CalibrationSet& set, int threads,
                                                const QuantizeProgress& progress);

std::string ChoicesText(const std::vector<SchemeChoice>& choices);
nlohmann::ordered_json ChoicesJson(const std::vector<SchemeChoice>& choices);

}  // namespace dlpu
