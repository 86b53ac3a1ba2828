// SPDX-License-Identifier: Apache-2.0
// Quantizing a graph: layers get integer constants, and where neighbours differ in type or scale a
// QUANTIZE or DEQUANTIZE stands between them.
#include "passes/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "ir/verify.h"
#include "ops/op.h"
#include "passes/quantize_numbers.h"
#include "passes/quantize_plan.h"
#include "passes/rewrite.h"

namespace dlpu {
namespace {

using Kind = QuantizeRule::Kind;

constexpr std::string_view kSchemes[] = {"int8-per-channel", "int8-per-tensor", "uint8-per-tensor",
                                         "int16x8", "power-of-two"};

class Quantizer {
 public:
  Quantizer(const Graph& graph, const TensorFacts& facts, const QuantizeOptions& options)
      : source_(graph), facts_(facts), options_(options) {}

  Result<Quantized> Run() {
    forms_ = ChooseForms(source_, options_);
    DLPU_TRY(plan_, PlanTensors(source_, facts_, forms_, options_));
    Graph& graph = result_.graph;
    graph = source_;
    graph.nodes.clear();
    for (size_t t = 0; t < graph.tensors.size(); ++t) {
      if (!IsCoded(static_cast<TensorId>(t))) continue;
      graph.tensors[t].type = plan_.types[t];
      graph.tensors[t].quantization = plan_.quantizations[t];
    }
    DLPU_RETURN_IF_ERROR(ConvertInputs());
    for (size_t i = 0; i < source_.nodes.size(); ++i) {
      DLPU_RETURN_IF_ERROR(AddNode(source_.nodes[i], forms_[i]));
    }
    ConvertOutputs();
    DropUnused(graph);
    DLPU_RETURN_IF_ERROR(Verify(graph));
    return std::move(result_);
  }

 private:
  const Tensor& At(TensorId id) const { return source_.tensors[id]; }
  bool IsCoded(TensorId id) const {
    return At(id).type == DataType::kFloat32 && !At(id).is_constant &&
           plan_.types[id] != DataType::kFloat32;
  }

  TensorId AddTensor(Tensor tensor) {
    result_.graph.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(result_.graph.tensors.size() - 1);
  }

  // A node with one input and one output of its own.
  TensorId AddConversion(TensorId from, const std::string& name, DataType type,
                         const Quantization& quantization) {
    Tensor tensor;
    tensor.name = name;
    tensor.shape = result_.graph.tensors[from].shape;
    tensor.type = type;
    if (type != DataType::kFloat32) tensor.quantization = quantization;
    const TensorId to = AddTensor(std::move(tensor));
    AddConversionNode(from, to);
    return to;
  }
  void AddConversionNode(TensorId from, TensorId to) {
    Node node;
    const bool to_float = result_.graph.tensors[to].type == DataType::kFloat32;
    node.op = to_float ? Op::kDequantize : Op::kQuantize;
    node.name = result_.graph.tensors[to].name;
    node.inputs = {from};
    node.outputs = {to};
    result_.graph.nodes.push_back(std::move(node));
  }

  // The tensor with that type and quantization; made from the tensor as it is, once for all
  // readers.
  TensorId Converted(TensorId id, DataType type, const Quantization& quantization) {
    const Tensor& tensor = result_.graph.tensors[id];
    if (tensor.type == type &&
        (type == DataType::kFloat32 || tensor.quantization == quantization)) {
      return id;
    }
    for (const auto& [from, to_type, to_quantization, to] : conversions_) {
      if (from == id && to_type == type && to_quantization == quantization) return to;
    }
    const std::string name =
        fmt::format("{}/{}{}", tensor.name, DataTypeName(type),
                    tensor.type == type ? fmt::format("/{}", ++requantizations_) : "");
    const TensorId to = AddConversion(id, name, type, quantization);
    conversions_.emplace_back(id, type, quantization, to);
    return to;
  }

  // --- The borders of the model ---

  // The type asked for at a border, where LiteRT converts it from or to the tensor's own.
  DataType BorderType(std::optional<DataType> asked, TensorId id, const char* what) {
    const DataType own = plan_.types[id];
    if (At(id).type != DataType::kFloat32 || !asked || *asked == own) return own;
    const bool asked_bytes = *asked == DataType::kInt8 || *asked == DataType::kUInt8;
    const bool bytes = asked_bytes && (own == DataType::kInt8 || own == DataType::kUInt8 ||
                                       (PowersOfTwo() && what == std::string_view("input")));
    if (own != DataType::kFloat32 && (*asked == DataType::kFloat32 || bytes)) return *asked;
    if (own == DataType::kFloat32) {
      result_.notes.push_back(
          fmt::format("{} '{}' stays float32: no node around it computes in "
                      "integers",
                      what, At(id).name));
      return own;
    }
    result_.notes.push_back(
        fmt::format("{} '{}' stays {}: TensorFlow Lite does not convert it to {}", what,
                    At(id).name, DataTypeName(own), DataTypeName(*asked)));
    return own;
  }

