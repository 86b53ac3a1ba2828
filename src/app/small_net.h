// SPDX-License-Identifier: Apache-2.0
// Small models for tests, built node by node. Tensors are int8 with scale 0.1 unless said.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "app/model.h"
#include "ir/graph.h"

namespace dlpu {

struct ConvSpec {
  int kernel_h = 3, kernel_w = 3, filters = 48, stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1, groups = 1;
  Padding padding = Padding::kSame;
  Activation activation = Activation::kNone;
  int weight_scales = 1;
  float weight_scale = 0.02f;
  bool constant = true;
  float bias_scale = 0;  // 0: input scale * weight scale
};

class SmallNet {
 public:
  Graph graph;
  std::string format = "tflite";

  TensorId Tensor(Shape shape, DataType type = DataType::kInt8, float scale = 0.1f,
                  int64_t zero = 0) {
    dlpu::Tensor t;
    t.name = "t" + std::to_string(graph.tensors.size());
    t.type = type;
    t.shape = std::move(shape);
    if (IsInteger(type) && BitsOf(type) <= 16) t.quantization = {{scale}, {zero}, 0};
    graph.tensors.push_back(std::move(t));
    return static_cast<TensorId>(graph.tensors.size() - 1);
  }

  TensorId In(Shape shape, DataType type = DataType::kInt8, float scale = 0.1f, int64_t zero = 0) {
    const TensorId id = Tensor(std::move(shape), type, scale, zero);
    graph.inputs.push_back(id);
    return id;
  }

  // Bytes of zeros, or `fill`.
  TensorId Const(Shape shape, DataType type = DataType::kInt8, float scale = 0.1f,
                 uint8_t fill = 0) {
    const TensorId id = Tensor(std::move(shape), type, scale);
    dlpu::Tensor& t = graph.tensors[id];
    t.is_constant = true;
    t.data.assign(static_cast<size_t>(ByteCount(t.type, t.shape)), fill);
    return id;
  }

  TensorId Ints(const std::vector<int32_t>& values, Shape shape = {}) {
    if (shape.empty()) shape = {static_cast<int32_t>(values.size())};
    const TensorId id = Const(std::move(shape), DataType::kInt32);
    std::memcpy(graph.tensors[id].data.data(), values.data(), values.size() * 4);
    return id;
  }

  // Adds a node that writes `outputs`; the first is returned. Its name is that of its output.
  TensorId Node(const std::string& op, std::vector<TensorId> inputs, std::vector<TensorId> outputs,
                Attrs attrs = NoAttrs(), int version = 1) {
    dlpu::Node node;
    node.op = OpFromName(op);
    if (node.op == Op::kUnknown) {
      attrs = UnknownAttrs{op, false, {}};
    } else if (std::holds_alternative<NoAttrs>(attrs)) {
      attrs = DefaultAttrs(node.op);
    }
    node.inputs = std::move(inputs);
    node.outputs = std::move(outputs);
    node.attrs = std::move(attrs);
    node.version = version;
    node.name = graph.tensors[node.outputs[0]].name;
    graph.nodes.push_back(node);
    return node.outputs[0];
  }

  // One output of the shape, with its input's type.
  TensorId Op1(const std::string& op, std::vector<TensorId> inputs, Shape shape,
               Attrs attrs = NoAttrs(), float scale = 0.1f, int64_t zero = 0) {
    const DataType type = graph.tensors[inputs[0]].type;
    const TensorId out = Tensor(std::move(shape), type, scale, zero);
    return Node(op, std::move(inputs), {out}, std::move(attrs));
  }

