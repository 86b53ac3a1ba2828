// SPDX-License-Identifier: Apache-2.0
// The way from a float model to an integer one.
#include "app/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/prepare_float.h"
#include "app/quantize_loss.h"
#include "formats/tflite_versions.h"

namespace dlpu {
namespace {

// As many inputs as losses are measured on.
constexpr size_t kLossInputs = 16;

// Where TensorFlow's own rules are not settled, the version that its converter writes for 16 x 8
// bits with 64-bit biases.
int32_t VersionOf(const Graph& graph, const Node& node) {
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
             int threads, const QuantizeProgress& progress)
      : model_(model), settings_(settings), set_(set), threads_(threads), progress_(progress) {}

  Result<std::unique_ptr<Observer>> Observe(const Graph& graph, const char* what) {
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
        pictures |= input.is_picture;
      }
      DLPU_RETURN_IF_ERROR(observer->Collect());
      used.push_back(i);
    }
    if (progress_) progress_(static_cast<int>(set_.size()), static_cast<int>(set_.size()), what);
    if (used.empty()) {
      return InvalidError(fmt::format("{}: none of {} inputs can be used; the first: {}",
                                      set_.source, set_.size(), skipped[0].why));
    }
    return observer;
  }

  std::vector<SkippedInput> skipped;
  std::vector<size_t> used;
  std::string note;
  bool pictures = false;

 private:
  const LoadedModel& model_;
  const QuantizeSettings& settings_;
  const CalibrationSet& set_;
  const int threads_;
  const QuantizeProgress& progress_;
};

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
  options.correct_bias = settings.correct_bias;
  options.node_types = settings.node_types;
  options.input_type = settings.input_type;
  options.output_type = settings.output_type;
  return options;
}

// What is tried beside the settings as they are: each changes one thing.
std::vector<QuantizeSettings> Variants(const QuantizeSettings& settings) {
  std::vector<QuantizeSettings> variants;
  const auto add = [&](const auto& change) {
    variants.push_back(settings);
    change(variants.back());
  };
  const bool wide = settings.scheme == QuantScheme::kInt16x8;
  if (settings.try_bias) add([](QuantizeSettings& s) { s.correct_bias = !s.correct_bias; });
  if (settings.try_weights) add([](QuantizeSettings& s) { s.weight_range = WeightRange::kMse; });
  if (settings.try_ranges && !wide) {
    add([](QuantizeSettings& s) { s.range.method = RangeMethod::kMse; });
    add([](QuantizeSettings& s) { s.range.method = RangeMethod::kPercentile; });
  }
  return variants;
}

// The best so far with what a variant changes of the settings asked for.
QuantizeSettings Merged(QuantizeSettings best, const QuantizeSettings& asked,
                        const QuantizeSettings& variant) {
  if (variant.correct_bias != asked.correct_bias) best.correct_bias = variant.correct_bias;
  if (variant.weight_range != asked.weight_range) best.weight_range = variant.weight_range;
  if (variant.range.method != asked.range.method) best.range.method = variant.range.method;
  return best;
}

// What a variant has to gain to be taken, in dB.
constexpr double kWorthChanging = 0.2;

// The mean over outputs; beyond 60 dB nothing is gained.
double Score(const std::vector<OutputLoss>& losses) {
  double sum = 0;
  for (const OutputLoss& loss : losses) sum += std::clamp(loss.sqnr_db, -60.0, 60.0);
  return losses.empty() ? 0 : sum / static_cast<double>(losses.size());
}

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

