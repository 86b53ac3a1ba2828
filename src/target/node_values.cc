// SPDX-License-Identifier: Apache-2.0
// Answers conditions from a node's attributes, shapes, constants and scales.
#include "target/node_values.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "target/derived_values.h"

namespace dlpu {

const std::vector<ValueName>& ValueNames() {
  static const std::vector<ValueName> names = {
      {"activation", "fused activation: NONE, RELU, RELU_N1_TO_1, RELU6, TANH, SIGN_BIT"},
      {"padding", "SAME or VALID"},
      {"stride_h", "vertical stride"},
      {"stride_w", "horizontal stride"},
      {"dilation_h", "vertical dilation"},
      {"dilation_w", "horizontal dilation"},
      {"depth_multiplier", "outputs per input channel of a depthwise convolution"},
      {"kernel_h", "height of the kernel or pooling window"},
      {"kernel_w", "width of the kernel or pooling window"},
      {"batch", "first of the input's four extents"},
      {"in_height", "height of the input"},
      {"in_width", "width of the input"},
      {"in_channels", "innermost extent of the input"},
      {"out_height", "height of the output"},
      {"out_width", "width of the output"},
      {"out_channels", "innermost extent of the output"},
      {"rank", "largest number of extents of an input or output"},
      {"outer_extent", "largest product of the extents outside the innermost three"},
      {"rows", "elements of the output divided by its innermost extent"},
      {"type", "element type of the input"},
      {"out_type", "element type of the output"},
      {"weights_type", "element type of the weights"},
      {"weight_scales", "per-tensor, per-channel or none"},
      {"weights_format", "default or shuffled"},
      {"constant_weights", "1 when the weights are constant"},
      {"inputs", "number of tensors combined"},
      {"constant_inputs", "how many of them are constant"},
      {"constant_is_zero", "1 when the constant stands for zeros only"},
      {"constant_shape", "of the constant input: none, scalar, per-channel or other"},
      {"channels_gcd", "greatest common divisor of the inputs' innermost extents"},
      {"out_channels_gcd", "the same of the outputs"},
      {"axis_is_batch", "1 when the op works along the batch"},
      {"axis_is_channel", "1 when the op works along the innermost extent"},
      {"reduces_batch", "1 when the batch is reduced"},
      {"reduces_space", "1 when height or width is reduced"},
      {"reduces_channels", "1 when the innermost extent is reduced"},
      {"block_size", "of SPACE_TO_DEPTH and DEPTH_TO_SPACE"},
      {"alpha", "of LEAKY_RELU"},
      {"alpha_shape", "of PRELU: scalar, per-channel or other"},
      {"slice_stride_max", "largest stride of a STRIDED_SLICE"},
      {"ellipsis_mask", "of a STRIDED_SLICE"},
      {"new_axis_mask", "of a STRIDED_SLICE"},
      {"pad_max_hw", "largest padding of height and width"},
      {"pad_batch", "padding of the batch"},
      {"pad_channels", "padding of the innermost extent"},
      {"scale_ratio", "largest input scale * weight scale / output scale"},
      {"concat_scale_ratio", "largest input scale / output scale"},
      {"output_scale", "scale of the output"},
      {"output_zero_offset", "zero point of the output above its type's lowest code"},
      {"doubling_h", "output height minus twice the input height"},
      {"doubling_w", "output width minus twice the input width"},
      {"resize_factor", "output height or width / that of the input, the larger"},
      {"dynamic", "1 when an extent is not known before the run"},
      {"op", "name of the op in TensorFlow Lite"},
      {"custom_op", "name of a custom op, none for others"},
      {"op_version", "version of the op in the file"},
      {"known_version", "newest version of the op that the camera's TensorFlow Lite knows"},
      {"groups", "of a CONV_2D: input channels / channels that a filter reads"},
      {"constant_size", "1 when the size or shape the op is given is constant"},
      {"squeezes_leading", "1 when a SQUEEZE removes leading extents only"},
      {"read_by_convolution", "1 when a convolution alone reads the result"},
      {"bias_scale_ratio", "bias scale / (input scale * weight scale), the farthest from 1"},
      {"bias_scale_error", "|bias scale - input scale * weight scale| / output scale"},
      {"kept_codes", "codes that the narrowest joined input, or an output, can take"},
      {"narrow_input", "the joined input that is left the fewest codes"},
      {"narrow_range", "its range, or that of an output"},
      {"joined_range", "range of what is joined"},
      {"activation_bytes", "of a node: its activations; of the model: the most alive at once"},
      {"weights_bytes", "bytes of constants of the node or model"},
      {"int8_weights_bytes", "of the model: its constants once float ones are 8-bit"},
      {"memory_bytes", "of the model: weights and the most activations alive at once"},
      {"ram_bytes", "memory of the product, where known"},
      {"file_format", "of the model: tflite or onnx"},
      {"quantization",
       "of the model: none, float32, float16, dynamic-range, int8-per-channel, int8-per-tensor, "
       "uint8-per-tensor, int16, mixed or power-of-two (of dlpu quantize for CV25 and CV75)"},
      {"ops", "of the model: number of ops"},
      {"dlpu_ops", "of the model: number of ops on the DLPU"},
      {"partitions", "of the model: parts it is cut into, of the DLPU and the CPU"},
      {"cpu_partitions", "of the model: those of the CPU"},
      {"float16_tensors", "of the model: number of float16 tensors"},
      {"custom_ops", "of the model: number of custom ops"},
      {"transposes", "of the model: number of TRANSPOSE ops"},
      {"island_ops", "of a float island: number of ops"},
      {"island_kind", "of a float island: float32, or dynamic-range for int8 weights"},
      {"island_layers", "of a float island: its layers"},
      {"island_tensors", "of a float island: its float tensors"},
      {"padded_width", "of an input: width rounded up to the target's row pitch"},
      {"output_spread", "of an output: most codes by which it differs between test inputs"},
      {"min_runtime", "of a compiled Edge TPU model: the runtime version it needs"},
      {"firmware_runtime", "Edge TPU runtime version of the AXIS OS version"},
      {"device_takes", "1 when the target's device loads the file, or it can be made into one"},
      {"device", "the target's larod device"},
      {"file_kind", "of the model: what kind of file it is"},
      {"taking_devices", "devices that load the file"},
      {"predicted_ms", "predicted time of an inference"},
      {"cpu_only_ms", "the same with every op on the camera's CPU"},
      {"several_parts", "parts on the DLPU if it could have more than one"},
      {"several_parts_ms", "predicted time then"},
      {"several_parts_are", "slower, faster or as fast"},
      {"blocked_by", "the layer that keeps this one off the DLPU"},
  };
  return names;
}

namespace {

using Answer = std::optional<Value>;

Answer Number(double value) { return Value(value); }
Answer Word(std::string_view word) { return Value(std::string(word)); }
Answer Flag(bool value) { return Value(value ? 1.0 : 0.0); }

// Reads one node; made for each question, cheap.
class NodeReader {
 public:
  NodeReader(const Graph& graph, const Node& node)
      : graph_(graph), node_(node), op_(NodeOpName(node)) {}

