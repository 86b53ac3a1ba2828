// SPDX-License-Identifier: Apache-2.0
#include "try_model.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "formats/tflite.h"
#include "ops/op.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu::hostile {
namespace {

int64_t AddSaturating(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<int64_t>::max() : sum;
}

}  // namespace

int64_t ShapeBytes(Graph graph) {
  for (const Node& node : graph.nodes) {
    const auto outputs = InferOutputs(OpContext(graph.tensors, node));
    if (!outputs.ok()) break;
    for (size_t i = 0; i < std::min(outputs->size(), node.outputs.size()); ++i) {
      graph.tensors[node.outputs[i]].shape = (*outputs)[i].shape;
    }
  }
  int64_t bytes = 0;
  for (const Tensor& tensor : graph.tensors) {
    bytes = AddSaturating(bytes, ByteCount(tensor.type, tensor.shape));
  }
  return bytes;
}

namespace {

// Loads and runs what was compiled or read.
void TryToRun(Program program, Trial& trial) {
  int64_t macs = 0;
  for (const Step& step : program.steps) {
    macs = AddSaturating(macs, AddSaturating(step.work.macs, step.work.vector_ops));
  }
  if (trial.shape_bytes > kMaxShapeBytes) {
    trial.stage = Stage::kTooLarge;
    trial.error = "larger than this test loads";
    return;
  }
  auto runner = Runner::Load(std::move(program), {.threads = 1});
  if (!runner.ok()) {
    trial.stage = Stage::kRefusedByRunner;
    trial.error = runner.error().message;
    return;
  }
  if (macs > kMaxMacs) {
    trial.stage = Stage::kTooLarge;
    trial.error = "slower than this test runs";
    return;
  }
  for (size_t i = 0; i < (*runner)->input_count(); ++i) {
    const auto input = (*runner)->input(i);
    std::fill(input.begin(), input.end(), uint8_t{0});
  }
  const Status status = (*runner)->Run();
  trial.stage = status.ok() ? Stage::kRan : Stage::kFailed;
  if (!status.ok()) trial.error = status.error().message;
}

}  // namespace

Trial TryModel(std::span<const uint8_t> model) {
  Trial trial;
  auto graph = ReadTflite(model, "model");
  if (!graph.ok()) {
    trial.error = graph.error().message;
    return trial;
  }
  trial.shape_bytes = ShapeBytes(*graph);
  auto program = Compile(std::move(*graph), {});
  if (!program.ok()) {
    trial.stage = Stage::kRefusedByCompiler;
    trial.error = program.error().message;
    return trial;
  }
  TryToRun(std::move(*program), trial);
  return trial;
}

Trial TryProgram(std::span<const uint8_t> file) {
  Trial trial;
  auto program = LoadProgram(file, "program");
  if (!program.ok()) {
    trial.error = program.error().message;
    return trial;
  }
  for (const Tensor& tensor : program->tensors) {
    trial.shape_bytes = AddSaturating(trial.shape_bytes, ByteCount(tensor.type, tensor.shape));
  }
  TryToRun(std::move(*program), trial);
  return trial;
}

}  // namespace dlpu::hostile
