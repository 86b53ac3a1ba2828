// SPDX-License-Identifier: Apache-2.0
// A block of bytes on a 64-byte boundary, for packed weights and kernel constants. Owned by value;
// zeroed and so touched when it is made, so that a layer's first run pays no page faults.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace dlpu {

class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(int64_t size) : AlignedBytes(Untouched(size)) {
    std::memset(data_.get(), 0, static_cast<size_t>(size));
  }
  // Of any content; of a large block, pages that nobody writes take no memory.
  static AlignedBytes Untouched(int64_t size) {
    AlignedBytes bytes;
    bytes.data_.reset(static_cast<uint8_t*>(
        ::operator new (static_cast<size_t>(size), std::align_val_t{kAlignment})));
    bytes.size_ = size;
    return bytes;
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
