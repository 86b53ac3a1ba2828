// SPDX-License-Identifier: Apache-2.0
// Covariances of what weights meet, and the rounding that they ask for.
#include "app/adaptive_rounding.h"

#include <algorithm>
#include <cmath>

#include "app/watch.h"
#include "base/cpu_unfused.h"

namespace dlpu {
namespace {

constexpr int64_t kPlacesOfSample = 128;  // output positions of one input, spread over all
constexpr size_t kMostSamples = 48;
constexpr int kSweeps = 20;
constexpr int64_t kBlock = 8;  // places that go into the sums together

// Sums of a layer over places, before they are a covariance.
struct Sums {
  LayerWindow window;
  int64_t taps = 0, groups = 0, places = 0;
  std::vector<float> products;  // groups x taps x taps; above the diagonal only
  std::vector<double> values;   // groups x taps
};

// What the window sees at a place: [kernel_h * kernel_w][channels], zero in the padding.
void Gather(const LayerWindow& window, std::span<const float> input, int64_t position,
            float* patch) {
  for (int64_t ky = 0; ky < window.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < window.kernel_w; ++kx, patch += window.channels) {
      const int64_t at = window.Place(position, ky, kx);
      if (at < 0) {
        std::fill(patch, patch + window.channels, 0.0f);
      } else {
        std::copy(input.data() + at, input.data() + at + window.channels, patch);
      }
    }
  }
}

// Adds the products of a block of places; `block` is [kBlock][taps].
void AddProducts(const std::vector<float>& block, int64_t taps, float* products) {
  for (int64_t i = 0; i < taps; ++i) {
    float* const row = products + i * taps;
    float left[kBlock];
    for (int64_t p = 0; p < kBlock; ++p) left[p] = block[static_cast<size_t>(p * taps + i)];
    for (int64_t j = i; j < taps; ++j) {
      float sum = row[j];
      for (int64_t p = 0; p < kBlock; ++p) {
        sum += left[p] * block[static_cast<size_t>(p * taps + j)];
      }
      row[j] = sum;
    }
  }
}

void AddPlaces(std::span<const float> input, Sums& sums) {
  const LayerWindow& window = sums.window;
  const int64_t count = std::min(kPlacesOfSample, window.positions());
  const int64_t kernel = window.kernel_h * window.kernel_w, taps = sums.taps;
  std::vector<float> patches(static_cast<size_t>(kBlock * window.taps()));
  std::vector<float> block(static_cast<size_t>(kBlock * taps));
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    std::fill(patches.begin(), patches.end(), 0.0f);
    for (int64_t p = begin; p < std::min(count, begin + kBlock); ++p) {
      Gather(window, input, (2 * p + 1) * window.positions() / (2 * count),
             patches.data() + (p - begin) * window.taps());
    }
    for (int64_t group = 0; group < sums.groups; ++group) {
      for (int64_t p = 0; p < kBlock; ++p) {
        for (int64_t k = 0; k < kernel; ++k) {
          const float* const from =
              patches.data() + p * window.taps() + k * window.channels + group * window.group_ins;
          std::copy(from, from + window.group_ins, block.data() + p * taps + k * window.group_ins);
        }
        for (int64_t k = 0; k < taps; ++k) {
          sums.values[static_cast<size_t>(group * taps + k)] +=
              static_cast<double>(block[static_cast<size_t>(p * taps + k)]);
        }
      }
      AddProducts(block, taps, sums.products.data() + group * taps * taps);
    }
  }
  sums.places += count;
}

TapMoments Covariance(Sums&& sums) {
  TapMoments result = {sums.window, sums.taps, std::move(sums.products)};
  const auto taps = static_cast<size_t>(sums.taps);
  const auto places = static_cast<double>(sums.places);
  const double kept = places / (places + static_cast<double>(sums.taps));
  for (size_t group = 0; group < static_cast<size_t>(sums.groups); ++group) {
    float* const matrix = result.covariance.data() + group * taps * taps;
    const double* const totals = sums.values.data() + group * taps;
    for (size_t i = 0; i < taps; ++i) {
      for (size_t j = i; j < taps; ++j) {
        const double value = static_cast<double>(matrix[i * taps + j]) / places -
                             totals[i] / places * (totals[j] / places);
        matrix[i * taps + j] = static_cast<float>(i == j ? std::max(0.0, value) : kept * value);
        matrix[j * taps + i] = matrix[i * taps + j];
      }
    }
  }
  return result;
}

// One output channel: codes as numbers, errors e of what they stand for, and H e.
struct Channel {
  std::vector<size_t> at;  // elements of the weights, by tap
  std::vector<float> errors, gradient;
};

// Weights go one step up or down while e' H e falls and the error stays below a step.
void Descend(const float* matrix, size_t taps, float scale, int lowest, int highest,
             Channel& channel, std::vector<int>& codes) {
  std::fill(channel.gradient.begin(), channel.gradient.end(), 0.0f);
  const auto add = [&](size_t k, float error) {
    const float* const row = matrix + k * taps;
    for (size_t j = 0; j < taps; ++j) channel.gradient[j] += error * row[j];
  };
  for (size_t k = 0; k < taps; ++k) {
    if (channel.errors[k] != 0) add(k, channel.errors[k]);
  }
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    bool moved = false;
    for (size_t k = 0; k < taps; ++k) {
      const float slope = channel.gradient[k];
      if (!(2 * std::fabs(slope) > scale * matrix[k * taps + k])) continue;
      const int step = slope > 0 ? -1 : 1;
      const float delta = static_cast<float>(step) * scale, error = channel.errors[k] + delta;
      int& code = codes[channel.at[k]];
      if (code + step < lowest || code + step > highest || std::fabs(error) >= scale) continue;
      code += step;
      channel.errors[k] = error;
      add(k, delta);
      moved = true;
    }
    if (!moved) break;
  }
}

}  // namespace

