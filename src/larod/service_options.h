// SPDX-License-Identifier: Apache-2.0
// How the virtual camera behaves beyond computing: in a camera's time, and with the faults that
// cameras have. Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "larod/outcome.h"

namespace dlpu::larod {

enum class FaultKind : uint8_t {
  kPower,    // the first N loads and jobs are denied power: -15, to be tried again
  kCrash,    // the service dies at the Nth load or job of a session: -6 from then on
  kTimeout,  // every job hangs for N seconds and fails
  kSlow,     // every job takes N times as long as predicted
};
struct Fault {
  FaultKind kind = FaultKind::kPower;
  int64_t n = 1;
};
// "power", "crash:3", "timeout:5", "slow:10". Without a number: 1, 1, 10, 10.
Outcome<Fault> ParseFault(const std::string& text);

struct ServiceOptions {
  std::string product;    // empty: the default
  bool realtime = false;  // a job takes at least as long as it would on the camera
  std::optional<Fault> fault;
  // Of the camera; absent: the product's, if that is known.
  std::optional<double> ram_mb = std::nullopt;
  bool spin = true;  // threads watch for the next job for a moment: it comes sooner, for some power
};
// $DLPU_PRODUCT, $DLPU_REALTIME (anything but "" and "0"), $DLPU_FAULT, $DLPU_RAM_MB.
Outcome<ServiceOptions> OptionsFromEnvironment();

}  // namespace dlpu::larod
