// SPDX-License-Identifier: Apache-2.0
// Trying settings.
#include "app/quantize_trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dlpu {
namespace {

// The range that all pixels from 0 to 255 take in a picture input: known, not measured.
void StateInputRanges(const Graph& graph, const LoadedModel& model,
                      const QuantizeSettings& settings, TensorFacts& facts) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const TensorId id = graph.inputs[i];
    std::string note;
    const auto spec = PictureSpec(graph.tensors[id], i, model, settings.input, note);
    if (!spec.ok() || !facts.ranges[id]) continue;
    RealRange range{0, 0};
    for (int c = 0; c < std::min(3, spec->channels); ++c) {
      const auto k = static_cast<size_t>(c);
      const float black = (0 - spec->mean[k]) / spec->std[k];
      const float white = (255 - spec->mean[k]) / spec->std[k];
      range.low = std::min({range.low, black, white});
      range.high = std::max({range.high, black, white});
    }
    // A fourth channel, or pictures that another preparation made.
    range.low = std::min(range.low, facts.ranges[id]->low);
    range.high = std::max(range.high, facts.ranges[id]->high);
    facts.ranges[id] = range;
  }
}

QuantizeOptions OptionsOf(const QuantizeSettings& settings) {
  QuantizeOptions options;
  options.scheme = settings.scheme;
  options.weight_range = settings.weight_range;
  options.correct_bias = settings.bias == BiasCorrection::kAnalytic;
  options.node_types = settings.node_types;
  options.input_type = settings.input_type;
  options.output_type = settings.output_type;
  return options;
}

// Whether activations have 256 codes over any range; fixed point is left as a vendor's compiler is
// taken to make it.
bool HasCoarseCodes(QuantScheme scheme) {
  return scheme != QuantScheme::kInt16x8 && scheme != QuantScheme::kPowerOfTwo;
}

// What is tried beside the settings as they are: each changes one thing. Biases come last, because
// what they correct depends on all else.
std::vector<QuantizeSettings> Variants(const QuantizeSettings& settings) {
  std::vector<QuantizeSettings> variants;
  const auto add = [&](const auto& change) {
    variants.push_back(settings);
    change(variants.back());
  };
  const bool wide = settings.scheme == QuantScheme::kInt16x8;
  if (settings.try_weights) add([](QuantizeSettings& s) { s.weight_range = WeightRange::kMse; });
  if (settings.try_rounding) {
    add([](QuantizeSettings& s) { s.rounding = Rounding::kAdaptive; });
  }
  if (settings.try_ranges && !wide) {
    add([](QuantizeSettings& s) { s.range.method = RangeMethod::kMse; });
  }
  // Powers of two are so far apart that other rules for clipping come to the same scales.
  if (settings.try_ranges && HasCoarseCodes(settings.scheme)) {
    add([](QuantizeSettings& s) { s.range.method = RangeMethod::kPercentile; });
    add([](QuantizeSettings& s) { s.range.method = RangeMethod::kAverage; });
  }
  if (settings.try_bias) {
    add([](QuantizeSettings& s) { s.bias = BiasCorrection::kNone; });
    add([](QuantizeSettings& s) { s.bias = BiasCorrection::kEmpirical; });
  }
  return variants;
}

// The best so far with what a variant changes of the settings asked for.
QuantizeSettings Merged(QuantizeSettings best, const QuantizeSettings& asked,
                        const QuantizeSettings& variant) {
  if (variant.bias != asked.bias) best.bias = variant.bias;
  if (variant.weight_range != asked.weight_range) best.weight_range = variant.weight_range;
  if (variant.rounding != asked.rounding) best.rounding = variant.rounding;
  if (variant.range.method != asked.range.method) best.range.method = variant.range.method;
  return best;
}

// What a variant has to gain to be taken. Ranges that clip fit the inputs they were chosen for, on
// which the gain is measured, and other inputs less: BlazeFace gained 1.6 dB on its calibration
// pictures and lost 1.6 dB on others. So does rounding, of which GainElsewhere is asked as well.
double WorthTaking(const QuantizeSettings& now, const QuantizeSettings& trial) {
  constexpr double kWorthClipping = 2.0;
  constexpr double kWorthFitting = 1.0;
  if (trial.rounding != now.rounding) return kWorthFitting;
  return trial.range.method != now.range.method ? kWorthClipping : kWorthChanging;
}

// What adaptive rounding has to gain on inputs that it was not learnt from. PP-OCR's detector
// gained 1.7 dB where it learnt and lost 1.2 on other pictures.
constexpr double kWorthElsewhere = 0.5;
constexpr size_t kFewestToJudge = 4;

