// SPDX-License-Identifier: Apache-2.0
// Random: the generator behind every generated case. Its sequence depends on the seed alone, on
// every machine and compiler (the distributions of <random> promise no such thing), because golden
// files name cases by their seed. A plain value; one thread at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace dlpu::peer {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in low..high, both included.
  int64_t Int(int64_t low, int64_t high) {
    const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    return low + static_cast<int64_t>(span == 0 ? Next() : Next() % span);
  }
  // Uniform in [low, high).
  double Real(double low, double high) {
    return low + (high - low) * (static_cast<double>(Next() >> 11) * 0x1p-53);
  }
  bool Chance(double probability) { return Real(0, 1) < probability; }

  template <typename T>
  T Pick(std::initializer_list<T> values) {
    return values.begin()[Int(0, static_cast<int64_t>(values.size()) - 1)];
  }
  template <typename T>
  T Pick(const std::vector<T>& values) {
    return values[Int(0, static_cast<int64_t>(values.size()) - 1)];
  }

 private:
  uint64_t state_;
};

// A seed of its own for each name and index (FNV-1a over the name).
inline uint64_t SeedOf(std::string_view name, uint64_t seed, uint64_t index) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  Random mix(hash ^ (seed * 0x9e3779b97f4a7c15u));
  return mix.Next() + index * 0xd1342543de82ef95u;
}

}  // namespace dlpu::peer