  // The same real values as codes of another 8-bit type.
  static Quantization Moved(Quantization quantization, DataType from, DataType to) {
    quantization.zero_point[0] += LowestCode(to) - LowestCode(from);
    return quantization;
  }

  // A picture of bytes in front of a fixed-point tensor: the bytes have the scale of the pixels,
  // from which the tensor is made.
  Status ConvertPixels(TensorId& id, DataType wanted) {
    DLPU_TRY(const Quantization pixels, QuantizationAs(id, DataType::kInt8, false));
    const Tensor source = source_.tensors[id];
    Tensor border = source;
    border.type = wanted;
    border.quantization = Moved(pixels, DataType::kInt8, wanted);
    Tensor& inside = result_.graph.tensors[id];
    inside.name += fmt::format("/{}", DataTypeName(inside.type));
    TensorId from = AddTensor(std::move(border));
    const TensorId outside = from;
    if (wanted != DataType::kInt8) {
      from = AddConversion(from, source.name + "/pixels", DataType::kInt8, pixels);
    }
    AddConversionNode(from, id);
    id = outside;
    return OkStatus();
  }

  Status ConvertInputs() {
    for (TensorId& id : result_.graph.inputs) {
      const DataType own = plan_.types[id], wanted = BorderType(options_.input_type, id, "input");
      if (wanted == own) continue;
      if (PowersOfTwo() && wanted != DataType::kFloat32) {
        DLPU_RETURN_IF_ERROR(ConvertPixels(id, wanted));
        continue;
      }
      // The border keeps the name; what nodes read is called otherwise.
      Tensor border = source_.tensors[id];
      border.type = wanted;
      if (wanted != DataType::kFloat32) {
        border.quantization = Moved(plan_.quantizations[id], own, wanted);
      }
      result_.graph.tensors[id].name += fmt::format("/{}", DataTypeName(own));
      const TensorId outside = AddTensor(std::move(border));
      AddConversionNode(outside, id);
      id = outside;
    }
    return OkStatus();
  }

  void ConvertOutputs() {
    for (TensorId& id : result_.graph.outputs) {
      const DataType own = plan_.types[id], wanted = BorderType(options_.output_type, id, "output");
      if (wanted == own) continue;
      const std::string name = At(id).name;
      Quantization quantization;
      if (wanted != DataType::kFloat32) {
        quantization = Moved(result_.graph.tensors[id].quantization, own, wanted);
      }
      result_.graph.tensors[id].name += fmt::format("/{}", DataTypeName(own));
      id = AddConversion(id, name, wanted, quantization);
    }
  }

  // --- Nodes ---

  Status AddNode(Node node, DataType form) {
    if (form == DataType::kOther) {
      result_.graph.nodes.push_back(std::move(node));
      return OkStatus();
    }
    const bool is_float = form == DataType::kFloat32;
    if (is_float)
      result_.float_nodes.push_back(fmt::format("{} '{}'", NodeOpName(node), node.name));
    const bool same = !is_float && GetOp(node.op).quantize.value.kind == Kind::kSameAsInput;
    for (const size_t i : FloatInputs(source_, node)) {
      TensorId& id = node.inputs[i];
      const Tensor& tensor = At(id);
      if (tensor.is_constant) {
        if (is_float) continue;
        DLPU_TRY(id, ConstantAs(tensor, form,
                                same ? std::optional(plan_.quantizations[node.outputs[0]])
                                     : std::nullopt));
        continue;
      }
      // Ops whose inputs and outputs share a scale set it by their output; others take any.
      const TensorId output = node.outputs[0];
      Quantization wanted = result_.graph.tensors[id].quantization;
      if (same && IsCoded(output)) {
        wanted = plan_.quantizations[output];
      } else if (!is_float && plan_.types[id] != form) {
        DLPU_TRY(wanted, QuantizationAs(id, form, PowersOfTwo()));
      }
      id = Converted(id, form, is_float ? Quantization() : wanted);
    }
    if (!is_float) DLPU_RETURN_IF_ERROR(QuantizeLayer(node, form));
    if (auto* attrs = std::get_if<ArithmeticAttrs>(&node.attrs); attrs != nullptr && !is_float) {
      attrs->pot_scale_int16 = false;
    }
    result_.graph.nodes.push_back(std::move(node));
    return OkStatus();
  }

  // The quantization of a tensor that is made in another type.
  Result<Quantization> QuantizationAs(TensorId id, DataType type, bool power_of_two) const {
    const auto& range = facts_.ranges[id];
    if (!range) {
      return InvalidError(
          fmt::format("tensor '{}' has no range: calibration did not see it", At(id).name));
    }
    return ActivationQuantization(*range, type, power_of_two);
  }

