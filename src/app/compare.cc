// SPDX-License-Identifier: Apache-2.0
// Runs both sides on the same inputs and gathers the errors of every layer, with those of the
// layers before it and alone.
#include "app/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "app/interpret.h"
#include "target/target.h"

namespace dlpu {
namespace {

// A pair of tensors with what has been seen of it.
struct Watched {
  TensorPair pair;
  ErrorStats accumulated, isolated;
  LayerNoise noise;
  std::vector<double> gain;  // of each channel of the other side; empty: none
  std::unique_ptr<Runner> alone;
  std::vector<TensorId> given;  // tensors of the other side that `alone` reads, in order
  // The reference's layer, and the other side's tensors that its inputs stand for.
  std::unique_ptr<Runner> reference_alone;
  std::vector<TensorId> reference_given;
};

// Values stuck at the first or last code where the reference is more than a step inside.
int64_t CountAtLimits(const Tensor& tensor, std::span<const float> reference,
                      std::span<const float> values) {
  const Quantization& q = tensor.quantization;
  const float low = q.scale0() * static_cast<float>(LowestCode(tensor.type) - q.zero0());
  const float high = q.scale0() * static_cast<float>(HighestCode(tensor.type) - q.zero0());
  const float step = q.scale0();
  int64_t stuck = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    stuck += values[i] <= low && reference[i] > low + step;
    stuck += values[i] >= high && reference[i] < high - step;
  }
  return stuck;
}

class Comparer {
 public:
  Comparer(const CompareSide& reference, const CompareSide& other, const CompareOptions& options)
      : reference_side_(reference), other_side_(other), options_(options) {}

  Result<CompareReport> Run() {
    DLPU_RETURN_IF_ERROR(Load());
    const size_t samples = !options_.samples.empty()       ? options_.samples.size()
                           : !options_.input.files.empty() ? 1
                                                           : static_cast<size_t>(options_.noise);
    for (size_t i = 0; i < samples; ++i) {
      DLPU_RETURN_IF_ERROR(Fill(i));
      DLPU_RETURN_IF_ERROR(reference_->runner().Run());
      DLPU_RETURN_IF_ERROR(other_->runner().Run());
      if (i == 0 && options_.equalized) FitGains();
      for (Watched& layer : layers_) DLPU_RETURN_IF_ERROR(Observe(layer));
      ObserveOutputs();
    }
    return Report();
  }

 private:
  Status Load() {
    DLPU_TRY(Program a, CompiledSide(reference_side_));
    DLPU_TRY(Program b, CompiledSide(other_side_));
    DLPU_TRY(TensorMatch match, MatchTensors(a, b));
    DLPU_TRY(Probe first, Probe::Load(std::move(a), RunnerOf(reference_side_, options_.threads)));
    DLPU_TRY(Probe second, Probe::Load(std::move(b), RunnerOf(other_side_, options_.threads)));
    reference_ = std::move(first);
    other_ = std::move(second);
    inputs_ = match.inputs;
    report_.unmatched = match.unmatched;
    const Profile ours = reference_->program().profile, theirs = other_->program().profile;
    if (ours != theirs) {
      rules_ = RoundingRule(ours) + "; " + RoundingRule(theirs);
      report_.notes.push_back("the arithmetic differs: " + rules_);
    }
    for (const TensorPair& pair : match.inputs) counterpart_[pair.other] = pair.reference;
    for (const TensorPair& pair : match.pairs) counterpart_[pair.other] = pair.reference;
    for (const TensorPair& pair : match.pairs) {
      if (!reference_->has(pair.reference) || !other_->has(pair.other)) continue;
      layers_.emplace_back();
      layers_.back().pair = pair;
    }
    return CutLayers();
  }

