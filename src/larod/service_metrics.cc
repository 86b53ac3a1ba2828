// SPDX-License-Identifier: Apache-2.0
// The service's counts as text.
#include <fmt/format.h>

#include "larod/service.h"

namespace dlpu::larod {

std::string Service::Metrics() {
  std::string text = fmt::format("dlpu_larod_info{{product=\"{}\",target=\"{}\"}} 1\n",
                                 catalogue_.product, catalogue_.target.name);
  {
    const std::lock_guard lock(mutex_);
    text += fmt::format("dlpu_larod_sessions {}\n", sessions_);
    text += fmt::format("dlpu_larod_models {}\n", models_.size());
  }
  for (size_t i = 0; i < devices_.size(); ++i) {
    const Counts& counts = *counts_[i];
    const auto add = [&](const char* name, const char* result, uint64_t value) {
      text += fmt::format("dlpu_larod_{}_total{{device=\"{}\",result=\"{}\"}} {}\n", name,
                          devices_[i].name, result, value);
    };
    add("loads", "done", counts.loads);
    add("loads", "failed", counts.loads_failed);
    add("jobs", "done", counts.jobs);
    add("jobs", "failed", counts.jobs_failed);
    text += fmt::format("dlpu_larod_busy_seconds_total{{device=\"{}\"}} {:.6f}\n", devices_[i].name,
                        1e-6 * static_cast<double>(counts.microseconds.load()));
    text += fmt::format("dlpu_larod_waiting{{device=\"{}\"}} {}\n", devices_[i].name,
                        LaneOf(i).lane.Waiting());
  }
  return text;
}

}  // namespace dlpu::larod
