// SPDX-License-Identifier: Apache-2.0
// Functions of two 8-bit codes (ADD, SUB, MUL, PRELU of quantized tensors) at vector speed. Any
// such function is a table of 65536 codes; where a float formula gives the same code for every
// pair, which is tried out when the function is made, the formula runs instead of the table.
// Read-only once made: any thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cpu.h"
#include "base/fixed_point.h"
#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/byte_pair_row.h"

namespace dlpu {

// The real factor that a multiplier stands for.
inline double RealFactor(const QuantizedMultiplier& m) {
  return std::ldexp(static_cast<double>(m.multiplier), m.shift - 31);
}

// A function of two codes as BytePairFunction takes it.
template <typename Code>
auto BytePairRowOf(Code code) {
  return [code = std::move(code)](uint8_t x, uint8_t* codes) {
    for (int y = 0; y < 256; ++y) codes[y] = code(x, static_cast<uint8_t>(y));
  };
}

// What the function approximates, in real numbers: with u = x - zero_x and v = y - zero_y,
// kSum: scale_x u + scale_y v + zero_out; kProduct: scale_x u v + zero_out; kPrelu: scale_x u +
// zero_out where u >= 0, else scale_y u v + zero_out. Rounded and bounded to codes from low to
// high. x, y and the output have one type.
struct BytePairGuess {
  BytePairForm form = BytePairForm::kSum;
  bool is_signed = false;
  double scale_x = 1, scale_y = 1;
  int32_t zero_x = 0, zero_y = 0, zero_out = 0;
  int32_t low = 0, high = 255;
};

// A row: what runs the float formula. `run` returns null when the row was not built.
struct BytePairRow {
  const char* name;
  CpuFlags needs;
  BytePairRun (*run)();
};
// Best first. The table, which is always right, is not a row: it runs where no row proves exact.
std::span<const BytePairRow> BytePairRows();

class BytePairFunction {
 public:
  // Writes the specification for x: the codes of x with each of the 256 y; all are bytes.
  using Row = std::function<void(uint8_t x, uint8_t* codes)>;
  BytePairFunction(const BytePairGuess& guess, const Row& row, CpuFlags cpu);

  // "byte_pair_avx512", ..., or "byte_pair_table".
  std::string_view row() const { return row_; }
  // out[i] = code of x[i], y[i]; as BytePairRun.
  void Run(const uint8_t* x, bool x_advances, const uint8_t* y, bool y_advances, uint8_t* out,
           int64_t n) const;

 private:
  bool FindFormula(const BytePairGuess& guess);
  bool FindSum(const BytePairGuess& guess, float nearest_x, float nearest_y);
  bool Holds(const BytePairArgs& args) const;

  std::string_view row_ = "byte_pair_table";
  BytePairRun run_ = nullptr;
  BytePairArgs args_;
  std::vector<uint8_t> table_;  // [x][y]; empty when a formula runs
};

// out = function of a and b with broadcasting, over all threads. Operands of `plan`: a, b.
void BroadcastBytePairs(const BroadcastPlan& plan, const BytePairFunction& function,
                        const uint8_t* a, const uint8_t* b, uint8_t* out, ThreadPool& pool);

}  // namespace dlpu
