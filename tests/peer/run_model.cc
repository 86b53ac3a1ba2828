// SPDX-License-Identifier: Apache-2.0
// Reading, compiling and running one model.
#include "run_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/tflite.h"
#include "passes/compile.h"

namespace dlpu::peer {

Result<std::unique_ptr<Runner>> LoadModel(std::span<const uint8_t> model, const std::string& name,
                                          const RunModelOptions& options) {
  DLPU_TRY(Graph graph, ReadTflite(model, name));
  CompileOptions compile;
  compile.profile = options.profile;
  compile.cut_at = options.cut_at;
  DLPU_TRY(Program program, Compile(std::move(graph), compile));
  return Runner::Load(std::move(program), {.threads = options.threads, .cpu = options.cpu});
}

Result<std::vector<ModelOutput>> RunOnce(Runner& runner, const std::vector<Bytes>& inputs) {
  if (inputs.size() != runner.input_count()) {
    return InvalidError(
        fmt::format("{} inputs given, the model has {}", inputs.size(), runner.input_count()));
  }
  runner.ResetVariables();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::span<uint8_t> memory = runner.input(i);
    if (memory.size() != inputs[i].size()) {
      return InvalidError(fmt::format("input {} has {} bytes, the model wants {}", i,
                                      inputs[i].size(), memory.size()));
    }
    std::copy(inputs[i].begin(), inputs[i].end(), memory.begin());
  }
  DLPU_RETURN_IF_ERROR(runner.Run());
  std::vector<ModelOutput> outputs;
  for (size_t i = 0; i < runner.output_count(); ++i) {
    const std::span<const uint8_t> data = runner.output(i);
    outputs.push_back({runner.output_tensor(i).type, runner.output_tensor(i).shape,
                       Bytes(data.begin(), data.end())});
  }
  return outputs;
}

CaseResult RunCase(const Case& c, const RunModelOptions& options) {
  CaseResult result;
  auto model = WriteTflite(c.graph);
  if (!model.ok()) {
    result.error = "cannot be written: " + model.error().message;
    return result;
  }
  result.model = std::move(*model);
  auto runner = LoadModel(result.model, c.name, options);
  if (!runner.ok()) {
    result.error = runner.error().message;
    return result;
  }
  auto outputs = RunOnce(**runner, c.inputs);
  if (!outputs.ok()) {
    result.error = outputs.error().message;
    return result;
  }
  result.outputs = std::move(*outputs);
  return result;
}

}  // namespace dlpu::peer
