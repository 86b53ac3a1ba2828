// SPDX-License-Identifier: Apache-2.0
// Reads what the Edge TPU Compiler put into a .tflite file: the package in the options of each
// "edgetpu-custom-op" node, with its executables, layers and parameters. Plain values; any thread.
// Sources: the schema and rules of google-coral/libedgetpu's driver, and compiled files of
// google-coral/test_data.
//
// Three kinds of file exist: a package with a parameter-caching and an execution executable (what
// a compiler of today writes), a package with one stand-alone executable, and, from before
// packages, bare executables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

inline constexpr const char* kEdgeTpuOpName = "edgetpu-custom-op";
// The newest runtime version that libedgetpu's last driver takes.
inline constexpr int kEdgeTpuNewestRuntime = 14;

// An input or output of an executable.
struct EdgeTpuLayer {
  std::string name;         // that of the TensorFlow Lite tensor
  int y = 1, x = 1, z = 1;  // extents; a vector is 1, 1, N
  std::vector<int> shape;   // of newer files' outputs, 2 to 5 extents; else empty
  std::string type;         // "uint8", "int8", "int16", "int32", "bfloat16", "float16", "float32"
  float scale = 0;
  int zero_point = 0;  // of the TensorFlow Lite tensor (the file's own are unsigned)
  int64_t bytes = 0;   // on the wire: padded, and for all executions of one inference
  int executions = 1;  // for each inference
};

enum class EdgeTpuExecutableType { kStandAlone, kParameterCaching, kExecutionOnly };
// "stand-alone", "parameter caching", "execution".
std::string_view EdgeTpuExecutableTypeName(EdgeTpuExecutableType type);

// Sums of the DMA hints, bytes of one inference.
struct EdgeTpuDma {
  int64_t input = 0, output = 0, parameters = 0;
  int64_t scratch_in = 0, scratch_out = 0;  // activations that the chip has no room for
  int64_t instructions = 0;                 // chunks sent, each in full
  bool deterministic = false;               // false: parts of the sequence are decided at run time
};

struct EdgeTpuExecutable {
  EdgeTpuExecutableType type = EdgeTpuExecutableType::kStandAlone;
  std::string name;
  std::string chip;  // "beagle": the Edge TPU
  int batch = 1;
  int64_t scratch_bytes = 0;
  std::vector<int64_t> instruction_bytes;  // of each bitstream
  int64_t parameter_bytes = 0;
  std::optional<int64_t> estimated_cycles;  // only compilers of 2020 and 2021 wrote it
  int64_t narrow_bytes_per_tile = 0;        // activation memory; 0: not stated
  uint64_t caching_token = 0;               // the same in all that share a parameter cache
  std::vector<EdgeTpuLayer> inputs, outputs;
  EdgeTpuDma dma;
};

struct EdgeTpuPackage {
  std::string node;                        // the node's name in the graph
  std::optional<int> min_runtime_version;  // absent in files from before packages
  std::string compiler_version;            // a build number; no version of edgetpu_compiler
  std::string model_identifier;
  std::vector<int> chip_enum;  // as newer compilers number chips; EdgeTpuExecutable::chip decides
  std::optional<int> execution_preference;  // -1: none
  std::vector<EdgeTpuExecutable> executables;

  // The executable that computes: the stand-alone one, else the execution-only one.
  const EdgeTpuExecutable& Main() const;
  int64_t cached_bytes() const;    // parameters kept on the chip between inferences
  int64_t streamed_bytes() const;  // parameters sent to the chip for every inference
};

// Whether any node is compiled for the Edge TPU.
bool HasEdgeTpuNode(const Graph& graph);

// The package of each Edge TPU node, in the order of the nodes; empty when there is none. Errors
// name the graph and what is damaged, missing or contradicts the node.
Result<std::vector<EdgeTpuPackage>> ReadEdgeTpuPackages(const Graph& graph);

// One node's custom options. `inputs` and `outputs` are not checked against any node.
Result<EdgeTpuPackage> ReadEdgeTpuOptions(std::span<const uint8_t> custom_options);

}  // namespace dlpu
