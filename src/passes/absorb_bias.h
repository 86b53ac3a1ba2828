// SPDX-License-Identifier: Apache-2.0
// Bias absorption (Nagel et al., arXiv:1906.04721, section 4.1.3): what a channel hardly ever falls
// below behind a RELU moves from the bias of the layer that writes it into the biases of those that
// read it, so that the tensor's one range shrinks. Exact for inputs on which no value falls below.
// Pure functions; any thread.
#pragma once

#include "ir/graph.h"
#include "passes/quantize.h"

namespace dlpu {

struct Absorption {
  int layers = 0;    // whose bias gave something away
  int channels = 0;  // of them
  bool any() const { return layers > 0; }
};

// `facts` and `deviations` (the standard deviation for each index of the last axis; parallel to
// Graph::tensors, empty where unknown) are of this graph and out of date afterwards. A channel
// gives away c = mean - 3 deviations where that is above 0. Looks at layers with RELU or, for
// channels that stay well below 6, RELU6, whose output is read by layers without padding alone (a
// zero in the padding would have to become -c), and takes those whose range shrinks by a tenth.
Absorption AbsorbBiases(Graph& graph, const TensorFacts& facts,
                        const std::vector<std::vector<float>>& deviations);

}  // namespace dlpu
