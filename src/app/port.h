// SPDX-License-Identifier: Apache-2.0
// The main job: what every target does with one model. Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/interpret.h"
#include "app/model.h"
#include "app/tensor_input.h"
#include "base/result.h"
#include "target/target.h"

namespace dlpu {

enum class PortVerdict {
  kRuns,              // all of it on the target's accelerator (or its CPU, where there is none)
  kRunsWithFallback,  // it loads; some ops run on the camera's CPU
  kPrepare,           // not as it is: see `needs`
  kRefused,           // not loadable, and no preparation of this file helps
};
// "runs", "runs_with_fallback", "needs_preparation", "refused".
std::string_view PortVerdictName(PortVerdict verdict);

// Why a verdict was reached, in the words of the target's data.
struct PortFinding {
  std::string node;     // layer, empty for the model as a whole
  std::string op;       // empty for the model as a whole
  std::string effect;   // cpu, refuse, slow, inexact, note
  std::string message;  // what the target asks for and what was found
  std::string source;
  std::string confidence;
  int nodes = 1;  // how many nodes share this finding; `node` is the first
};

struct PortRow {
  std::string target, title, device;
  std::string takes;  // "int8 .tflite", ...
  PortVerdict verdict = PortVerdict::kRuns;
  std::string needs;     // what must be done first; empty when nothing
  std::string quantize;  // scheme the model must be quantized with; empty when it need not be
  int dlpu_ops = 0, cpu_ops = 0, unknown_ops = 0;  // of the file's nodes
  std::vector<PortFinding> findings;
};

// One run of the model as it is, on this PC.
struct PortRun {
  double median_ms = 0;
  int threads = 1;
  std::string input;  // file, or "random values"
  bool is_picture = false;
  Interpretation found;
  std::string summary;  // "1 Cat 0.85"; empty without a picture
  std::vector<std::string> lines;
  std::vector<std::string> output_sha256;
};

struct PortReport {
  std::string quantization;  // of the model as it is
  std::vector<PortRow> rows;
  std::optional<PortRun> run;
  std::string run_error;  // why there is no run
};

// Judges the model for each target by format, data types, quantization and op table.
PortRow JudgeTarget(const Graph& graph, const Target& target);

struct PortOptions {
  ModelOptions model;
  InputOptions input;    // files[0]: the picture; empty: random values
  std::string draw;      // PNG to write the annotated picture to; empty: none
  double seconds = 1.0;  // to spend on timing
};

// Rows for all `targets`, and one run on this PC. A model that dlpu cannot run still has rows.
Result<PortReport> Port(const LoadedModel& model, const std::vector<Target>& targets,
                        const PortOptions& options);

}  // namespace dlpu
