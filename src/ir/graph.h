// SPDX-License-Identifier: Apache-2.0
// Graph: a model as it was read, before it is compiled for a target. Tensors and nodes are plain
// values that refer to each other by index; a Graph owns its constants. No thread may change a
// Graph while another uses it.
//
// Invariants (checked by Verify in verify.h):
//  1. every id is in range or kNoTensor, and kNoTensor stands only where an input is optional;
//  2. nodes are in execution order, and each tensor is written by one node at most;
//  3. a constant's data has exactly the bytes of its type and shape.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attrs.h"
#include "ir/constant_bytes.h"
#include "ir/types.h"

namespace dlpu {

enum class Op : uint16_t {
#define DLPU_OP(Name, NAME, AttrsType) k##Name,
#define DLPU_CUSTOM_OP(Name, text, AttrsType) k##Name,
#include "ir/ops.def"
#undef DLPU_OP
#undef DLPU_CUSTOM_OP
  kUnknown,  // not in the IR; see UnknownAttrs
};
inline constexpr int kOpCount = static_cast<int>(Op::kUnknown);

// TensorFlow Lite's name of the op, for example "CONV_2D"; kUnknown is "UNKNOWN".
std::string_view OpName(Op op);
// The op of that name; kUnknown when the IR has none.
Op OpFromName(std::string_view name);
// Whether the op is one of TensorFlow Lite's custom operators rather than a builtin one.
bool IsCustomOp(Op op);
// Attributes with the op's own type and default values.
Attrs DefaultAttrs(Op op);

using TensorId = int32_t;
inline constexpr TensorId kNoTensor = -1;

struct Tensor {
  std::string name;
  DataType type = DataType::kFloat32;
  Shape shape;
  Quantization quantization;
  ConstantBytes data;        // little-endian, row-major; only for constants
  bool is_constant = false;  // data holds its value (an empty tensor has no bytes)
  bool is_variable = false;  // keeps its value between runs (LSTM state)
};

struct Node {
  Op op = Op::kUnknown;
  std::string name;  // the user's own layer name: the name of its first output
  std::vector<TensorId> inputs, outputs;
  std::vector<TensorId> intermediates;  // quantization carriers of an LSTM; no data
  Attrs attrs;
  int32_t version = 1;  // TensorFlow Lite op version in the file it came from
};

struct Graph {
  std::string name;
  std::string description;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  std::vector<TensorId> inputs, outputs;
  // Name under which a signature exposes an input or output; parallel to inputs and outputs, and
  // empty when the model has no signature.
  std::string signature;
  std::vector<std::string> signature_inputs, signature_outputs;
  std::map<std::string, std::vector<uint8_t>> metadata;  // by name, as stored in the file
};

// The name a user knows a node's op by: OpName, or the file's own name for an unknown op.
std::string NodeOpName(const Node& node);

}  // namespace dlpu
