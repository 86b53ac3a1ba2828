// SPDX-License-Identifier: Apache-2.0
// The compile report as text and JSON.
#include "report/compile_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "report/table.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;
using Where = Support::Where;

std::string PartsText(int count) { return fmt::format("{} part{}", count, count == 1 ? "" : "s"); }

std::string WhereText(Where where) {
  switch (where) {
    case Where::kDlpu:
      return "dlpu";
    case Where::kCpu:
      return "cpu";
    case Where::kRefused:
      return "refused";
    case Where::kUnknown:
      return "unknown";
  }
  return "";
}

int64_t CrossingBytes(const Partition& partition) {
  int64_t bytes = 0;
  for (const Cut& cut : partition.cuts) bytes += cut.bytes;
  return bytes;
}

// A converter joins the names of what it fused with ';': the first is enough to find the layer.
std::string ShortName(const std::string& name) { return name.substr(0, name.find(';')); }

// "CONV_2D 'up1'".
std::string NodeText(const Graph& graph, int node) {
  return fmt::format("{} '{}'", NodeOpName(graph.nodes[node]), ShortName(graph.nodes[node].name));
}

std::string CutsText(const Graph& graph, const Partition& partition) {
  if (partition.cuts.empty()) return "";
  Table table({">from part", ">to part", ">bytes", "type", "tensor", "written by"});
  for (const Cut& cut : partition.cuts) {
    const Tensor& tensor = graph.tensors[cut.tensor];
    table.AddRow({std::to_string(cut.from_part), std::to_string(cut.to_part),
                  std::to_string(cut.bytes), std::string(DataTypeName(tensor.type)),
                  ShortName(tensor.name), NodeText(graph, cut.producer)});
  }
  return "\nwhat crosses between parts:\n" + table.Text();
}

}  // namespace

std::string PartitionSummary(const Partition& partition) {
  const int dlpu = partition.Count(Where::kDlpu), unknown = partition.Count(Where::kUnknown);
  const int all = static_cast<int>(partition.nodes.size());
  if (unknown > 0) {
    return fmt::format("{} ops, of which the vendor's compiler alone knows where they run", all);
  }
  std::string text =
      fmt::format("{} of {} ops on the DLPU in {}, {} on the CPU in {}", dlpu, all,
                  PartsText(partition.dlpu_parts), all - dlpu, PartsText(partition.cpu_parts));
  if (!partition.cuts.empty()) {
    text +=
        fmt::format("; {} cross between them in every run", BytesText(CrossingBytes(partition)));
  }
  return text;
}

std::string PartitionText(const Graph& graph, const Target& target, const Partition& partition) {
  // Nodes of one op and one reason are a row.
  std::map<std::pair<std::string, std::string>, std::vector<int>> groups;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const int node = static_cast<int>(i);
    const std::string where = WhereText(partition.nodes[i].where);
    groups[{where + " " + NodeOpName(graph.nodes[i]), WhyThere(graph, target, partition, node)}]
        .push_back(node);
  }
  Table table({"runs on", "op", ">nodes", "first layer", "why"});
  for (const auto& [key, nodes] : groups) {
    const Node& first = graph.nodes[nodes[0]];
    table.AddRow({WhereText(partition.nodes[nodes[0]].where), NodeOpName(first),
                  std::to_string(nodes.size()), ShortName(first.name), key.second});
  }
  return PartitionSummary(partition) + "\n" + table.Text() + CutsText(graph, partition);
}

std::string BlockersText(const Graph& graph, const std::vector<Blocker>& blockers) {
  std::string text;
  for (const Blocker& blocker : blockers) {
    std::map<std::string, int> ops;
    for (const int node : blocker.gained) ++ops[NodeOpName(graph.nodes[node])];
    std::string gained;
    for (const auto& [op, count] : ops) {
      gained += fmt::format("{}{} {}", gained.empty() ? "" : ", ", count, op);
    }
    const std::string node = NodeText(graph, blocker.node);
    if (blocker.dependents.empty()) {
      text += fmt::format("blocker: {} cuts the model; on the DLPU there would be {}\n", node,
                          PartsText(blocker.parts));
      continue;
    }
    text += fmt::format(
        "blocker: {} keeps {} op{} off the DLPU; if it ran there, {} more would ({}), in {}\n",
        node, blocker.dependents.size(), blocker.dependents.size() == 1 ? "" : "s",
        blocker.gained.size(), gained, PartsText(blocker.parts));
  }
  return text;
}