// At most `most` of the inputs, spread over all.
std::vector<size_t> SomeOf(const std::vector<size_t>& used, size_t most) {
  std::vector<size_t> some;
  const size_t count = std::min(most, used.size());
  for (size_t k = 0; k < count; ++k) some.push_back(used[k * used.size() / count]);
  return some;
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
  if (settings.fix || settings.cut_post_processing) {
    DLPU_RETURN_IF_ERROR(
        structure.CutPostProcessing(prepared.graph, settings.scheme, settings.cut_post_processing));
  }
  if (settings.fix && settings.scheme != QuantScheme::kInt16x8) {
    DLPU_RETURN_IF_ERROR(structure.SplitHeads(prepared.graph, FactsOf(observer, {}), observed));
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

// Quantizes a calibrated graph with different settings and keeps the best.
class Trials {
 public:
  Trials(const LoadedModel& model, const FloatGraph& prepared, const Graph& graph,
         const Observer& observer, const CalibrationSet& set, const std::vector<size_t>& used,
         QuantizeReport& report)
      : model_(model),
        prepared_(prepared),
        graph_(graph),
        observer_(observer),
        set_(set),
        report_(report) {
    some_ = SomeOf(used, kLossInputs);
    report_.loss_inputs = static_cast<int>(some_.size());
  }

  // Puts the settings that lose least and what they lose into the report.
  Status Choose(const QuantizeSettings& asked, int threads, const QuantizeProgress& progress) {
    threads_ = threads;
    DLPU_TRY(report_.losses, Losses(report_.settings));
    const std::vector<QuantizeSettings> variants = Variants(asked);
    const int count = static_cast<int>(variants.size());
    for (int v = 0; v < count; ++v) {
      if (progress) progress(v + 1, count, "settings tried");
      const QuantizeSettings trial =
          Merged(report_.settings, asked, variants[static_cast<size_t>(v)]);
      DLPU_TRY(std::vector<OutputLoss> losses, Losses(trial));
      if (Score(losses) < Score(report_.losses) + kWorthChanging) continue;
      report_.losses = std::move(losses);
      report_.settings = trial;
    }
    if (report_.equalization.layers == 0) return OkStatus();
    DLPU_TRY(const std::vector<OutputLoss> change, Against(graph_));
    for (const OutputLoss& loss : change) {
      report_.float_change = std::max(report_.float_change, loss.worst);
    }
    return OkStatus();
  }

  Result<Quantized> Make(const QuantizeSettings& settings) const {
    return QuantizeGraph(graph_, FactsFor(settings), OptionsOf(settings));
  }

 private:
  TensorFacts FactsFor(const QuantizeSettings& settings) const {
    RangeOptions range = settings.range;
    range.levels = settings.scheme == QuantScheme::kInt16x8 ? 65536 : 256;
    TensorFacts facts = FactsOf(observer_, range);
    if (report_.equalization.layers == 0) KeepCodeRanges(graph_, prepared_.code_ranges, facts);
    StateInputRanges(graph_, model_, settings, facts);
    return facts;
  }

  // The integers between float borders, so that both graphs take the same inputs.
  Result<std::vector<OutputLoss>> Losses(const QuantizeSettings& settings) const {
    QuantizeOptions options = OptionsOf(settings);
    options.input_type = options.output_type = DataType::kFloat32;
    DLPU_TRY(const Quantized measured, QuantizeGraph(graph_, FactsFor(settings), options));
    return Against(measured.graph);
  }

  Result<std::vector<OutputLoss>> Against(const Graph& other) const {
    return MeasureLosses(prepared_.graph, other,
                         {model_, report_.settings.input, set_, some_, threads_});
  }

  const LoadedModel& model_;
  const FloatGraph& prepared_;
  const Graph& graph_;
  const Observer& observer_;
  const CalibrationSet& set_;
  QuantizeReport& report_;
  std::vector<size_t> some_;  // of the set, on which losses are measured
  int threads_ = 0;
};

}  // namespace

bool QuantizeReport::dead() const {
  return std::any_of(losses.begin(), losses.end(),
                     [](const OutputLoss& loss) { return loss.constant; });
}

Result<QuantScheme> SchemeFor(const Target& target) {
  const TargetQuantization& wanted = target.quantization;
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
  settings.equalize =
      scheme == QuantScheme::kInt8PerTensor || scheme == QuantScheme::kUint8PerTensor;
  settings.try_ranges = settings.try_weights = settings.try_bias = true;
  return settings;
}

Result<QuantizeReport> Quantize(const LoadedModel& model, const QuantizeSettings& settings,
                                const CalibrationSet& set, int threads,
                                const QuantizeProgress& progress) {
  QuantizeReport report;
  report.settings = settings;
  const bool per_tensor = settings.scheme == QuantScheme::kInt8PerTensor ||
                          settings.scheme == QuantScheme::kUint8PerTensor;
  DLPU_TRY(FloatGraph prepared, PrepareFloat(model, settings.cut_at, settings.shapes, per_tensor));
  report.notes = prepared.notes;
  report.calibration = set.source;
  Calibrator calibrator(model, settings, set, threads, progress);
  DLPU_TRY(std::unique_ptr<Observer> observer, calibrator.Observe(prepared.graph, "float model"));
  DLPU_TRY(const Restructured changed, Restructure(model, prepared, settings, *observer, set,
                                                   SomeOf(calibrator.used, kLossInputs), threads));
  report.structure = changed.report;
  Graph graph = changed.graph;
  if (changed.any) {
    DLPU_TRY(observer, calibrator.Observe(graph, "changed model"));
  }
  const Graph before = graph;
  if (settings.equalize) {
    DLPU_TRY(report.equalization, EqualizeLayers(graph, FactsOf(*observer, {})));
    if (report.equalization.layers > 0) {
      DLPU_TRY(observer, calibrator.Observe(graph, "equalized model"));
    }
  }
  report.flattened = Flattened(before, graph);
  if (!calibrator.note.empty()) report.notes.push_back(calibrator.note);
  report.skipped = calibrator.skipped;
  for (const size_t i : calibrator.used) report.used.push_back(SampleName(set, i));
  report.used_files = set.arrays.empty() ? report.used : std::vector<std::string>{set.source};
  Warn(*observer, graph, report);
  Trials trials(model, prepared, graph, *observer, set, calibrator.used, report);
  DLPU_RETURN_IF_ERROR(trials.Choose(settings, threads, progress));
  DLPU_TRY(Quantized quantized, trials.Make(report.settings));
  report.graph = std::move(quantized.graph);
  report.graph.description = fmt::format("quantized by dlpu: {}", SchemeName(settings.scheme));
  for (Node& node : report.graph.nodes) node.version = VersionOf(report.graph, node);
  report.nodes = static_cast<int>(report.graph.nodes.size());
  report.float_nodes = std::move(quantized.float_nodes);
  report.notes.insert(report.notes.end(), quantized.notes.begin(), quantized.notes.end());
  return report;
}

}  // namespace dlpu