// A model that came with codes was trained or quantized to saturate where they end.
void KeepCodeRanges(const Graph& graph, const std::map<std::string, RealRange>& code_ranges,
                    TensorFacts& facts) {
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const auto found = code_ranges.find(graph.tensors[t].name);
    if (found == code_ranges.end() || !facts.ranges[t]) continue;
    facts.ranges[t]->low = std::max(facts.ranges[t]->low, found->second.low);
    facts.ranges[t]->high = std::min(facts.ranges[t]->high, found->second.high);
  }
}

}  // namespace

std::vector<size_t> SomeOf(const std::vector<size_t>& used, bool between) {
  const size_t count = std::min(kLossInputs, used.size());
  std::vector<size_t> some;
  for (size_t k = 0; k < count; ++k) {
    some.push_back(used[(2 * k + (between ? 1 : 0)) * used.size() / (2 * count)]);
  }
  return some;
}

std::vector<size_t> HalfOf(const std::vector<size_t>& used, bool second) {
  constexpr size_t kBlocks = 8;
  std::vector<size_t> half;
  for (size_t i = 0; i < used.size(); ++i) {
    if ((i * kBlocks / used.size() % 2 == 1) == second) half.push_back(used[i]);
  }
  return half;
}

double ScoreOf(const std::vector<OutputLoss>& losses) {
  double sum = 0;
  for (const OutputLoss& loss : losses) sum += std::clamp(loss.sqnr_db, -60.0, 60.0);
  return losses.empty() ? 0 : sum / static_cast<double>(losses.size());
}

Trials::Trials(const TrialSubject& subject)
    : subject_(subject),
      readings_(ReadingsOf(subject.graph, subject.model, subject.observer)),
      read_by_sigmoids_(ReadBySigmoids(subject.graph, readings_)),
      some_(SomeOf(subject.used, false)),
      other_(SomeOf(subject.used, true)) {}

Result<BitChoice> Trials::ChooseWide(QuantizeSettings& settings) const {
  DLPU_TRY(BitChoice bits, ChooseBits(subject_.graph, subject_.observer, FactsFor(settings),
                                      OptionsOf(settings), settings.wide_below_db.value_or(0)));
  settings.node_types.insert(bits.nodes.begin(), bits.nodes.end());
  settings.wide_below_db.reset();
  return bits;
}

Status Trials::Choose(const QuantizeSettings& asked, const QuantizeProgress& progress,
                      QuantizeReport& report) {
  report.settings = asked;
  report.loss_inputs = static_cast<int>(some_.size());
  DLPU_TRY(report.losses, Losses(asked));
  const std::vector<QuantizeSettings> variants = Variants(asked);
  const int count = static_cast<int>(variants.size());
  for (int v = 0; v < count; ++v) {
    if (progress) progress(v + 1, count, "trying settings");
    const QuantizeSettings trial = Merged(report.settings, asked, variants[static_cast<size_t>(v)]);
    Result<std::vector<OutputLoss>> losses = Losses(trial);
    // A network that empirical correction does not know how to run goes without.
    if (!losses.ok() && losses.error().code == ErrorCode::kUnsupported) continue;
    if (!losses.ok()) return losses.error();
    if (ScoreOf(*losses) < ScoreOf(report.losses) + WorthTaking(report.settings, trial)) continue;
    if (trial.rounding != report.settings.rounding) {
      DLPU_TRY(const double elsewhere, GainElsewhere(report.settings, trial));
      if (elsewhere < kWorthElsewhere) continue;
    }
    report.losses = *std::move(losses);
    report.settings = trial;
  }
  if (!subject_.changed) return OkStatus();
  DLPU_TRY(const std::vector<OutputLoss> change, Against(subject_.graph));
  for (const OutputLoss& loss : change) {
    report.float_change = std::max(report.float_change, loss.worst);
  }
  return OkStatus();
}

// 16 bits have no need to clip.
void Trials::WidenRanges(const QuantizeSettings& settings, TensorFacts& facts) const {
  for (const Node& node : subject_.graph.nodes) {
    const auto type = settings.node_types.find(node.name);
    if (type == settings.node_types.end() || type->second != DataType::kInt16) continue;
    for (const TensorId id : node.outputs) {
      const auto& statistics = subject_.observer.statistics()[id];
      if (facts.ranges[id] && statistics && statistics->not_finite == 0) {
        facts.ranges[id] = RealRange{statistics->low, statistics->high};
      }
    }
  }
}

