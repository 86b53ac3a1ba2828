// SPDX-License-Identifier: Apache-2.0
// Reads the headers of Ambarella CVflow network files, as CV25 (generation 2, "cavalry" files) and
// CV75 (generation 3) load them: graphs, inputs and outputs. The programs themselves stay opaque.
// Plain values; any thread.
//
// The format is not published. What is read here holds on compiled files of the Axis model zoo: all
// of a file is header, records and blocks, and their sizes add up to the size of the file.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dlpu {

// Elements of a port.
struct CvflowType {
  bool is_float = false, is_signed = false;
  int bits = 8;
  int exponent = 0;  // value = code x 2^-exponent; 0 for floats
  bool operator==(const CvflowType&) const = default;
};
// "uint8", "int8 x 2^-2", "float16".
std::string CvflowTypeText(const CvflowType& type);

struct CvflowPort {
  std::string name;               // as in the source model
  std::string link;               // between graphs, '/' replaced by "__"
  std::array<int64_t, 4> dims{};  // N, C, H, W
  int64_t pitch = 0;              // bytes from row to row
  int64_t bytes = 0;              // with that pitch
  int64_t packed_bytes = 0;       // generation 3: with rows padded to 32 bytes; else equal
  uint32_t layout = 0;            // 0x2000: linear; others only between graphs
  CvflowType type;
  std::string parent;         // tensor that this output is a slice of; empty: none
  int64_t parent_offset = 0;  // bytes
  std::array<int64_t, 4> parent_dims{};
  int64_t parent_pitch = 0, parent_bytes = 0;
};

// Part of the network that fits the on-chip memory.
struct CvflowGraph {
  std::string name;
  int64_t working_bytes = 0;  // inferred
  int64_t program_bytes = 0;  // program and weights
  int64_t on_chip_bytes = 0;  // inferred
  std::vector<CvflowPort> inputs, outputs;
};

struct CvflowBin {
  int generation = 0;    // 2: CV25, 3: CV75
  uint32_t version = 0;  // the file's first word
  uint32_t tool_id = 0;  // of the program that made it; inferred
  std::vector<CvflowGraph> graphs;
  // Of the network: ports that no graph of it makes, or takes. A slice stands for its parent.
  std::vector<CvflowPort> inputs, outputs;

  int64_t program_bytes() const;
  int64_t peak_on_chip_bytes() const;
};

// Generation of a CVflow file by its first bytes; 0 when it is none.
int CvflowGeneration(std::span<const uint8_t> bytes);

// `name` is how messages call the file. Errors say what is damaged or cut off.
Result<CvflowBin> ReadCvflowBin(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace dlpu
