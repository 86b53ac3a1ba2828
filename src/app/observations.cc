// SPDX-License-Identifier: Apache-2.0
// Telling graphs apart by the file that would be written of them.
#include "app/observations.h"

#include "base/sha256.h"
#include "formats/tflite.h"

namespace dlpu {

std::string Observations::Key(const Graph& graph, bool portable) {
  const auto bytes = WriteTflite(graph);
  if (!bytes.ok()) return "";
  return Sha256Hex(*bytes) + (portable ? " portable" : " fastest");
}

const Observation* Observations::Find(const std::string& key) const {
  const auto found = seen_.find(key);
  return found == seen_.end() ? nullptr : &found->second;
}

void Observations::Keep(const std::string& key, const Observation& observation) {
  if (!key.empty()) seen_[key] = observation;
}

}  // namespace dlpu
