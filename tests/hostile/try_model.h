// SPDX-License-Identifier: Apache-2.0
// TryModel: does with untrusted bytes what a user of `dlpu run` does - read, compile, load and run
// them. The hostile-input test and the fuzzer share it. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ir/graph.h"

namespace dlpu::hostile {

enum class Stage {
  kRefusedByReader,
  kRefusedByCompiler,
  kTooLarge,
  kRefusedByRunner,
  kFailed,
  kRan
};

struct Trial {
  Stage stage = Stage::kRefusedByReader;
  std::string error;        // what the user is told; empty when it ran
  int64_t shape_bytes = 0;  // what the tensors of the graph need, by their shapes
};

// Inputs are all zero. A model whose tensors need more than kMaxShapeBytes is not loaded, and one
// of more than kMaxMacs is not run: they cost what they say.
inline constexpr int64_t kMaxShapeBytes = int64_t{64} << 20;
inline constexpr int64_t kMaxMacs = 20'000'000;
Trial TryModel(std::span<const uint8_t> model);
// The same of a compiled .dlpu program.
Trial TryProgram(std::span<const uint8_t> file);

// Bytes of all tensors after every op's shape rule was applied, as far as the rules accept the
// graph. Saturates.
int64_t ShapeBytes(Graph graph);

}  // namespace dlpu::hostile
