// SPDX-License-Identifier: Apache-2.0
// The rules of the ONNX writer, by family. Any thread.
#pragma once

#include "formats/onnx_writer.h"

namespace dlpu {

// Null for an op that the family has no rule for.
OnnxWriteRule OnnxPlainRuleOf(Op op);    // onnx_write_ops.cc
OnnxWriteRule OnnxPictureRuleOf(Op op);  // onnx_write_picture.cc

// A node with the activation that the IR's node carries behind it; false for one that ONNX lacks.
bool EmitActivated(OnnxWriter& w, const std::string& op, std::vector<std::string> inputs,
                   std::map<std::string, OnnxAttribute> attributes, Activation activation,
                   TensorId output, bool planar);

}  // namespace dlpu
