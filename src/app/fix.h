// SPDX-License-Identifier: Apache-2.0
// Fix: exact rewrites of a model for a target, each proved by running the model before and after it
// on the same inputs. What cannot be proved is not kept. Any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"
#include "target/target.h"

namespace dlpu {

struct FixOptions {
  int random_inputs = 8;  // besides the extreme ones (all lowest, zero, highest)
  uint32_t seed = 1;
  int threads = 0;
  std::vector<std::string> only = {};  // kinds as FixKinds lists them; empty: all
};

// "cut-post-processing", "split-head", "fold-pads", "fold-transposes", "fold-reshapes",
// "lower-versions": the order in which they are applied.
const std::vector<std::string>& FixKinds();

struct FixStep {
  std::string kind;
  std::string node;  // the layer it is about
  std::string what;  // done: what was changed; left: why it was not
};

// How a kind that changed something was proved.
struct FixProof {
  std::string kind;
  int inputs = 0;     // runs compared, before against after; 0: none, `compared` says why
  int64_t bytes = 0;  // of outputs, all equal
  // "outputs", or "outputs through what was taken off": the nodes that left the model were run on
  // its new outputs, and gave the old ones.
  std::string compared;
};

struct FixReport {
  Graph graph;                // the fixed model, to be written with WriteTflite
  std::vector<FixStep> done;  // in the order they were applied
  std::vector<FixStep> left;
  std::vector<FixProof> proofs;
  // The decoder of dlpu for the new outputs ("SSD", "YOLO", ...); empty when the outputs are the
  // old ones, or no decoder is known for them.
  std::string decoder;
};

// Post-processing is cut off when dlpu has a decoder for what is left, or `only` names that kind.
// Errors: a kind that is none; a compiled program; a model that dlpu cannot run, not even without
// its post-processing, so that nothing could be proved.
Result<FixReport> Fix(const LoadedModel& model, const Target& target, const FixOptions& options);

// dlpu's decoder for the graph's outputs ("SSD", "YOLO", ...); empty: none is known.
std::string DecoderOf(const Graph& graph);

// For people and for programs (docs/json.md). `versions`: the text also says of op versions why
// they stay, which is of interest when one is too new.
std::string FixText(const FixReport& report, bool versions = true);
nlohmann::ordered_json FixJson(const FixReport& report);

}  // namespace dlpu
