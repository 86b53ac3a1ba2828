// SPDX-License-Identifier: Apache-2.0
// Descriptors: the file descriptors that one application has in the daemon, in queued jobs and
// tracked tensors. There is a limit, so that no application takes those of the others. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "larod/fd.h"

namespace dlpu::larod {

class Descriptors {
 public:
  explicit Descriptors(int64_t limit) : count_(std::make_shared<Count>()), limit_(limit) {}

  // Shares of them that give their place back at the end, wherever they end; nothing when there
  // would be too many.
  std::optional<std::vector<std::shared_ptr<const Fd>>> Hold(std::vector<Fd> descriptors);

  // Files of tracked tensors, by the application's own number.
  void Keep(uint64_t number, std::shared_ptr<const Fd> file);
  void Forget(uint64_t number);
  // nullptr: there is none.
  std::shared_ptr<const Fd> Kept(uint64_t number) const;

  int64_t held() const { return count_->held.load(); }

 private:
  struct Count {
    std::atomic<int64_t> held{0};
  };
  const std::shared_ptr<Count> count_;
  const int64_t limit_;
  mutable std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<const Fd>> kept_;
};

}  // namespace dlpu::larod
