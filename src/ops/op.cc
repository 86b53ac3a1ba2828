// SPDX-License-Identifier: Apache-2.0
// The table of OpDefs, made from ops.def, and what OpContext offers to every op.
#include "ops/op.h"

#include <fmt/format.h>

#include <cstring>

namespace dlpu {

const OpDef& GetOp(Op op) {
  switch (op) {
#define DLPU_OP(Name, NAME, AttrsType) \
  case Op::k##Name:                    \
    return k##Name##Op;
#define DLPU_CUSTOM_OP(Name, text, AttrsType) DLPU_OP(Name, , AttrsType)
#include "ir/ops.def"
#undef DLPU_OP
#undef DLPU_CUSTOM_OP
    case Op::kUnknown:
      break;
  }
  DLPU_CHECK(false);
}

const Tensor& OpContext::input(size_t i) const {
  DLPU_CHECK(has_input(i));
  return tensors_[node_.inputs[i]];
}

const Tensor& OpContext::output(size_t i) const {
  DLPU_CHECK(i < output_count());
  return tensors_[node_.outputs[i]];
}

const Tensor* OpContext::intermediate(size_t i) const {
  const std::vector<TensorId>& ids = node_.intermediates;
  return i < ids.size() && ids[i] != kNoTensor ? &tensors_[ids[i]] : nullptr;
}

Result<std::vector<int64_t>> OpContext::ConstantInts(size_t i) const {
  const Tensor& tensor = input(i);
  if (!tensor.is_constant) {
    return Unsupported(fmt::format(
        "input '{}' must be a constant, but it is computed while the model runs; shapes and axes "
        "have to be static (fix the model's input shapes with --shape NAME=...)",
        tensor.name));
  }
  std::vector<int64_t> values(static_cast<size_t>(ElementCount(tensor.shape)));
  if (tensor.type == DataType::kInt32) {
    for (size_t k = 0; k < values.size(); ++k) {
      int32_t v = 0;
      std::memcpy(&v, tensor.data.data() + k * sizeof(v), sizeof(v));
      values[k] = v;
    }
  } else if (tensor.type == DataType::kInt64) {
    if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  } else {
    return UnsupportedType(tensor, "int32 or int64");
  }
  return values;
}

Error OpContext::Invalid(std::string_view message) const {
  return InvalidError(fmt::format("{} '{}': {}", NodeOpName(node_), node_.name, message));
}

Error OpContext::Unsupported(std::string_view message) const {
  return UnsupportedError(fmt::format("{} '{}': {}", NodeOpName(node_), node_.name, message));
}

Error OpContext::UnsupportedType(const Tensor& tensor, std::string_view takes) const {
  return Unsupported(fmt::format("tensor '{}' is {}; here the op takes {}", tensor.name,
                                 DataTypeName(tensor.type), takes));
}

Status CheckArity(const OpContext& context) {
  const Node& node = context.node();
  if (node.op == Op::kUnknown) {
    return UnsupportedError(fmt::format("{} '{}': dlpu has no such op; cut it off with --cut-at {}",
                                        NodeOpName(node), node.name, NodeOpName(node)));
  }
  const Arity& arity = GetOp(node.op).arity.value;
  const int inputs = static_cast<int>(node.inputs.size());
  const int outputs = static_cast<int>(node.outputs.size());
  if (inputs < arity.min_inputs || inputs > arity.max_inputs) {
    return context.Invalid(
        fmt::format("has {} inputs, needs {} to {}", inputs, arity.min_inputs, arity.max_inputs));
  }
  if (outputs < arity.min_outputs || outputs > arity.max_outputs) {
    return context.Invalid(fmt::format("has {} outputs, needs {} to {}", outputs, arity.min_outputs,
                                       arity.max_outputs));
  }
  for (int i = 0; i < arity.min_inputs && !arity.optional_inputs; ++i) {
    if (!context.has_input(i)) return context.Invalid(fmt::format("input {} is missing", i));
  }
  return OkStatus();
}

Result<std::vector<OutputSpec>> InferOutputs(const OpContext& context) {
  DLPU_RETURN_IF_ERROR(CheckArity(context));
  return GetOp(context.node().op).infer.value(context);
}

Work WorkOf(const OpContext& context) {
  if (!CheckArity(context).ok()) return {};
  return GetOp(context.node().op).work.value(context);
}

namespace {

bool AllOutputsAreEmpty(const OpContext& context) {
  for (size_t i = 0; i < context.output_count(); ++i) {
    if (ElementCount(context.output(i).shape) != 0) return false;
  }
  return true;
}

}  // namespace

Result<PreparedOp> PrepareOp(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(CheckArity(context));
  DLPU_TRY(PreparedOp op, GetOp(context.node().op).prepare.value(context));
  // Loops over pixels without channels would still take their time.
  if (AllOutputsAreEmpty(context)) op.run = [](const RunArgs&) { return OkStatus(); };
  return op;
}

}  // namespace dlpu