  static Result<Program> CompiledSide(const CompareSide& side) {
    DLPU_TRY(Program program, CompileModel(side.model, side.options));
    if (!program.target.empty()) {
      DLPU_TRY(const Target target, FindTarget(program.target));
      DLPU_RETURN_IF_ERROR(RunnableHere(target, SummariseQuantization(program).style));
    }
    return program;
  }

  static RunnerOptions RunnerOf(const CompareSide& side, int threads) {
    RunnerOptions options = RunnerOptionsOf(side.options);
    options.threads = threads;
    return options;
  }

  // Each layer as a program of its own that starts from tensors the reference has as well.
  Status CutLayers() {
    std::vector<TensorId> given;
    for (const auto& [other, reference] : counterpart_) {
      if (other_->has(other) && reference_->has(reference)) given.push_back(other);
    }
    for (Watched& layer : layers_) {
      std::optional<Program> part = CutOut(other_->program(), given, layer.pair.other);
      if (part.has_value()) {
        layer.given = part->inputs;
        DLPU_TRY(layer.alone, Runner::Load(*std::move(part), RunnerOf(other_side_, 1)));
        DLPU_RETURN_IF_ERROR(CutReference(layer));
      }
      layer.noise.rules = rules_;
      const int step = other_->writer(layer.pair.other);
      if (step < 0) continue;
      const Tensor* weights = WeightsOf(*other_, layer.pair.other);
      if (weights == nullptr) continue;
      const Tensor* known =
          options_.equalized ? nullptr : WeightsOf(*reference_, layer.pair.reference);
      AddWeightNoise(*weights, known, layer.noise);
    }
    return OkStatus();
  }

  Status CutReference(Watched& layer) const {
    std::vector<TensorId> given;
    for (const TensorId id : layer.given) given.push_back(counterpart_.at(id));
    std::optional<Program> part = CutOut(reference_->program(), given, layer.pair.reference);
    if (!part.has_value()) return OkStatus();
    for (const TensorId id : part->inputs) {
      const auto at = std::find(given.begin(), given.end(), id) - given.begin();
      layer.reference_given.push_back(layer.given[static_cast<size_t>(at)]);
    }
    DLPU_TRY(layer.reference_alone, Runner::Load(*std::move(part), RunnerOf(reference_side_, 1)));
    return OkStatus();
  }

  // Weights of the layer that computes a tensor, its activation as a step of its own included.
  static const Tensor* WeightsOf(const Probe& probe, TensorId id) {
    for (int hops = 0; hops < 3; ++hops) {
      const int at = probe.writer(id);
      if (at < 0) return nullptr;
      const Node& node = probe.program().steps[static_cast<size_t>(at)].node;
      const bool weighted = node.op == Op::kConv2d || node.op == Op::kDepthwiseConv2d ||
                            node.op == Op::kFullyConnected || node.op == Op::kTransposeConv;
      if (weighted) return &probe.tensor(node.inputs[1]);
      const bool passes = node.op == Op::kRelu || node.op == Op::kRelu6 ||
                          node.op == Op::kQuantize || node.op == Op::kDequantize;
      if (!passes) return nullptr;
      id = node.inputs[0];
    }
    return nullptr;
  }

  Status Fill(size_t sample) {
    Runner& runner = reference_->runner();
    InputOptions input = options_.input;
    std::string name;
    if (!options_.samples.empty()) {
      input.files = {options_.samples[sample]};
      name = options_.samples[sample];
    }
    if (input.files.empty()) {
      FillRandom(runner, sample + 1);
      name = fmt::format("noise {}", sample + 1);
    } else {
      DLPU_TRY(const auto filled, FillInputs(runner, reference_side_.model, input));
      for (const FilledInput& one : filled) {
        const std::string note = fmt::format("input '{}': {}", one.name, one.note);
        const auto end = report_.notes.end();
        if (!one.note.empty() && std::find(report_.notes.begin(), end, note) == end) {
          report_.notes.push_back(note);
        }
      }
      if (name.empty()) name = input.files[0];
    }
    report_.samples.push_back(name);
    for (const TensorPair& pair : inputs_) CopyInput(pair);
    return OkStatus();
  }

