// SPDX-License-Identifier: Apache-2.0
// What a program would take on the product: the cost model's prediction (see `dlpu predict`). Pure
// functions; any thread.
#pragma once

#include <optional>

#include "ir/program.h"
#include "larod/catalogue.h"

namespace dlpu::larod {

// Milliseconds; absent: not known.
struct CameraTimes {
  std::optional<double> job, first_load, cached_load;
};

// Logs the prediction, or why there is none.
CameraTimes PredictTimes(const Catalogue& catalogue, const VirtualDevice& device,
                         const Program& program);

}  // namespace dlpu::larod
