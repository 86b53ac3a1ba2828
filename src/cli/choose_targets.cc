// SPDX-License-Identifier: Apache-2.0
// Names to targets.
#include "cli/choose_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "app/model.h"

namespace dlpu {
namespace {

template <typename T>
Status Outcome(const Result<T>& result) {
  return result.ok() ? OkStatus() : Status(result.error());
}

}  // namespace

Result<std::vector<Target>> ChooseTargets(const std::string& names) {
  DLPU_TRY(std::vector<Target> all, LoadTargets());
  std::stable_partition(all.begin(), all.end(),
                        [](const Target& target) { return target.dlpu == "none"; });
  if (names == "all") return all;
  std::vector<Target> chosen;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    DLPU_TRY(Target target, FindTarget(all, name));
    chosen.push_back(std::move(target));
  }
  if (chosen.empty()) return InvalidError("name a target, or 'all'");
  return chosen;
}

Result<ChosenProduct> ChooseProduct(const std::string& name) {
  DLPU_TRY(Product product, FindProduct(name));
  if (!product.target) {
    return NotFoundError(
        fmt::format("{} ({}): which DLPU it has is not known; give --target instead", product.name,
                    product.soc));
  }
  DLPU_TRY(Target target, FindTarget(*product.target));
  return ChosenProduct{std::move(product), std::move(target)};
}

Status AreTargets(const std::string& names) { return Outcome(ChooseTargets(names)); }

Status IsTarget(const std::string& name) { return Outcome(FindTarget(name)); }

Status IsProduct(const std::string& name) { return Outcome(FindProduct(name)); }

Status IsProfile(const std::string& name) { return Outcome(ParseProfile(name)); }

}  // namespace dlpu