std::string TilesText(const Graph& graph, const TilePlan& plan, const TargetTiles& tiles) {
  std::string text = fmt::format(
      "parameters   {} compiled, {} kept on the chip, {} sent in every run (counting on {} of "
      "cache)\n",
      BytesText(plan.parameter_bytes), BytesText(plan.cached_bytes), BytesText(plan.streamed_bytes),
      BytesText(plan.cache_bytes));
  if (plan.peak_node >= 0) {
    text += fmt::format("activations  about {} in a tile of {}, at {}{}\n",
                        BytesText(plan.peak_tile_bytes), BytesText(tiles.tile_bytes),
                        NodeText(graph, plan.peak_node),
                        plan.peak_tile_bytes > tiles.tile_bytes ? ": in several passes" : "");
  }
  text += fmt::format("cycles       {:.0f} (no transfers), in and out {} and {}; {}\n", plan.cycles,
                      BytesText(plan.input_bytes), BytesText(plan.output_bytes),
                      ConfidenceName(tiles.fact.confidence));
  if (plan.streamed_bytes == 0) return text;
  Table table({">bytes", ">cached", ">streamed", "layer"});
  for (const ParameterPlace& place : plan.parameters) {
    if (place.cached == place.bytes) continue;
    table.AddRow({std::to_string(place.bytes), std::to_string(place.cached),
                  std::to_string(place.bytes - place.cached),
                  ShortName(graph.nodes[place.node].name)});
  }
  return text + "layers that do not fit the cache:\n" + table.Text();
}

Json PartitionJson(const Graph& graph, const Target& target, const Partition& partition,
                   const std::vector<Blocker>& blockers) {
  Json json = {{"dlpu_ops", partition.Count(Where::kDlpu)},
               {"cpu_ops", partition.Count(Where::kCpu)},
               {"unknown_ops", partition.Count(Where::kUnknown)},
               {"refused_ops", partition.Count(Where::kRefused)},
               {"dlpu_parts", partition.dlpu_parts},
               {"cpu_parts", partition.cpu_parts},
               {"partitions", partition.parts.size()},
               {"crossing_bytes", CrossingBytes(partition)},
               {"cuts", Json::array()},
               {"cpu_nodes", Json::array()},
               {"blockers", Json::array()}};
  for (const Cut& cut : partition.cuts) {
    json["cuts"].push_back({{"tensor", graph.tensors[cut.tensor].name},
                            {"producer", graph.nodes[cut.producer].name},
                            {"from_part", cut.from_part},
                            {"to_part", cut.to_part},
                            {"bytes", cut.bytes}});
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const NodePlace& place = partition.nodes[i];
    if (place.where == Where::kDlpu || place.where == Where::kUnknown) continue;
    json["cpu_nodes"].push_back({{"op", NodeOpName(graph.nodes[i])},
                                 {"name", graph.nodes[i].name},
                                 {"part", place.part},
                                 {"supported", place.supported},
                                 {"why", WhyThere(graph, target, partition, static_cast<int>(i))}});
  }
  for (const Blocker& blocker : blockers) {
    json["blockers"].push_back({{"op", NodeOpName(graph.nodes[blocker.node])},
                                {"name", graph.nodes[blocker.node].name},
                                {"dependents", blocker.dependents.size()},
                                {"gained_ops", blocker.gained.size()},
                                {"partitions_without", blocker.parts}});
  }
  return json;
}

Json TilesJson(const TilePlan& plan, const TargetTiles& tiles) {
  return {{"parameter_bytes", plan.parameter_bytes},
          {"cached_bytes", plan.cached_bytes},
          {"streamed_bytes", plan.streamed_bytes},
          {"cache_bytes", plan.cache_bytes},
          {"tile_bytes", plan.peak_tile_bytes},
          {"tile_limit_bytes", tiles.tile_bytes},
          {"cycles", plan.cycles},
          {"input_bytes", plan.input_bytes},
          {"output_bytes", plan.output_bytes},
          {"confidence", ConfidenceName(tiles.fact.confidence)}};
}

}  // namespace dlpu