Result<std::unique_ptr<AdaptiveRounder>> AdaptiveRounder::Make(const Graph& graph,
                                                               const LossRequest& samples,
                                                               bool portable) {
  std::vector<TensorId> watched;
  std::vector<size_t> place;  // of each layer's input in `watched`
  std::vector<std::string> names;
  std::vector<Sums> layers;
  for (const Node& node : graph.nodes) {
    const auto window = WindowOf(graph, node);
    if (!window || graph.tensors[node.inputs[0]].is_constant) continue;
    Sums sums;
    sums.window = *window;
    sums.taps = window->kernel_h * window->kernel_w * window->group_ins;
    sums.groups = window->channels / window->group_ins;
    if (sums.taps > kMostMomentTaps) continue;
    sums.products.assign(static_cast<size_t>(sums.groups * sums.taps * sums.taps), 0.0f);
    sums.values.assign(static_cast<size_t>(sums.groups * sums.taps), 0.0);
    layers.push_back(std::move(sums));
    names.push_back(node.name);
    const auto at = std::find(watched.begin(), watched.end(), node.inputs[0]);
    place.push_back(static_cast<size_t>(at - watched.begin()));
    if (at == watched.end()) watched.push_back(node.inputs[0]);
  }
  std::unique_ptr<AdaptiveRounder> rounder(new AdaptiveRounder());
  DLPU_TRY(Watch watch, Watch::Load(graph, watched,
                                    {.threads = samples.threads,
                                     .cpu = portable ? UnfusedCpuFlags() : EnabledCpuFlags()}));
  rounder->pool_ = std::make_unique<ThreadPool>(watch.runner().threads());
  const size_t count = std::min(kMostSamples, samples.samples.size());
  const auto parts = static_cast<int64_t>(layers.size());
  for (size_t s = 0; s < count; ++s) {
    const size_t sample = samples.samples[s * samples.samples.size() / count];
    watch.runner().ResetVariables();
    DLPU_TRY(const auto filled,
             FillSample(watch.runner(), samples.model, samples.input, samples.set, sample));
    DLPU_RETURN_IF_ERROR(watch.runner().Run());
    rounder->pool_->ParallelFor(parts, 1, [&](int64_t begin, int64_t end, int) {
      for (auto l = static_cast<size_t>(begin); l < static_cast<size_t>(end); ++l) {
        AddPlaces(watch.floats(place[l]), layers[l]);
      }
    });
  }
  for (size_t l = 0; l < layers.size(); ++l) {
    rounder->layers_[names[l]] = Covariance(std::move(layers[l]));
  }
  return rounder;
}

void AdaptiveRounder::Round(const std::string& node, std::span<const float> weights,
                            QuantizedWeights& quantized) {
  const auto found = layers_.find(node);
  if (found == layers_.end()) return;
  const auto [known, is_new] = done_.try_emplace({node, quantized.quantization.scale});
  if (!is_new) {
    quantized = known->second;
    return;
  }
  const TapMoments& moments = found->second;
  const LayerWindow& window = moments.window;
  const bool is_signed = quantized.type == DataType::kInt8;
  const auto zero = static_cast<int>(quantized.quantization.zero0());
  const int lowest = is_signed ? -127 : 1, highest = is_signed ? 127 : 255;
  const auto taps = static_cast<size_t>(moments.taps);
  std::vector<int> codes;
  for (const uint8_t code : quantized.codes) {
    codes.push_back(is_signed ? static_cast<int>(static_cast<int8_t>(code)) : code);
  }
  std::vector<Channel> channels(static_cast<size_t>(window.outs));
  for (size_t i = 0; i < codes.size(); ++i) channels[window.OutOf(i)].at.push_back(i);
  pool_->ParallelFor(window.outs, 1, [&](int64_t begin, int64_t end, int) {
    for (auto o = static_cast<size_t>(begin); o < static_cast<size_t>(end); ++o) {
      Channel& channel = channels[o];
      channel.gradient.resize(taps);
      for (const size_t i : channel.at) channel.errors.push_back(quantized.real[i] - weights[i]);
      const auto group = o / static_cast<size_t>(window.group_outs);
      Descend(moments.covariance.data() + group * taps * taps, taps,
              quantized.quantization.scale[quantized.quantization.scale.size() == 1 ? 0 : o],
              lowest, highest, channel, codes);
    }
  });
  for (size_t i = 0; i < codes.size(); ++i) {
    const auto& scales = quantized.quantization.scale;
    const float scale = scales[scales.size() == 1 ? 0 : window.OutOf(i)];
    quantized.codes[i] = static_cast<uint8_t>(codes[i]);
    quantized.real[i] =
        static_cast<float>(static_cast<double>(codes[i] - zero) * static_cast<double>(scale));
  }
  known->second = quantized;
}

}  // namespace dlpu
