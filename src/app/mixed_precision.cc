// SPDX-License-Identifier: Apache-2.0
// Noise of layers is taken to add up at the outputs: what a layer adds is measured with all others
// in float. Where that expectation errs, the measurement after each step decides.
#include "app/mixed_precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "app/quantize.h"
#include "app/quantize_trials.h"
#include "ops/op.h"
#include "report/table.h"

namespace dlpu {
namespace {

constexpr size_t kSamples = 8;       // for the error of one layer
constexpr size_t kPriced = 12;       // candidates with the largest gain whose price is asked
constexpr int kMostSteps = 64;       // layers taken
constexpr double kLeastGain = 0.05;  // dB; less is not worth a step
constexpr double kLeastMs = 0.001;
constexpr size_t kShown = 12;
constexpr double kMostDb = 60;  // as ScoreOf

double Rounded(double value, double unit) { return std::round(value / unit) * unit; }

// Noise as a part of the signal, of each output.
std::vector<double> NoiseOf(const std::vector<OutputLoss>& losses) {
  std::vector<double> noise;
  for (const OutputLoss& loss : losses) {
    noise.push_back(std::pow(10.0, -std::clamp(loss.sqnr_db, -kMostDb, 2 * kMostDb) / 10));
  }
  return noise;
}

double DecibelOf(const std::vector<double>& noise) {
  double sum = 0;
  for (const double n : noise) sum += -10 * std::log10(std::max(n, 1e-12));
  return noise.empty() ? 0 : sum / static_cast<double>(noise.size());
}

// A layer with 8 bits, what it adds to the outputs' noise, and what it would add in int16.
struct Candidate {
  const Node* node = nullptr;
  std::vector<double> noise, wide_noise;
  double alone_db = 0;
  bool has_wide = false;  // its kernel takes int16
  bool taken = false;
  bool useless = false;  // gained nothing with what was taken then
};

// One way to give a layer more bits.
struct Step {
  size_t candidate = 0;
  DataType type = DataType::kFloat32;
  double gain = 0, ms = 0;
  double worth() const { return gain / std::max(ms, kLeastMs); }
};

bool Computes(const Graph& graph, const Node& node) {
  if (node.op == Op::kUnknown || node.outputs.empty()) return false;
  if (graph.tensors[node.outputs[0]].type != DataType::kFloat32) return false;
  const QuantizeRule::Kind kind = GetOp(node.op).quantize.value.kind;
  return kind == QuantizeRule::Kind::kAffine || kind == QuantizeRule::Kind::kFixedOutput;
}

class Chooser {
 public:
  Chooser(Trials& trials, const MixedRequest& request, QuantizeReport& report)
      : trials_(trials), request_(request), report_(report) {}

  Result<MixedReport> Run() {
    result_.priced_for = request_.priced_for;
    result_.before_db = result_.after_db = Score(report_.losses);
    DLPU_TRY(result_.before_ms, Price(report_.settings));
    result_.after_ms = result_.before_ms;
    if (!Done()) {
      DLPU_RETURN_IF_ERROR(FindCandidates());
      for (int step = 0; step < kMostSteps && !Done(); ++step) {
        DLPU_TRY(const std::optional<Step> best, BestStep());
        if (!best) break;
        DLPU_RETURN_IF_ERROR(Take(*best));
      }
    }
    result_.reached = !request_.min_sqnr_db || result_.after_db >= *request_.min_sqnr_db;
    ListOthers();
    return std::move(result_);
  }

 private:
  static double Score(const std::vector<OutputLoss>& losses) {
    return Rounded(ScoreOf(losses), 0.01);
  }
  bool Done() const { return request_.min_sqnr_db && result_.after_db >= *request_.min_sqnr_db; }
  Result<double> Price(const QuantizeSettings& settings) {
    DLPU_TRY(const Quantized quantized, trials_.Make(settings));
    DLPU_TRY(const double ms, request_.price(quantized.graph));
    return Rounded(ms, kLeastMs);
  }

