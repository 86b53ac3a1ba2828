// SPDX-License-Identifier: Apache-2.0
// peer_cases: lists the generators of cases.
#include <fmt/format.h>

#include "cases.h"

int main() {
  for (const dlpu::peer::Generator& generator : dlpu::peer::Generators()) {
    fmt::print("{}/{}\n", generator.family, generator.name);
  }
  return 0;
}
