// SPDX-License-Identifier: Apache-2.0
// Finding PAD steps that one convolution or pool can take in.
#include "run/taken_pad.h"

#include <algorithm>
#include <optional>

#include "ops/pad.h"

namespace dlpu {
namespace {

bool IsCode(DataType type) { return type == DataType::kInt8 || type == DataType::kUInt8; }

// The border that a PAD of float32 or 8-bit pictures puts around them; nothing if it does anything
// else.
std::optional<PictureBorder> BorderOf(const Program& program, const Node& node) {
  if (node.op != Op::kPad || node.inputs.size() != 2 || node.outputs.size() != 1) return {};
  const OpContext context(program.tensors, node);
  const Tensor& input = context.input(0);
  if (input.type != DataType::kFloat32 && !IsCode(input.type)) return {};
  if (input.is_constant || input.shape.size() != 4) return {};
  const auto spec = ReadPaddings(context);
  if (!spec.ok() || spec->before[0] + spec->after[0] + spec->before[3] + spec->after[3] != 0) {
    return {};
  }
  const auto narrow = [](int64_t v) { return static_cast<int32_t>(v); };
  return PictureBorder{narrow(spec->before[1]), narrow(spec->after[1]), narrow(spec->before[2]),
                       narrow(spec->after[2])};
}

// Convolutions pad with zero as PAD does, in codes with the zero point; a maximum is the same
// without padding where that is the lowest code.
bool TakesBorder(const Program& program, const Node& node) {
  const Tensor& padded = program.tensors[node.inputs[0]];
  if (node.op == Op::kMaxPool2d) {
    return IsCode(padded.type) && padded.quantization.present() &&
           padded.quantization.zero0() == LowestCode(padded.type);
  }
  if (node.op != Op::kConv2d && node.op != Op::kDepthwiseConv2d) return false;
  return IsCode(padded.type) || program.tensors[node.inputs[1]].type == DataType::kFloat32;
}

}  // namespace

std::vector<TakenPad> FindTakenPads(const Program& program) {
  // How often each tensor is read, and by which step last.
  std::vector<int> readers(program.tensors.size(), 0);
  std::vector<size_t> reader(program.tensors.size(), 0);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    for (const TensorId id : program.steps[i].node.inputs) {
      if (id == kNoTensor) continue;
      ++readers[id];
      reader[id] = i;
    }
  }
  for (const TensorId id : program.outputs) readers[id] += 2;
  std::vector<TakenPad> pads;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Node& node = program.steps[i].node;
    const std::optional<PictureBorder> border = BorderOf(program, node);
    if (!border) continue;
    const TensorId padded = node.outputs[0];
    if (readers[padded] != 1 || program.tensors[padded].is_variable) continue;
    const Node& next = program.steps[reader[padded]].node;
    if (next.inputs[0] == padded && TakesBorder(program, next)) {
      pads.push_back({i, reader[padded], *border});
    }
  }
  return pads;
}

}  // namespace dlpu