  const std::string& op() const { return op_; }
  const Node& node() const { return node_; }
  bool OfConstants() const { return dlpu::OfConstants(graph_, node_); }
  bool Is(std::initializer_list<std::string_view> names) const {
    return std::ranges::find(names, op_) != names.end();
  }
  const Tensor* Input(size_t i) const {
    if (i >= node_.inputs.size() || node_.inputs[i] == kNoTensor) return nullptr;
    return &graph_.tensors[node_.inputs[i]];
  }
  const Tensor* Output(size_t i = 0) const {
    return i < node_.outputs.size() ? &graph_.tensors[node_.outputs[i]] : nullptr;
  }
  // The tensor the op transforms.
  const Tensor* Main() const { return Input(Is({"SPLIT"}) ? 1 : Is({"TRANSPOSE_CONV"}) ? 2 : 0); }
  const Tensor* Weights() const {
    const bool weighted =
        Is({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "CONV_3D"});
    return weighted ? Input(1) : nullptr;
  }
  // Also behind the op that unpacks float16 or sparse weights. REQUIRES: Weights() is there.
  bool HasConstantWeights() const {
    if (Weights()->is_constant) return true;
    return std::ranges::any_of(graph_.nodes, [&](const Node& node) {
      return (node.op == Op::kDequantize || node.op == Op::kDensify) && !node.inputs.empty() &&
             node.inputs[0] != kNoTensor && graph_.tensors[node.inputs[0]].is_constant &&
             !node.outputs.empty() && node.outputs[0] == node_.inputs[1];
    });
  }
  // The tensors an element-wise or joining op combines.
  std::vector<const Tensor*> Combined() const {
    std::vector<const Tensor*> tensors;
    const bool all = Is({"CONCATENATION", "PACK", "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM",
                         "ADD_N", "SQUARED_DIFFERENCE"});
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      if (Input(i) && (all || Input(i) == Main())) tensors.push_back(Input(i));
    }
    return tensors;
  }

