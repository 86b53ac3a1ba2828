// SPDX-License-Identifier: Apache-2.0
// Compiled files as text and as JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "app/compiled_file.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kTileBytes = 196608;  // narrow memory of each of the 16 tiles, libedgetpu

int64_t Sum(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

// --- Edge TPU --------------------------------------------------------------------------------

void AddLayers(const std::vector<EdgeTpuLayer>& layers, const char* side, Table& table) {
  for (const EdgeTpuLayer& layer : layers) {
    table.AddRow({side, fmt::format("{}x{}x{}", layer.y, layer.x, layer.z), layer.type,
                  fmt::format("{}", layer.scale), std::to_string(layer.zero_point),
                  std::to_string(layer.bytes), layer.name});
  }
}

std::string RuntimeText(const EdgeTpuPackage& package) {
  if (!package.min_runtime_version.has_value()) return "any runtime (made before packages)";
  const int version = *package.min_runtime_version;
  std::string text = fmt::format("runtime {} or newer", version);
  if (version > kEdgeTpuNewestRuntime) {
    text += fmt::format(", which no known driver has (the newest is {})", kEdgeTpuNewestRuntime);
  } else if (version < 10) {
    text += " (the driver warns below 10)";
  }
  return text;
}

std::string PackageText(const EdgeTpuPackage& package) {
  const EdgeTpuExecutable& main = package.Main();
  std::string text =
      fmt::format("\nEdge TPU     {}, chip '{}', compiler '{}', node {}\n", RuntimeText(package),
                  main.chip, package.compiler_version, package.node);
  text += fmt::format("parameters   {} kept on the chip, {} sent for every inference\n",
                      BytesText(package.cached_bytes()), BytesText(package.streamed_bytes()));
  text += fmt::format("activations  {} of {} bytes of each tile, {} bytes outside the chip\n",
                      main.narrow_bytes_per_tile, kTileBytes, main.scratch_bytes);
  text +=
      main.estimated_cycles.has_value()
          ? fmt::format("cycles       {} by the compiler's own estimate\n", *main.estimated_cycles)
          : "cycles       not stated: newer compilers leave their estimate out\n";
  Table executables({"executable", ">instructions", ">parameters", "token"});
  for (const EdgeTpuExecutable& e : package.executables) {
    executables.AddRow({std::string(EdgeTpuExecutableTypeName(e.type)),
                        fmt::format("{}", fmt::join(e.instruction_bytes, " + ")),
                        std::to_string(e.parameter_bytes),
                        fmt::format("{:016x}", e.caching_token)});
  }
  Table layers({"layer", "extents", "type", "scale", ">zero", ">bytes", "name"});
  AddLayers(main.inputs, "input", layers);
  AddLayers(main.outputs, "output", layers);
  return text + executables.Text() + layers.Text();
}

Json LayersJson(const std::vector<EdgeTpuLayer>& layers) {
  Json list = Json::array();
  for (const EdgeTpuLayer& layer : layers) {
    Json row = {{"name", layer.name},
                {"y", layer.y},
                {"x", layer.x},
                {"z", layer.z},
                {"type", layer.type},
                {"scale", layer.scale},
                {"zero_point", layer.zero_point},
                {"bytes", layer.bytes},
                {"executions", layer.executions}};
    if (!layer.shape.empty()) row["shape"] = layer.shape;
    list.push_back(std::move(row));
  }
  return list;
}

Json ExecutableJson(const EdgeTpuExecutable& e) {
  Json json = {{"type", EdgeTpuExecutableTypeName(e.type)},
               {"batch", e.batch},
               {"instruction_bytes", Sum(e.instruction_bytes)},
               {"instruction_chunks", e.instruction_bytes},
               {"parameter_bytes", e.parameter_bytes},
               {"scratch_bytes", e.scratch_bytes},
               {"narrow_bytes_per_tile", e.narrow_bytes_per_tile},
               {"caching_token", fmt::format("{:016x}", e.caching_token)},
               {"estimated_cycles", nullptr},
               {"dma",
                {{"input_bytes", e.dma.input},
                 {"output_bytes", e.dma.output},
                 {"parameter_bytes", e.dma.parameters},
                 {"scratch_in_bytes", e.dma.scratch_in},
                 {"scratch_out_bytes", e.dma.scratch_out},
                 {"instruction_bytes", e.dma.instructions},
                 {"deterministic", e.dma.deterministic}}},
               {"inputs", LayersJson(e.inputs)},
               {"outputs", LayersJson(e.outputs)}};
  if (e.estimated_cycles.has_value()) json["estimated_cycles"] = *e.estimated_cycles;
  return json;
}

// --- CVflow ----------------------------------------------------------------------------------

std::string DimsText(const std::array<int64_t, 4>& dims) {
  return fmt::format("{}", fmt::join(dims, "x"));
}

void AddPorts(const std::vector<CvflowPort>& ports, const char* side, Table& table) {
  for (const CvflowPort& port : ports) {
    table.AddRow({side, DimsText(port.dims), CvflowTypeText(port.type), std::to_string(port.pitch),
                  std::to_string(port.bytes), port.name});
  }
}

Json PortsJson(const std::vector<CvflowPort>& ports) {
  Json list = Json::array();
  for (const CvflowPort& port : ports) {
    Json row = {{"name", port.name},
                {"shape", port.dims},
                {"type", CvflowTypeText(port.type)},
                {"bits", port.type.bits},
                {"exponent", port.type.exponent},
                {"pitch_bytes", port.pitch},
                {"bytes", port.bytes},
                {"packed_bytes", port.packed_bytes}};
    if (!port.parent.empty()) row["slice_of"] = port.parent;
    list.push_back(std::move(row));
  }
  return list;
}

const char* ChipOf(const CvflowBin& bin) { return bin.generation == 2 ? "CV25" : "CV75"; }

}  // namespace

