// SPDX-License-Identifier: Apache-2.0
// Structural changes, measured.
#include "app/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/error_stats.h"
#include "app/fix_proof.h"
#include "ir/verify.h"
#include "passes/compile.h"
#include "passes/tidy.h"
#include "run/runner.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

std::span<const float> Floats(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

// The outputs of all runs, compared; `graph` says which are float.
StructureProof Difference(const Graph& graph, const std::vector<TensorBytes>& before,
                          const std::vector<TensorBytes>& after) {
  StructureProof proof;
  proof.inputs = static_cast<int>(before.size());
  proof.sqnr_db = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const bool is_float =
        graph.tensors[static_cast<size_t>(graph.outputs[i])].type == DataType::kFloat32;
    ErrorStats stats;
    for (size_t run = 0; run < before.size(); ++run) {
      const auto &x = before[run][i], &y = after[run][i];
      if (x.size() != y.size() || (!is_float && x != y)) {
        proof.largest = 1;
        proof.sqnr_db = -std::numeric_limits<double>::infinity();
      } else if (is_float) {
        stats.Add(Floats(x), Floats(y));
      }
    }
    if (!is_float || stats.values == 0) continue;
    const double span =
        std::max({stats.high - stats.low, std::fabs(stats.low), std::fabs(stats.high)});
    const double largest = span > 0 ? stats.worst / span : stats.worst > 0 ? 1 : 0;
    proof.largest = std::max({proof.largest, largest, stats.not_finite > 0 ? 1.0 : 0.0});
    if (stats.error > 0) proof.sqnr_db = std::min(proof.sqnr_db, stats.sqnr_db());
  }
  return proof;
}

void AddSteps(const std::string& kind, const std::vector<Rewrite>& rewrites,
              std::vector<FixStep>& steps, const std::string& because = "") {
  for (const Rewrite& rewrite : rewrites) {
    steps.push_back({kind, rewrite.node, because + rewrite.what});
  }
}

std::map<std::string, RealRange> RangesByName(const TensorFacts& facts, const Graph& of_facts) {
  std::map<std::string, RealRange> ranges;
  for (size_t t = 0; t < of_facts.tensors.size(); ++t) {
    if (facts.ranges[t]) ranges[of_facts.tensors[t].name] = *facts.ranges[t];
  }
  return ranges;
}

}  // namespace

Result<Structure> Structure::Make(const Graph& graph, const LoadedModel& model,
                                  const InputOptions& input, const CalibrationSet& set,
                                  const std::vector<size_t>& samples, int threads) {
  Structure structure;
  structure.threads_ = threads;
  DLPU_TRY(Program program, Compile(graph, {}));
  DLPU_TRY(const std::unique_ptr<Runner> runner,
           Runner::Load(std::move(program), {.threads = threads}));
  for (const size_t sample : samples) {
    DLPU_TRY(const auto filled, FillSample(*runner, model, input, set, sample));
    TensorBytes bytes;
    for (size_t i = 0; i < runner->input_count(); ++i) {
      const std::span<const uint8_t> in = runner->input(i);
      bytes.emplace_back(in.begin(), in.end());
    }
    structure.inputs_.push_back(std::move(bytes));
  }
  return structure;
}

Status Structure::Compare(const std::string& kind, const Graph& before, const Graph& after) {
  RunSettings settings;
  settings.threads = threads_;
  DLPU_TRY(const std::vector<TensorBytes> a, RunAll(before, inputs_, settings));
  DLPU_TRY(const std::vector<TensorBytes> b, RunAll(after, inputs_, settings));
  StructureProof proof = Difference(after, a, b);
  proof.kind = kind;
  proof.compared = "outputs";
  report_.proofs.push_back(proof);
  return OkStatus();
}

Status Structure::Keep(const std::string& kind, Graph& graph, Graph changed,
                       const Detached& detached) {
  RunSettings settings;
  settings.threads = threads_;
  DLPU_RETURN_IF_ERROR(Verify(changed));
  DLPU_TRY(const std::vector<TensorBytes> before, RunAll(graph, inputs_, settings));
  DLPU_TRY(const std::vector<TensorBytes> after, RunAll(changed, inputs_, settings));
  DLPU_TRY(const std::vector<TensorBytes> old, OldOutputs(detached, inputs_, after, settings));
  StructureProof proof = Difference(graph, before, old);
  if (proof.largest > kFloatRounding) {
    AddSteps(kind, detached.rewrites.done, report_.left,
             fmt::format("not proved (outputs differ by {:.2g} of their range): ", proof.largest));
    return OkStatus();
  }
  proof.kind = kind;
  proof.compared = "outputs through what was taken off";
  report_.proofs.push_back(proof);
  AddSteps(kind, detached.rewrites.done, report_.done);
  graph = std::move(changed);
  report_.decoder = DecoderOf(graph);
  return OkStatus();
}

