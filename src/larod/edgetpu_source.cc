// SPDX-License-Identifier: Apache-2.0
// Looks for the source of a compiled model by its name and compares what can be compared.
#include "larod/edgetpu_source.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "formats/compiled_sources.h"
#include "formats/tflite.h"
#include "larod.h"

namespace dlpu::larod {
namespace {

constexpr std::string_view kSuffix = "_edgetpu.tflite";

Failure NoSource(std::string cause) {
  return {LAROD_ERROR_LOAD_MODEL, "Could not allocate tensors",
          "an Edge TPU program cannot run here, only the .tflite it was made from: " +
              std::move(cause)};
}

bool SameTensors(const Graph& a, const std::vector<TensorId>& ids_a, const Graph& b,
                 const std::vector<TensorId>& ids_b) {
  if (ids_a.size() != ids_b.size()) return false;
  for (size_t i = 0; i < ids_a.size(); ++i) {
    const Tensor& one = a.tensors[static_cast<size_t>(ids_a[i])];
    const Tensor& other = b.tensors[static_cast<size_t>(ids_b[i])];
    if (one.type != other.type || one.shape != other.shape ||
        one.quantization != other.quantization) {
      return false;
    }
  }
  return true;
}

std::vector<std::string> Places(const std::string& path) {
  std::vector<std::string> folders = {std::filesystem::path(path).parent_path().string()};
  const char* more = std::getenv("DLPU_SOURCES");
  std::istringstream list(more == nullptr ? "" : more);
  for (std::string folder; std::getline(list, folder, ':');) {
    if (!folder.empty()) folders.push_back(folder);
  }
  const std::string file = std::filesystem::path(path).filename().string();
  const std::string source = file.substr(0, file.size() - kSuffix.size()) + ".tflite";
  for (std::string& folder : folders) folder += "/" + source;
  return folders;
}

}  // namespace

namespace {

// The model at that place, if it is the one the file was compiled from.
Outcome<Graph> ReadSource(const Graph& compiled, const std::string& place,
                          std::span<const uint8_t> bytes) {
  auto graph = ReadTflite(bytes, place);
  if (!graph.ok()) return NoSource(graph.error().message);
  if (!SameTensors(compiled, compiled.inputs, *graph, graph->inputs) ||
      !SameTensors(compiled, compiled.outputs, *graph, graph->outputs)) {
    return NoSource(place + " has other inputs or outputs than the compiled file");
  }
  return *std::move(graph);
}

}  // namespace

Outcome<Graph> FindEdgeTpuSource(const Graph& compiled, std::span<const uint8_t> file,
                                 const std::string& path) {
  if (const std::optional<std::string> noted = RegisteredSource(file)) {
    const auto bytes = ReadFile(*noted);
    if (bytes.ok()) return ReadSource(compiled, *noted, *bytes);
  }
  constexpr const char* kOrCompile =
      "; or let `dlpu compile` run the compiler, which notes the source";
  if (path.empty()) {
    return NoSource(std::string("the file has no name by which to find that") + kOrCompile);
  }
  if (!path.ends_with(kSuffix)) {
    return NoSource(fmt::format("{} is not named as the compiler names its files (...{}){}", path,
                                kSuffix, kOrCompile));
  }
  const std::vector<std::string> places = Places(path);
  for (const std::string& place : places) {
    const auto bytes = ReadFile(place);
    if (bytes.ok()) return ReadSource(compiled, place, *bytes);
  }
  return NoSource(
      fmt::format("{} is not there; put it there, or name its folder in $DLPU_SOURCES{}",
                  fmt::join(places, ", "), kOrCompile));
}

}  // namespace dlpu::larod
