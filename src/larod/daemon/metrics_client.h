// SPDX-License-Identifier: Apache-2.0
// Asks a running daemon how it is. Any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace dlpu::larod {

// The metrics of the daemon at `path`, in the text format of Prometheus.
Result<std::string> MetricsOf(const std::string& path);

}  // namespace dlpu::larod
