// SPDX-License-Identifier: Apache-2.0
// Adaptive rounding of weights (arXiv:2004.10568): each weight goes to the code below or above it,
// whichever brings the layer's sums nearer to the float ones on calibration inputs. What is
// minimized for an output channel is the quadratic form e' H e of the paper's section 3, with the
// rounding errors e and the covariance H of the inputs that the weights meet (means are the
// business of bias correction), by changing one weight after another as long as it helps: no random
// numbers, no step size, the same codes with any number of threads.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/layer_window.h"
#include "app/quantize_loss.h"
#include "base/result.h"
#include "base/threads.h"
#include "ir/graph.h"
#include "passes/quantize_numbers.h"

namespace dlpu {

// What the weights of a layer meet: for each group of input channels a matrix of taps x taps,
// row-major, the covariance of those taps over the calibration inputs. With fewer places than taps
// it says little, so that its other elements shrink towards zero by taps / (taps + places).
struct TapMoments {
  LayerWindow window;
  int64_t taps = 0;  // kernel_h * kernel_w * group_ins
  std::vector<float> covariance;
};

// Layers with more taps keep the nearest codes: their matrices would not fit.
inline constexpr int64_t kMostMomentTaps = 2304;

class AdaptiveRounder {
 public:
  // Runs the float graph on the samples. `portable`: the same bits on every CPU. Errors: an input
  // that cannot be read.
  static Result<std::unique_ptr<AdaptiveRounder>> Make(const Graph& graph,
                                                       const LossRequest& samples, bool portable);

  // Changes codes, and what they stand for, of the weights of the node with that name. Weights of
  // other layers stay.
  void Round(const std::string& node, std::span<const float> weights, QuantizedWeights& quantized);

 private:
  AdaptiveRounder() = default;

  std::map<std::string, TapMoments> layers_;  // by the node's name
  std::unique_ptr<ThreadPool> pool_;
  // What was found before, by the node's name and its scales.
  std::map<std::pair<std::string, std::vector<float>>, QuantizedWeights> done_;
};

}  // namespace dlpu