  // The other side's input holds the same real values.
  void CopyInput(const TensorPair& pair) {
    const Tensor &from = reference_->tensor(pair.reference), &to = other_->tensor(pair.other);
    const std::vector<uint8_t> bytes =
        from.type == to.type && from.quantization == to.quantization
            ? std::vector<uint8_t>(reference_->bytes(pair.reference).begin(),
                                   reference_->bytes(pair.reference).end())
            : ToBytes(to, RealValues(from, reference_->bytes(pair.reference)));
    const std::vector<TensorId>& list = other_->program().inputs;
    const auto at = std::find(list.begin(), list.end(), pair.other) - list.begin();
    const std::span<uint8_t> target = other_->runner().input(static_cast<size_t>(at));
    std::copy_n(bytes.begin(), std::min(bytes.size(), target.size()), target.begin());
  }

  std::vector<float> ReferenceOf(TensorId other, const std::vector<double>& gain) const {
    const TensorId id = counterpart_.at(other);
    std::vector<float> values = RealValues(reference_->tensor(id), reference_->bytes(id));
    for (size_t i = 0; i < values.size() && !gain.empty(); ++i) {
      values[i] = static_cast<float>(static_cast<double>(values[i]) * gain[i % gain.size()]);
    }
    return values;
  }

  const std::vector<double>& GainOf(TensorId other) const {
    static const std::vector<double> kNone;
    for (const Watched& layer : layers_) {
      if (layer.pair.other == other) return layer.gain;
    }
    return kNone;
  }

  // The factor of each channel that brings the reference nearest to the other side.
  void FitGains() {
    for (Watched& layer : layers_) {
      const Tensor& tensor = other_->tensor(layer.pair.other);
      if (tensor.shape.size() < 2 || tensor.shape.back() < 2) continue;
      const auto channels = static_cast<size_t>(tensor.shape.back());
      const std::vector<float> a = ReferenceOf(layer.pair.other, {});
      const std::vector<float> b = RealValues(tensor, other_->bytes(layer.pair.other));
      std::vector<double> product(channels, 0), square(channels, 0);
      for (size_t i = 0; i < a.size(); ++i) {
        product[i % channels] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
        square[i % channels] += static_cast<double>(a[i]) * static_cast<double>(a[i]);
      }
      layer.gain.assign(channels, 1.0);
      for (size_t c = 0; c < channels; ++c) {
        if (square[c] > 0 && product[c] > 0) layer.gain[c] = product[c] / square[c];
      }
    }
  }

  static void Gather(const Tensor& tensor, const std::vector<float>& reference,
                     std::span<const uint8_t> bytes, ErrorStats& stats) {
    stats.Add(reference, RealValues(tensor, bytes));
    stats.AddCodes(tensor.type, ToBytes(tensor, reference), bytes);
  }

  Status Observe(Watched& layer) {
    const Tensor& tensor = other_->tensor(layer.pair.other);
    const std::vector<float> reference = ReferenceOf(layer.pair.other, layer.gain);
    Gather(tensor, reference, other_->bytes(layer.pair.other), layer.accumulated);
    if (layer.alone == nullptr) return OkStatus();
    return ObserveAlone(layer, reference);
  }

