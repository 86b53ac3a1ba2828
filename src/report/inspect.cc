// SPDX-License-Identifier: Apache-2.0
// Inspection reports.
#include "report/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "ir/quantization_style.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

std::map<std::string, int> CountOps(const Graph& graph) {
  std::map<std::string, int> counts;
  for (const Node& node : graph.nodes) ++counts[NodeOpName(node)];
  return counts;
}

void AddTensorLines(const std::vector<TensorId>& ids, const std::vector<Tensor>& tensors,
                    const char* what, std::string& text) {
  for (const TensorId id : ids) {
    const Tensor& tensor = tensors[id];
    text += fmt::format("{:<12} {}  {}  {}\n", what, tensor.name, ShapeText(tensor.shape),
                        TypeText(tensor));
  }
}

struct Life {
  int first = -1, last = -1;
};

std::vector<Life> LivesOf(const Program& program) {
  std::vector<Life> lives(program.tensors.size());
  const auto touch = [&](TensorId id, int step) {
    Life& life = lives[id];
    if (life.last < 0) life.first = step;
    life.last = std::max(life.last, step);
  };
  for (const TensorId id : program.inputs) touch(id, 0);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    for (const TensorId id : program.steps[i].node.inputs) {
      if (id != kNoTensor) touch(id, static_cast<int>(i));
    }
    for (const TensorId id : program.steps[i].node.outputs) touch(id, static_cast<int>(i));
  }
  for (const TensorId id : program.outputs) touch(id, static_cast<int>(program.steps.size()));
  return lives;
}

bool OnDlpu(const Step& step) { return step.engine == Engine::kDlpu; }

// Where a program's steps run, when it was made for a target; and what it was made from.
std::string PlacesText(const Program& program) {
  const auto dlpu = std::count_if(program.steps.begin(), program.steps.end(), OnDlpu);
  if (program.target.empty()) return "";
  int parts = 0;
  for (const Step& step : program.steps) parts = std::max(parts, step.part + 1);
  return fmt::format(
      "compiled     for {}: {} steps on the DLPU, {} on the CPU, {} part{}; arithmetic {}\n"
      "made from    a file with sha256 {}\n",
      program.target, dlpu, program.steps.size() - dlpu, parts, parts == 1 ? "" : "s",
      ProfileName(program.profile), program.source_sha256);
}

}  // namespace

std::string TypeText(const Tensor& tensor) {
  std::string text(DataTypeName(tensor.type));
  const Quantization& q = tensor.quantization;
  if (!q.present()) return text;
  if (q.per_channel()) return fmt::format("{}, {} scales (axis {})", text, q.scale.size(), q.axis);
  return fmt::format("{}, scale {}, zero point {}", text, q.scale0(), q.zero0());
}

Json TensorJson(const Tensor& tensor) {
  Json json = {{"name", tensor.name},
               {"type", DataTypeName(tensor.type)},
               {"shape", tensor.shape},
               {"bytes", ByteCount(tensor.type, tensor.shape)}};
  if (tensor.quantization.present() && !tensor.quantization.per_channel()) {
    json["scale"] = tensor.quantization.scale0();
    json["zero_point"] = tensor.quantization.zero0();
  }
  return json;
}

ModelTotals TotalsOf(const Program& program) {
  ModelTotals totals;
  std::set<TensorId> seen;
  for (const Step& step : program.steps) {
    totals.macs += step.work.macs;
    for (const TensorId id : step.node.inputs) {
      if (id == kNoTensor || !program.tensors[id].is_constant || !seen.insert(id).second) continue;
      totals.parameter_bytes += ByteCount(program.tensors[id].type, program.tensors[id].shape);
    }
  }
  totals.arena_bytes = program.arena_bytes;
  return totals;
}

