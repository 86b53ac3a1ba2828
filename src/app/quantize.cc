// SPDX-License-Identifier: Apache-2.0
// The way from a float model to an integer one.
#include "app/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/prepare_float.h"
#include "app/quantize_trials.h"
#include "formats/tflite_versions.h"
#include "ir/quantization_style.h"

namespace dlpu {
namespace {

constexpr std::string_view kBiasWords[] = {"none", "analytic", "empirical"};
constexpr std::string_view kRoundingWords[] = {"nearest", "adaptive"};

// Where TensorFlow's own rules are not settled, the version that its converter writes for 16 x 8
// bits with 64-bit biases.
int32_t VersionOf(const Graph& graph, const Node& node) {
  // Version 2 is for int8, and the resolver of LiteRT's reference kernels knows the first alone,
  // which takes int8 as well.
  if (node.op == Op::kDepthToSpace) return 1;
  if (const auto lowest = LowestVersionOf(graph, node)) return lowest->version;
  switch (node.op) {
    case Op::kConv2d:
      return 4;
    case Op::kDepthwiseConv2d:
      return 5;
    case Op::kFullyConnected:
      return 7;
    case Op::kTransposeConv:
      return 3;
    default:
      return node.version;
  }
}

// Runs the graph on the set and gives what was seen; inputs that cannot be read are skipped.
class Calibrator {
 public:
  Calibrator(const LoadedModel& model, const QuantizeSettings& settings, const CalibrationSet& set,
             int threads, const QuantizeProgress& progress, Observations* shared)
      : model_(model),
        settings_(settings),
        set_(set),
        threads_(threads),
        progress_(progress),
        shared_(shared) {}

  Result<std::shared_ptr<const Observer>> Observe(const Graph& graph, const char* what) {
    const std::string key = shared_ == nullptr ? "" : Observations::Key(graph, settings_.portable);
    if (const Observation* seen = key.empty() ? nullptr : shared_->Find(key)) {
      used = seen->used;
      skipped = seen->skipped;
      note = seen->note;
      return seen->observer;
    }
    DLPU_TRY(std::shared_ptr<const Observer> observer, Run(graph, what));
    if (shared_ != nullptr) shared_->Keep(key, {observer, used, skipped, note});
    return observer;
  }

  std::vector<SkippedInput> skipped;
  std::vector<size_t> used;
  std::string note;

 private:
  Result<std::shared_ptr<const Observer>> Run(const Graph& graph, const char* what) {
    DLPU_TRY(std::unique_ptr<Observer> observer,
             Observer::Make(graph, threads_, settings_.portable));
    skipped.clear();
    used.clear();
    for (size_t i = 0; i < set_.size(); ++i) {
      if (progress_) progress_(static_cast<int>(i), static_cast<int>(set_.size()), what);
      auto filled = FillSample(observer->runner(), model_, settings_.input, set_, i);
      if (!filled.ok()) {
        // A picture that cannot be read is left out; an input that no picture fits is a mistake.
        if (set_.size() == 1 || !set_.arrays.empty()) return filled.error();
        skipped.push_back({SampleName(set_, i), filled.error().message});
        continue;
      }
      for (const FilledInput& input : *filled) {
        if (!input.note.empty() && used.empty()) {
          note = fmt::format("input '{}': {}", input.name, input.note);
        }
        if (input.source == "zeros") {
          note = fmt::format("input '{}' has no calibration input and was zero", input.name);
        }
      }
      DLPU_RETURN_IF_ERROR(observer->Collect());
      used.push_back(i);
    }
    if (progress_) progress_(static_cast<int>(set_.size()), static_cast<int>(set_.size()), what);
    if (used.empty()) {
      return InvalidError(fmt::format("{}: none of {} inputs can be used; the first: {}",
                                      set_.source, set_.size(), skipped[0].why));
    }
    observer->Finish();
    return std::shared_ptr<const Observer>(std::move(observer));
  }

