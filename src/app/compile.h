// SPDX-License-Identifier: Apache-2.0
// What `dlpu compile` does: for each target, the file that camera loads (where that is an open
// format), a .dlpu program for the virtual one, and what a vendor's tool needs where only that tool
// makes the camera's file. Plain values; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/model.h"
#include "app/quantized_model.h"
#include "app/vendor_compiler.h"
#include "base/result.h"
#include "target/partition.h"
#include "target/tiles.h"

namespace dlpu {

struct CompileRequest {
  ModelOptions model;           // without its `target`
  std::vector<Target> targets;  // the result refers to them
  // A folder, made when it is missing; or, for one target, a file name ending in .dlpu or .tflite,
  // beside which the others go.
  std::string output = ".";
  std::string os;  // AXIS OS release the files must load on; empty: any that is known
  // Calibration inputs (a folder, .npz or list), for targets whose vendor's compiler quantizes:
  // they make the program fixed point, which runs here, and fill the folder for the vendor's tool.
  // Empty: the program is float and the folder has no inputs.
  std::string calibration;
  InputOptions input;  // how pictures are prepared
  const QuantizedModel* fixed_point =
      nullptr;                 // the model in fixed point, where it is made already
  bool several_parts = false;  // force a one-part target to take several
  bool report = false;         // write text and pictures as well ...
  std::string report_path;     // ... the text to this file; empty: beside the others
  QuantizeProgress progress;   // of making fixed point; may be empty
};

// A file or folder that was written.
struct Artifact {
  std::string path, what;
  std::string sha256;  // empty for a folder
  int64_t bytes = 0;
};

struct CompiledTarget {
  const Target* target = nullptr;
  std::string refusal;  // why the target does not take the model; nothing is written then
  Partition partition;  // of CompileOutcome::graph
  std::vector<Blocker> blockers;
  std::optional<Partition> one_part;  // with several_parts: the target's own way, for comparison
  std::optional<double> several_ms, one_part_ms;  // predicted; absent: not available
  std::optional<TilePlan> tiles;
  std::optional<QuantizeReport> quantized;  // of the fixed point that was made here, without graph
  std::vector<Artifact> artifacts;
  std::vector<std::string> notes;   // what is missing and who can make it
  std::vector<MappingRow> mapping;  // in the words of the vendor's log; empty without one
  std::optional<RuntimeVersion> runtime;
  std::optional<VendorRun> vendor;  // when its compiler is installed and was run
  std::vector<MappingDifference> differences;
  std::string report;  // the text of the report, when asked for
};

struct CompileOutcome {
  Graph graph;  // what was compiled and written: the model, cut and reshaped as asked
  std::vector<CompiledTarget> targets;
};

// Errors are mistakes of the model, the options or the disk; what a target does not take is no
// error but its `refusal`.
Result<CompileOutcome> CompileForTargets(const LoadedModel& model, const CompileRequest& request);

// What a vendor's tool is handed when dlpu cannot run it.
struct HandOff {
  const LoadedModel& model;
  const Graph& graph;  // of the model, as it is handed over
  const Target& target;
  std::span<const uint8_t> file;  // the model; its ending is `format`
  std::string format;
  const CalibrationSet* set = nullptr;  // null: the user has given none
  InputOptions input;                   // how its pictures are prepared
};

// Writes the folder: the model, calibration inputs as planar binaries with a list of them (or a
// list that says what belongs in it), the facts its command line asks for, and command lines. Files
// that cannot be used are left out and named in the list.
Result<Artifact> WriteHandOff(const HandOff& hand_off, const std::string& folder);

}  // namespace dlpu
