// SPDX-License-Identifier: Apache-2.0
// The kinds of fixes in order; each is applied to a copy, proved, and kept or dropped.
#include "app/fix.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "app/fix_proof.h"
#include "formats/tflite_versions.h"
#include "ir/verify.h"
#include "passes/rewrite.h"
#include "vision/head.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCut = "cut-post-processing";
constexpr const char* kVersions = "lower-versions";
constexpr const char* kNotCompared =
    "nothing: dlpu cannot run what was cut off; the layers that stay are the file's own";

Detached Plain(Rewrites rewrites) { return {std::move(rewrites), {}, {}, {}}; }

// Op versions as low as they can be. What keeps a higher one is said once for each op and reason.
Rewrites LowerVersions(Graph& graph) {
  Rewrites rewrites;
  std::map<std::tuple<std::string, int, std::string>, std::vector<std::string>> kept;
  for (Node& node : graph.nodes) {
    const std::optional<LowestVersion> lowest = LowestVersionOf(graph, node);
    const std::string op = NodeOpName(node);
    if (!lowest.has_value()) {
      if (node.version > 1) kept[{op, node.version, ""}].push_back(node.name);
      continue;
    }
    if (node.version > lowest->version) {
      rewrites.done.push_back(
          {node.name, fmt::format("{} version {} lowered to {}, which means the same here", op,
                                  node.version, lowest->version)});
      node.version = lowest->version;
    } else if (node.version > 1 && !lowest->needs.empty()) {
      kept[{op, node.version, lowest->needs}].push_back(node.name);
    }
  }
  for (const auto& [key, names] : kept) {
    const auto& [op, version, needs] = key;
    const std::string why = needs.empty() ? "dlpu does not know what a lower one would mean"
                                          : fmt::format("{} need it", needs);
    rewrites.left.push_back({names[0], fmt::format("{} stays at version {} ({} nodes): {}", op,
                                                   version, names.size(), why)});
  }
  return rewrites;
}

std::vector<OutputInfo> OutputsOf(const Graph& graph) {
  std::vector<OutputInfo> outputs;
  for (const TensorId id : graph.outputs) {
    const Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
    const bool quantized = tensor.quantization.present();
    outputs.push_back({tensor.name,
                       {tensor.shape.begin(), tensor.shape.end()},
                       quantized              ? OutputType::kQuantized
                       : IsFloat(tensor.type) ? OutputType::kFloat
                                              : OutputType::kInteger});
  }
  return outputs;
}

HeadKind HeadOf(const Graph& graph) {
  int height = 0, width = 0;
  if (!graph.inputs.empty()) {
    const Shape& shape = graph.tensors[static_cast<size_t>(graph.inputs[0])].shape;
    if (shape.size() == 4) height = shape[1], width = shape[2];
  }
  return RecogniseHead(OutputsOf(graph), width, height).kind;
}

// Nothing but changes of the representation: no decoder is needed in their place.
bool OnlyConverts(const Graph& tail) {
  return std::all_of(tail.nodes.begin(), tail.nodes.end(), [](const Node& node) {
    return node.op == Op::kQuantize || node.op == Op::kDequantize || node.op == Op::kReshape;
  });
}

// Random runs so many that all outputs, kept for comparing, take half a gigabyte at most.
int RunsThatFit(const Graph& graph, int random) {
  int64_t bytes = 1;
  for (const auto* ids : {&graph.inputs, &graph.outputs}) {
    for (const TensorId id : *ids) {
      const Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
      bytes += std::min(ByteCount(tensor.type, tensor.shape), int64_t{1} << 40);
    }
  }
  return static_cast<int>(std::clamp<int64_t>((int64_t{1} << 29) / bytes - 3, 1, random));
}

class Fixer {
 public:
  Fixer(const LoadedModel& model, const Target& target, const FixOptions& options)
      : target_(target), options_(options) {
    report_.graph = model.graph;
  }

