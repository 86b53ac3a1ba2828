// SPDX-License-Identifier: Apache-2.0
// Post-training quantization of a float32 graph: integer weights and activations in the forms that
// TensorFlow Lite's quantization specification fixes, so that LiteRT and cameras load the result.
// What calibration saw comes in as values; nothing here runs a model. Pure functions; any thread.
//
// Forms (https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec):
// activations are int8 or uint8 with a scale and a zero point, or int16 with zero point 0; weights
// int8 in [-127, 127] with zero point 0 and one scale for each output channel or for the tensor
// (uint8: codes 1 to 255 and a zero point); a bias is int32 (int64 for int16 activations) with
// scale input x weights. An op without an integer form stays float32 between DEQUANTIZE and
// QUANTIZE.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

enum class QuantScheme : uint8_t {
  kInt8PerChannel,
  kInt8PerTensor,
  kUint8PerTensor,
  kInt16x8,
  // Fixed point: every scale is a power of two. Activations are int8 (nodes of
  // QuantizeOptions::node_types: int16) without an offset: the zero point is 0, or the lowest code
  // of a tensor that is never negative. Weights are int8 with one scale.
  kPowerOfTwo,
};
// "int8-per-channel", "int8-per-tensor", "uint8-per-tensor", "int16x8", "power-of-two".
std::string_view SchemeName(QuantScheme scheme);
std::optional<QuantScheme> SchemeFromName(std::string_view name);
// The element type of the scheme's activations.
DataType ActivationType(QuantScheme scheme);
// Whether all output channels of a layer share one weight scale.
bool HasOneWeightScale(QuantScheme scheme);

// The real values a tensor is to represent; low <= high.
struct RealRange {
  float low = 0, high = 0;
  bool operator==(const RealRange&) const = default;
};

// What calibration saw of each tensor of a graph; vectors are parallel to Graph::tensors.
struct TensorFacts {
  // The range to represent; absent for what is no float32 activation.
  std::vector<std::optional<RealRange>> ranges;
  // Per index of the last axis: mean and lowest and highest value. Empty where not collected.
  std::vector<std::vector<float>> means, lows, highs;
};

enum class WeightRange : uint8_t {
  kMinMax,  // the largest weight is the highest code
  kMse,     // the scale with the smallest squared error
};

struct QuantizedWeights;  // quantize_numbers.h

struct QuantizeOptions {
  QuantScheme scheme = QuantScheme::kInt8PerChannel;
  WeightRange weight_range = WeightRange::kMinMax;
  // Add to each bias what rounding the weights is expected to take from the layer's mean output
  // (arXiv:1906.04721, section 4.2, with the calibrated means of the input).
  bool correct_bias = true;
  // Element types of the model's inputs and outputs; absent: the scheme's own. float32, int8, uint8
  // or int16 where LiteRT's QUANTIZE makes that from the scheme's type.
  std::optional<DataType> input_type, output_type;
  // Nodes (by name) that compute in another type than the scheme's: int16 or float32.
  std::map<std::string, DataType> node_types;
  // Changes the codes of a node's weights, which are the nearest ones, and what they stand for; may
  // be empty.
  std::function<void(const std::string& node, std::span<const float> weights, QuantizedWeights&)>
      round_weights;
  // To be added to the biases of these nodes (by name), in real values per output channel.
  std::map<std::string, std::vector<float>> bias_shifts;
};

struct Quantized {
  Graph graph;
  std::vector<std::string> float_nodes;  // names of nodes that stay float32, with their op
  std::vector<std::string> notes;        // for the user: what is not as asked for
};

// Quantizes a graph whose shapes are inferred and whose constants are folded. Names of tensors
// stay; versions of nodes are the caller's business. Errors name a tensor without a range, or a
// constant that is not finite.
Result<Quantized> QuantizeGraph(const Graph& graph, const TensorFacts& facts,
                                const QuantizeOptions& options);

// What QuantizeGraph would give the tensors that nodes write and the model takes, shared scales
// included; parallel to Graph::tensors, absent for what is no 8-bit activation then.
Result<std::vector<std::optional<Quantization>>> EightBitActivations(
    const Graph& graph, const TensorFacts& facts, const QuantizeOptions& options);

// The nodes (by name) that read or write one of `tensors` (parallel to Graph::tensors) and whose
// kernels compute with 16-bit activations.
std::map<std::string, DataType> NodesIn16Bits(const Graph& graph, const std::vector<bool>& tensors);

// --- Cross-layer equalization (arXiv:1906.04721, section 4.1) ---------------------------------

struct Equalization {
  int layers = 0;                    // whose weights were scaled
  int channels = 0;                  // that were scaled, of all regions
  int silenced = 0;                  // dead channels that lost weights (equalize_regions.h)
  double widest = 1;                 // the largest ratio between two channel scales of a region
  std::vector<std::string> regions;  // the layers that write each region, joined by ", "
  bool any() const { return layers > 0 || silenced > 0; }
};

// Takes away the weights of dead channels, then moves scales of channels between layers so that the
// channels of a weight tensor have like ranges; the graph computes the same function of its inputs
// in exact arithmetic. Works through RELU, PRELU, LEAKY_RELU, pooling, padding with zeros,
// resizing, spatial means, flattening and additions; through RELU6 only as far as the highest
// values seen (facts.highs) stay on the same side of 6. Ranges in `facts` are then out of date:
// measure again.
Result<Equalization> EqualizeLayers(Graph& graph, const TensorFacts& facts);

// For each layer with weights the ratio of the largest to the smallest channel range that is not
// zero: what makes one scale for all channels fail. By node name.
std::map<std::string, double> ChannelRangeRatios(const Graph& graph);

// --- A quantized model as a float32 one --------------------------------------------------------

// Weights and activations as the real values of their codes; QUANTIZE and DEQUANTIZE between float
// tensors go. `ranges` (parallel to the new graph's tensors) are those the codes could represent.
struct Dequantized {
  Graph graph;
  std::vector<std::optional<RealRange>> ranges;
};
Result<Dequantized> DequantizeGraph(const Graph& graph);

}  // namespace dlpu
