// SPDX-License-Identifier: Apache-2.0
// What is changed in a float model's structure before it is quantized, with what each change does
// to the outputs: the model is run before and after it on calibration inputs. For quantize.cc. One
// thread at a time.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/calibration_set.h"
#include "app/fix.h"
#include "app/model.h"
#include "app/tensor_input.h"
#include "base/result.h"
#include "passes/quantize.h"
#include "passes/replace_ops.h"
#include "passes/rewrite.h"

namespace dlpu {

// How far the outputs of the float model are apart before and after a change.
struct StructureProof {
  std::string kind;      // "prepare", "cut-post-processing", "split-head", "split-channels", ...
  bool exact = true;     // the change is meant to leave the function as it is
  int inputs = 0;        // that were compared
  double largest = 0;    // difference, as a part of an output's range
  double sqnr_db = 0;    // of the worst output; infinite when all are equal
  std::string compared;  // "outputs", "outputs through what was taken off"
};

struct StructureReport {
  std::vector<FixStep> done, left;
  std::vector<StructureProof> proofs;
  std::string decoder;  // of dlpu, for outputs that a cut or a split made; empty: none is known
};

// An exact change may move an output by this part of its range: floats round differently.
inline constexpr double kFloatRounding = 1e-4;

class Structure {
 public:
  // The inputs on which graphs are compared: `samples` of the set, as the graph's inputs take them.
  static Result<Structure> Make(const Graph& graph, const LoadedModel& model,
                                const InputOptions& input, const CalibrationSet& set,
                                const std::vector<size_t>& samples, int threads);

  // How far two graphs with the same inputs and outputs are apart.
  Status Compare(const std::string& kind, const Graph& before, const Graph& after);

  // Takes off post-processing that has no integer form, if dlpu has a decoder for what is left
  // (`always`: in any case).
  Status CutPostProcessing(Graph& graph, QuantScheme scheme, bool always);
  // Makes outputs of the parts of a concatenation that one scale cannot serve.
  Status SplitHeads(Graph& graph, const TensorFacts& facts, const Graph& of_facts);
  // Gives slices of a convolution's channels that one scale cannot serve a convolution each.
  Status SplitChannels(Graph& graph, const TensorFacts& facts, const Graph& of_facts);
  // Replaces ops as asked for; an error when there is none of them.
  Status Replace(Graph& graph, const Replacement& replacement);

  const StructureReport& report() const { return report_; }

 private:
  // Keeps what was taken off when the old outputs follow from the new ones.
  Status Keep(const std::string& kind, Graph& graph, Graph changed, const Detached& detached);

  std::vector<std::vector<std::vector<uint8_t>>> inputs_;  // by sample, by input
  int threads_ = 0;
  StructureReport report_;
};

std::string StructureText(const StructureReport& report);
// "structure" of docs/json.md.
nlohmann::ordered_json StructureJson(const StructureReport& report);

}  // namespace dlpu
