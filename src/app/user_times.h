// SPDX-License-Identifier: Apache-2.0
// A user's own measurements: they give a product its own factor, which is stored in the user's data
// folder, marked as such, and used by later predictions of that product. Any thread may read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "target/cost/predict.h"
#include "target/target.h"

namespace dlpu {

struct UserTime {
  std::string product;  // as FindProduct takes it
  std::string model;    // a file or zoo name
  std::string os;       // AXIS OS; empty: the newest known
  double ms = 0;
};

// CSV with a header line that names the columns product, model, ms and, if given, os; or TOML with
// [[measurement]] tables of these keys. Where `product` is missing it is `default_product`.
Result<std::vector<UserTime>> ParseUserTimes(const std::string& text, const std::string& name,
                                             const std::string& default_product);

// One measurement with the network it was of.
struct UserSample {
  Workload workload;
  UserTime time;
};
// The factor on the accelerator's part that fits the samples best.
Result<UserFactor> FitUserFactor(const Target& target, const std::vector<UserSample>& samples);

// One entry of the user's file.
struct StoredFactor {
  std::string product, target;
  UserFactor factor;
};
// $XDG_DATA_HOME/dlpu/calibration.toml, or below ~/.local/share.
Result<std::string> UserFactorsPath();
Result<std::vector<StoredFactor>> ParseUserFactors(const std::string& text,
                                                   const std::string& name);
// What is stored for a product on a target; nothing when there is no file or no entry.
Result<std::optional<UserFactor>> LoadUserFactor(const std::string& product,
                                                 const std::string& target);
// Replaces the product's entry; returns the file's path.
Result<std::string> SaveUserFactor(const StoredFactor& factor);

}  // namespace dlpu
