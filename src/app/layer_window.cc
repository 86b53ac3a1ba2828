// SPDX-License-Identifier: Apache-2.0
// Geometry of layers.
#include "app/layer_window.h"

#include <algorithm>

namespace dlpu {
namespace {

// Padding in front along one axis, as TensorFlow computes it for SAME.
int64_t PadBefore(Padding padding, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                  int64_t dilation) {
  if (padding != Padding::kSame) return 0;
  return std::max<int64_t>(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in) / 2;
}

void SetPlanes(const Graph& graph, const Node& node, const ConvAttrs& attrs, LayerWindow& window) {
  const Shape &in = graph.tensors[node.inputs[0]].shape,
              &out = graph.tensors[node.outputs[0]].shape,
              &weights = graph.tensors[node.inputs[1]].shape;
  window.batch = in[0];
  window.in_h = in[1];
  window.in_w = in[2];
  window.channels = in[3];
  window.out_h = out[1];
  window.out_w = out[2];
  window.kernel_h = weights[1];
  window.kernel_w = weights[2];
  window.stride_h = attrs.stride_h;
  window.stride_w = attrs.stride_w;
  window.dilation_h = attrs.dilation_h;
  window.dilation_w = attrs.dilation_w;
  window.pad_h =
      PadBefore(attrs.padding, in[1], out[1], weights[1], attrs.stride_h, attrs.dilation_h);
  window.pad_w =
      PadBefore(attrs.padding, in[2], out[2], weights[2], attrs.stride_w, attrs.dilation_w);
}

}  // namespace

size_t LayerWindow::OutOf(size_t i) const {
  if (channels_last) return i % static_cast<size_t>(outs);
  return i / static_cast<size_t>(kernel_h * kernel_w * group_ins);
}

size_t LayerWindow::TapOf(size_t i) const {
  const auto ins = static_cast<size_t>(channels_last ? outs : group_ins);
  const size_t out = OutOf(i), place = i / ins % static_cast<size_t>(kernel_h * kernel_w);
  const size_t group = out / static_cast<size_t>(group_outs);
  const size_t channel = channels_last ? group : group * static_cast<size_t>(group_ins) + i % ins;
  return place * static_cast<size_t>(channels) + channel;
}

int64_t LayerWindow::Place(int64_t position, int64_t ky, int64_t kx) const {
  const int64_t x = position % out_w * stride_w + kx * dilation_w - pad_w;
  const int64_t y = position / out_w % out_h * stride_h + ky * dilation_h - pad_h;
  if (x < 0 || y < 0 || x >= in_w || y >= in_h) return -1;
  return ((position / (out_w * out_h) * in_h + y) * in_w + x) * channels;
}

std::optional<LayerWindow> WindowOf(const Graph& graph, const Node& node) {
  const std::optional<WeightedLayer> layer = WeightedLayerOf(graph, node);
  if (!layer || layer->data != 0) return std::nullopt;
  const Shape &in = graph.tensors[node.inputs[0]].shape,
              &weights = graph.tensors[node.inputs[1]].shape;
  LayerWindow window;
  window.outs = weights[layer->channel_axis];
  const auto* attrs = std::get_if<ConvAttrs>(&node.attrs);
  if (attrs == nullptr) {
    window.channels = weights[1];
    window.batch = window.channels > 0 ? ElementCount(in) / window.channels : 0;
  } else {
    if (in.size() != 4) return std::nullopt;
    SetPlanes(graph, node, *attrs, window);
  }
  if (window.channels < 1 || window.outs < 1 || window.positions() < 1) return std::nullopt;
  window.channels_last = layer->input_axis < 0;
  window.group_ins = window.channels_last ? 1 : weights[layer->input_axis];
  if (window.group_ins < 1 || window.channels % window.group_ins != 0) return std::nullopt;
  const int64_t groups = window.channels / window.group_ins;
  if (window.outs % groups != 0) return std::nullopt;
  window.group_outs = window.outs / groups;
  return window;
}

}  // namespace dlpu