std::string InspectText(const SourceInfo& source, const Graph& graph, const Program* program) {
  std::string text = fmt::format("model        {}\nfile         {}, sha256 {}\n", source.path,
                                 BytesText(source.bytes), source.sha256);
  AddTensorLines(graph.inputs, graph.tensors, "input", text);
  AddTensorLines(graph.outputs, graph.tensors, "output", text);
  text += fmt::format("quantization {}\n", QuantizationText(SummariseQuantization(graph)));
  text += fmt::format("ops          {}:", graph.nodes.size());
  for (const auto& [op, count] : CountOps(graph)) text += fmt::format(" {} {}", count, op);
  text += '\n';
  if (program != nullptr) {
    const ModelTotals totals = TotalsOf(*program);
    text += fmt::format("work         {}MACs, {} steps after folding\n", CountText(totals.macs),
                        program->steps.size());
    text += fmt::format("memory       {} of parameters, {} of tensors at once\n",
                        BytesText(totals.parameter_bytes), BytesText(totals.arena_bytes));
    text += PlacesText(*program);
  }
  return text;
}

Json InspectJson(const SourceInfo& source, const Graph& graph, const Program* program) {
  Json json = {{"schema_version", kJsonSchemaVersion},
               {"model", source.path},
               {"sha256", source.sha256},
               {"file_bytes", source.bytes},
               {"quantization", QuantizationText(SummariseQuantization(graph))},
               {"ops", Json::object()},
               {"inputs", Json::array()},
               {"outputs", Json::array()}};
  for (const auto& [op, count] : CountOps(graph)) json["ops"][op] = count;
  for (const TensorId id : graph.inputs) json["inputs"].push_back(TensorJson(graph.tensors[id]));
  for (const TensorId id : graph.outputs) json["outputs"].push_back(TensorJson(graph.tensors[id]));
  if (program == nullptr) return json;
  const ModelTotals totals = TotalsOf(*program);
  json["macs"] = totals.macs;
  json["parameter_bytes"] = totals.parameter_bytes;
  json["arena_bytes"] = totals.arena_bytes;
  json["target"] = program->target;
  json["source_sha256"] = program->source_sha256;
  json["steps"] = Json::array();
  for (const Step& step : program->steps) {
    Json row = {{"op", NodeOpName(step.node)},
                {"name", step.node.name},
                {"engine", EngineName(step.engine)},
                {"part", step.part},
                {"macs", step.work.macs},
                {"input_bytes", step.work.input_bytes},
                {"weight_bytes", step.work.weight_bytes},
                {"output_bytes", step.work.output_bytes}};
    if (!step.node.outputs.empty()) {
      row["output_shape"] = program->tensors[step.node.outputs[0]].shape;
    }
    json["steps"].push_back(std::move(row));
  }
  return json;
}

std::string LayersText(const Program& program) {
  Table table({">step", "engine", ">part", "op", "output", "type", ">MACs", ">weights", "layer"});
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    const Tensor& output = program.tensors[step.node.outputs[0]];
    table.AddRow(
        {std::to_string(i), std::string(EngineName(step.engine)), std::to_string(step.part),
         NodeOpName(step.node), ShapeText(output.shape), std::string(DataTypeName(output.type)),
         step.work.macs != 0 ? CountText(step.work.macs) : "",
         step.work.weight_bytes != 0 ? BytesText(step.work.weight_bytes) : "", step.node.name});
  }
  return table.Text();
}

std::string MemoryText(const Program& program) {
  const std::vector<Life> lives = LivesOf(program);
  std::vector<size_t> order;
  for (size_t i = 0; i < lives.size(); ++i) {
    if (program.offsets[i] >= 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lives[a].first < lives[b].first; });
  Table table({">from step", ">to step", ">offset", ">bytes", "tensor"});
  for (const size_t i : order) {
    const Tensor& tensor = program.tensors[i];
    table.AddRow({std::to_string(lives[i].first), std::to_string(lives[i].last),
                  std::to_string(program.offsets[i]),
                  std::to_string(ByteCount(tensor.type, tensor.shape)), tensor.name});
  }
  return table.Text() + fmt::format("arena: {} bytes\n", program.arena_bytes);
}

std::string KernelsText(const Runner& runner) {
  std::string text = fmt::format("cpu features: {} (enabled: {})\n",
                                 CpuFlagNames(DetectedCpuFlags()), CpuFlagNames(EnabledCpuFlags()));
  Table table({">step", "op", "kernel", "layer"});
  for (size_t i = 0; i < runner.program().steps.size(); ++i) {
    const Node& node = runner.program().steps[i].node;
    table.AddRow({std::to_string(i), NodeOpName(node), runner.row(i), node.name});
  }
  return text + table.Text();
}

}  // namespace dlpu
