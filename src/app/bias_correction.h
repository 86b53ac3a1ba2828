// SPDX-License-Identifier: Apache-2.0
// Empirical bias correction (arXiv:1906.04721, section 4.2; the quantized network is run, nothing
// is assumed of distributions): the mean of each layer's sums before its activation becomes that
// of the float network. Layers are corrected in order, so that each sees inputs that corrected
// layers made. One thread at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/quantize_loss.h"
#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

// Added to biases, in real values per output channel, by the node's name.
using BiasShifts = std::map<std::string, std::vector<float>>;

class BiasCorrector {
 public:
  // Runs the float graph on the samples. `graph` must outlive the result. `portable`: float
  // arithmetic gives the same bits on every CPU. Errors: an input that cannot be read; a network
  // with variables.
  static Result<BiasCorrector> Make(const Graph& graph, const LossRequest& samples, bool portable);

  // `quantized`: what QuantizeGraph made of the graph without any correction, with float inputs.
  // The shifts of its layers with integer weights that WindowOf knows.
  Result<BiasShifts> Shifts(Graph quantized) const;

 private:
  BiasCorrector() = default;

  const Graph* graph_ = nullptr;
  // [sample][input]: the bytes of the inputs.
  std::vector<std::vector<std::vector<uint8_t>>> inputs_;
  // By the node's name: sums over samples and positions of what each tap saw in float.
  std::map<std::string, std::vector<double>> taps_;
  int threads_ = 0;
  bool portable_ = true;
};

}  // namespace dlpu
