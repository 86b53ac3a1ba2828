// SPDX-License-Identifier: Apache-2.0
// Running graphs side by side.
#include "app/quantize_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "passes/compile.h"

namespace dlpu {
namespace {

// An output whose differences between inputs fell below this part of what they were is dead.
constexpr double kDeadPart = 0.01;

// A sigmoid that never moves by more than 0.1 tells nothing of whether it still would.
constexpr double kLeastChange = 0.01;

// Sums over all inputs for one output.
struct Sums {
  double signal = 0, noise = 0, worst = 0;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  // How much elements differ from input to input: sums of squares of the change against the first.
  std::vector<float> first_reference, first_other;
  double change_reference = 0, change_other = 0;

  void Add(std::span<const float> reference, std::span<const float> other) {
    if (first_reference.empty()) {
      first_reference.assign(reference.begin(), reference.end());
      first_other.assign(other.begin(), other.end());
    }
    for (size_t i = 0; i < reference.size(); ++i) {
      const double r = reference[i], o = other[i];
      signal += r * r;
      noise += (r - o) * (r - o);
      worst = std::max(worst, std::fabs(r - o));
      low = std::min(low, r);
      high = std::max(high, r);
      const double dr = r - static_cast<double>(first_reference[i]);
      const double d_o = o - static_cast<double>(first_other[i]);
      change_reference += dr * dr;
      change_other += d_o * d_o;
    }
  }

  OutputLoss Loss(const std::string& name, const OutputReading& reading) const {
    OutputLoss loss;
    loss.name = name;
    loss.read = ReadingName(reading);
    loss.sqnr_db = noise > 0 ? 10 * std::log10(Signal(reading) / noise)
                             : std::numeric_limits<double>::infinity();
    if (Signal(reading) == 0 && noise > 0) loss.sqnr_db = -std::numeric_limits<double>::infinity();
    const double span = std::max(high - low, std::max(std::fabs(low), std::fabs(high)));
    loss.worst = span > 0 ? worst / span : (worst > 0 ? 1 : 0);
    const double least = reading.sigmoid || reading.probability ? kLeastChange : 1e-12 * signal;
    loss.constant = change_reference > least && change_other < kDeadPart * change_reference;
    return loss;
  }

  // Where no score is high anywhere, errors are held against one that is.
  double Signal(const OutputReading& reading) const {
    return reading.sigmoid ? std::max(signal, 1.0) : signal;
  }
};

Result<std::unique_ptr<Runner>> Load(const Graph& graph, int threads) {
  DLPU_TRY(Program program, Compile(graph, {}));
  return Runner::Load(std::move(program), {.threads = threads});
}

// An output's values as they are read.
std::vector<float> Read(std::span<const float> values, const OutputReading& reading,
                        const std::vector<float>& weights) {
  std::vector<float> read(values.begin(), values.end());
  if (reading.sigmoid) {
    for (float& v : read) v = 1 / (1 + std::exp(-v));
  }
  if (weights.empty() || read.size() % weights.size() != 0) return read;
  const size_t row = read.size() / weights.size();
  for (size_t i = 0; i < read.size(); ++i) read[i] *= weights[i / row];
  return read;
}

std::span<const float> Floats(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

}  // namespace

Result<LossMeter> LossMeter::Make(const Graph& reference, const LossRequest& request) {
  LossMeter meter;
  meter.threads_ = request.threads;
  DLPU_TRY(const std::unique_ptr<Runner> runner, Load(reference, request.threads));
  for (size_t i = 0; i < runner->output_count(); ++i) {
    const Tensor& tensor = runner->output_tensor(i);
    meter.outputs_.push_back({tensor.name, tensor.type == DataType::kFloat32,
                              i < request.readings.size() ? request.readings[i] : OutputReading()});
  }
  for (const size_t sample : request.samples) {
    DLPU_TRY(const auto filled,
             FillSample(*runner, request.model, request.input, request.set, sample));
    std::vector<std::vector<uint8_t>>& inputs = meter.inputs_.emplace_back();
    for (size_t i = 0; i < runner->input_count(); ++i) {
      const std::span<const uint8_t> bytes = runner->input(i);
      inputs.emplace_back(bytes.begin(), bytes.end());
    }
    runner->ResetVariables();
    DLPU_RETURN_IF_ERROR(runner->Run());
    std::vector<std::vector<float>>& outputs = meter.expected_.emplace_back();
    for (size_t i = 0; i < meter.outputs_.size(); ++i) {
      const std::span<const float> values = Floats(runner->output(i));
      outputs.emplace_back(meter.outputs_[i].is_float ? std::vector(values.begin(), values.end())
                                                      : std::vector<float>());
    }
    std::vector<std::vector<float>>& weights = meter.weights_.emplace_back(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const OutputReading& reading = meter.outputs_[i].reading;
      if (reading.scores >= 0) {
        weights[i] = RowWeights(reading, outputs[static_cast<size_t>(reading.scores)]);
      }
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      outputs[i] = Read(outputs[i], meter.outputs_[i].reading, weights[i]);
    }
  }
  return meter;
}

Result<std::vector<OutputLoss>> LossMeter::Measure(const Graph& other, size_t most) const {
  DLPU_TRY(const std::unique_ptr<Runner> runner, Load(other, threads_));
  if (runner->output_count() != outputs_.size()) {
    return InternalError("the two graphs have different outputs");
  }
  std::vector<Sums> sums(outputs_.size());
  for (size_t sample = 0; sample < std::min(most, inputs_.size()); ++sample) {
    for (size_t i = 0; i < inputs_[sample].size(); ++i) {
      const std::vector<uint8_t>& bytes = inputs_[sample][i];
      if (runner->input(i).size() != bytes.size()) {
        return InternalError("the two graphs have different inputs");
      }
      std::copy(bytes.begin(), bytes.end(), runner->input(i).begin());
    }
    runner->ResetVariables();
    DLPU_RETURN_IF_ERROR(runner->Run());
    for (size_t i = 0; i < sums.size(); ++i) {
      if (!outputs_[i].is_float || runner->output_tensor(i).type != DataType::kFloat32) continue;
      sums[i].Add(expected_[sample][i],
                  Read(Floats(runner->output(i)), outputs_[i].reading, weights_[sample][i]));
    }
  }
  std::vector<OutputLoss> losses;
  for (size_t i = 0; i < sums.size(); ++i) {
    if (sums[i].first_reference.empty()) continue;
    losses.push_back(sums[i].Loss(outputs_[i].name, outputs_[i].reading));
  }
  return losses;
}

}  // namespace dlpu
