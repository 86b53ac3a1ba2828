// SPDX-License-Identifier: Apache-2.0
// Dump: what an application gave a network and what came out, as .npy files for `dlpu compare`: why
// does it see something else than a PC? One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ir/graph.h"

namespace dlpu::larod {

class Dump {
 public:
  // One for each model that is loaded while $DLPU_LAROD_DUMP names a folder.
  static std::optional<Dump> IfWanted();

  // Writes model<M>-input<I>.npy or model<M>-output<I>.npy: M counts loaded networks from 1,
  // `index` tensors from 0. A file that cannot be written is a line in the log.
  void Write(const char* side, size_t index, const Tensor& tensor,
             std::span<const uint8_t> values) const;

 private:
  explicit Dump(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string prefix_;  // "/folder/model1-"
};

}  // namespace dlpu::larod
