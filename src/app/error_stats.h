// SPDX-License-Identifier: Apache-2.0
// How far two lists of values are apart. Sums are taken in the order values come, so equal inputs
// give equal numbers. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ir/graph.h"

namespace dlpu {

struct ErrorStats {
  double signal = 0;  // sum of reference^2
  double error = 0;   // sum of (other - reference)^2
  double dot = 0, other = 0;
  double worst = 0;          // largest |other - reference|
  double low = 0, high = 0;  // of the reference
  int64_t values = 0;
  int64_t not_finite = 0;  // values of either side that are no numbers; counted nowhere else
  // Values whose code differs, by how many codes: [0] equal, [1] by one, ... [4] by more than
  // three.
  std::array<int64_t, 5> code_distance = {};
  int64_t worst_code = 0;

  void Add(std::span<const float> reference, std::span<const float> values_of_other);
  // Codes of one type; floats count as equal or far apart.
  void AddCodes(DataType type, std::span<const uint8_t> reference, std::span<const uint8_t> bytes);

  bool equal() const { return error == 0 && not_finite == 0; }
  // 10 log10(signal / error): infinity without an error, minus infinity without a signal.
  double sqnr_db() const;
  double cosine() const;     // 1 when both are zero
  double differing() const;  // share of codes that differ, 0..1
};

}  // namespace dlpu
