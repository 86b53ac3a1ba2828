// SPDX-License-Identifier: Apache-2.0
// Program: a model compiled for one target. It owns everything it needs, holds no pointer into
// the Graph it came from and knows nothing of the host CPU; a Runner chooses kernels when it
// loads one, and the predictor reads the same Program. Plain values; read-only once made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace dlpu {

// Which integer arithmetic the program computes with; see docs/arithmetic.md.
enum class Profile : uint8_t {
  kTfliteReference,  // LiteRT's reference kernels (the default)
  kTfliteBuiltin,    // LiteRT's optimized kernels on x86-64 with AVX
  kXnnpack,          // XNNPACK
};
std::string_view ProfileName(Profile profile);
std::optional<Profile> ProfileFromName(std::string_view name);

// The processor of the target that a step runs on.
enum class Engine : uint8_t { kDlpu, kCpu };
std::string_view EngineName(Engine engine);  // "dlpu", "cpu"

// What a step costs, in units that do not depend on a machine.
struct Work {
  int64_t macs = 0;          // multiply-accumulates
  int64_t vector_ops = 0;    // element operations that are not multiply-accumulates
  int64_t input_bytes = 0;   // activations read
  int64_t weight_bytes = 0;  // constants read
  int64_t output_bytes = 0;  // activations written
};

struct Step {
  Node node;  // ids refer to Program::tensors
  Engine engine = Engine::kCpu;
  Work work;
  int32_t part = 0;  // of the target's partition; parts run one after another
  Profile profile = Profile::kTfliteReference;  // the engine's arithmetic
};

struct Program {
  std::string name;
  std::string target;                           // a name from data/targets
  std::string source_sha256;                    // of the model file; empty when there is none
  Profile profile = Profile::kTfliteReference;  // of the steps on the target's main engine
  std::map<std::string, std::vector<uint8_t>> metadata;  // by name, as in the model file
  std::vector<Tensor> tensors;
  std::vector<Step> steps;  // in execution order
  std::vector<TensorId> inputs, outputs;
  std::vector<int64_t> offsets;  // of each tensor in the arena, in bytes; -1: not in the arena
  int64_t arena_bytes = 0;
};

// Offsets are multiples of this; the arena has as much readable slack behind its end, because
// vector kernels read whole registers.
inline constexpr int64_t kArenaAlignment = 64;
inline constexpr int64_t kArenaSlack = 256;

}  // namespace dlpu
