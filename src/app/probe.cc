// SPDX-License-Identifier: Apache-2.0
// Every tensor an output; parts of programs.
#include "app/probe.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

template <typename T>
void Store(std::span<const float> values, const Quantization& q, std::vector<uint8_t>& bytes) {
  const bool coded = q.present();
  const auto low = static_cast<double>(std::numeric_limits<T>::lowest());
  const auto high = static_cast<double>(std::numeric_limits<T>::max());
  const double scale = coded ? static_cast<double>(q.scale0()) : 1.0;
  const double zero = coded ? static_cast<double>(q.zero0()) : 0.0;
  for (size_t i = 0; i < values.size(); ++i) {
    double code = std::round(static_cast<double>(values[i]) / scale) + zero;
    if (!(code >= low)) code = low;  // NaN as well
    const T stored = code >= high ? std::numeric_limits<T>::max() : static_cast<T>(code);
    std::memcpy(bytes.data() + i * sizeof(T), &stored, sizeof(T));
  }
}

// A tensor with its data, or without it where no step uses it.
Tensor Copied(const Tensor& tensor, bool used) {
  if (used) return tensor;
  Tensor shell;
  shell.name = tensor.name;
  shell.type = tensor.type;
  shell.shape = tensor.shape;
  return shell;
}

void TakeTensors(const Program& program, Program& part) {
  std::vector<bool> used(program.tensors.size(), false);
  for (const Step& step : part.steps) {
    for (const auto& ids : {step.node.inputs, step.node.outputs, step.node.intermediates}) {
      for (const TensorId id : ids) {
        if (id != kNoTensor) used[id] = true;
      }
    }
  }
  for (size_t id = 0; id < used.size(); ++id) {
    part.tensors.push_back(Copied(program.tensors[id], used[id]));
  }
}

}  // namespace

Result<Probe> Probe::Load(Program program, const RunnerOptions& options) {
  Probe probe;
  probe.writer_.assign(program.tensors.size(), -1);
  probe.place_.assign(program.tensors.size(), kNone);
  probe.program_ = program;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    for (const TensorId id : program.steps[i].node.outputs) {
      const Tensor& tensor = program.tensors[id];
      probe.writer_[id] = static_cast<int>(i);
      const bool plain = !tensor.is_constant && !tensor.is_variable;
      const auto end = program.outputs.end();
      if (plain && std::find(program.outputs.begin(), end, id) == end) {
        program.outputs.push_back(id);
      }
    }
  }
  for (size_t i = program.outputs.size(); i-- > 0;) {
    probe.place_[program.outputs[i]] = static_cast<int>(i);
  }
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    probe.place_[program.inputs[i]] = -1 - static_cast<int>(i);
  }
  program.offsets.assign(program.tensors.size(), -1);
  program.arena_bytes = 0;
  Allocate(program);
  DLPU_TRY(probe.runner_, Runner::Load(std::move(program), options));
  return probe;
}

std::span<const uint8_t> Probe::bytes(TensorId id) const {
  const int place = place_[id];
  DLPU_CHECK(place != kNone);
  return place >= 0 ? runner_->output(static_cast<size_t>(place))
                    : runner_->input(static_cast<size_t>(-1 - place));
}

std::optional<Program> CutOut(const Program& program, const std::vector<TensorId>& given,
                              TensorId output) {
  std::vector<bool> wanted(program.tensors.size(), false), known(program.tensors.size(), false);
  wanted[output] = true;
  for (const TensorId id : given) known[id] = true;
  std::vector<bool> read(program.tensors.size(), false);
  Program part;
  part.name = program.name;
  part.target = program.target;
  part.profile = program.profile;
  for (size_t i = program.steps.size(); i-- > 0;) {
    const Node& node = program.steps[i].node;
    const auto computes = [&](TensorId id) { return wanted[id] && (!known[id] || id == output); };
    if (!std::any_of(node.outputs.begin(), node.outputs.end(), computes)) continue;
    for (const TensorId id : node.inputs) {
      if (id == kNoTensor || program.tensors[id].is_constant) continue;
      if (program.tensors[id].is_variable) return std::nullopt;
      wanted[id] = true;
      if (known[id]) read[id] = true;
    }
    part.steps.push_back(program.steps[i]);
  }
  std::reverse(part.steps.begin(), part.steps.end());
  for (const TensorId id : program.inputs) {
    if (wanted[id] && !known[id]) return std::nullopt;
  }
  for (const TensorId id : given) {
    const auto end = part.inputs.end();
    if (read[id] && std::find(part.inputs.begin(), end, id) == end) part.inputs.push_back(id);
  }
  if (part.steps.empty()) return std::nullopt;
  part.outputs = {output};
  TakeTensors(program, part);
  part.offsets.assign(part.tensors.size(), -1);
  Allocate(part);
  return part;
}

std::vector<uint8_t> ToBytes(const Tensor& tensor, std::span<const float> values) {
  std::vector<uint8_t> bytes(static_cast<size_t>(ByteCount(tensor.type, tensor.shape)));
  DLPU_CHECK(static_cast<int64_t>(values.size()) == ElementCount(tensor.shape));
  switch (tensor.type) {
    case DataType::kInt8:
      Store<int8_t>(values, tensor.quantization, bytes);
      break;
    case DataType::kUInt8:
    case DataType::kBool:
      Store<uint8_t>(values, tensor.quantization, bytes);
      break;
    case DataType::kInt16:
      Store<int16_t>(values, tensor.quantization, bytes);
      break;
    case DataType::kInt32:
      Store<int32_t>(values, tensor.quantization, bytes);
      break;
    case DataType::kInt64:
      Store<int64_t>(values, tensor.quantization, bytes);
      break;
    case DataType::kFloat32:
      if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
      break;
    default:
      DLPU_CHECK(false);
  }
  return bytes;
}

}  // namespace dlpu
