// SPDX-License-Identifier: Apache-2.0
// Looking things up in a cost model.
#include "target/cost/model.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>

namespace dlpu {

Result<OsVersion> ParseOs(std::string_view text) {
  const size_t begin = text.find_first_of("0123456789");
  OsVersion os;
  const Error error = InvalidError(
      fmt::format("'{}' is no AXIS OS version; it looks like 12.10 or 12.10.68", text));
  if (begin == std::string_view::npos) return error;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data() + begin, end, os.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return error;
  const auto minor = std::from_chars(major.ptr + 1, end, os.minor);
  if (minor.ec != std::errc() || os.major < 1 || os.minor < 0) return error;
  if (minor.ptr != end && *minor.ptr != '.' && *minor.ptr != ' ') return error;
  return os;
}

const CostParameter* CostModel::Find(std::string_view name) const {
  for (const CostParameter& p : parameters) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

const CostFit* CostModel::FindFit(std::string_view name) const {
  for (const CostFit& fit : fits) {
    if (fit.name == name) return &fit;
  }
  return nullptr;
}

const CostClass* CostModel::FindClass(std::string_view name) const {
  for (const CostClass& c : classes) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

const CostEra* CostModel::EraOf(OsVersion os, std::string_view speed_class) const {
  const CostEra* found = nullptr;
  for (const CostEra& era : eras) {
    if (!era.speed_class.empty() && era.speed_class != speed_class) continue;
    if (os < era.from || (era.to != OsVersion() && os > era.to)) continue;
    found = &era;
  }
  return found;
}

std::vector<std::string> CostModel::FreeNames() const {
  std::vector<std::string> names;
  for (const CostParameter& p : parameters) {
    if (p.tied_to.empty() && p.factor > 1) names.push_back(p.name);
  }
  return names;
}

CostValues::CostValues(const CostModel& model, const std::vector<double>& log_values) {
  size_t next = 0;
  for (const CostParameter& p : model.parameters) {
    if (!p.tied_to.empty()) continue;
    const bool free = p.factor > 1;
    DLPU_CHECK(!free || next < log_values.size());
    values_[p.name] = free ? std::exp(log_values[next++]) : p.centre;
  }
  for (const CostParameter& p : model.parameters) {
    if (!p.tied_to.empty()) values_[p.name] = p.ratio * values_[p.tied_to];
  }
}

double CostValues::operator()(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? 0 : at->second;
}

}  // namespace dlpu
