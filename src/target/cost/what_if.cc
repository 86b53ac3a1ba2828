// SPDX-License-Identifier: Apache-2.0
// What-if options of a prediction.
#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "target/cost/predict.h"

namespace dlpu {
namespace {

struct Quantity {
  double value = 0;
  std::string unit;  // lower case
};

Status ParseQuantity(const std::string& text, Quantity* quantity) {
  Quantity& q = *quantity;
  char* end = nullptr;
  q.value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(q.value > 0) || q.value > 1e12) {
    return InvalidError(fmt::format("--what-if: '{}' is no positive number", text));
  }
  for (const char* c = end; *c != '\0'; ++c) {
    if (*c != ' ') q.unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  }
  return OkStatus();
}

std::optional<double> BytesPer(const std::string& unit) {
  static const std::map<std::string, double> bytes = {
      {"", 1},         {"b", 1},           {"kb", 1e3},   {"mb", 1e6},
      {"kib", 1024.0}, {"mib", 1048576.0}, {"k", 1024.0}, {"m", 1048576.0}};
  const auto at = bytes.find(unit);
  if (at == bytes.end()) return std::nullopt;
  return at->second;
}

}  // namespace

bool WhatIf::empty() const {
  return !clock_mhz && !clock_factor && !sram_bytes && !sram_factor && !bandwidth_factor;
}

Result<WhatIf> ParseWhatIf(const std::string& text) {
  WhatIf what_if;
  std::istringstream list(text);
  for (std::string item; std::getline(list, item, ',');) {
    const size_t equals = item.find('=');
    const std::string key = item.substr(0, equals);
    if (equals == std::string::npos) {
      return InvalidError(fmt::format("--what-if: '{}' is not KEY=VALUE", item));
    }
    Quantity q;
    DLPU_RETURN_IF_ERROR(ParseQuantity(item.substr(equals + 1), &q));
    const bool factor = q.unit == "x";
    if (key == "clock" && factor) {
      what_if.clock_factor = q.value;
    } else if (key == "clock" && (q.unit == "mhz" || q.unit == "ghz" || q.unit.empty())) {
      what_if.clock_mhz = q.value * (q.unit == "ghz" ? 1000 : 1);
    } else if (key == "sram" && factor) {
      what_if.sram_factor = q.value;
    } else if (key == "sram" && BytesPer(q.unit).has_value()) {
      what_if.sram_bytes = q.value * *BytesPer(q.unit);
    } else if (key == "dlpu_bandwidth" && factor) {
      what_if.bandwidth_factor = q.value;
    } else {
      return InvalidError(
          fmt::format("--what-if: '{}': use clock=<MHz or 1.2x>, sram=<bytes, KiB, MiB or 2x>, "
                      "dlpu_bandwidth=<0.5x>",
                      item));
    }
  }
  if (what_if.empty()) return InvalidError("--what-if: names nothing to change");
  return what_if;
}

}  // namespace dlpu
