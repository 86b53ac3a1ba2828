// SPDX-License-Identifier: Apache-2.0
// Portable functions against the C library, tables against worked examples, rows against the
// reference.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/lut/portable_math.h"
#include "kernels/lut/sigmoid16.h"
#include "kernels/lut/table.h"

namespace dlpu {
namespace {

// Largest relative error of f against g over random x in [low, high].
template <typename F, typename G>
double WorstRelativeError(F f, G g, double low, double high) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> draw(low, high);
  double worst = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = draw(random), want = g(x);
    if (want != 0) worst = std::max(worst, std::abs((f(x) - want) / want));
  }
  return worst;
}

TEST(PortableMath, IsWithinAFewUnitsInTheLastPlace) {
  const auto check = [](auto f, auto g, double low, double high) {
    EXPECT_LT(WorstRelativeError(f, g, low, high), 4e-15) << low << ".." << high;
  };
  check(
      PortableExp, [](double x) { return std::exp(x); }, -700, 700);
  check(
      PortableExp, [](double x) { return std::exp(x); }, -1, 1);
  check(
      PortableExpm1, [](double x) { return std::expm1(x); }, -50, 50);
  check(
      PortableExpm1, [](double x) { return std::expm1(x); }, -1e-3, 1e-3);
  check(
      PortableLog, [](double x) { return std::log(x); }, 1e-6, 3);
  check(
      PortableLog, [](double x) { return std::log(x); }, 1, 1e9);
  check(
      PortableTanh, [](double x) { return std::tanh(x); }, -25, 25);
  check(
      PortableTanh, [](double x) { return std::tanh(x); }, -1e-3, 1e-3);
  check(
      PortableErf, [](double x) { return std::erf(x); }, -7, 7);
}

TEST(PortableMath, Ends) {
  EXPECT_EQ(PortableExp(0), 1);
  EXPECT_EQ(PortableExp(-1000), 0);
  EXPECT_TRUE(std::isinf(PortableExp(1000)));
  EXPECT_EQ(PortableExpm1(-1000), -1);
  EXPECT_EQ(PortableLog(1), 0);
  EXPECT_TRUE(std::isinf(PortableLog(0)));
  EXPECT_TRUE(std::isnan(PortableLog(-1)));
  EXPECT_EQ(PortableTanh(100), 1);
  EXPECT_EQ(PortableErf(-100), -1);
  EXPECT_EQ(PortableErf(0), 0);
}

TEST(TableCode8, WorkedExamples) {
  const auto logistic = [](float x) { return 1 / (1 + static_cast<float>(PortableExp(-x))); };
  const CodeScale in{0.047f, 11}, out{1.0f / 256, -128};
  const auto code = [&](int32_t x) { return TableCode8(logistic, x, in, out, -128, 127); };
  EXPECT_EQ(code(0), -32);
  EXPECT_EQ(code(11), 0);
  EXPECT_EQ(code(12), 3);
  EXPECT_EQ(code(127), 127);
}

TEST(MakeTable16, InterpolatesBetweenItsSamples) {
  const auto table =
      MakeTable16<float>([](float x) { return x; }, 1.0f / 32768, 0, 1.0f / 32768, 0);
  ASSERT_EQ(table.size(), 513u);
  for (int code : {-32768, -129, -128, -1, 0, 1, 127, 128, 12345}) {
    EXPECT_NEAR(LookUp16(table, static_cast<int16_t>(code)), code, 1) << code;
  }
}

TEST(Sigmoid16, HalfAtZeroAndSymmetric) {
  const Sigmoid16Input input = MakeSigmoid16Input(0x1p-12f, false);
  EXPECT_EQ(input.multiplier, 3);
  EXPECT_EQ(Logistic16(input, 0), 16384);
  EXPECT_EQ(Logistic16(input, 32767), 32757);  // 32768 / (1 + exp(-8)) is 32757.01
  EXPECT_EQ(Tanh16(input, 0), 0);
  EXPECT_EQ(Tanh16(MakeSigmoid16Input(0x1p-11f, true), 32767), 32767);
  EXPECT_NEAR(Tanh16(input, 4096), 32768 * std::tanh(1.0), 8);
}

TEST(ByteTable, EveryRowEqualsTheReference) {
  std::mt19937 random(3);
  uint8_t table[256];
  for (uint8_t& entry : table) entry = static_cast<uint8_t>(random());
  int rows = 0;
  for (const ByteTableRow& row : ByteTableRows()) {
    if ((row.flags & ~EnabledCpuFlags()) != 0) continue;
    ++rows;
    for (int n = 0; n <= 700; n += n < 140 ? 1 : 17) {
      std::vector<uint8_t> in(n), want(n + 1, 0xaa), got(n + 1, 0xaa);
      for (uint8_t& code : in) code = static_cast<uint8_t>(random());
      ByteTableReference(table, in.data(), want.data(), n);
      row.run(table, in.data(), got.data(), n);
      EXPECT_EQ(got, want) << row.name << ", " << n << " bytes";
    }
  }
  EXPECT_GE(rows, 1);
}

}  // namespace
}  // namespace dlpu
