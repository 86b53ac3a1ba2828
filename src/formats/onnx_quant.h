// SPDX-License-Identifier: Apache-2.0
// Quantized values in ONNX: codes, a scale and a zero point are three values of the graph. In the
// IR scale and zero point belong to the tensor.
#pragma once

#include "formats/onnx_builder.h"

namespace dlpu {

// The float32 value of codes `x` (int8, uint8, int16, uint16 or int32); kNoTensor as `zero` is 0.
// `axis` is that of scales for each channel.
TensorId Dequantize(OnnxBuilder& b, TensorId x, TensorId scale, TensorId zero, int64_t axis);
// Codes of type `type` for a float32 tensor.
TensorId Quantize(OnnxBuilder& b, TensorId x, TensorId scale, TensorId zero, DataType type,
                  int64_t axis);

// The QLinear ops: codes at node input i, scale and zero point at i + 1 and i + 2.
TensorId DequantizeInput(OnnxBuilder& b, size_t i, int64_t axis);
// Scale and zero point at node inputs i and i + 1; the type is the zero point's.
TensorId QuantizeOutput(OnnxBuilder& b, TensorId y, size_t i);
// int32 codes of scale x_scale * w_scale as float32.
TensorId FloatBias(OnnxBuilder& b, TensorId bias, TensorId x_scale, TensorId w_scale);

// A quantized op that ONNX Runtime adds to the standard as nodes of the standard; the node itself
// when it is none, or one without a counterpart.
std::vector<OnnxNode> ExpandQLinear(const OnnxNode& node);

}  // namespace dlpu
