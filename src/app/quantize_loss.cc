// SPDX-License-Identifier: Apache-2.0
// Running two graphs side by side.
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

Result<std::vector<OutputLoss>> MeasureLosses(const Graph& reference, const Graph& other,
                                              const LossRequest& request) {
  DLPU_TRY(const std::unique_ptr<Runner> a, Load(reference, request.threads));
  DLPU_TRY(const std::unique_ptr<Runner> b, Load(other, request.threads));
  if (a->output_count() != b->output_count()) {
    return InternalError("the two graphs have different outputs");
  }
  std::vector<Sums> sums(a->output_count());
  for (const size_t sample : request.samples) {
    for (Runner* runner : {a.get(), b.get()}) {
      DLPU_TRY(const auto filled,
               FillSample(*runner, request.model, request.input, request.set, sample));
      runner->ResetVariables();
      DLPU_RETURN_IF_ERROR(runner->Run());
    }
    for (size_t i = 0; i < sums.size(); ++i) {
      if (a->output_tensor(i).type != DataType::kFloat32 ||
          b->output_tensor(i).type != DataType::kFloat32) {
        continue;
      }
      sums[i].Add(Floats(a->output(i)), Floats(b->output(i)));
    }
  }
  std::vector<OutputLoss> losses;
  for (size_t i = 0; i < sums.size(); ++i) {
    if (!sums[i].first_reference.empty()) losses.push_back(sums[i].Loss(a->output_tensor(i).name));
  }
  return losses;
}

}  // namespace dlpu
