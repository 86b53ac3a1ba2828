// SPDX-License-Identifier: Apache-2.0
// Regions: tensors whose channels must be scaled alike because ops that commute with a positive
// factor for each channel connect them. A region can be scaled where everything that writes it is a
// layer's output channels and everything that reads it a layer's input channels.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace dlpu {

struct ScalableRegion {
  int32_t channels = 0;
  // Indices of nodes, all of them layers (WeightedLayerOf). A reader's input may have several times
  // the region's channels, after flattening: then channel i of it is channel i mod `channels`.
  std::vector<int> writers, readers;
  std::vector<TensorId> tensors;
  std::vector<TensorId> capped;  // those of `tensors` that RELU6 writes
};

// The activation that a layer, pooling or addition applies to its result.
Activation FusedActivation(const Node& node);

// The regions of a float graph whose constants are read by one node each.
std::vector<ScalableRegion> FindScalableRegions(const Graph& graph);

// Takes weights away that cannot reach an output: those that read a channel that is zero whatever
// the input (no weights and a bias that RELU makes zero), and the weights and bias of a channel
// that nobody reads. The function stays exactly the same. Such channels keep whatever training left
// in them, often the largest weights of a layer. Returns how many channels lost weights.
int SilenceDeadChannels(Graph& graph, const std::vector<ScalableRegion>& regions);

}  // namespace dlpu
