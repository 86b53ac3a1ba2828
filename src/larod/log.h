// SPDX-License-Identifier: Apache-2.0
// The log that says the true cause behind a camera-style message. $DLPU_LAROD_LOG: a file to append
// to, "-" for stderr (the default), "none" for nothing. Any thread.
#pragma once

#include <string>

#include "larod/outcome.h"

namespace dlpu::larod {

// One line with the time: "larod: text".
void Log(const std::string& text);
// The failure's message and cause; nothing without a cause.
void LogFailure(const Failure& failure);

}  // namespace dlpu::larod