 private:
  const Graph& graph_;
  const Node& node_;
  std::string op_;
};

// Extent `i` of batch, height, width, channel.
Answer Extent(const Tensor* t, int i) {
  if (!t) return std::nullopt;
  const int at = static_cast<int>(t->shape.size()) - 4 + i;
  if (at < 0) return Number(1);
  if (t->shape[at] < 0) return std::nullopt;
  return Number(t->shape[at]);
}

// The values of a constant tensor of int32 or int64; nothing for others.
std::optional<std::vector<int64_t>> Integers(const Tensor* t) {
  if (!t || !t->is_constant) return std::nullopt;
  std::vector<int64_t> values;
  const size_t size = t->type == DataType::kInt32 ? 4 : t->type == DataType::kInt64 ? 8 : 0;
  if (size == 0) return std::nullopt;
  for (size_t at = 0; at + size <= t->data.size(); at += size) {
    int32_t small = 0;
    int64_t large = 0;
    if (size == 4) {
      std::memcpy(&small, t->data.data() + at, 4);
      large = small;
    } else {
      std::memcpy(&large, t->data.data() + at, 8);
    }
    values.push_back(large);
  }
  return values;
}

std::string_view ActivationWord(Activation a) {
  switch (a) {
    case Activation::kNone:
      return "NONE";
    case Activation::kRelu:
      return "RELU";
    case Activation::kReluN1To1:
      return "RELU_N1_TO_1";
    case Activation::kRelu6:
      return "RELU6";
    case Activation::kTanh:
      return "TANH";
    case Activation::kSignBit:
      return "SIGN_BIT";
  }
  return "NONE";
}

// Values that are attributes, by name, from whichever struct of attributes has them.
Answer FromAttrs(const NodeReader& r, std::string_view name) {
  Answer answer;
  auto visit = [&]<typename Field>(std::string_view field, const Field& value) {
    const bool pool = field.starts_with("filter_") && name.starts_with("kernel_") &&
                      field.substr(7) == name.substr(7);
    if (field != name && !pool) return;
    if constexpr (std::is_same_v<Field, Activation>) {
      answer = Word(ActivationWord(value));
    } else if constexpr (std::is_same_v<Field, Padding>) {
      answer = Word(value == Padding::kSame ? "SAME" : "VALID");
    } else if constexpr (std::is_arithmetic_v<Field>) {
      answer = Number(static_cast<double>(value));
    }
  };
  std::visit([&](const auto& attrs) { attrs.Visit(visit); }, r.node().attrs);
  return answer;
}

Answer Kernel(const NodeReader& r, int axis) {
  const Tensor* w = r.Weights();
  if (!w || w->shape.size() != 4) return std::nullopt;
  return Number(w->shape[1 + axis]);
}

std::string_view ShapeWord(const Tensor& t) {
  const int64_t count = ElementCount(t.shape);
  if (count == 1) return "scalar";
  return !t.shape.empty() && t.shape.back() == count ? "per-channel" : "other";
}

Answer FromWeights(const NodeReader& r, std::string_view name) {
  const Tensor* w = r.Weights();
  if (!w) return std::nullopt;
  if (name == "weights_type") return Word(DataTypeName(w->type));
  if (name == "constant_weights") return Flag(r.HasConstantWeights());
  if (name == "weight_scales") {
    const size_t scales = w->quantization.scale.size();
    return Word(scales == 0 ? "none" : scales == 1 ? "per-tensor" : "per-channel");
  }
  if (name == "weights_format") {
    const auto* fc = std::get_if<FullyConnectedAttrs>(&r.node().attrs);
    return Word(fc && fc->shuffled_weights ? "shuffled" : "default");
  }
  return std::nullopt;
}

// True when every element stands for the number zero.
bool IsZero(const Tensor& t) {
  uint8_t zero = 0;
  if (IsInteger(t.type) && BitsOf(t.type) == 8 && t.quantization.zero_point.size() == 1) {
    zero = static_cast<uint8_t>(t.quantization.zero_point[0]);
  }
  return std::ranges::all_of(t.data, [&](uint8_t byte) { return byte == zero; });
}

Answer FromCombined(const NodeReader& r, std::string_view name) {
  const std::vector<const Tensor*> tensors = r.Combined();
  const auto constant =
      std::ranges::find_if(tensors, [](const Tensor* t) { return t->is_constant; });
  if (name == "inputs") return Number(static_cast<double>(tensors.size()));
  if (name == "constant_inputs") {
    return Number(static_cast<double>(
        std::ranges::count_if(tensors, [](const Tensor* t) { return t->is_constant; })));
  }
  if (name == "constant_is_zero") return Flag(constant != tensors.end() && IsZero(**constant));
  if (name == "constant_shape") {
    return Word(constant == tensors.end() ? "none" : ShapeWord(**constant));
  }
  if (name == "channels_gcd") {
    int64_t gcd = 0;
    for (const Tensor* t : tensors) gcd = std::gcd(gcd, t->shape.empty() ? 1 : t->shape.back());
    return Number(static_cast<double>(gcd));
  }
  return std::nullopt;
}

// The axes an op works along, counted from the front of its main input.
std::optional<std::vector<int64_t>> Axes(const NodeReader& r) {
  std::optional<std::vector<int64_t>> axes;
  const Tensor* main = r.Main();
  if (!main) return axes;
  int64_t rank = static_cast<int64_t>(main->shape.size());
  if (const auto* concat = std::get_if<ConcatenationAttrs>(&r.node().attrs)) {
    axes = {concat->axis};
  } else if (const auto* pack = std::get_if<PackAttrs>(&r.node().attrs)) {
    axes = {pack->axis};
    if (r.Is({"PACK"})) ++rank;
  } else if (r.Is({"SPLIT"})) {
    axes = Integers(r.Input(0));
  } else if (r.Is({"SPLIT_V"})) {
    axes = Integers(r.Input(2));
  } else if (std::holds_alternative<ReduceAttrs>(r.node().attrs)) {
    axes = Integers(r.Input(1));
  }
  if (axes) {
    for (int64_t& axis : *axes) axis += axis < 0 ? rank : 0;
  }
  return axes;
}

// "axis_is_..." and "reduces_...".
Answer FromAxes(const NodeReader& r, std::string_view name) {
  const std::optional<std::vector<int64_t>> axes = Axes(r);
  if (!axes) return std::nullopt;
  int64_t rank = static_cast<int64_t>(r.Main()->shape.size());
  if (r.Is({"PACK"})) ++rank;
  auto has = [&](int64_t axis) { return std::ranges::find(*axes, axis) != axes->end(); };
  if (name.ends_with("batch")) return Flag(rank >= 4 && has(rank - 4));
  if (name.ends_with("space")) {
    return Flag((rank >= 3 && has(rank - 3)) || (rank >= 2 && has(rank - 2)));
  }
  return Flag(has(rank - 1));
}

Answer FromPadding(const NodeReader& r, std::string_view name) {
  const std::optional<std::vector<int64_t>> pads = Integers(r.Input(1));
  if (!pads || pads->size() % 2 != 0) return std::nullopt;
  const int rank = static_cast<int>(pads->size() / 2);
  // The larger padding of extent i of batch, height, width, channel.
  auto at = [&](int i) -> double {
    const int row = rank - 4 + i;
    return row < 0 ? 0 : static_cast<double>(std::max((*pads)[2 * row], (*pads)[2 * row + 1]));
  };
  if (name == "pad_batch") return Number(at(0));
  if (name == "pad_channels") return Number(at(3));
  return Number(std::max(at(1), at(2)));
}

Answer FromScales(const NodeReader& r, std::string_view name) {
  const Tensor* out = r.Output();
  if (!out || out->quantization.scale.size() != 1) return std::nullopt;
  const double scale = out->quantization.scale[0];
  if (name == "output_scale") return Number(scale);
  if (name == "output_zero_offset") {
    if (out->quantization.zero_point.size() != 1 || !IsInteger(out->type)) return std::nullopt;
    return Number(static_cast<double>(out->quantization.zero_point[0]) - LowestCode(out->type));
  }
  double top = 0;
  for (const Tensor* t : r.Combined()) {
    if (t->quantization.scale.size() == 1) {
      top = std::max<double>(top, t->quantization.scale[0]);
    }
  }
  if (const Tensor* w = r.Weights(); w && name == "scale_ratio") {
    double widest = 0;
    for (double s : w->quantization.scale) widest = std::max(widest, s);
    top *= widest;
  }
  if (!(scale > 0) || !(top > 0)) return std::nullopt;
  return Number(top / scale);
}

Answer OverAllTensors(const NodeReader& r, std::string_view name) {
  size_t rank = 0;
  double outer = 1;
  bool dynamic = false;
  auto see = [&](const Tensor* t) {
    if (!t || t->is_constant) return;
    rank = std::max(rank, t->shape.size());
    double product = 1;
    for (size_t i = 0; i < t->shape.size(); ++i) {
      dynamic |= t->shape[i] < 0;
      if (i + 3 < t->shape.size()) product *= t->shape[i];
    }
    outer = std::max(outer, product);
  };
  for (size_t i = 0; i < r.node().inputs.size(); ++i) see(r.Input(i));
  // Weights may have any shape, packed or not.
  for (size_t i = 0; i < r.node().outputs.size() && !r.OfConstants(); ++i) see(r.Output(i));
  if (name == "dynamic") return Flag(dynamic);
  return Number(name == "rank" ? static_cast<double>(rank) : outer);
}

Answer FromOutputs(const NodeReader& r, std::string_view name) {
  const Tensor* out = r.Output();
  if (!out) return std::nullopt;
  if (name == "rows") {
    const int64_t last = out->shape.empty() ? 1 : out->shape.back();
    if (last <= 0) return std::nullopt;
    return Number(static_cast<double>(ElementCount(out->shape) / last));
  }
  int64_t gcd = 0;  // out_channels_gcd
  for (size_t i = 0; i < r.node().outputs.size(); ++i) {
    gcd = std::gcd(gcd, r.Output(i)->shape.empty() ? 1 : r.Output(i)->shape.back());
  }
  return Number(static_cast<double>(gcd));
}

Answer Doubling(const NodeReader& r, int axis) {
  const Answer in = Extent(r.Main(), axis), out = Extent(r.Output(), axis);
  if (!in || !out) return std::nullopt;
  return Number(std::get<double>(*out) - 2 * std::get<double>(*in));
}

Answer ResizeFactor(const NodeReader& r) {
  double factor = 0;
  for (const int axis : {1, 2}) {
    const Answer in = Extent(r.Main(), axis), out = Extent(r.Output(), axis);
    if (!in || !out || std::get<double>(*in) <= 0) return std::nullopt;
    factor = std::max(factor, std::get<double>(*out) / std::get<double>(*in));
  }
  return Number(factor);
}

using Question = Answer (*)(const NodeReader&, std::string_view);

// Who answers which name; a name that is missing here is answered by the attributes.
const std::map<std::string_view, Question>& Questions() {
  static const std::map<std::string_view, Question> questions = {
      {"batch", [](const NodeReader& r, std::string_view) { return Extent(r.Main(), 0); }},
      {"in_height", [](const NodeReader& r, std::string_view) { return Extent(r.Main(), 1); }},
      {"in_width", [](const NodeReader& r, std::string_view) { return Extent(r.Main(), 2); }},
      {"in_channels", [](const NodeReader& r, std::string_view) { return Extent(r.Main(), 3); }},
      {"out_height", [](const NodeReader& r, std::string_view) { return Extent(r.Output(), 1); }},
      {"out_width", [](const NodeReader& r, std::string_view) { return Extent(r.Output(), 2); }},
      {"out_channels", [](const NodeReader& r, std::string_view) { return Extent(r.Output(), 3); }},
      {"doubling_h", [](const NodeReader& r, std::string_view) { return Doubling(r, 1); }},
      {"doubling_w", [](const NodeReader& r, std::string_view) { return Doubling(r, 2); }},
      {"resize_factor", [](const NodeReader& r, std::string_view) { return ResizeFactor(r); }},
      {"type",
       [](const NodeReader& r, std::string_view) {
         return r.Main() ? Word(DataTypeName(r.Main()->type)) : std::nullopt;
       }},
      {"out_type",
       [](const NodeReader& r, std::string_view) {
         return r.Output() ? Word(DataTypeName(r.Output()->type)) : std::nullopt;
       }},
      {"alpha_shape",
       [](const NodeReader& r, std::string_view) {
         return r.Input(1) ? Word(ShapeWord(*r.Input(1))) : std::nullopt;
       }},
      {"slice_stride_max",
       [](const NodeReader& r, std::string_view) -> Answer {
         const std::optional<std::vector<int64_t>> strides = Integers(r.Input(3));
         if (!strides || strides->empty()) return std::nullopt;
         return Number(static_cast<double>(*std::ranges::max_element(*strides)));
       }},
      {"rank", OverAllTensors},
      {"outer_extent", OverAllTensors},
      {"dynamic", OverAllTensors},
      {"rows", FromOutputs},
      {"out_channels_gcd", FromOutputs},
      {"weights_type", FromWeights},
      {"weight_scales", FromWeights},
      {"weights_format", FromWeights},
      {"constant_weights", FromWeights},
      {"inputs", FromCombined},
      {"constant_inputs", FromCombined},
      {"constant_is_zero", FromCombined},
      {"constant_shape", FromCombined},
      {"channels_gcd", FromCombined},
      {"axis_is_batch", FromAxes},
      {"axis_is_channel", FromAxes},
      {"reduces_batch", FromAxes},
      {"reduces_space", FromAxes},
      {"reduces_channels", FromAxes},
      {"pad_max_hw", FromPadding},
      {"pad_batch", FromPadding},
      {"pad_channels", FromPadding},
      {"scale_ratio", FromScales},
      {"concat_scale_ratio", FromScales},
      {"output_scale", FromScales},
      {"output_zero_offset", FromScales},
  };
  return questions;
}

}  // namespace

ValueLookup NodeValues(const Graph& graph, const Node& node) {
  return [&graph, &node](std::string_view name) -> Answer {
    const NodeReader reader(graph, node);
    const auto question = Questions().find(name);
    if (question != Questions().end()) return question->second(reader, name);
    if (name == "kernel_h" || name == "kernel_w") {
      const Answer kernel = Kernel(reader, name == "kernel_h" ? 0 : 1);
      if (kernel) return kernel;
    }
    const Answer attribute = FromAttrs(reader, name);
    return attribute ? attribute : DerivedValue(graph, node, name);
  };
}

}  // namespace dlpu