  Result<FixReport> Run() {
    DLPU_RETURN_IF_ERROR(Check());
    settings_.threads = options_.threads;
    inputs_ = ProofInputs(report_.graph, RunsThatFit(report_.graph, options_.random_inputs),
                          options_.seed);
    Result<std::vector<TensorBytes>> before = RunAll(report_.graph, inputs_, settings_);
    if (!before.ok() && Asked(kCut)) before = CutWhatCannotRun(before.error());
    if (!before.ok()) {
      return Error{before.error().code, fmt::format("nothing can be fixed, because dlpu cannot run "
                                                    "the model to prove it: {}",
                                                    before.error().message)};
    }
    outputs_ = *std::move(before);
    for (const std::string& kind : FixKinds()) {
      if (Asked(kind)) DLPU_RETURN_IF_ERROR(Apply(kind));
    }
    return std::move(report_);
  }

 private:
  Status Check() const {
    for (const std::string& kind : options_.only) {
      if (std::find(FixKinds().begin(), FixKinds().end(), kind) == FixKinds().end()) {
        return InvalidError(
            fmt::format("there is no fix '{}'; there are {}", kind, fmt::join(FixKinds(), ", ")));
      }
    }
    for (const Node& node : report_.graph.nodes) {
      if (node.op == Op::kUnknown) continue;
      DLPU_RETURN_IF_ERROR(CheckArity(OpContext(report_.graph.tensors, node)));
    }
    return OkStatus();
  }

  bool Asked(const std::string& kind) const { return options_.only.empty() || ByName(kind); }
  bool ByName(const std::string& kind) const {
    return std::find(options_.only.begin(), options_.only.end(), kind) != options_.only.end();
  }

  // A model that dlpu cannot run because of its post-processing (a custom op) is compared from
  // behind the cut on: what stays are the file's own layers. Returns its outputs there.
  Result<std::vector<TensorBytes>> CutWhatCannotRun(const Error& why) {
    Graph graph = report_.graph;
    const Detached detached = CutPostProcessing(graph, target_);
    if (detached.rewrites.done.empty()) return why;
    DLPU_RETURN_IF_ERROR(Verify(graph));
    DLPU_TRY(std::vector<TensorBytes> outputs, RunAll(graph, inputs_, settings_));
    report_.decoder = DecoderOf(graph);
    report_.proofs.push_back({kCut, 0, 0, kNotCompared});
    Note(kCut, detached.rewrites.done, report_.done);
    report_.graph = std::move(graph);
    return outputs;
  }

  Detached Rewritten(const std::string& kind, Graph& graph) const {
    if (kind == kCut) return CutPostProcessing(graph, target_);
    if (kind == "split-head") return SplitHeads(graph);
    if (kind == "fold-pads") return Plain(FoldPads(graph));
    if (kind == "fold-transposes") return Plain(FoldTransposes(graph));
    if (kind == "fold-reshapes") return Plain(FoldReshapes(graph));
    return Plain(LowerVersions(graph));
  }

  void Note(const std::string& kind, const std::vector<Rewrite>& rewrites,
            std::vector<FixStep>& steps, const std::string& because = "") const {
    for (const Rewrite& rewrite : rewrites) {
      steps.push_back({kind, rewrite.node, because + rewrite.what});
    }
  }

  Status Apply(const std::string& kind) {
    Graph graph = report_.graph;
    const Detached detached = Rewritten(kind, graph);
    Note(kind, detached.rewrites.left, report_.left);
    if (detached.rewrites.done.empty()) return OkStatus();
    const bool takes_off = !detached.tail.nodes.empty();
    const HeadKind head = HeadOf(graph);
    if (kind == kCut && head == HeadKind::kUnknown && !OnlyConverts(detached.tail) &&
        !ByName(kind)) {
      Note(kind, detached.rewrites.done, report_.left,
           "kept, because dlpu has no decoder for what would be left (ask for this fix by name to "
           "have it all the same): ");
      return OkStatus();
    }
    DLPU_RETURN_IF_ERROR(Verify(graph));
    std::vector<TensorBytes> after;
    const std::string why = Difference(graph, detached, after);
    if (!why.empty()) {
      Note(kind, detached.rewrites.done, report_.left, "not proved (" + why + "): ");
      return OkStatus();
    }
    FixProof proof{kind, static_cast<int>(inputs_.size()), 0,
                   takes_off ? "outputs through what was taken off" : "outputs"};
    for (const TensorBytes& run : outputs_) {
      for (const std::vector<uint8_t>& output : run) {
        proof.bytes += static_cast<int64_t>(output.size());
      }
    }
    report_.proofs.push_back(proof);
    Note(kind, detached.rewrites.done, report_.done);
    if (takes_off) report_.decoder = DecoderOf(graph);
    report_.graph = std::move(graph);
    outputs_ = std::move(after);
    return OkStatus();
  }