  Status ExpectFinite(const Tensor& constant, std::span<const float> values) const {
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::isfinite(values[i])) continue;
      return InvalidError(
          fmt::format("constant '{}': element {} is {}, which no code stands for; "
                      "repair the model's weights",
                      constant.name, i, values[i]));
    }
    return OkStatus();
  }

  Result<TensorId> ConstantAs(const Tensor& constant, DataType type,
                              const std::optional<Quantization>& prescribed) {
    const std::vector<float> values = FloatValues(constant);
    DLPU_RETURN_IF_ERROR(ExpectFinite(constant, values));
    Tensor tensor;
    tensor.name = constant.name;
    tensor.shape = constant.shape;
    tensor.type = type;
    tensor.is_constant = true;
    tensor.quantization =
        prescribed ? *prescribed : ActivationQuantization(RangeOf(values), type, PowersOfTwo());
    tensor.data = Codes(values, tensor.quantization, type);
    return AddTensor(std::move(tensor));
  }

  bool PowersOfTwo() const { return options_.scheme == QuantScheme::kPowerOfTwo; }
  bool PerChannel(const Node& node) const {
    // Older runtimes of cameras read one scale for a fully connected layer, and compilers too.
    return !HasOneWeightScale(options_.scheme) && node.op != Op::kFullyConnected;
  }

  Status QuantizeLayer(Node& node, DataType form) {
    const std::optional<WeightedLayer> layer = WeightedLayerOf(source_, node);
    if (!layer) return OkStatus();
    const Tensor& weights = At(node.inputs[layer->weights]);
    const std::vector<float> values = FloatValues(weights);
    DLPU_RETURN_IF_ERROR(ExpectFinite(weights, values));
    const int32_t channels = weights.shape[layer->channel_axis];
    DLPU_TRY(std::vector<float> bias, BiasOf(node, *layer, channels));
    const Tensor& input = result_.graph.tensors[node.inputs[layer->data]];
    const double input_scale = input.quantization.scale0();
    // A bias has to fit into half of int32: the products are added to it there.
    std::vector<double> floor;
    if (form != DataType::kInt16) {
      for (const float b : bias) floor.push_back(std::fabs(b) / input_scale / (1 << 30));
    }
    QuantizedWeights codes =
        QuantizeWeights(weights, layer->channel_axis, PerChannel(node), form == DataType::kUInt8,
                        options_.weight_range, floor, PowersOfTwo());
    if (options_.round_weights) options_.round_weights(node.name, values, codes);
    if (options_.correct_bias) Correct(node, *layer, values, codes.real, bias);
    Tensor quantized;
    quantized.name = weights.name;
    quantized.shape = weights.shape;
    quantized.type = codes.type;
    quantized.is_constant = true;
    quantized.quantization = codes.quantization;
    quantized.data = std::move(codes.codes);
    node.inputs[layer->weights] = AddTensor(std::move(quantized));
    AddBias(node, *layer, bias, input_scale, codes.quantization, form);
    return OkStatus();
  }

  bool HasBias(const Node& node, const WeightedLayer& layer) const {
    const auto at = static_cast<size_t>(layer.bias);
    return node.inputs.size() > at && node.inputs[at] != kNoTensor;
  }

  Result<std::vector<float>> BiasOf(const Node& node, const WeightedLayer& layer,
                                    int32_t channels) const {
    std::vector<float> bias(static_cast<size_t>(channels), 0.0f);
    if (HasBias(node, layer)) {
      const Tensor& tensor = At(node.inputs[layer.bias]);
      const std::vector<float> values = FloatValues(tensor);
      DLPU_RETURN_IF_ERROR(ExpectFinite(tensor, values));
      if (values.size() != bias.size()) {
        return InvalidError(fmt::format("bias '{}' has {} values for {} channels", tensor.name,
                                        values.size(), channels));
      }
      bias = values;
    }
    const auto shift = options_.bias_shifts.find(node.name);
    if (shift != options_.bias_shifts.end() && shift->second.size() == bias.size()) {
      for (size_t c = 0; c < bias.size(); ++c) bias[c] += shift->second[c];
    }
    return bias;
  }

