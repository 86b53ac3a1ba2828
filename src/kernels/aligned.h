// SPDX-License-Identifier: Apache-2.0
// A block of zeroed bytes on a 64-byte boundary, for packed weights and kernel constants. Owned by
// value; memory is touched when it is made, so that a layer's first run pays no page faults.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace dlpu {

class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(int64_t size)
      : data_(static_cast<uint8_t*>(
            ::operator new (static_cast<size_t>(size), std::align_val_t{kAlignment}))),
        size_(size) {
    std::memset(data_.get(), 0, static_cast<size_t>(size));
  }
  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  int64_t size() const { return size_; }

 private:
  static constexpr size_t kAlignment = 64;
  struct Delete {
    void operator()(uint8_t* p) const { ::operator delete (p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<uint8_t, Delete> data_;
  int64_t size_ = 0;
};

}  // namespace dlpu
