// SPDX-License-Identifier: Apache-2.0
// Finds the files that come with dlpu (targets, products, zoo, models), wherever it was installed
// or built, without a path compiled in. Any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace dlpu {

// The path of `relative`, for example "zoo.toml" or "targets". With the environment variable
// DLPU_DATA set, only that folder is looked at. Otherwise each folder from the one holding this
// program (then this library) upwards is tried with share/dlpu/ and with data/ in front: the first
// fits an installation, the second a build folder inside the source tree.
Result<std::string> DataPath(const std::string& relative);

}  // namespace dlpu