  // What the outputs lose when one node alone has that type and all others are float.
  Result<std::vector<double>> Alone(const Node& one, DataType type) {
    QuantizeSettings settings = report_.settings;
    for (const Node& node : trials_.graph().nodes) {
      settings.node_types[node.name] = DataType::kFloat32;
    }
    settings.node_types.erase(one.name);
    if (type != ActivationType(settings.scheme)) settings.node_types[one.name] = type;
    // What happens before the layer is float: nothing to be measured for its bias.
    if (settings.bias == BiasCorrection::kEmpirical) settings.bias = BiasCorrection::kAnalytic;
    DLPU_TRY(const std::vector<OutputLoss> losses, trials_.Losses(settings, kSamples));
    return NoiseOf(losses);
  }

  Status FindCandidates() {
    const DataType narrow = ActivationType(report_.settings.scheme);
    for (const Node& node : trials_.graph().nodes) {
      if (!Computes(trials_.graph(), node)) continue;
      if (report_.settings.node_types.count(node.name) > 0) continue;
      Candidate candidate;
      candidate.node = &node;
      DLPU_TRY(candidate.noise, Alone(node, narrow));
      candidate.alone_db = Rounded(DecibelOf(candidate.noise), 0.01);
      candidates_.push_back(std::move(candidate));
    }
    result_.looked_at = static_cast<int>(candidates_.size());
    // The worst first, those alike in the graph's order.
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const auto& a, const auto& b) { return a.alone_db < b.alone_db; });
    if (narrow == DataType::kInt16) return OkStatus();
    for (size_t c = 0; c < std::min(2 * kPriced, candidates_.size()); ++c) {
      Candidate& candidate = candidates_[c];
      DLPU_TRY(candidate.wide_noise, Alone(*candidate.node, DataType::kInt16));
      // A node whose kernel takes no int16 stays float: nothing is lost then.
      candidate.has_wide = DecibelOf(candidate.wide_noise) < 2 * kMostDb - 1;
    }
    return OkStatus();
  }

  // What the outputs' noise would fall by if the candidate had the type.
  double Gain(const Candidate& candidate, DataType type) const {
    double gain = 0;
    for (size_t o = 0; o < candidate.noise.size(); ++o) {
      double all = 0;
      for (const Candidate& other : candidates_) {
        if (!other.taken || &other == &candidate) all += other.noise[o];
      }
      const double left = type == DataType::kInt16 ? candidate.wide_noise[o] : 0;
      const double rest = all - candidate.noise[o] + std::min(left, candidate.noise[o]);
      // Some noise nobody is to blame for: no gain is infinite.
      gain += 10 * std::log10(all * 1.001 / (rest + all * 0.001));
    }
    return candidate.noise.empty()
               ? 0
               : Rounded(gain / static_cast<double>(candidate.noise.size()), 0.01);
  }

  QuantizeSettings With(const Candidate& candidate, DataType type) const {
    QuantizeSettings settings = report_.settings;
    settings.node_types[candidate.node->name] = type;
    return settings;
  }

  Result<std::optional<Step>> BestStep() {
    std::vector<Step> steps;
    for (size_t c = 0; c < candidates_.size(); ++c) {
      if (candidates_[c].taken || candidates_[c].useless) continue;
      steps.push_back({c, DataType::kFloat32, Gain(candidates_[c], DataType::kFloat32), 0});
      if (!candidates_[c].has_wide) continue;
      steps.push_back({c, DataType::kInt16, Gain(candidates_[c], DataType::kInt16), 0});
    }
    std::stable_sort(steps.begin(), steps.end(),
                     [](const Step& a, const Step& b) { return a.gain > b.gain; });
    if (steps.size() > kPriced) steps.resize(kPriced);
    std::optional<Step> best;
    for (Step& step : steps) {
      if (step.gain < kLeastGain) break;
      DLPU_TRY(const double ms, Price(With(candidates_[step.candidate], step.type)));
      step.ms = Rounded(ms - result_.after_ms, kLeastMs);
      if (request_.max_ms_more && ms - result_.before_ms > *request_.max_ms_more + kLeastMs / 2) {
        continue;
      }
      if (!best || step.worth() > best->worth()) best = step;
    }
    return best;
  }

