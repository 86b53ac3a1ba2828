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

  OutputLoss Loss(const std::string& name) const {
    OutputLoss loss;
    loss.name = name;
    loss.sqnr_db =
        noise > 0 ? 10 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
    if (signal == 0 && noise > 0) loss.sqnr_db = -std::numeric_limits<double>::infinity();
    const double span = std::max(high - low, std::max(std::fabs(low), std::fabs(high)));
    loss.worst = span > 0 ? worst / span : (worst > 0 ? 1 : 0);
    loss.constant =
        change_reference > 1e-12 * signal && change_other < kDeadPart * change_reference;
    return loss;
  }
};

Result<std::unique_ptr<Runner>> Load(const Graph& graph, int threads) {
  DLPU_TRY(Program program, Compile(graph, {}));
  return Runner::Load(std::move(program), {.threads = threads});
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
    meter.outputs_.push_back({tensor.name, tensor.type == DataType::kFloat32});
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
      sums[i].Add(expected_[sample][i], Floats(runner->output(i)));
    }
  }
  std::vector<OutputLoss> losses;
  for (size_t i = 0; i < sums.size(); ++i) {
    if (!sums[i].first_reference.empty()) losses.push_back(sums[i].Loss(outputs_[i].name));
  }
  return losses;
}

}  // namespace dlpu