  const LoadedModel& model_;
  const QuantizeSettings& settings_;
  const CalibrationSet& set_;
  const int threads_;
  const QuantizeProgress& progress_;
  Observations* const shared_;
};

// Fixed-point models stand for what a vendor's compiler makes: bytes of pictures in, floats out.
void ChooseBorders(const LoadedModel& model, const Graph& graph, QuantizeSettings& settings) {
  bool pictures = !graph.inputs.empty();
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    std::string note;
    const Tensor& tensor = graph.tensors[graph.inputs[i]];
    pictures &= PictureSpec(tensor, i, model, settings.input, note).ok();
  }
  if (!settings.input_type) {
    settings.input_type = pictures ? DataType::kUInt8 : DataType::kFloat32;
  }
  if (!settings.output_type) settings.output_type = DataType::kFloat32;
}

void Warn(const Observer& observer, const Graph& graph, QuantizeReport& report) {
  for (const StructureProof& proof : report.structure.proofs) {
    if (!proof.exact || proof.largest <= kFloatRounding) continue;
    report.warnings.push_back(
        fmt::format("{}: the float model's outputs moved by {:.2g} of their range, which should be "
                    "rounding alone",
                    proof.kind, proof.largest));
  }
  if (report.used.size() < 10) {
    report.warnings.push_back(fmt::format(
        "only {} calibration input{}; about 100 that look like what the camera will see give "
        "ranges that hold",
        report.used.size(), report.used.size() == 1 ? "" : "s"));
  }
  for (const TensorId id : graph.inputs) {
    const auto& statistics = observer.statistics()[id];
    if (!statistics || statistics->values == 0 || statistics->high > statistics->low) continue;
    report.warnings.push_back(fmt::format(
        "input '{}' has the one value {} in all of the calibration set: the ranges say nothing "
        "about real pictures",
        graph.tensors[id].name, statistics->low));
  }
}

// Layers that one scale would flatten, with what equalization made of them.
std::vector<FlattenedLayer> Flattened(const Graph& before, const Graph& after) {
  const std::map<std::string, double> old = ChannelRangeRatios(before),
                                      now = ChannelRangeRatios(after);
  std::vector<FlattenedLayer> layers;
  for (const Node& node : before.nodes) {
    const auto ratio = old.find(node.name);
    if (ratio == old.end() || ratio->second <= kFlattening) continue;
    const auto equalized = now.find(node.name);
    layers.push_back({node.name, NodeOpName(node), ratio->second,
                      equalized == now.end() ? ratio->second : equalized->second});
  }
  return layers;
}

// The float graph with the structural changes that were asked for.
struct Restructured {
  Graph graph;
  StructureReport report;
  bool any = false;  // it is not the prepared graph any more
};

// `prepared` becomes what losses are measured against: all but the replacements.
Result<Restructured> Restructure(const LoadedModel& model, FloatGraph& prepared,
                                 const QuantizeSettings& settings, const Observer& observer,
                                 const CalibrationSet& set, const std::vector<size_t>& samples,
                                 int threads) {
  DLPU_TRY(Structure structure,
           Structure::Make(prepared.graph, model, settings.input, set, samples, threads));
  if (prepared.original) {
    DLPU_RETURN_IF_ERROR(structure.Compare("prepare", *prepared.original, prepared.graph));
    prepared.original.reset();
  }
  const Graph observed = prepared.graph;
  const bool outputs_may_change = settings.fix && !settings.keep_outputs;
  if (outputs_may_change || settings.cut_post_processing) {
    DLPU_RETURN_IF_ERROR(
        structure.CutPostProcessing(prepared.graph, settings.scheme, settings.cut_post_processing));
  }
  if (settings.fix && settings.scheme != QuantScheme::kInt16x8) {
    TensorFacts facts = FactsOf(observer, {});
    ClipSigmoids(ReadBySigmoids(observed, ReadingsOf(observed, model, observer)), facts);
    if (outputs_may_change) {
      DLPU_RETURN_IF_ERROR(structure.SplitHeads(prepared.graph, facts, observed));
    }
    if (settings.scheme != QuantScheme::kPowerOfTwo) {
      DLPU_RETURN_IF_ERROR(structure.SplitChannels(prepared.graph, facts, observed));
    }
  }
  Restructured result;
  result.graph = prepared.graph;
  for (const std::string& text : settings.replace) {
    DLPU_TRY(const Replacement replacement, ParseReplacement(text));
    DLPU_RETURN_IF_ERROR(structure.Replace(result.graph, replacement));
  }
  result.report = structure.report();
  result.any = !result.report.done.empty();
  return result;
}

struct Equalized {
  Graph graph;
  std::shared_ptr<const Observer> observer;
  Equalization done;
};

// The graph equalized; nothing when no layers can be, or when it is only to be tried and gains
// nothing.
Result<std::optional<Equalized>> Equalize(const TrialSubject& plain,
                                          const QuantizeSettings& settings,
                                          Calibrator& calibrator) {
  Equalized result;
  result.graph = plain.graph;
  DLPU_TRY(result.done, EqualizeLayers(result.graph, FactsOf(plain.observer, {})));
  if (!result.done.any()) return std::optional<Equalized>();
  DLPU_TRY(result.observer, calibrator.Observe(result.graph, "calibrating the equalized model"));
  if (settings.equalize) return std::optional(std::move(result));
  const TrialSubject other = {plain.model,      plain.prepared, result.graph,
                              *result.observer, plain.set,      plain.input,
                              plain.used,       true,           plain.threads};
  DLPU_TRY(const std::vector<OutputLoss> without, Trials(plain).Losses(settings));
  DLPU_TRY(const std::vector<OutputLoss> with, Trials(other).Losses(settings));
  if (ScoreOf(with) < ScoreOf(without) + kWorthChanging) return std::optional<Equalized>();
  return std::optional(std::move(result));
}

std::vector<std::vector<float>> DeviationsOf(const Observer& observer) {
  std::vector<std::vector<float>> deviations;
  for (const auto& statistics : observer.statistics()) {
    std::vector<float>& of_tensor = deviations.emplace_back();
    if (!statistics || statistics->values == 0 || statistics->not_finite > 0) continue;
    const double rows = static_cast<double>(statistics->values) /
                        static_cast<double>(std::max<size_t>(1, statistics->sums.size()));
    for (size_t c = 0; c < statistics->sums.size(); ++c) {
      const double mean = statistics->sums[c] / rows;
      of_tensor.push_back(static_cast<float>(
          std::sqrt(std::max(0.0, statistics->squares[c] / rows - mean * mean))));
    }
  }
  return deviations;
}

struct Absorbed {
  Graph graph;
  std::shared_ptr<const Observer> observer;
  Absorption done;
};

// The graph with biases moved; nothing when no range shrinks by that, or when it is only to be
// tried and gains nothing.
Result<std::optional<Absorbed>> Absorb(const TrialSubject& plain, const QuantizeSettings& settings,
                                       Calibrator& calibrator) {
  Absorbed result;
  result.graph = plain.graph;
  result.done =
      AbsorbBiases(result.graph, FactsOf(plain.observer, {}), DeviationsOf(plain.observer));
  if (!result.done.any()) return std::optional<Absorbed>();
  DLPU_TRY(result.observer,
           calibrator.Observe(result.graph, "calibrating the model with absorbed biases"));
  if (settings.absorb) return std::optional(std::move(result));
  const TrialSubject other = {plain.model,      plain.prepared, result.graph,
                              *result.observer, plain.set,      plain.input,
                              plain.used,       true,           plain.threads};
  DLPU_TRY(const std::vector<OutputLoss> without, Trials(plain).Losses(settings));
  DLPU_TRY(const std::vector<OutputLoss> with, Trials(other).Losses(settings));
  if (ScoreOf(with) < ScoreOf(without) + kWorthChanging) return std::optional<Absorbed>();
  return std::optional(std::move(result));
}

}  // namespace

