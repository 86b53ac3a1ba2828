// SPDX-License-Identifier: Apache-2.0
// The way of damaged ONNX models.
#include "try_onnx.h"

#include "app/import_onnx.h"
#include "formats/tflite.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu::onnx_test {
namespace {

Status Try(std::span<const uint8_t> model, OnnxTrial& trial) {
  DLPU_TRY(ImportedOnnx imported, ImportOnnx(model, "damaged.onnx", {}));
  trial.read = true;
  int64_t bytes = 0;
  for (const Tensor& tensor : imported.graph.tensors) {
    bytes += std::min<int64_t>(ByteCount(tensor.type, tensor.shape), int64_t{1} << 40);
  }
  DLPU_TRY(const std::vector<uint8_t> tflite, WriteTflite(imported.graph));
  if (bytes > (int64_t{64} << 20)) return ExhaustedError("too large to run here");
  DLPU_TRY(Program program, Compile(std::move(imported.graph), {}));
  int64_t macs = 0;
  for (const Step& step : program.steps) macs += step.work.macs;
  if (macs > 20'000'000) return ExhaustedError("too much to run here");
  DLPU_TRY(const std::unique_ptr<Runner> runner, Runner::Load(std::move(program), {.threads = 1}));
  DLPU_RETURN_IF_ERROR(runner->Run());
  trial.ran = true;
  return OkStatus();
}

}  // namespace

OnnxTrial TryOnnx(std::span<const uint8_t> model) {
  OnnxTrial trial;
  if (const Status status = Try(model, trial); !status.ok()) trial.error = status.error().message;
  return trial;
}

}  // namespace dlpu::onnx_test
