// SPDX-License-Identifier: Apache-2.0
// The chip vendor's compiler, when it is installed: running it on a model, reading its log, and
// comparing what it mapped with what dlpu says. Which program that is, its arguments and its log's
// words are the target's data. The log's form is that of the Edge TPU Compiler (as users quote it
// in google-coral/edgetpu, issues 342 and 490): a line for each op and status, "CONV_2D  36  Mapped
// to Edge TPU". Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "target/firmware.h"
#include "target/partition.h"
#include "target/target.h"

namespace dlpu {

// One line of the log.
struct MappingRow {
  std::string op;
  int count = 0;
  std::string status;
  bool operator==(const MappingRow&) const = default;
};

// The table that dlpu expects in the log: by op, then by status.
std::vector<MappingRow> ExpectedMapping(const Graph& graph, const Partition& partition,
                                        const TargetCompiler& compiler);
// The lines of a log that are of the table. An error when there is none.
Result<std::vector<MappingRow>> ParseMappingLog(const std::string& text);

// How many nodes of an op each side puts on the DLPU, where they differ.
struct MappingDifference {
  std::string op;
  int ours = 0, theirs = 0;
};
std::vector<MappingDifference> CompareMappings(const std::vector<MappingRow>& ours,
                                               const std::vector<MappingRow>& theirs,
                                               const TargetCompiler& compiler);

struct VendorRun {
  std::string command;  // as it was run
  std::string version;  // its first line that names one
  int exit_code = 0;
  std::string problem;  // why there is no result; empty when there is one
  std::string output_path, log_path;
  std::vector<MappingRow> mapping;
  std::optional<double> cached_bytes, streamed_bytes;  // as it prints them: rounded to 0.01 MiB
};

struct VendorOptions {
  std::optional<int> runtime;  // make a file for this runtime version and newer ones
  bool several_parts = false;
};

// Runs target.compiler on a model file; results go to `folder`. kNotFound when it is not installed.
// REQUIRES: target.compiler has a program.
Result<VendorRun> RunVendorCompiler(const TargetCompiler& compiler, const std::string& model_path,
                                    const std::string& folder, const VendorOptions& options);

// The version of the vendor's runtime that a file must be made for to load on AXIS OS `os` (empty
// or not known: on every release that is known) and on later ones. nullopt when nothing is known.
struct RuntimeVersion {
  int version = 0;
  std::string os;  // the newest release that is known to have it
};
std::optional<RuntimeVersion> RuntimeFor(const FirmwareTable& firmware, const std::string& os);

}  // namespace dlpu
