// SPDX-License-Identifier: Apache-2.0
// The bytes of a constant: a vector of its own or, until they are changed, those of the model's
// file where they lie. A value; reading is for any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "base/file.h"

namespace dlpu {

class ConstantBytes {
 public:
  using value_type = uint8_t;
  using iterator = uint8_t*;
  using const_iterator = const uint8_t*;

  ConstantBytes() = default;
  ConstantBytes(std::vector<uint8_t> bytes) : own_(std::move(bytes)) {}  // NOLINT: as a vector
  ConstantBytes(std::initializer_list<uint8_t> bytes) : own_(bytes) {}
  // Shares them.
  explicit ConstantBytes(FileBytes bytes) : shared_(std::move(bytes)) {}

  const uint8_t* data() const { return is_shared() ? shared_.data() : own_.data(); }
  size_t size() const { return is_shared() ? shared_.size() : own_.size(); }
  bool empty() const { return size() == 0; }
  const_iterator begin() const { return data(); }
  const_iterator end() const { return data() + size(); }
  const uint8_t& operator[](size_t i) const { return data()[i]; }

  // What may change them copies what is shared first.
  uint8_t* data() { return Own().data(); }
  iterator begin() { return data(); }
  iterator end() { return data() + own_.size(); }
  uint8_t& operator[](size_t i) { return Own()[i]; }
  void resize(size_t size) { Own().resize(size); }
  void assign(size_t size, uint8_t value) { *this = std::vector<uint8_t>(size, value); }
  template <typename Iterator>
  void assign(Iterator from, Iterator to) {
    *this = std::vector<uint8_t>(from, to);
  }

  bool is_shared() const { return shared_.size() != 0; }
  // Empties them; if they are a file's, the memory that holds them is given back, and whoever else
  // has them reads them from the file again.
  void Drop() {
    shared_.GiveBack();
    *this = {};
  }

  friend bool operator==(const ConstantBytes& a, const ConstantBytes& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::vector<uint8_t>& Own() {
    if (is_shared()) {
      own_.assign(shared_.data(), shared_.data() + shared_.size());
      shared_ = {};
    }
    return own_;
  }

  std::vector<uint8_t> own_;
  FileBytes shared_;  // empty: not shared
};

}  // namespace dlpu