  // Both layers get the same inputs: the reference's values as the other side stores them. Where
  // the reference's layer cannot be run alone, its own values count, and the error of storing is
  // in.
  Status ObserveAlone(Watched& layer, std::vector<float> reference) {
    const Tensor& tensor = other_->tensor(layer.pair.other);
    std::map<TensorId, std::vector<float>> stored;
    for (size_t i = 0; i < layer.given.size(); ++i) {
      const Tensor& input = other_->tensor(layer.given[i]);
      const std::vector<float> values = ReferenceOf(layer.given[i], GainOf(layer.given[i]));
      const std::vector<uint8_t> bytes = ToBytes(input, values);
      std::copy(bytes.begin(), bytes.end(), layer.alone->input(i).begin());
      stored[layer.given[i]] = RealValues(input, bytes);
      ErrorStats stats;
      stats.Add(values, stored[layer.given[i]]);
      const double ratio = stats.signal > 0 ? stats.error / stats.signal : 0;
      if (layer.reference_alone != nullptr || ratio <= layer.noise.input_ratio) continue;
      layer.noise.input_ratio = ratio;
      layer.noise.input_name = input.name;
    }
    DLPU_RETURN_IF_ERROR(layer.alone->Run());
    if (layer.reference_alone != nullptr) {
      DLPU_TRY(reference, RunReference(layer, stored));
    }
    Gather(tensor, reference, layer.alone->output(0), layer.isolated);
    if (tensor.quantization.present()) AddOutputNoise(tensor, reference, layer);
    return OkStatus();
  }

  Result<std::vector<float>> RunReference(Watched& layer,
                                          std::map<TensorId, std::vector<float>>& stored) {
    Runner& runner = *layer.reference_alone;
    for (size_t i = 0; i < layer.reference_given.size(); ++i) {
      const TensorId id = layer.reference_given[i];
      const std::vector<double>& gain = GainOf(id);
      std::vector<float> values = stored[id];
      for (size_t k = 0; k < values.size() && !gain.empty(); ++k) {
        values[k] = static_cast<float>(static_cast<double>(values[k]) / gain[k % gain.size()]);
      }
      const std::vector<uint8_t> bytes = ToBytes(runner.input_tensor(i), values);
      std::copy(bytes.begin(), bytes.end(), runner.input(i).begin());
    }
    DLPU_RETURN_IF_ERROR(runner.Run());
    std::vector<float> result = RealValues(runner.output_tensor(0), runner.output(0));
    for (size_t k = 0; k < result.size() && !layer.gain.empty(); ++k) {
      result[k] =
          static_cast<float>(static_cast<double>(result[k]) * layer.gain[k % layer.gain.size()]);
    }
    return result;
  }

  static void AddOutputNoise(const Tensor& tensor, const std::vector<float>& reference,
                             Watched& layer) {
    const Quantization& q = tensor.quantization;
    const double low = static_cast<double>(q.scale0()) * (LowestCode(tensor.type) - q.zero0());
    const double high = static_cast<double>(q.scale0()) * (HighestCode(tensor.type) - q.zero0());
    const double half = static_cast<double>(q.scale0()) / 2;
    const std::vector<float> stored = RealValues(tensor, ToBytes(tensor, reference));
    for (size_t i = 0; i < reference.size(); ++i) {
      const double r = reference[i], error = r - static_cast<double>(stored[i]);
      if (!std::isfinite(r)) continue;
      const bool cut = r < low - half || r > high + half;
      layer.noise.clipped += cut ? 1 : 0;
      (cut ? layer.noise.output_clipping : layer.noise.output_rounding) += error * error;
    }
    layer.noise.values += static_cast<int64_t>(reference.size());
    layer.noise.saturated +=
        CountAtLimits(tensor, reference, RealValues(tensor, layer.alone->output(0)));
  }

  void ObserveOutputs() {
    const std::vector<TensorId>&a = reference_->program().outputs, &b = other_->program().outputs;
    const size_t count = std::min(a.size(), b.size());
    if (report_.outputs.empty() && a.size() != b.size()) {
      report_.notes.push_back(
          fmt::format("one network has {} outputs, the other {}; the first {} "
                      "are compared",
                      a.size(), b.size(), count));
    }
    report_.outputs.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const Tensor &x = reference_->tensor(a[i]), &y = other_->tensor(b[i]);
      ComparedOutput& output = report_.outputs[i];
      output.name = y.name;
      output.reference = x.name;
      if (!reference_->has(a[i]) || !other_->has(b[i])) continue;
      if (ElementCount(x.shape) != ElementCount(y.shape)) {
        const std::string note = fmt::format("output '{}' is {}, its counterpart {}", y.name,
                                             ShapeText(y.shape), ShapeText(x.shape));
        const auto end = report_.notes.end();
        if (std::find(report_.notes.begin(), end, note) == end) report_.notes.push_back(note);
        continue;
      }
      Gather(y, RealValues(x, reference_->bytes(a[i])), other_->bytes(b[i]), output.stats);
    }
  }