std::string_view BiasCorrectionName(BiasCorrection how) {
  return kBiasWords[static_cast<int>(how)];
}

std::optional<BiasCorrection> BiasCorrectionFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kBiasWords); ++i) {
    if (kBiasWords[i] == name) return static_cast<BiasCorrection>(i);
  }
  return std::nullopt;
}

std::string_view RoundingName(Rounding rounding) {
  return kRoundingWords[static_cast<int>(rounding)];
}

std::optional<Rounding> RoundingFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kRoundingWords); ++i) {
    if (kRoundingWords[i] == name) return static_cast<Rounding>(i);
  }
  return std::nullopt;
}

bool QuantizeReport::dead() const {
  return std::any_of(losses.begin(), losses.end(),
                     [](const OutputLoss& loss) { return loss.constant; });
}

Result<QuantScheme> SchemeFor(const Target& target) {
  const TargetQuantization& wanted = target.quantization;
  if (target.fixed_point) return QuantScheme::kPowerOfTwo;
  if (wanted.need != "int8") {
    return InvalidError(fmt::format("{} wants no quantized model: {}; give --scheme to make one",
                                    target.title, wanted.says));
  }
  return wanted.weights == "per-tensor" ? QuantScheme::kInt8PerTensor
                                        : QuantScheme::kInt8PerChannel;
}

QuantizeSettings DefaultSettings(QuantScheme scheme) {
  QuantizeSettings settings;
  settings.scheme = scheme;
  settings.equalize = HasOneWeightScale(scheme);
  settings.try_ranges = settings.try_weights = settings.try_bias = true;
  settings.try_rounding = settings.equalize && scheme != QuantScheme::kPowerOfTwo;
  // Fixed point stands for what a vendor's compiler makes of the very model.
  settings.fix = scheme != QuantScheme::kPowerOfTwo;
  settings.try_absorb = settings.try_rounding;
  settings.try_equalize = !settings.equalize && scheme != QuantScheme::kPowerOfTwo;
  return settings;
}

