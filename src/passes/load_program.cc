// SPDX-License-Identifier: Apache-2.0
// Loading a saved program: the file may be anyone's, so nothing is taken on trust that running
// relies on.
#include <fmt/format.h>

#include <algorithm>

#include "ir/program_file.h"
#include "ir/verify.h"
#include "ops/op.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

// Kernels address memory by these shapes and types.
Status CheckStep(const Program& program, const Step& step) {
  const Node& node = step.node;
  for (const std::vector<TensorId>* ids : {&node.inputs, &node.outputs, &node.intermediates}) {
    for (const TensorId id : *ids) {
      if (id == kNoTensor) continue;
      const Tensor& tensor = program.tensors[id];
      if (std::ranges::find(tensor.shape, -1) != tensor.shape.end()) {
        return InvalidError(fmt::format("tensor '{}' has no static shape", tensor.name));
      }
    }
  }
  DLPU_TRY(const std::vector<OutputSpec> outputs, InferOutputs(OpContext(program.tensors, node)));
  if (outputs.size() != node.outputs.size()) {
    return InvalidError(fmt::format("{} '{}' has {} outputs, not {}", NodeOpName(node), node.name,
                                    outputs.size(), node.outputs.size()));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& tensor = program.tensors[node.outputs[i]];
    if (tensor.type == outputs[i].type && tensor.shape == outputs[i].shape) continue;
    return InvalidError(fmt::format("{} '{}': output '{}' is {} {}, not {} {}", NodeOpName(node),
                                    node.name, tensor.name, DataTypeName(outputs[i].type),
                                    ShapeText(outputs[i].shape), DataTypeName(tensor.type),
                                    ShapeText(tensor.shape)));
  }
  return OkStatus();
}

// The caller writes inputs, and nobody else.
Status CheckInputs(const Program& program) {
  std::vector<bool> written(program.tensors.size(), false);
  for (const Step& step : program.steps) {
    for (const TensorId id : step.node.outputs) written[id] = true;
  }
  for (const TensorId id : program.inputs) {
    const Tensor& tensor = program.tensors[id];
    const bool dynamic = std::ranges::find(tensor.shape, -1) != tensor.shape.end();
    if (tensor.is_constant || tensor.is_variable || written[id] || dynamic) {
      return InvalidError(fmt::format("'{}' cannot be an input", tensor.name));
    }
  }
  return OkStatus();
}

Status Check(const Program& program) {
  DLPU_RETURN_IF_ERROR(CheckInputs(program));
  for (const Step& step : program.steps) DLPU_RETURN_IF_ERROR(CheckStep(program, step));
  return OkStatus();
}

}  // namespace

Result<Program> LoadProgram(std::span<const uint8_t> bytes, const std::string& name) {
  DLPU_TRY(Program program, ReadProgram(bytes, name));
  if (const Status status = Check(program); !status.ok()) {
    return InvalidError(
        fmt::format("{}: {}; compile the model again", name, status.error().message));
  }
  for (Step& step : program.steps) step.work = WorkOf(OpContext(program.tensors, step.node));
  Allocate(program);
  DLPU_RETURN_IF_ERROR(Verify(program));
  return program;
}

}  // namespace dlpu
