// SPDX-License-Identifier: Apache-2.0
// Writing rules of ops on pictures; they are NCHW in ONNX.
#include <algorithm>
#include <array>

#include "formats/onnx_write.h"

namespace dlpu {
namespace {

using Writer = OnnxWriter;
using Attributes = std::map<std::string, OnnxAttribute>;

struct Geometry {
  std::array<int32_t, 2> in, out, kernel, stride, dilation;
};

// SAME padding of TensorFlow as numbers: tops and lefts, then bottoms and rights.
std::vector<int64_t> Pads(Padding padding, const Geometry& g) {
  std::vector<int64_t> before, after;
  for (int d = 0; d < 2; ++d) {
    const int32_t reach = (g.kernel[d] - 1) * g.dilation[d] + 1;
    const int32_t total = padding == Padding::kValid
                              ? 0
                              : std::max(0, (g.out[d] - 1) * g.stride[d] + reach - g.in[d]);
    before.push_back(total / 2);
    after.push_back(total - total / 2);
  }
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

std::array<int32_t, 2> Size(const Shape& nhwc) { return {nhwc[1], nhwc[2]}; }

OnnxAttribute Pair(const std::array<int32_t, 2>& values) {
  return Writer::List({values[0], values[1]});
}

bool Convolution(Writer& w, const Node& node) {
  const auto& attrs = std::get<ConvAttrs>(node.attrs);
  const Tensor& weights = w.tensor(node.inputs[1]);
  if (!weights.is_constant) return false;
  const bool depthwise = node.op == Op::kDepthwiseConv2d;
  // OHWI, or 1HWO for the depthwise one, to OIHW.
  const Tensor moved =
      PermutedConstant(weights, depthwise ? Permutation{3, 0, 1, 2} : Permutation{0, 3, 1, 2});
  const Geometry g{Size(w.shape(node.inputs[0])),
                   Size(w.shape(node.outputs[0])),
                   {moved.shape[2], moved.shape[3]},
                   {attrs.stride_h, attrs.stride_w},
                   {attrs.dilation_h, attrs.dilation_w}};
  const int32_t groups = w.shape(node.inputs[0])[3] / moved.shape[1];
  std::vector<std::string> inputs = {w.Planar(node.inputs[0]), w.Weights(moved)};
  if (node.inputs.size() > 2 && node.inputs[2] != kNoTensor) {
    inputs.push_back(w.Plain(node.inputs[2]));
  }
  return EmitActivated(w, "Conv", inputs,
                       {{"kernel_shape", Pair(g.kernel)},
                        {"strides", Pair(g.stride)},
                        {"dilations", Pair(g.dilation)},
                        {"pads", Writer::List(Pads(attrs.padding, g))},
                        {"group", Writer::Int(groups)}},
                       attrs.activation, node.outputs[0], true);
}

// Convolution2DTransposeBias has the same inputs in another order and no output shape.
bool TransposedConvolution(Writer& w, const Node& node) {
  const auto& attrs = std::get<ConvAttrs>(node.attrs);
  const bool custom = node.op == Op::kConvolution2dTransposeBias;
  const TensorId x = node.inputs[custom ? 0 : 2];
  const size_t bias = custom ? 2 : 3;
  const Tensor& weights = w.tensor(node.inputs[1]);
  if (!weights.is_constant) return false;
  const Tensor moved = PermutedConstant(weights, {3, 0, 1, 2});  // OHWI to IOHW
  const std::array<int32_t, 2> in = Size(w.shape(x)), out = Size(w.shape(node.outputs[0]));
  const std::array<int32_t, 2> kernel{moved.shape[2], moved.shape[3]},
      stride{attrs.stride_h, attrs.stride_w};
  std::vector<int64_t> before, after, extra;
  for (int d = 0; d < 2; ++d) {
    const int32_t full = (in[d] - 1) * stride[d] + kernel[d];
    const int32_t total = std::max(0, full - out[d]);
    before.push_back(attrs.padding == Padding::kSame ? total / 2 : 0);
    after.push_back(total - before.back());
    extra.push_back(std::max(0, out[d] - full));
    if (extra.back() >= stride[d] && extra.back() > 0) return false;
  }
  before.insert(before.end(), after.begin(), after.end());
  std::vector<std::string> inputs = {w.Planar(x), w.Weights(moved)};
  if (node.inputs.size() > bias && node.inputs[bias] != kNoTensor) {
    inputs.push_back(w.Plain(node.inputs[bias]));
  }
  return EmitActivated(w, "ConvTranspose", inputs,
                       {{"kernel_shape", Pair(kernel)},
                        {"strides", Pair(stride)},
                        {"pads", Writer::List(before)},
                        {"output_padding", Writer::List(extra)}},
                       attrs.activation, node.outputs[0], true);
}

bool Pool(Writer& w, const Node& node) {
  const auto& attrs = std::get<PoolAttrs>(node.attrs);
  const Geometry g{Size(w.shape(node.inputs[0])),
                   Size(w.shape(node.outputs[0])),
                   {attrs.filter_h, attrs.filter_w},
                   {attrs.stride_h, attrs.stride_w},
                   {1, 1}};
  return EmitActivated(w, node.op == Op::kMaxPool2d ? "MaxPool" : "AveragePool",
                       {w.Planar(node.inputs[0])},
                       {{"kernel_shape", Pair(g.kernel)},
                        {"strides", Pair(g.stride)},
                        {"pads", Writer::List(Pads(attrs.padding, g))}},
                       attrs.activation, node.outputs[0], true);
}

bool Resize(Writer& w, const Node& node) {
  const auto& attrs = std::get<ResizeAttrs>(node.attrs);
  const Shape& out = w.shape(node.outputs[0]);
  const bool nearest = node.op == Op::kResizeNearestNeighbor;
  OnnxNode& written =
      w.Emit("Resize", {w.Planar(node.inputs[0]), "", "", w.Ints({out[0], out[3], out[1], out[2]})},
             node.outputs[0], true);
  written.attributes["mode"] = Writer::Text(nearest ? "nearest" : "linear");
  written.attributes["coordinate_transformation_mode"] =
      Writer::Text(attrs.align_corners        ? "align_corners"
                   : attrs.half_pixel_centers ? "half_pixel"
                                              : "asymmetric");
  // Halves go up, except that without either option the position is cut off.
  const bool rounds = attrs.align_corners || attrs.half_pixel_centers;
  if (nearest) {
    written.attributes["nearest_mode"] = Writer::Text(rounds ? "round_prefer_ceil" : "floor");
  }
  return true;
}

bool Blocks(Writer& w, const Node& node) {
  const bool to_space = node.op == Op::kDepthToSpace;
  w.Emit(to_space ? "DepthToSpace" : "SpaceToDepth", {w.Planar(node.inputs[0])}, node.outputs[0],
         true)
      .attributes["blocksize"] = Writer::Int(std::get<BlockAttrs>(node.attrs).block_size);
  return true;
}

bool Lrn(Writer& w, const Node& node) {
  const auto& attrs = std::get<LocalResponseNormalizationAttrs>(node.attrs);
  const int32_t size = attrs.radius * 2 + 1;
  OnnxNode& written = w.Emit("LRN", {w.Planar(node.inputs[0])}, node.outputs[0], true);
  written.attributes = {{"size", Writer::Int(size)},
                        {"alpha", Writer::Real(attrs.alpha * static_cast<float>(size))},
                        {"beta", Writer::Real(attrs.beta)},
                        {"bias", Writer::Real(attrs.bias)}};
  return true;
}

}  // namespace

OnnxWriteRule OnnxPictureRuleOf(Op op) {
  switch (op) {
    case Op::kConv2d:
    case Op::kDepthwiseConv2d:
      return Convolution;
    case Op::kTransposeConv:
    case Op::kConvolution2dTransposeBias:
      return TransposedConvolution;
    case Op::kMaxPool2d:
    case Op::kAveragePool2d:
      return Pool;
    case Op::kResizeBilinear:
    case Op::kResizeNearestNeighbor:
      return Resize;
    case Op::kSpaceToDepth:
    case Op::kDepthToSpace:
      return Blocks;
    case Op::kLocalResponseNormalization:
      return Lrn;
    default:
      return nullptr;
  }
}

bool WantsPlanar(Op op) { return OnnxPictureRuleOf(op) != nullptr; }

OnnxWriteRule OnnxWriteRuleOf(Op op) {
  const OnnxWriteRule rule = OnnxPictureRuleOf(op);
  return rule != nullptr ? rule : OnnxPlainRuleOf(op);
}

bool EmitActivated(OnnxWriter& w, const std::string& op, std::vector<std::string> inputs,
                   std::map<std::string, OnnxAttribute> attributes, Activation activation,
                   TensorId output, bool planar) {
  if (activation == Activation::kNone) {
    w.Emit(op, std::move(inputs), output, planar).attributes = std::move(attributes);
    return true;
  }
  const std::string x = w.Step(op, std::move(inputs), std::move(attributes));
  switch (activation) {
    case Activation::kRelu:
      w.Emit("Relu", {x}, output, planar);
      return true;
    case Activation::kRelu6:
      w.Emit("Clip", {x, w.Float(0), w.Float(6)}, output, planar);
      return true;
    case Activation::kReluN1To1:
      w.Emit("Clip", {x, w.Float(-1), w.Float(1)}, output, planar);
      return true;
    case Activation::kTanh:
      w.Emit("Tanh", {x}, output, planar);
      return true;
    default:
      return false;
  }
}

}  // namespace dlpu
