// SPDX-License-Identifier: Apache-2.0
// Whether outputs depend on the input, found by running.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "app/check.h"
#include "app/tensor_input.h"

namespace dlpu {
namespace {

// Fills an input with its lowest or highest codes, or with a ramp between them from its first to
// its last element; floats go from -1 to 1.
enum class Fill { kLowest, kHighest, kRamp };

void FillInput(Runner& runner, size_t input, Fill fill) {
  const Tensor& tensor = runner.input_tensor(input);
  const std::span<uint8_t> bytes = runner.input(input);
  const auto part = [&](size_t i, size_t count) {
    if (fill == Fill::kRamp) return static_cast<double>(i) / static_cast<double>(count);
    return fill == Fill::kLowest ? 0.0 : 1.0;
  };
  if (tensor.type == DataType::kFloat32) {
    const size_t count = bytes.size() / sizeof(float);
    for (size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(2 * part(i, count) - 1);
      std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(value));
    }
  } else if (tensor.type == DataType::kInt8 || tensor.type == DataType::kUInt8) {
    const int low = LowestCode(tensor.type);
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<uint8_t>(low + std::lround(255 * part(i, bytes.size())));
    }
  }
  // Other types keep what was there: indices must stay in range.
}

// An output as numbers: codes, or float values.
std::vector<double> Numbers(const Tensor& tensor, std::span<const uint8_t> bytes) {
  std::vector<double> numbers;
  if (tensor.type == DataType::kFloat32) {
    for (size_t at = 0; at + sizeof(float) <= bytes.size(); at += sizeof(float)) {
      float value;
      std::memcpy(&value, bytes.data() + at, sizeof(value));
      numbers.push_back(value);
    }
  } else {
    for (const uint8_t byte : bytes) {
      numbers.push_back(tensor.type == DataType::kInt8 ? static_cast<int8_t>(byte) : byte);
    }
  }
  return numbers;
}

// Post-processing gives lists and counts, which may well be the same for several inputs.
bool FromCustomOp(const Program& program, TensorId output) {
  return std::ranges::any_of(program.steps, [&](const Step& step) {
    return IsCustomOp(step.node.op) &&
           std::ranges::find(step.node.outputs, output) != step.node.outputs.end();
  });
}

struct Extremes {
  std::vector<double> low, high;

  void See(const std::vector<double>& numbers) {
    if (low.empty()) low = high = numbers;
    for (size_t i = 0; i < numbers.size(); ++i) {
      low[i] = std::min(low[i], numbers[i]);
      high[i] = std::max(high[i], numbers[i]);
    }
  }
  double Spread(bool is_float) const {
    double spread = 0, lowest = 0, highest = 0;
    for (size_t i = 0; i < low.size(); ++i) {
      spread = std::max(spread, high[i] - low[i]);
      lowest = i == 0 ? low[i] : std::min(lowest, low[i]);
      highest = i == 0 ? high[i] : std::max(highest, high[i]);
    }
    if (!is_float) return spread;
    const double range = std::max(highest - lowest, std::max(std::abs(highest), std::abs(lowest)));
    return range > 0 ? 1000 * spread / range : 0;
  }
};

}  // namespace

Result<std::vector<double>> OutputSpreads(const LoadedModel& model, int threads) {
  ModelOptions options;
  options.model = model.path;
  options.threads = threads;
  DLPU_TRY(const std::unique_ptr<Runner> runner, LoadRunner(model, options));
  std::vector<Extremes> extremes(runner->output_count());
  for (int round = 0; round < 4; ++round) {
    FillRandom(*runner, 1);
    for (size_t i = 0; i < runner->input_count() && round > 0; ++i) {
      FillInput(*runner, i, static_cast<Fill>(round - 1));
    }
    runner->ResetVariables();
    DLPU_RETURN_IF_ERROR(runner->Run());
    for (size_t i = 0; i < extremes.size(); ++i) {
      extremes[i].See(Numbers(runner->output_tensor(i), runner->output(i)));
    }
  }
  std::vector<double> spreads;
  for (size_t i = 0; i < extremes.size(); ++i) {
    const Tensor& tensor = runner->output_tensor(i);
    const bool is_float = tensor.type == DataType::kFloat32;
    const bool is_byte = tensor.type == DataType::kInt8 || tensor.type == DataType::kUInt8;
    const bool judged = !FromCustomOp(runner->program(), runner->program().outputs[i]) &&
                        (is_float || (is_byte && tensor.quantization.present()));
    spreads.push_back(judged ? extremes[i].Spread(is_float) : -1);
  }
  return spreads;
}

}  // namespace dlpu
