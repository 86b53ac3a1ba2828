// SPDX-License-Identifier: Apache-2.0
// What --target and --product mean to the commands that take them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "target/products.h"
#include "target/target.h"

namespace dlpu {

// "artpec8,cv25" or "all" (the plain CPU first: what it computes is what the others are compared
// with). An unknown name is an error that suggests the nearest.
Result<std::vector<Target>> ChooseTargets(const std::string& names);

// A product by any of its names, and its target. A product whose DLPU is not known is an error that
// says what to give instead.
struct ChosenProduct {
  Product product;
  Target target;
};
Result<ChosenProduct> ChooseProduct(const std::string& name);

// For Command::Option: the names of a list of targets, of a target, of a product and of a profile.
Status AreTargets(const std::string& names);
Status IsTarget(const std::string& name);
Status IsProduct(const std::string& name);
Status IsProfile(const std::string& name);

}  // namespace dlpu