  // CONV_2D, or DEPTHWISE_CONV_2D, of a 1 x H x W x C tensor; float for a float input.
  TensorId Conv(TensorId x, const ConvSpec& spec, bool depthwise = false, int multiplier = 1) {
    const Shape in = graph.tensors[x].shape;
    const bool is_float = IsFloat(graph.tensors[x].type);
    const int filters = depthwise ? in[3] * multiplier : spec.filters;
    const DataType type = is_float ? DataType::kFloat32 : DataType::kInt8;
    const Shape shape = depthwise
                            ? Shape{1, spec.kernel_h, spec.kernel_w, filters}
                            : Shape{filters, spec.kernel_h, spec.kernel_w, in[3] / spec.groups};
    const TensorId w = spec.constant ? Const(shape, type, spec.weight_scale)
                                     : Tensor(shape, type, spec.weight_scale);
    if (!is_float && spec.weight_scales > 1) {
      graph.tensors[w].quantization = {std::vector<float>(spec.weight_scales, spec.weight_scale),
                                       std::vector<int64_t>(spec.weight_scales), depthwise ? 3 : 0};
    }
    if (!spec.constant) graph.inputs.push_back(w);
    const TensorId b = Const({filters}, is_float ? DataType::kFloat32 : DataType::kInt32);
    if (!is_float) {
      const float product = graph.tensors[x].quantization.scale0() * spec.weight_scale;
      graph.tensors[b].quantization = {{spec.bias_scale > 0 ? spec.bias_scale : product}, {0}, 0};
    }
    ConvAttrs attrs;
    attrs.padding = spec.padding;
    attrs.stride_h = spec.stride_h;
    attrs.stride_w = spec.stride_w;
    attrs.dilation_h = spec.dilation_h;
    attrs.dilation_w = spec.dilation_w;
    attrs.activation = spec.activation;
    attrs.depth_multiplier = depthwise ? multiplier : 0;
    const TensorId out =
        Tensor({in[0], Extent(in[1], spec.kernel_h, spec.stride_h, spec.padding),
                Extent(in[2], spec.kernel_w, spec.stride_w, spec.padding), filters},
               graph.tensors[x].type);
    return Node(depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D", {x, w, b}, {out}, attrs);
  }

  TensorId Pool(const std::string& op, TensorId x, int kernel_h, int kernel_w, int stride_h,
                int stride_w, Padding padding, Activation activation = Activation::kNone) {
    const Shape in = graph.tensors[x].shape;
    PoolAttrs attrs;
    attrs.filter_h = kernel_h;
    attrs.filter_w = kernel_w;
    attrs.stride_h = stride_h;
    attrs.stride_w = stride_w;
    attrs.padding = padding;
    attrs.activation = activation;
    return Op1(op, {x},
               {in[0], Extent(in[1], kernel_h, stride_h, padding),
                Extent(in[2], kernel_w, stride_w, padding), in[3]},
               attrs);
  }

  TensorId FullyConnected(TensorId x, int units, float weight_scale = 0.02f, bool constant = true,
                          bool shuffled = false) {
    const Shape in = graph.tensors[x].shape;
    const TensorId w = constant ? Const({units, in.back()}, DataType::kInt8, weight_scale)
                                : Tensor({units, in.back()}, DataType::kInt8, weight_scale);
    if (!constant) graph.inputs.push_back(w);
    FullyConnectedAttrs attrs;
    attrs.shuffled_weights = shuffled;
    Shape out = in;
    out.back() = units;
    return Op1("FULLY_CONNECTED", {x, w}, std::move(out), attrs);
  }

  // The model with these outputs; none: the last node's.
  LoadedModel Model(std::vector<TensorId> outputs = {}) const {
    LoadedModel model;
    model.path = "net";
    model.format = format;
    model.graph = graph;
    if (outputs.empty() && graph.outputs.empty()) outputs = graph.nodes.back().outputs;
    if (!outputs.empty()) model.graph.outputs = std::move(outputs);
    return model;
  }

 private:
  static int32_t Extent(int32_t in, int kernel, int stride, Padding padding) {
    if (in < 0) return -1;
    const int span = padding == Padding::kSame ? in : in - kernel + 1;
    return (span + stride - 1) / stride;
  }
};

}  // namespace dlpu
