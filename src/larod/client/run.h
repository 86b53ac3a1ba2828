// SPDX-License-Identifier: Apache-2.0
// What larod-client does with its options, on one connection. One thread.
#pragma once

#include "larod/client/options.h"

namespace larod_client {

// "YYYY-MM-DDTHH:MM:SS.mmm text" on stdout.
void Say(const std::string& text);
// The same with ERROR: in front, on stderr.
void Complain(const std::string& text);

// Each returns whether it succeeded, and has said why not.
bool ListDevices(larodConnection* conn);
bool RunModel(larodConnection* conn, const Options& options);

}  // namespace larod_client
