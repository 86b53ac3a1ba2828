// SPDX-License-Identifier: Apache-2.0
// Series and range reductions for PortableExp and friends. Plain arithmetic in a fixed order.
#include "kernels/lut/portable_math.h"

#include <cmath>
#include <limits>

namespace dlpu {
namespace {

// ln 2 in two parts; the first has 21 trailing zero bits, so that k * kLn2High is exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kInverseLn2 = 1.44269504088896338700;

// e^r - 1 for |r| <= 0.35: Taylor series, 14 terms leave less than 2^-56 relative to r.
double Expm1Series(double r) {
  double sum = 0;
  for (int n = 14; n >= 1; --n) sum = r / n * (1 + sum);
  return sum;
}

// x = k ln 2 + r with |r| <= 0.35.
double Reduce(double x, int* k) {
  const double nearest = std::floor(x * kInverseLn2 + 0.5);
  *k = static_cast<int>(nearest);
  return (x - nearest * kLn2High) - nearest * kLn2Low;
}

}  // namespace

double PortableExp(double x) {
  if (x != x) return x;
  if (x > 709.78) return std::numeric_limits<double>::infinity();
  if (x < -745) return 0;
  int k = 0;
  const double r = Reduce(x, &k);
  return std::ldexp(1 + Expm1Series(r), k);
}

double PortableExpm1(double x) {
  if (x != x || x > 709.78 || x < -40) return PortableExp(x) - 1;
  int k = 0;
  const double r = Reduce(x, &k);
  // 2^k (e^r - 1) + (2^k - 1): both terms have the sign of x when k is not 0.
  return std::ldexp(Expm1Series(r), k) + (std::ldexp(1.0, k) - 1);
}

double PortableLog(double x) {
  if (x != x || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (std::isinf(x)) return x;
  int k = 0;
  double m = std::frexp(x, &k);
  if (m < 0.70710678118654752440) {
    m *= 2;
    --k;
  }
  // ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double sum = 0;
  for (int n = 25; n >= 3; n -= 2) sum = s2 * (1.0 / n + sum);
  return k * kLn2High + (2 * s * (1 + sum) + k * kLn2Low);
}

double PortableTanh(double x) {
  if (x != x) return x;
  if (x > 22) return 1;
  if (x < -22) return -1;
  const double t = PortableExpm1(2 * x);
  return t / (t + 2);
}

double PortableErf(double x) {
  if (x != x) return x;
  if (x > 6) return 1;
  if (x < -6) return -1;
  // erf x = 2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)); no cancellation.
  double term = x, sum = x;
  for (int n = 1; n < 200; ++n) {
    term *= 2 * x * x / (2 * n + 1);
    if (sum + term == sum) break;
    sum += term;
  }
  return 1.12837916709551257390 * PortableExp(-x * x) * sum;
}

}  // namespace dlpu