  Status Take(const Step& step) {
    Candidate& candidate = candidates_[step.candidate];
    const QuantizeSettings settings = With(candidate, step.type);
    DLPU_TRY(std::vector<OutputLoss> losses, trials_.Losses(settings));
    const double gained = Rounded(Score(losses) - result_.after_db, 0.01);
    candidate.useless = gained <= 0;
    if (candidate.useless) return OkStatus();
    candidate.taken = true;
    // In new company another may be worth something after all.
    for (Candidate& other : candidates_) other.useless = false;
    report_.settings = settings;
    report_.losses = std::move(losses);
    result_.after_db = Score(report_.losses);
    result_.after_ms = Rounded(result_.after_ms + step.ms, kLeastMs);
    result_.layers.push_back({candidate.node->name, NodeOpName(*candidate.node), step.type,
                              candidate.alone_db, gained, step.ms, true});
    return OkStatus();
  }

  void ListOthers() {
    for (const Candidate& candidate : candidates_) {
      const auto same = [&](const LayerChoice& l) { return l.name == candidate.node->name; };
      if (std::any_of(result_.layers.begin(), result_.layers.end(), same)) continue;
      LayerChoice layer;
      layer.name = candidate.node->name;
      layer.op = NodeOpName(*candidate.node);
      layer.alone_db = candidate.alone_db;
      layer.gain_db = Gain(candidate, DataType::kFloat32);
      if (const auto ms = Price(With(candidate, DataType::kFloat32)); ms.ok()) {
        layer.ms = Rounded(*ms - result_.after_ms, kLeastMs);
      }
      result_.layers.push_back(layer);
      if (result_.layers.size() >= kShown) return;
    }
  }

  Trials& trials_;
  const MixedRequest& request_;
  QuantizeReport& report_;
  MixedReport result_;
  std::vector<Candidate> candidates_;
};

}  // namespace

Result<MixedReport> ChooseMixed(Trials& trials, const MixedRequest& request,
                                QuantizeReport& report) {
  return Chooser(trials, request, report).Run();
}

std::string MixedText(const MixedReport& report) {
  Table table({"layer", "op", ">alone in 8 bits", "in", ">gain", ">ms more", ""});
  for (const LayerChoice& layer : report.layers) {
    table.AddRow({layer.name, layer.op, fmt::format("{:.1f} dB", layer.alone_db),
                  std::string(DataTypeName(layer.type)), fmt::format("{:.2f} dB", layer.gain_db),
                  fmt::format("{:.3f}", layer.ms), layer.taken ? "taken" : ""});
  }
  return fmt::format(
             "mixed precision: {:.2f} dB instead of {:.2f} dB; predicted {:.3f} ms instead of "
             "{:.3f} ms on {}{}\n",
             report.after_db, report.before_db, report.after_ms, report.before_ms,
             report.priced_for, report.reached ? "" : "; what was asked for is not reached") +
         table.Text();
}

nlohmann::ordered_json MixedJson(const MixedReport& report) {
  nlohmann::ordered_json json = {
      {"priced_for", report.priced_for}, {"before_db", report.before_db},
      {"after_db", report.after_db},     {"before_ms", report.before_ms},
      {"after_ms", report.after_ms},     {"reached", report.reached},
      {"looked_at", report.looked_at},   {"layers", nlohmann::ordered_json::array()}};
  for (const LayerChoice& layer : report.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"op", layer.op},
                              {"type", DataTypeName(layer.type)},
                              {"alone_db", layer.alone_db},
                              {"gain_db", layer.gain_db},
                              {"ms_more", layer.ms},
                              {"taken", layer.taken}});
  }
  return json;
}

}  // namespace dlpu
