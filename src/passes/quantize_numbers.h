// SPDX-License-Identifier: Apache-2.0
// Scales, zero points and codes of quantized tensors. Pure functions; any thread. Results do not
// depend on the machine: sums are binary64 in a fixed order.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "passes/quantize.h"

namespace dlpu {

// The layers with weights.
struct WeightedLayer {
  int data = 0, weights = 1, bias = 2;  // inputs
  int channel_axis = 0;                 // of the weights: output channels
  int input_axis = -1;                  // of the weights: input channels; -1 for depthwise
};
// Null for a node that has no weights, or whose weights are no float32 constant of 2 or 4
// dimensions.
std::optional<WeightedLayer> WeightedLayerOf(const Graph& graph, const Node& node);

// float32 values of a constant.
std::vector<float> FloatValues(const Tensor& constant);
void SetFloatValues(Tensor& constant, std::span<const float> values);

// Scale and zero point of an activation that represents at least the range and zero: for 8 bits
// scale = (high - low) / 255 and the zero point nearest to -low / scale; for int16 the larger
// magnitude is code 32767.
// With `power_of_two` the scale is the least power of two whose codes reach the range, of which one
// step beyond the highest code may be clipped (so that 0..1 has steps of 1/256), and the zero point
// is 0, or the lowest code where an 8-bit tensor is never negative.
Quantization ActivationQuantization(RealRange range, DataType type, bool power_of_two = false);

// code = clamp(round_half_away(value / scale) + zero_point), for a type of at most 32 bits or
// int64.
std::vector<uint8_t> Codes(std::span<const float> values, const Quantization& quantization,
                           DataType type);

// The same with a scale for each value where the quantization has that many: biases.
std::vector<uint8_t> ChannelCodes(std::span<const float> values, const Quantization& quantization,
                                  DataType type);

// The smallest and largest value, with zero between them; {0, 0} of nothing.
RealRange RangeOf(std::span<const float> values);

// Weights of a layer as codes. `floor` gives for each channel (or one for all) a scale below which
// the layer's bias would not fit into int32.
struct QuantizedWeights {
  DataType type = DataType::kInt8;
  Quantization quantization;
  std::vector<uint8_t> codes;
  std::vector<float> real;  // what the codes stand for
};
QuantizedWeights QuantizeWeights(const Tensor& weights, int channel_axis, bool per_channel,
                                 bool is_unsigned, WeightRange how, std::span<const double> floor,
                                 bool power_of_two = false);

// The index along `axis` of each element of a shape, in row-major order: element i has the index
// i / inner % extent.
struct AxisIndex {
  int64_t inner = 1, extent = 1;
  size_t operator()(size_t i) const {
    return static_cast<size_t>(static_cast<int64_t>(i) / inner % extent);
  }
};
AxisIndex IndexAlong(const Shape& shape, int axis);

}  // namespace dlpu
