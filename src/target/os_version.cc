// SPDX-License-Identifier: Apache-2.0
// Numbers between dots.
#include "target/os_version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace dlpu {
namespace {

// The parts up to the first that is no number.
std::vector<int> Parts(std::string_view version) {
  std::vector<int> parts;
  const char *at = version.data(), *end = at + version.size();
  while (at != end) {
    int part = 0;
    const auto [next, error] = std::from_chars(at, end, part);
    if (error != std::errc() || part < 0) break;
    parts.push_back(part);
    at = next;
    if (at != end && *at++ != '.') break;
  }
  return parts;
}

int Compare(const std::vector<int>& a, const std::vector<int>& b, size_t parts) {
  for (size_t i = 0; i < parts; ++i) {
    const int x = i < a.size() ? a[i] : 0, y = i < b.size() ? b[i] : 0;
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

}  // namespace

Status CheckOsVersion(std::string_view version) {
  const std::vector<int> parts = Parts(version);
  const auto dots = static_cast<size_t>(std::ranges::count(version, '.'));
  const bool digits =
      std::ranges::all_of(version, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  if (digits && !parts.empty() && parts.size() == dots + 1) return OkStatus();
  return InvalidError(fmt::format("AXIS OS '{}': write a version such as 12.11.77", version));
}

int CompareOsVersions(std::string_view a, std::string_view b) {
  const std::vector<int> x = Parts(a), y = Parts(b);
  return Compare(x, y, std::max(x.size(), y.size()));
}

bool OsVersionWithin(std::string_view version, std::string_view from, std::string_view to) {
  if (!from.empty() && CompareOsVersions(version, from) < 0) return false;
  if (to.empty()) return true;
  const std::vector<int> last = Parts(to);
  return Compare(Parts(version), last, last.size()) <= 0;
}

}  // namespace dlpu