  CompareReport Report() {
    report_.reference = reference_side_.label;
    report_.other = other_side_.label;
    for (Watched& layer : layers_) {
      const int step = other_->writer(layer.pair.other);
      const Tensor& tensor = other_->tensor(layer.pair.other);
      ComparedLayer row;
      row.name = tensor.name;
      row.op = step < 0 ? "" : NodeOpName(other_->program().steps[static_cast<size_t>(step)].node);
      row.reference = reference_->tensor(layer.pair.reference).name;
      row.by_order = layer.pair.by_order;
      row.accumulated = layer.accumulated;
      if (layer.alone != nullptr) {
        row.isolated = layer.isolated;
        row.reason = ReasonOf(tensor, layer.isolated, layer.noise);
      }
      report_.layers.push_back(std::move(row));
    }
    MarkBad();
    const auto rank = [](const ComparedLayer& row) {
      return row.isolated.has_value() ? row.isolated->sqnr_db() : 1e9;
    };
    std::stable_sort(report_.layers.begin(), report_.layers.end(),
                     [&](const auto& x, const auto& y) { return rank(x) < rank(y); });
    if (report_.layers.empty()) {
      report_.notes.push_back(
          "no layer of one network is known in the other: only the outputs are "
          "compared");
    } else if (report_.layers[0].by_order) {
      report_.notes.push_back(
          "the layers' names differ: they are paired by their weights or their order");
    }
    return std::move(report_);
  }

  // 10 dB below the middle of all layers, and worse than 8 bits usually are.
  void MarkBad() {
    std::vector<double> all;
    for (const ComparedLayer& row : report_.layers) {
      if (row.isolated.has_value()) all.push_back(std::min(row.isolated->sqnr_db(), 200.0));
    }
    if (all.size() < 3) return;
    std::nth_element(all.begin(), all.begin() + static_cast<int64_t>(all.size() / 2), all.end());
    const double middle = all[all.size() / 2];
    for (ComparedLayer& row : report_.layers) {
      row.bad = row.isolated.has_value() && row.isolated->sqnr_db() < middle - 10 &&
                row.isolated->sqnr_db() < 30;
    }
  }

  const CompareSide& reference_side_;
  const CompareSide& other_side_;
  const CompareOptions& options_;
  std::optional<Probe> reference_, other_;
  std::vector<TensorPair> inputs_;
  std::map<TensorId, TensorId> counterpart_;  // of the other side's tensors
  std::vector<Watched> layers_;
  std::string rules_;  // of rounding, when the two sides have different ones
  CompareReport report_;
};

}  // namespace

Result<CompareSide> LoadCompareSide(const std::string& name, ModelOptions options) {
  CompareSide side;
  side.label = name;
  options.model = name;
  const size_t at = name.rfind('@');
  if (at != std::string::npos && !std::filesystem::exists(name)) {
    DLPU_TRY(const Target target, FindTarget(name.substr(at + 1)));
    options.model = name.substr(0, at);
    options.target = target.name;
  }
  side.options = options;
  DLPU_TRY(side.model, LoadModel(side.options));
  return side;
}

Result<CompareReport> Compare(const CompareSide& reference, const CompareSide& other,
                              const CompareOptions& options) {
  return Comparer(reference, other, options).Run();
}

}  // namespace dlpu
