// SPDX-License-Identifier: Apache-2.0
// What the CPU multiplies at most, for those above the ops, who do not see kernels.
#pragma once

#include "kernels/peak/peak.h"