Result<QuantizeSettings> SettingsFor(const Target& target) {
  DLPU_TRY(const QuantScheme scheme, SchemeFor(target));
  QuantizeSettings settings = DefaultSettings(scheme);
  if (target.fixed_point) settings.wide_below_db = target.fixed_point->wide_below_db;
  return settings;
}

Result<QuantizeSettings> SettingsFor(QuantScheme scheme) {
  if (scheme != QuantScheme::kPowerOfTwo) return DefaultSettings(scheme);
  DLPU_TRY(const std::vector<Target> targets, LoadTargets());
  for (const Target& target : targets) {
    if (target.fixed_point) return SettingsFor(target);
  }
  return DefaultSettings(scheme);
}

Result<QuantizeReport> Quantize(const LoadedModel& model, const QuantizeSettings& settings,
                                const CalibrationSet& set, int threads,
                                const QuantizeProgress& progress, Observations* shared) {
  QuantizeReport report;
  report.settings = settings;
  report.wide_below_db = settings.wide_below_db;
  DLPU_TRY(FloatGraph prepared, PrepareFloat(model, settings.cut_at, settings.shapes,
                                             HasOneWeightScale(settings.scheme)));
  report.notes = prepared.notes;
  report.calibration = set.source;
  Calibrator calibrator(model, settings, set, threads, progress, shared);
  DLPU_TRY(std::shared_ptr<const Observer> observer,
           calibrator.Observe(prepared.graph, "calibrating the float model"));
  DLPU_TRY(const Restructured changed, Restructure(model, prepared, settings, *observer, set,
                                                   SomeOf(calibrator.used, false), threads));
  report.structure = changed.report;
  Graph graph = changed.graph;
  if (changed.any) {
    DLPU_TRY(observer, calibrator.Observe(graph, "calibrating the changed model"));
  }
  const Graph before = graph;
  QuantizeSettings asked = settings;
  if (settings.equalize || settings.try_equalize) {
    const TrialSubject plain = {model,          prepared,        graph, *observer, set,
                                settings.input, calibrator.used, false, threads};
    DLPU_TRY(std::optional<Equalized> better, Equalize(plain, settings, calibrator));
    if (better) {
      graph = std::move(better->graph);
      observer = std::move(better->observer);
      report.equalization = std::move(better->done);
      asked.equalize = true;
    }
    asked.try_equalize = false;
  }
  if (settings.absorb || settings.try_absorb) {
    const TrialSubject plain = {model,  prepared,       graph,           *observer,
                                set,    settings.input, calibrator.used, report.equalization.any(),
                                threads};
    DLPU_TRY(std::optional<Absorbed> better, Absorb(plain, asked, calibrator));
    if (better) {
      graph = std::move(better->graph);
      observer = std::move(better->observer);
      report.absorption = better->done;
      asked.absorb = true;
    }
    asked.try_absorb = false;
  }
  report.flattened = Flattened(before, graph);
  if (!calibrator.note.empty()) report.notes.push_back(calibrator.note);
  report.skipped = calibrator.skipped;
  for (const size_t i : calibrator.used) report.used.push_back(SampleName(set, i));
  report.used_files = set.arrays.empty() ? report.used : std::vector<std::string>{set.source};
  Warn(*observer, graph, report);
  if (settings.scheme == QuantScheme::kPowerOfTwo) ChooseBorders(model, graph, asked);
  Trials trials({model, prepared, graph, *observer, set, settings.input, calibrator.used,
                 report.equalization.any() || report.absorption.any(), threads});
  if (asked.wide_below_db) {
    DLPU_TRY(report.bits, trials.ChooseWide(asked));
  }
  DLPU_RETURN_IF_ERROR(trials.Choose(asked, progress, report));
  if (settings.mixed) {
    DLPU_TRY(report.mixed, ChooseMixed(trials, *settings.mixed, report));
  }
  DLPU_TRY(Quantized quantized, trials.Make(report.settings));
  report.graph = std::move(quantized.graph);
  report.graph.description = fmt::format("quantized by dlpu: {}", SchemeName(settings.scheme));
  if (settings.scheme == QuantScheme::kPowerOfTwo) {
    report.graph.metadata[std::string(kFixedPointKey)] = {'1'};
  }
  for (Node& node : report.graph.nodes) node.version = VersionOf(report.graph, node);
  report.nodes = static_cast<int>(report.graph.nodes.size());
  report.float_nodes = std::move(quantized.float_nodes);
  report.notes.insert(report.notes.end(), quantized.notes.begin(), quantized.notes.end());
  return report;
}

}  // namespace dlpu