TensorFacts Trials::FactsFor(const QuantizeSettings& settings) const {
  RangeOptions range = settings.range;
  range.levels = settings.scheme == QuantScheme::kInt16x8 ? 65536 : 256;
  range.power_of_two = settings.scheme == QuantScheme::kPowerOfTwo;
  TensorFacts facts = FactsOf(subject_.observer, range);
  WidenRanges(settings, facts);
  // Codes beyond where a sigmoid is flat are lost to it: BlazeFace's scores run from -500 to 2.
  if (HasCoarseCodes(settings.scheme)) ClipSigmoids(read_by_sigmoids_, facts);
  if (!subject_.changed) KeepCodeRanges(subject_.graph, subject_.prepared.code_ranges, facts);
  StateInputRanges(subject_.graph, subject_.model, settings, facts);
  return facts;
}

Result<QuantizeOptions> Trials::OptionsFor(const QuantizeSettings& settings,
                                           const TensorFacts& facts) {
  QuantizeOptions options = OptionsOf(settings);
  if (settings.rounding == Rounding::kAdaptive) {
    if (!rounder_) {
      DLPU_TRY(rounder_, RounderFrom(subject_.used, settings.portable));
    }
    options.round_weights = [this](const std::string& node, std::span<const float> weights,
                                   QuantizedWeights& quantized) {
      rounder_->Round(node, weights, quantized);
    };
  }
  if (settings.bias != BiasCorrection::kEmpirical) return options;
  if (!corrector_) {
    DLPU_TRY(corrector_, BiasCorrector::Make(subject_.graph,
                                             {subject_.model, subject_.input, subject_.set, other_,
                                              subject_.threads},
                                             settings.portable));
  }
  QuantizeOptions plain = options;
  plain.input_type = plain.output_type = DataType::kFloat32;
  DLPU_TRY(Quantized uncorrected, QuantizeGraph(subject_.graph, facts, plain));
  DLPU_TRY(options.bias_shifts, corrector_->Shifts(std::move(uncorrected.graph)));
  return options;
}

Result<Quantized> Trials::Make(const QuantizeSettings& settings) {
  const TensorFacts facts = FactsFor(settings);
  DLPU_TRY(const QuantizeOptions options, OptionsFor(settings, facts));
  return QuantizeGraph(subject_.graph, facts, options);
}

// The integers between float borders, so that both graphs take the same inputs.
Result<Graph> Trials::FloatBordered(const QuantizeSettings& settings) {
  const TensorFacts facts = FactsFor(settings);
  DLPU_TRY(QuantizeOptions options, OptionsFor(settings, facts));
  options.input_type = options.output_type = DataType::kFloat32;
  DLPU_TRY(Quantized measured, QuantizeGraph(subject_.graph, facts, options));
  return std::move(measured.graph);
}

Result<std::vector<OutputLoss>> Trials::Losses(const QuantizeSettings& settings, size_t most) {
  DLPU_TRY(const Graph measured, FloatBordered(settings));
  return Against(measured, most);
}

Result<std::vector<OutputLoss>> Trials::Against(const Graph& other, size_t most) {
  if (!meter_) {
    DLPU_TRY(meter_, MeterOn(some_));
  }
  return meter_->Measure(other, most);
}

Result<LossMeter> Trials::MeterOn(const std::vector<size_t>& samples) const {
  return LossMeter::Make(subject_.prepared.graph, {subject_.model, subject_.input, subject_.set,
                                                   samples, subject_.threads, readings_});
}

Result<std::unique_ptr<AdaptiveRounder>> Trials::RounderFrom(const std::vector<size_t>& samples,
                                                             bool portable) const {
  return AdaptiveRounder::Make(
      subject_.graph, {subject_.model, subject_.input, subject_.set, samples, subject_.threads},
      portable);
}

// What the trial's adaptive rounding gains in dB on one half of the inputs when it is learnt from
// the other, the mean of both ways. Nothing, where there are too few inputs to say.
Result<double> Trials::GainElsewhere(const QuantizeSettings& now, const QuantizeSettings& trial) {
  if (subject_.used.size() < kFewestToJudge) return 0.0;
  DLPU_TRY(const Graph nearest, FloatBordered(now));
  std::unique_ptr<AdaptiveRounder> whole = std::move(rounder_);
  double gain = 0;
  for (const bool second : {false, true}) {
    const std::vector<size_t> learnt = HalfOf(subject_.used, second);
    DLPU_TRY(rounder_, RounderFrom(learnt, trial.portable));
    DLPU_TRY(const Graph rounded, FloatBordered(trial));
    rounder_.reset();
    DLPU_TRY(const LossMeter meter, MeterOn(SomeOf(HalfOf(subject_.used, !second), false)));
    DLPU_TRY(const auto losses, meter.Measure(rounded));
    DLPU_TRY(const auto before, meter.Measure(nearest));
    gain += (ScoreOf(losses) - ScoreOf(before)) / 2;
  }
  rounder_ = std::move(whole);
  return gain;
}

}  // namespace dlpu