Status Structure::CutPostProcessing(Graph& graph, QuantScheme scheme, bool always) {
  const std::string kind = "cut-post-processing";
  Graph changed = graph;
  const Detached detached = CutFloatTail(changed, scheme);
  AddSteps(kind, detached.rewrites.left, report_.left);
  if (detached.rewrites.done.empty()) return OkStatus();
  if (!always && DecoderOf(changed).empty()) {
    AddSteps(kind, detached.rewrites.done, report_.left,
             "kept, because dlpu has no decoder for what would be left (--cut-post-processing "
             "does it all the same): ");
    return OkStatus();
  }
  return Keep(kind, graph, std::move(changed), detached);
}

Status Structure::SplitHeads(Graph& graph, const TensorFacts& facts, const Graph& of_facts) {
  Graph changed = graph;
  const Detached detached = dlpu::SplitHeads(changed, RangesByName(facts, of_facts));
  if (detached.rewrites.done.empty()) return OkStatus();
  return Keep("split-head", graph, std::move(changed), detached);
}

Status Structure::SplitChannels(Graph& graph, const TensorFacts& facts, const Graph& of_facts) {
  const std::string kind = "split-channels";
  Graph changed = graph;
  const Rewrites rewrites = dlpu::SplitChannels(changed, RangesByName(facts, of_facts));
  if (rewrites.done.empty()) return OkStatus();
  DLPU_RETURN_IF_ERROR(Verify(changed));
  DLPU_RETURN_IF_ERROR(Compare(kind, graph, changed));
  if (report_.proofs.back().largest > kFloatRounding) {
    AddSteps(kind, rewrites.done, report_.left, "not proved: ");
    report_.proofs.pop_back();
    return OkStatus();
  }
  AddSteps(kind, rewrites.done, report_.done);
  graph = std::move(changed);
  return OkStatus();
}

Status Structure::Replace(Graph& graph, const Replacement& replacement) {
  const std::string kind = ReplacementText(replacement);
  Graph changed = graph;
  const Rewrites rewrites = ReplaceOps(changed, replacement);
  AddSteps(kind, rewrites.left, report_.left);
  if (rewrites.done.empty()) {
    if (!rewrites.left.empty()) return OkStatus();
    return InvalidError(fmt::format("--replace {}: the model has no such op", kind));
  }
  FuseActivations(changed);
  DropUnused(changed);
  DLPU_RETURN_IF_ERROR(Verify(changed));
  DLPU_RETURN_IF_ERROR(Compare(kind, graph, changed));
  report_.proofs.back().exact = replacement.exact;
  AddSteps(kind, rewrites.done, report_.done);
  graph = std::move(changed);
  return OkStatus();
}

std::string StructureText(const StructureReport& report) {
  std::string text;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> done;
  std::vector<std::pair<std::string, std::string>> order;
  for (const FixStep& step : report.done) {
    auto& nodes = done[{step.kind, step.what}];
    if (nodes.empty()) order.emplace_back(step.kind, step.what);
    nodes.push_back(step.node);
  }
  for (const auto& key : order) {
    const std::vector<std::string>& nodes = done[key];
    text += fmt::format("changed '{}'{}: {}\n", nodes[0],
                        nodes.size() > 1 ? fmt::format(" and {} more", nodes.size() - 1) : "",
                        key.second);
  }
  for (const StructureProof& proof : report.proofs) {
    if (proof.kind == "prepare" && proof.largest <= kFloatRounding) continue;
    text += fmt::format("{} {}: {} on {} inputs differ by {:.2g} of their range at most{}\n",
                        proof.exact ? "proved" : "measured", proof.kind, proof.compared,
                        proof.inputs, proof.largest,
                        std::isinf(proof.sqnr_db) ? "" : fmt::format(", {:.1f} dB", proof.sqnr_db));
  }
  for (const FixStep& step : report.left) {
    text += fmt::format("left '{}': {}\n", step.node, step.what);
  }
  if (!report.decoder.empty()) {
    text += fmt::format("dlpu's {} decoder takes the new outputs\n", report.decoder);
  }
  return text;
}

Json StructureJson(const StructureReport& report) {
  const auto steps = [](const std::vector<FixStep>& list) {
    Json json = Json::array();
    for (const FixStep& step : list) {
      json.push_back({{"kind", step.kind}, {"node", step.node}, {"what", step.what}});
    }
    return json;
  };
  Json json = {{"done", steps(report.done)},
               {"left", steps(report.left)},
               {"proofs", Json::array()},
               {"decoder", nullptr}};
  for (const StructureProof& proof : report.proofs) {
    json["proofs"].push_back({{"kind", proof.kind},
                              {"exact", proof.exact},
                              {"inputs", proof.inputs},
                              {"largest_difference", proof.largest},
                              {"sqnr_db", std::isinf(proof.sqnr_db) ? Json() : Json(proof.sqnr_db)},
                              {"compared", proof.compared}});
  }
  if (!report.decoder.empty()) json["decoder"] = report.decoder;
  return json;
}

}  // namespace dlpu