std::string EdgeTpuText(const std::vector<EdgeTpuPackage>& packages) {
  std::string text;
  for (const EdgeTpuPackage& package : packages) text += PackageText(package);
  return text;
}

Json EdgeTpuJson(const std::vector<EdgeTpuPackage>& packages) {
  Json list = Json::array();
  for (const EdgeTpuPackage& package : packages) {
    Json json = {{"node", package.node},
                 {"min_runtime_version", nullptr},
                 {"compiler_version", package.compiler_version},
                 {"chip", package.Main().chip},
                 {"cached_bytes", package.cached_bytes()},
                 {"streamed_bytes", package.streamed_bytes()},
                 {"executables", Json::array()}};
    if (package.min_runtime_version.has_value()) {
      json["min_runtime_version"] = *package.min_runtime_version;
    }
    for (const EdgeTpuExecutable& e : package.executables) {
      json["executables"].push_back(ExecutableJson(e));
    }
    list.push_back(std::move(json));
  }
  return list;
}

std::string CvflowText(const CvflowBin& bin) {
  std::string text = fmt::format(
      "CVflow       generation {} ({}), version {:#010x}, tool {:x}\n"
      "memory       {} of programs and weights in {} graphs, at most {} on the chip\n",
      bin.generation, ChipOf(bin), bin.version, bin.tool_id, BytesText(bin.program_bytes()),
      bin.graphs.size(), BytesText(bin.peak_on_chip_bytes()));
  Table ports({"port", "N x C x H x W", "type", ">pitch", ">bytes", "name"});
  AddPorts(bin.inputs, "input", ports);
  AddPorts(bin.outputs, "output", ports);
  Table graphs({"graph", ">program", ">on chip", ">inputs", ">outputs"});
  for (const CvflowGraph& graph : bin.graphs) {
    graphs.AddRow({graph.name, std::to_string(graph.program_bytes),
                   std::to_string(graph.on_chip_bytes), std::to_string(graph.inputs.size()),
                   std::to_string(graph.outputs.size())});
  }
  return text + ports.Text() + "\n" + graphs.Text();
}

Json CvflowJson(const CvflowBin& bin) {
  Json json = {{"generation", bin.generation},
               {"chip", ChipOf(bin)},
               {"version", bin.version},
               {"tool_id", bin.tool_id},
               {"program_bytes", bin.program_bytes()},
               {"on_chip_bytes", bin.peak_on_chip_bytes()},
               {"inputs", PortsJson(bin.inputs)},
               {"outputs", PortsJson(bin.outputs)},
               {"graphs", Json::array()}};
  for (const CvflowGraph& graph : bin.graphs) {
    json["graphs"].push_back({{"name", graph.name},
                              {"program_bytes", graph.program_bytes},
                              {"working_bytes", graph.working_bytes},
                              {"on_chip_bytes", graph.on_chip_bytes},
                              {"inputs", PortsJson(graph.inputs)},
                              {"outputs", PortsJson(graph.outputs)}});
  }
  return json;
}

}  // namespace dlpu
