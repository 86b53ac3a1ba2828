// SPDX-License-Identifier: Apache-2.0
// Functions of two codes: the formula that was chosen, on every row this CPU has, against the
// specification, for all 65536 pairs and for all kinds of runs.
#include "kernels/elementwise/byte_pair.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "kernels/elementwise/quantized.h"

namespace dlpu {
namespace {

constexpr uint32_t kSeed = 77;

struct Function {
  BytePairGuess guess;
  std::function<uint8_t(uint8_t, uint8_t)> code;
};

int32_t CodeOf(uint8_t byte, bool is_signed) {
  return is_signed ? static_cast<int8_t>(byte) : static_cast<int32_t>(byte);
}

class Random {
 public:
  int Int(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  float Scale() { return std::uniform_real_distribution<float>(0.01f, 0.1f)(engine_); }

 private:
  std::mt19937 engine_{kSeed};
};

// Zero points, type and bounds.
BytePairGuess RandomGuess(Random& random, BytePairForm form) {
  BytePairGuess g;
  g.form = form;
  g.is_signed = random.Int(0, 1) == 1;
  const int least = g.is_signed ? -128 : 0;
  g.zero_x = least + random.Int(0, 255);
  g.zero_y = least + random.Int(0, 255);
  g.zero_out = least + random.Int(0, 255);
  g.low = random.Int(0, 2) == 0 ? g.zero_out : least;
  g.high = random.Int(0, 4) == 0 ? std::max(g.low, least + random.Int(0, 255)) : least + 255;
  return g;
}

Function RandomSum(Random& random) {
  Function f;
  f.guess = RandomGuess(random, BytePairForm::kSum);
  const float a = random.Scale(), b = random.Int(0, 3) == 0 ? a : random.Scale();
  const float out = std::max(a, b) * (0.7f + random.Scale() * 10);
  QuantizedSum sum;
  sum.zero_a = f.guess.zero_x;
  sum.zero_b = f.guess.zero_y;
  sum.zero_out = f.guess.zero_out;
  const double twice = 2 * std::max(a, b);
  sum.a = QuantizeMultiplier(a / twice);
  sum.b = QuantizeMultiplier(b / twice);
  sum.out = QuantizeMultiplier(twice / (1048576.0f * out));
  sum.subtract = random.Int(0, 2) == 0;
  sum.low = f.guess.low;
  sum.high = f.guess.high;
  f.guess.scale_x = static_cast<double>(a) / out;
  f.guess.scale_y = (sum.subtract ? -1.0 : 1.0) * b / out;
  f.code = [sum, is_signed = f.guess.is_signed](uint8_t x, uint8_t y) {
    return static_cast<uint8_t>(sum(CodeOf(x, is_signed), CodeOf(y, is_signed)));
  };
  return f;
}

Function RandomProduct(Random& random) {
  Function f;
  f.guess = RandomGuess(random, BytePairForm::kProduct);
  f.guess.scale_x = random.Scale();
  QuantizedProduct product{f.guess.zero_x,   f.guess.zero_y,
                           f.guess.zero_out, QuantizeMultiplier(f.guess.scale_x),
                           f.guess.low,      f.guess.high};
  f.code = [product, is_signed = f.guess.is_signed](uint8_t x, uint8_t y) {
    return static_cast<uint8_t>(product(CodeOf(x, is_signed), CodeOf(y, is_signed)));
  };
  return f;
}

Function RandomPrelu(Random& random) {
  Function f;
  f.guess = RandomGuess(random, BytePairForm::kPrelu);
  f.guess.low = f.guess.is_signed ? -128 : 0;  // there is no activation
  f.guess.high = f.guess.low + 255;
  f.guess.scale_x = random.Scale() * 20;
  f.guess.scale_y = random.Scale();
  QuantizedPrelu prelu{f.guess.zero_x,
                       f.guess.zero_y,
                       f.guess.zero_out,
                       QuantizeMultiplier(f.guess.scale_x),
                       QuantizeMultiplier(f.guess.scale_y),
                       f.guess.low,
                       f.guess.high};
  f.code = [prelu, is_signed = f.guess.is_signed](uint8_t x, uint8_t y) {
    return static_cast<uint8_t>(prelu(CodeOf(x, is_signed), CodeOf(y, is_signed)));
  };
  return f;
}

// All pairs, then runs of many lengths with each operand advancing or not; guards around.
void ExpectEqual(const Function& f, const BytePairFunction& made, Random& random) {
  std::vector<uint8_t> x(65536), y(65536), out(65536);
  for (int i = 0; i < 65536; ++i) {
    x[i] = static_cast<uint8_t>(i >> 8);
    y[i] = static_cast<uint8_t>(i);
  }
  made.Run(x.data(), true, y.data(), true, out.data(), 65536);
  for (int i = 0; i < 65536; ++i) {
    ASSERT_EQ(out[i], f.code(x[i], y[i]))
        << made.row() << ", codes " << (i >> 8) << ", " << (i & 255);
  }
  for (int n = 0; n <= 150; n += random.Int(1, 9)) {
    const bool x_advances = random.Int(0, 3) != 0, y_advances = random.Int(0, 3) != 0;
    std::vector<uint8_t> got(static_cast<size_t>(n) + 64, 0x5A);
    const uint8_t *from_x = x.data() + random.Int(0, 60000),
                  *from_y = y.data() + random.Int(0, 60000);
    made.Run(from_x, x_advances, from_y, y_advances, got.data() + 32, n);
    for (int i = 0; i < n; ++i) {
      ASSERT_EQ(got[32 + i], f.code(from_x[x_advances ? i : 0], from_y[y_advances ? i : 0]));
    }
    for (int i = 0; i < 32; ++i) {
      ASSERT_EQ(got[i], 0x5A);
      ASSERT_EQ(got[32 + n + i], 0x5A);
    }
  }
}

TEST(BytePairFunction, EqualsTheSpecificationOnEveryRow) {
  Random random;
  std::string ran;
  int proven[3] = {}, made[3] = {};
  std::vector<CpuFlags> cpus = {kCpuNone};  // the table
  for (const BytePairRow& row : BytePairRows()) {
    if ((row.needs & ~DetectedCpuFlags()) == 0) cpus.push_back(row.needs);
  }
  for (int i = 0; i < 36; ++i) {
    Function (*const make[])(Random&) = {RandomSum, RandomProduct, RandomPrelu};
    const Function f = make[i % 3](random);
    for (const CpuFlags cpu : cpus) {
      const BytePairFunction function(f.guess, BytePairRowOf(f.code), cpu);
      ExpectEqual(f, function, random);
      if (testing::Test::HasFatalFailure()) return;
      const std::string name(function.row());
      if (ran.find(name) == std::string::npos) ran += " " + name;
      if (cpu == kCpuNone) continue;
      ++made[i % 3];
      proven[i % 3] += name != "byte_pair_table" ? 1 : 0;
    }
  }
  std::printf("seed %u; rows:%s\n", kSeed, ran.c_str());
  for (int form = 0; form < 3; ++form) {
    std::printf("form %d: a formula for %d of %d\n", form, proven[form], made[form]);
    EXPECT_GE(4 * proven[form], 3 * made[form]) << "most functions should have a formula";
  }
  for (const BytePairRow& row : BytePairRows()) {
    if ((row.needs & ~DetectedCpuFlags()) != 0) continue;
    EXPECT_NE(ran.find(row.name), std::string::npos) << row.name << " did not run";
  }
}

// The known-bad case: a function that no formula gives must fall back to its table.
TEST(BytePairFunction, FallsBackToTheTable) {
  BytePairGuess guess;
  const auto code = [](uint8_t x, uint8_t y) { return static_cast<uint8_t>(x ^ y); };
  const BytePairFunction function(guess, BytePairRowOf(code), DetectedCpuFlags());
  EXPECT_EQ(function.row(), "byte_pair_table");
  const uint8_t x[3] = {1, 2, 255}, y = 7;
  uint8_t out[3];
  function.Run(x, true, &y, false, out, 3);
  EXPECT_EQ(out[2], 255 ^ 7);
}

}  // namespace
}  // namespace dlpu
