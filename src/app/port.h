// SPDX-License-Identifier: Apache-2.0
// The main job: what every target does with one model, how long its cameras take for it, and what
// to take to the camera. Plain values; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/check.h"
#include "app/interpret.h"
#include "app/model.h"
#include "app/predict.h"
#include "app/quantized_model.h"
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

struct PortRow {
  std::string target, title, device;
  std::string takes;  // "int8 .tflite", ...
  PortVerdict verdict = PortVerdict::kRuns;
  std::string needs;     // what must be done first; empty when nothing
  std::string quantize;  // scheme the model must be quantized with; empty when it need not be
  // Scheme that dlpu quantized the model with for this target (PortReport::quantized); empty: the
  // row is about the file as it is.
  std::string quantized;
  // The entry of PortReport::quantized that stands here for what the vendor's compiler makes of the
  // file; the row is about the file. Empty: none.
  std::string fixed_point;
  CheckReport check;  // where the file's ops run, and every finding
  // The time on the target's cameras: of this file, or, when it must be quantized first, of the
  // quantized model with the same layers.
  std::optional<Prediction> time;
  std::string time_error;  // why there is none
};

// Whether the camera loads the very file.
bool TakenAsItIs(const PortRow& row);

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
  // For those targets that want it so, and the fixed point of virtual targets: by scheme, with the
  // target's name where one scheme came out differently for two.
  std::map<std::string, QuantizedModel> quantized;
  std::optional<PortRun> run;
  std::string run_error;  // why there is no run
};

struct PortOptions {
  ModelOptions model;
  InputOptions input;              // files[0]: the picture; empty: random values
  std::string calibration;         // inputs to quantize with; empty: nothing is quantized
  std::string draw;                // PNG to write the annotated picture to; empty: none
  double seconds = 1.0;            // to spend on timing
  std::optional<Product> product;  // the camera; absent: every class of products is told
  std::string os;                  // AXIS OS; empty: the newest known
  QuantizeProgress progress;       // told which scheme is being made; may be empty
};

// What a check of the model comes to for someone who may still prepare it.
Result<PortRow> JudgeTarget(const LoadedModel& model, const Target& target,
                            const PortOptions& options);

// Rows for all `targets`, and one run on this PC. A model that dlpu cannot run still has rows.
Result<PortReport> Port(const LoadedModel& model, const std::vector<Target>& targets,
                        const PortOptions& options);

}  // namespace dlpu
