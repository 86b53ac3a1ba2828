// SPDX-License-Identifier: Apache-2.0
// What the tests and benchmarks of the float kernels share: reproducible data, and buffers whose
// surroundings tell of a read or write outside. For tests only; one thread.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "base/cpu.h"

namespace dlpu {

inline std::vector<float> RandomFloats(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> values(-1.0f, 1.0f);
  std::vector<float> floats(static_cast<size_t>(count));
  for (float& f : floats) f = values(generator);
  return floats;
}

// `count` floats between two fields of NaN: what is read outside spoils a result, what is written
// outside is found by Intact(). The first float is 4 bytes past a 64-byte boundary.
class GuardedFloats {
 public:
  explicit GuardedFloats(int64_t count)
      : count_(count),
        all_(static_cast<size_t>(count) + 2 * kGuard, std::numeric_limits<float>::quiet_NaN()) {}
  explicit GuardedFloats(const std::vector<float>& values)
      : GuardedFloats(static_cast<int64_t>(values.size())) {
    std::copy(values.begin(), values.end(), data());
  }
  float* data() { return all_.data() + kGuard; }
  std::vector<float> values() { return {data(), data() + count_}; }
  bool Intact() const {
    const float guard = std::numeric_limits<float>::quiet_NaN();
    for (size_t i = 0; i < all_.size(); ++i) {
      const bool inside = i >= kGuard && i < kGuard + static_cast<size_t>(count_);
      if (!inside && std::memcmp(&all_[i], &guard, sizeof guard) != 0) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kGuard = 64;
  int64_t count_;
  std::vector<float> all_;
};

// Scratch as the kernels ask for it, at a 64-byte boundary.
class AlignedScratch {
 public:
  explicit AlignedScratch(int64_t bytes)
      : data_(static_cast<uint8_t*>(
            ::operator new[](static_cast<size_t>(bytes) + 1, std::align_val_t{64}))) {}
  ~AlignedScratch() { ::operator delete[](data_, std::align_val_t{64}); }
  AlignedScratch(const AlignedScratch&) = delete;
  AlignedScratch& operator=(const AlignedScratch&) = delete;
  uint8_t* data() { return data_; }

 private:
  uint8_t* data_;
};

inline bool SameBytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Collects the names of rows a test ran; prints them, and fails if it ran none.
class RowsThatRan {
 public:
  explicit RowsThatRan(const char* family) : family_(family) {}
  void Add(const std::string& name) { names_.push_back(name); }
  ~RowsThatRan() {
    std::string all;
    for (const std::string& name : names_) all += " " + name;
    std::printf("rows of %s that ran:%s\n", family_, all.c_str());
    EXPECT_FALSE(names_.empty()) << "no row of " << family_ << " ran";
  }

 private:
  const char* family_;
  std::vector<std::string> names_;
};

}  // namespace dlpu