  // Runs the changed graph; why its results are not the old ones, or empty.
  std::string Difference(const Graph& graph, const Detached& detached,
                         std::vector<TensorBytes>& after) const {
    Result<std::vector<TensorBytes>> run = RunAll(graph, inputs_, settings_);
    if (!run.ok()) return run.error().message;
    const Result<std::vector<TensorBytes>> old = OldOutputs(detached, inputs_, *run, settings_);
    if (!old.ok()) return old.error().message;
    after = *std::move(run);
    return FirstDifference(outputs_, *old);
  }

  const Target& target_;
  const FixOptions& options_;
  RunSettings settings_;
  std::vector<TensorBytes> inputs_, outputs_;  // outputs of report_.graph
  FixReport report_;
};

Json StepsJson(const std::vector<FixStep>& steps) {
  Json list = Json::array();
  for (const FixStep& step : steps) {
    list.push_back({{"kind", step.kind}, {"node", step.node}, {"what", step.what}});
  }
  return list;
}

}  // namespace

const std::vector<std::string>& FixKinds() {
  static const std::vector<std::string> kinds = {
      kCut, "split-head", "fold-pads", "fold-transposes", "fold-reshapes", kVersions};
  return kinds;
}

std::string DecoderOf(const Graph& graph) {
  const HeadKind head = HeadOf(graph);
  return head == HeadKind::kUnknown ? "" : HeadName(head);
}

Result<FixReport> Fix(const LoadedModel& model, const Target& target, const FixOptions& options) {
  if (model.program.has_value()) {
    return InvalidError(
        fmt::format("{}: is compiled already, for {}; fix the model it was made from", model.path,
                    model.program->target));
  }
  return Fixer(model, target, options).Run();
}

std::string FixText(const FixReport& report, bool versions) {
  std::string text;
  for (const FixStep& step : report.done) {
    text += fmt::format("fixed        '{}': {}\n", step.node, step.what);
  }
  for (const FixProof& proof : report.proofs) {
    text += proof.inputs == 0 ? fmt::format("compared     {}: {}\n", proof.kind, proof.compared)
                              : fmt::format("proved       {}: {} equal in {} runs, {} bytes\n",
                                            proof.kind, proof.compared, proof.inputs, proof.bytes);
  }
  for (const FixStep& step : report.left) {
    if (step.kind == kVersions && !versions) continue;
    text += fmt::format("left         '{}': {}\n", step.node, step.what);
  }
  if (!report.decoder.empty()) {
    text +=
        fmt::format("decoder      {} takes the new outputs (dlpu run --input PICTURE shows it)\n",
                    report.decoder);
  }
  return text.empty() ? "nothing to fix\n" : text;
}

Json FixJson(const FixReport& report) {
  Json json = {{"done", StepsJson(report.done)},
               {"left", StepsJson(report.left)},
               {"proofs", Json::array()},
               {"decoder", nullptr}};
  for (const FixProof& proof : report.proofs) {
    json["proofs"].push_back({{"kind", proof.kind},
                              {"inputs", proof.inputs},
                              {"bytes", proof.bytes},
                              {"compared", proof.compared}});
  }
  if (!report.decoder.empty()) json["decoder"] = report.decoder;
  return json;
}

}  // namespace dlpu
