// SPDX-License-Identifier: Apache-2.0
// Check: what a target will do with a model and why, as findings. Every finding is a rule of
// data/targets or data/rules.toml applied to the user's layers. Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/model.h"
#include "base/result.h"
#include "target/partition.h"
#include "target/products.h"
#include "target/target.h"

namespace dlpu {

struct Finding {
  std::string rule;  // id of the rule
  Severity severity = Severity::kNote;
  std::string effect;              // cpu, refuse, slow, inexact, note
  std::vector<std::string> nodes;  // layers it is about, in order; empty: the model as a whole
  std::string op;                  // of the first of them
  std::string message;             // a sentence with the value found
  std::string camera_says;         // the camera's own words; empty when they are not known
  std::string fix;                 // what the user can do; empty for some notes
  std::optional<double> gain_ms;   // predicted gain of the fix in milliseconds
  std::string worth;               // the same in words; empty without a fix
  std::string source, confidence;  // of the rule
  int unblocks = 0;                // ops that reach the DLPU once the first node runs there
  double cpu_share = 0;            // effect cpu: of the predicted time, spent in these nodes
};

enum class CheckVerdict {
  kRuns,              // all of it on the target's DLPU (or its CPU, where there is none)
  kRunsWithFallback,  // it loads; some ops run on the camera's CPU
  kRefused,           // it does not load
  kUnknown,           // nothing speaks against it, but the vendor publishes no list of ops
};
// "runs", "runs_with_fallback", "refused", "unknown".
std::string_view CheckVerdictName(CheckVerdict verdict);

// A tensor that goes from one part to another.
struct CheckCut {
  std::string tensor, type, node, op;  // node: the layer that writes it
  int64_t bytes = 0;
  int from_part = 0, to_part = 0;
};

// Whether a device of the camera loads the file.
struct CheckDevice {
  std::string device, engine;
  bool takes = false;
  std::string why;           // or why not
  std::optional<double> ms;  // predicted; absent: not available
};

// The predicted time of an inference with every op where it runs.
struct CheckTime {
  double total_ms = 0, low_ms = 0, high_ms = 0;  // 90 % interval
  double cpu_share = 0;                          // of the total, off the DLPU; 0 to 1
};

struct CheckReport {
  std::string target, title, device;
  std::string product, os;  // as asked for; empty: not
  CheckVerdict verdict = CheckVerdict::kRuns;
  int dlpu_ops = 0, cpu_ops = 0, unknown_ops = 0;  // of the source model
  int partitions = 0, dlpu_partitions = 0;
  std::optional<CheckTime> time;  // absent: refused, or not available
  std::string run_error;          // why CheckOptions::run came to nothing
  std::vector<CheckCut> cuts;
  std::vector<Finding> findings;  // errors first
  std::vector<CheckDevice> devices;

  int Count(Severity severity) const;
};

struct CheckOptions {
  std::optional<Product> product;  // its memory and whether it has the DLPU
  std::string os;                  // AXIS OS version; empty: the newest, about which less is known
  bool run = false;                // run it on a few test inputs to see whether outputs change
  int threads = 0;                 // for that
  // All targets, so that the time on the camera's other devices can be told; may be empty.
  std::vector<Target> targets = {};
};

// Errors: an AXIS OS version that is none, or data that cannot be read.
Result<CheckReport> Check(const LoadedModel& model, const Target& target,
                          const CheckOptions& options);

// Most codes (float32: thousandths of the output's range) by which each output of the model
// differs between black, white, noise and a gradient as inputs; -1 for an output that is neither
// quantized nor float (indices), or that a custom op writes (post-processing).
Result<std::vector<double>> OutputSpreads(const LoadedModel& model, int threads);

}  // namespace dlpu
