// SPDX-License-Identifier: Apache-2.0
// Versions of AXIS OS as people write them: "10.6", "12.11.77". Pure functions.
#pragma once

#include <string_view>

#include "base/result.h"

namespace dlpu {

// Whether it is numbers between dots; the error says what is wrong with it.
Status CheckOsVersion(std::string_view version);

// Negative, zero or positive as `a` comes before, is, or comes after `b`; a missing part is 0.
// REQUIRES: both are versions.
int CompareOsVersions(std::string_view a, std::string_view b);

// Whether a version lies in [from, to]; an empty bound is none. A `to` of fewer parts covers all
// versions that begin with it: 11.8.20 lies before the end of "11.8".
bool OsVersionWithin(std::string_view version, std::string_view from, std::string_view to);

}  // namespace dlpu
