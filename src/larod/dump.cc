// SPDX-License-Identifier: Apache-2.0
// Writes tensors to files.
#include "larod/dump.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>

#include "base/file.h"
#include "formats/npy.h"
#include "larod/log.h"

namespace dlpu::larod {

std::optional<Dump> Dump::IfWanted() {
  const char* folder = std::getenv("DLPU_LAROD_DUMP");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  static std::atomic<int> models{0};
  return Dump(fmt::format("{}/model{}-", folder, ++models));
}

void Dump::Write(const char* side, size_t index, const Tensor& tensor,
                 std::span<const uint8_t> values) const {
  const std::string path = fmt::format("{}{}{}.npy", prefix_, side, index);
  const Status written = WriteFile(path, WriteNpy(tensor.type, tensor.shape, values));
  Log(written.ok() ? fmt::format("'{}' of the model's first job is in {}", tensor.name, path)
                   : fmt::format("DLPU_LAROD_DUMP: {}", written.error().message));
}

}  // namespace dlpu::larod
