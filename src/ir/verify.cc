// SPDX-License-Identifier: Apache-2.0
// The checks behind Verify.
#include "ir/verify.h"

#include <fmt/format.h>

namespace dlpu {
namespace {

Status VerifyTensor(const Tensor& tensor) {
  if (tensor.is_constant) {
    const int64_t want = ByteCount(tensor.type, tensor.shape);
    if (want != static_cast<int64_t>(tensor.data.size())) {
      return InvalidError(fmt::format("tensor '{}': {} {} needs {} bytes, its buffer has {}",
                                      tensor.name, DataTypeName(tensor.type),
                                      ShapeText(tensor.shape), want, tensor.data.size()));
    }
  }
  if (TooManyElements(tensor.shape)) {
    return ExhaustedError(fmt::format("tensor '{}': {} has more than 2^31 elements", tensor.name,
                                      ShapeText(tensor.shape)));
  }
  const Quantization& q = tensor.quantization;
  if (q.per_channel()) {
    if (q.axis < 0 || q.axis >= static_cast<int32_t>(tensor.shape.size()) ||
        static_cast<int64_t>(q.scale.size()) != tensor.shape[q.axis]) {
      return InvalidError(fmt::format("tensor '{}': {} scales do not fit axis {} of {}",
                                      tensor.name, q.scale.size(), q.axis,
                                      ShapeText(tensor.shape)));
    }
  }
  if (q.zero_point.size() > 1 && q.zero_point.size() != q.scale.size()) {
    return InvalidError(fmt::format("tensor '{}': {} zero points for {} scales", tensor.name,
                                    q.zero_point.size(), q.scale.size()));
  }
  return OkStatus();
}

Status VerifyIds(const std::vector<TensorId>& ids, size_t count, bool optional, const char* what,
                 const std::string& owner) {
  for (const TensorId id : ids) {
    if (id == kNoTensor && optional) continue;
    if (id < 0 || static_cast<size_t>(id) >= count) {
      return InvalidError(fmt::format("{}: {} refers to tensor {} of {}", owner, what, id, count));
    }
  }
  return OkStatus();
}

// Ids in range, one writer for each tensor, and nothing read before it is written.
class FlowCheck {
 public:
  FlowCheck(const std::vector<Tensor>& tensors, const std::vector<TensorId>& inputs)
      : tensors_(tensors), ready_(tensors.size(), false), written_(tensors.size(), false) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      ready_[i] = tensors[i].is_constant || tensors[i].is_variable;
    }
    for (const TensorId id : inputs) ready_[id] = true;
  }

  Status Visit(const Node& node) {
    const std::string owner = fmt::format("{} '{}'", NodeOpName(node), node.name);
    DLPU_RETURN_IF_ERROR(VerifyIds(node.inputs, tensors_.size(), true, "input", owner));
    DLPU_RETURN_IF_ERROR(VerifyIds(node.outputs, tensors_.size(), false, "output", owner));
    DLPU_RETURN_IF_ERROR(VerifyIds(node.intermediates, tensors_.size(), true, "state", owner));
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor && !ready_[id]) {
        return InvalidError(
            fmt::format("{}: input '{}' is used before it is computed", owner, tensors_[id].name));
      }
    }
    for (const TensorId id : node.outputs) {
      if (tensors_[id].is_constant || written_[id]) {
        return InvalidError(fmt::format("{}: output '{}' is {}", owner, tensors_[id].name,
                                        tensors_[id].is_constant ? "a constant" : "written twice"));
      }
      written_[id] = ready_[id] = true;
    }
    return OkStatus();
  }

  Status Finish(const std::vector<TensorId>& outputs) const {
    for (const TensorId id : outputs) {
      if (!ready_[id]) {
        return InvalidError(fmt::format("output '{}' is never computed", tensors_[id].name));
      }
    }
    return OkStatus();
  }

 private:
  const std::vector<Tensor>& tensors_;
  std::vector<bool> ready_, written_;
};

}  // namespace

bool TooManyElements(const Shape& shape) {
  int64_t count = 1;
  for (const int32_t extent : shape) {
    if (extent > 0) count *= extent;
    if (count > kMostElements) return true;
  }
  return false;
}

Status Verify(const Graph& graph) {
  for (const Tensor& tensor : graph.tensors) DLPU_RETURN_IF_ERROR(VerifyTensor(tensor));
  const size_t count = graph.tensors.size();
  DLPU_RETURN_IF_ERROR(VerifyIds(graph.inputs, count, false, "input", "model"));
  DLPU_RETURN_IF_ERROR(VerifyIds(graph.outputs, count, false, "output", "model"));
  FlowCheck flow(graph.tensors, graph.inputs);
  for (const Node& node : graph.nodes) DLPU_RETURN_IF_ERROR(flow.Visit(node));
  return flow.Finish(graph.outputs);
}

Status VerifySteps(const Program& program) {
  for (const Tensor& tensor : program.tensors) DLPU_RETURN_IF_ERROR(VerifyTensor(tensor));
  const size_t count = program.tensors.size();
  if (program.offsets.size() != count) {
    return InternalError("program: one arena offset is needed for each tensor");
  }
  DLPU_RETURN_IF_ERROR(VerifyIds(program.inputs, count, false, "input", "program"));
  DLPU_RETURN_IF_ERROR(VerifyIds(program.outputs, count, false, "output", "program"));
  FlowCheck flow(program.tensors, program.inputs);
  for (const Step& step : program.steps) DLPU_RETURN_IF_ERROR(flow.Visit(step.node));
  return flow.Finish(program.outputs);
}

Status Verify(const Program& program) {
  DLPU_RETURN_IF_ERROR(VerifySteps(program));
  return VerifyArena(program);
}

}  // namespace dlpu
