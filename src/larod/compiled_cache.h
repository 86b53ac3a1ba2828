// SPDX-License-Identifier: Apache-2.0
// CompiledCache: which models a camera's device has in compiled form and so loads quickly. It
// forgets what was used longest ago when it gets full. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>

namespace dlpu::larod {

struct CacheLimits {
  size_t bytes = SIZE_MAX, files = SIZE_MAX;
};

class CompiledCache {
 public:
  explicit CompiledCache(const CacheLimits& limits) : limits_(limits) {}

  // Uses the model with that hash and size; whether it was there. It is afterwards, unless it is
  // larger than the whole cache.
  bool Use(uint64_t hash, size_t bytes) {
    const bool cached = Remove(hash);
    if (bytes > limits_.bytes) return false;
    models_.push_back({hash, bytes});
    bytes_ += bytes;
    while (bytes_ > limits_.bytes || models_.size() > limits_.files) Remove(models_.front().hash);
    return cached;
  }

 private:
  struct Model {
    uint64_t hash;
    size_t bytes;
  };
  bool Remove(uint64_t hash) {
    for (auto model = models_.begin(); model != models_.end(); ++model) {
      if (model->hash != hash) continue;
      bytes_ -= model->bytes;
      models_.erase(model);
      return true;
    }
    return false;
  }

  const CacheLimits limits_;
  size_t bytes_ = 0;
  std::list<Model> models_;  // the one used longest ago first
};

}  // namespace dlpu::larod
