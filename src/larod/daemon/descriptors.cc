// SPDX-License-Identifier: Apache-2.0
// Counts descriptors.
#include "larod/daemon/descriptors.h"

namespace dlpu::larod {

std::optional<std::vector<std::shared_ptr<const Fd>>> Descriptors::Hold(
    std::vector<Fd> descriptors) {
  const auto count = static_cast<int64_t>(descriptors.size());
  if (count_->held.fetch_add(count) + count > limit_) {
    count_->held.fetch_sub(count);
    return std::nullopt;
  }
  std::vector<std::shared_ptr<const Fd>> held;
  for (Fd& fd : descriptors) {
    held.emplace_back(new Fd(std::move(fd)), [count = count_](const Fd* file) {
      delete file;
      count->held.fetch_sub(1);
    });
  }
  return held;
}

void Descriptors::Keep(uint64_t number, std::shared_ptr<const Fd> file) {
  const std::lock_guard lock(mutex_);
  kept_[number] = std::move(file);
}

void Descriptors::Forget(uint64_t number) {
  const std::lock_guard lock(mutex_);
  kept_.erase(number);
}

std::shared_ptr<const Fd> Descriptors::Kept(uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(number);
  return found == kept_.end() ? nullptr : found->second;
}

}  // namespace dlpu::larod
