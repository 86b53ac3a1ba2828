// SPDX-License-Identifier: Apache-2.0
// A calibrated float graph quantized with different settings, and what each loses on some of the
// calibration inputs. One thread at a time.
#pragma once

#include <optional>
#include <vector>

#include "app/adaptive_rounding.h"
#include "app/bias_correction.h"
#include "app/observe.h"
#include "app/prepare_float.h"
#include "app/quantize.h"
#include "app/quantize_loss.h"
#include "base/result.h"

namespace dlpu {

// What is quantized; all of it must outlive the Trials.
struct TrialSubject {
  const LoadedModel& model;
  const FloatGraph& prepared;  // the reference of losses
  const Graph& graph;          // what is quantized: prepared.graph, perhaps equalized
  const Observer& observer;    // of `graph`
  const CalibrationSet& set;
  const InputOptions& input;
  const std::vector<size_t>& used;  // of the set: what can be read
  bool changed = false;             // `graph` is no longer prepared.graph
  int threads = 0;
};

// As many inputs as losses are measured on, and biases.
inline constexpr size_t kLossInputs = 16;
// At most so many of the inputs, spread over all; with `between` others, as far as there are any.
std::vector<size_t> SomeOf(const std::vector<size_t>& used, bool between);

// Half of the inputs: every other one of eight blocks of neighbours, since inputs that stand side
// by side (a picture and its mirror image, frames of one film) are alike.
std::vector<size_t> HalfOf(const std::vector<size_t>& used, bool second);

class Trials {
 public:
  explicit Trials(const TrialSubject& subject);

  // Gives layers at tensors that 8 bits represent too coarsely 16, as settings.wide_below_db asks;
  // the settings say it layer by layer then.
  Result<BitChoice> ChooseWide(QuantizeSettings& settings) const;

  // Puts the settings that lose least and what they lose into the report.
  Status Choose(const QuantizeSettings& asked, const QuantizeProgress& progress,
                QuantizeReport& report);

  // The model with these settings.
  Result<Quantized> Make(const QuantizeSettings& settings);
  // What it loses, on the first `most` of the inputs that losses are measured on.
  Result<std::vector<OutputLoss>> Losses(const QuantizeSettings& settings, size_t most = SIZE_MAX);
  const Graph& graph() const { return subject_.graph; }

 private:
  TensorFacts FactsFor(const QuantizeSettings& settings) const;
  void WidenRanges(const QuantizeSettings& settings, TensorFacts& facts) const;
  Result<QuantizeOptions> OptionsFor(const QuantizeSettings& settings, const TensorFacts& facts);
  Result<Graph> FloatBordered(const QuantizeSettings& settings);
  Result<std::vector<OutputLoss>> Against(const Graph& other, size_t most = SIZE_MAX);
  Result<LossMeter> MeterOn(const std::vector<size_t>& samples) const;
  Result<std::unique_ptr<AdaptiveRounder>> RounderFrom(const std::vector<size_t>& samples,
                                                       bool portable) const;
  Result<double> GainElsewhere(const QuantizeSettings& now, const QuantizeSettings& trial);

  const TrialSubject subject_;
  const std::vector<OutputReading> readings_;
  const std::vector<bool> read_by_sigmoids_;  // parallel to the graph's tensors
  std::vector<size_t> some_;                  // of the set, on which losses are measured
  std::vector<size_t> other_;  // on which biases are; others than `some_` where there are enough
  // Made when they are needed.
  std::unique_ptr<AdaptiveRounder> rounder_;
  std::optional<BiasCorrector> corrector_;
  std::optional<LossMeter> meter_;
};

// What a change has to gain to be worth it, in dB.
inline constexpr double kWorthChanging = 0.2;

// The mean of the losses over outputs in dB; beyond 60 dB nothing is gained.
double ScoreOf(const std::vector<OutputLoss>& losses);

}  // namespace dlpu
