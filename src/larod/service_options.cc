// SPDX-License-Identifier: Apache-2.0
// Reads the options.
#include "larod/service_options.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "larod.h"

namespace dlpu::larod {
namespace {

struct FaultName {
  std::string_view name;
  FaultKind kind;
  int64_t n;
};
constexpr FaultName kFaults[] = {{"power", FaultKind::kPower, 1},
                                 {"crash", FaultKind::kCrash, 1},
                                 {"timeout", FaultKind::kTimeout, 10},
                                 {"slow", FaultKind::kSlow, 10}};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Outcome<Fault> ParseFault(const std::string& text) {
  const size_t colon = text.find(':');
  for (const FaultName& row : kFaults) {
    if (text.substr(0, colon) != row.name) continue;
    Fault fault{row.kind, row.n};
    if (colon == std::string::npos) return fault;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, fault.n);
    if (parsed.ec == std::errc() && parsed.ptr == end && fault.n >= 1 && fault.n <= 1000000) {
      return fault;
    }
  }
  return Failure{
      LAROD_ERROR_CREATE_SESSION, fmt::format("Could not create session: no fault \"{}\"", text),
      "give power, crash, timeout or slow, with :N from 1 to 1000000 behind it if wanted"};
}

Outcome<ServiceOptions> OptionsFromEnvironment() {
  ServiceOptions options;
  options.product = Variable("DLPU_PRODUCT");
  const std::string realtime = Variable("DLPU_REALTIME");
  options.realtime = !realtime.empty() && realtime != "0";
  if (const std::string fault = Variable("DLPU_FAULT"); !fault.empty()) {
    LAROD_TRY(options.fault, ParseFault(fault));
  }
  if (const std::string ram = Variable("DLPU_RAM_MB"); !ram.empty()) {
    char* end = nullptr;
    const double megabytes = std::strtod(ram.c_str(), &end);
    if (*end != '\0' || !(megabytes > 0)) {
      return Failure{LAROD_ERROR_CREATE_SESSION,
                     fmt::format("Could not create session: no memory of \"{}\" MB", ram),
                     "$DLPU_RAM_MB is the camera's memory in MiB"};
    }
    options.ram_mb = megabytes;
  }
  return options;
}

}  // namespace dlpu::larod