  // Takes from the bias what the rounding of weights adds to the mean output.
  void Correct(const Node& node, const WeightedLayer& layer, const std::vector<float>& values,
               const std::vector<float>& real, std::vector<float>& bias) const {
    if (node.op == Op::kTransposeConv) return;  // how often a weight counts depends on the place
    const TensorId data = SourceInput(node, layer);
    if (static_cast<size_t>(data) >= facts_.means.size()) return;
    const std::vector<float>& means = facts_.means[data];
    const Shape& shape = At(node.inputs[layer.weights]).shape;
    const AxisIndex channel = IndexAlong(shape, layer.channel_axis);
    const bool depthwise = layer.input_axis < 0;
    const AxisIndex input = depthwise ? channel : IndexAlong(shape, layer.input_axis);
    const auto in_channels = static_cast<int64_t>(means.size());
    if (in_channels == 0) return;
    int64_t divisor = 1, group_outputs = channel.extent;
    if (depthwise) {
      if (channel.extent % in_channels != 0) return;
      divisor = channel.extent / in_channels;
    } else {
      if (in_channels % input.extent != 0) return;
      const int64_t groups = in_channels / input.extent;
      if (channel.extent % groups != 0) return;
      if (groups != 1 && node.op != Op::kConv2d) return;
      group_outputs = channel.extent / groups;
    }
    std::vector<double> shift(bias.size(), 0.0);
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t c = channel(i);
      const size_t in = depthwise ? c / static_cast<size_t>(divisor)
                                  : input(i) + c / static_cast<size_t>(group_outputs) *
                                                   static_cast<size_t>(input.extent);
      shift[c] += (static_cast<double>(real[i]) - static_cast<double>(values[i])) * means[in];
    }
    for (size_t c = 0; c < bias.size(); ++c) bias[c] -= static_cast<float>(shift[c]);
  }

  // The tensor of the source graph whose (perhaps converted) codes the layer reads.
  TensorId SourceInput(const Node& node, const WeightedLayer& layer) const {
    TensorId id = node.inputs[layer.data];
    for (const auto& [from, type, quantization, to] : conversions_) {
      if (to == id) id = from;
    }
    return id;
  }

  void AddBias(Node& node, const WeightedLayer& layer, const std::vector<float>& bias,
               double input_scale, const Quantization& weights, DataType form) {
    const bool wanted = HasBias(node, layer) || node.op != Op::kTransposeConv;
    if (!wanted) return;
    Tensor tensor;
    tensor.name = HasBias(node, layer) ? At(node.inputs[layer.bias]).name : node.name + "/bias";
    tensor.shape = {static_cast<int32_t>(bias.size())};
    tensor.type = form == DataType::kInt16 ? DataType::kInt64 : DataType::kInt32;
    tensor.is_constant = true;
    for (const float scale : weights.scale) {
      tensor.quantization.scale.push_back(static_cast<float>(input_scale * scale));
      tensor.quantization.zero_point.push_back(0);
    }
    tensor.data = ChannelCodes(bias, tensor.quantization, tensor.type);
    const auto at = static_cast<size_t>(layer.bias);
    if (node.inputs.size() <= at) node.inputs.resize(at + 1, kNoTensor);
    node.inputs[at] = AddTensor(std::move(tensor));
  }

  const Graph& source_;
  const TensorFacts& facts_;
  const QuantizeOptions& options_;
  NodeForms forms_;
  TensorPlan plan_;
  Quantized result_;
  std::vector<std::tuple<TensorId, DataType, Quantization, TensorId>> conversions_;
  int requantizations_ = 0;
};

}  // namespace

std::string_view SchemeName(QuantScheme scheme) { return kSchemes[static_cast<int>(scheme)]; }

std::optional<QuantScheme> SchemeFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kSchemes); ++i) {
    if (kSchemes[i] == name) return static_cast<QuantScheme>(i);
  }
  return std::nullopt;
}

DataType ActivationType(QuantScheme scheme) {
  switch (scheme) {
    case QuantScheme::kUint8PerTensor:
      return DataType::kUInt8;
    case QuantScheme::kInt16x8:
      return DataType::kInt16;
    default:
      return DataType::kInt8;
  }
}

bool HasOneWeightScale(QuantScheme scheme) {
  return scheme != QuantScheme::kInt8PerChannel && scheme != QuantScheme::kInt16x8;
}

Result<std::vector<std::optional<Quantization>>> EightBitActivations(
    const Graph& graph, const TensorFacts& facts, const QuantizeOptions& options) {
  DLPU_TRY(const TensorPlan plan, PlanTensors(graph, facts, ChooseForms(graph, options), options));
  std::vector<std::optional<Quantization>> activations(graph.tensors.size());
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const Tensor& tensor = graph.tensors[t];
    if (tensor.type != DataType::kFloat32 || tensor.is_constant) continue;
    if (plan.types[t] == DataType::kInt8 || plan.types[t] == DataType::kUInt8) {
      activations[t] = plan.quantizations[t];
    }
  }
  return activations;
}

Result<Quantized> QuantizeGraph(const Graph& graph, const TensorFacts& facts,
                                const QuantizeOptions& options) {
  return Quantizer(graph, facts, options).Run();
}

}  // namespace dlpu
