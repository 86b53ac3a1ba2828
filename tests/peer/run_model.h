// SPDX-License-Identifier: Apache-2.0
// RunModel: bytes of a .tflite file in, bytes of outputs out; the way every comparison computes
// dlpu's side. Any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cases.h"
#include "run/runner.h"

namespace dlpu::peer {

struct ModelOutput {
  DataType type;
  Shape shape;
  Bytes data;
};

struct RunModelOptions {
  int threads = 1;
  CpuFlags cpu = EnabledCpuFlags();
  Profile profile = Profile::kTfliteReference;
  std::string cut_at;  // see CompileOptions
};

// Reads, compiles and loads a model. The error names what was refused.
Result<std::unique_ptr<Runner>> LoadModel(std::span<const uint8_t> model, const std::string& name,
                                          const RunModelOptions& options);

// One run from the initial state. An input of the wrong size is an error.
Result<std::vector<ModelOutput>> RunOnce(Runner& runner, const std::vector<Bytes>& inputs);

// Writes the case's graph as .tflite, then reads and runs that file.
struct CaseResult {
  Bytes model;                       // empty when the graph could not be written
  std::string error;                 // empty when it ran
  std::vector<ModelOutput> outputs;  // when it ran
};
CaseResult RunCase(const Case& c, const RunModelOptions& options);

}  // namespace dlpu::peer
