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
  std::string os;              // AXIS OS release the files must load on; empty: any that is known
  bool several_parts = false;  // force a one-part target to take several
  bool report = false;         // write text and pictures as well ...
  std::string report_path;     // ... the text to this file; empty: beside the others
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

// Writes the folder that a vendor's tool is handed when dlpu cannot run it: the model
// (`model_file`, whose ending is `format`), an empty calibration list that says what belongs in it,
// and the facts its command line asks for.
Result<Artifact> WriteHandOff(const LoadedModel& model, const Graph& graph, const Target& target,
                              std::span<const uint8_t> model_file, const std::string& format,
                              const std::string& folder);

}  // namespace dlpu
