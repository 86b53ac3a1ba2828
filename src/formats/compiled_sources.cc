// SPDX-License-Identifier: Apache-2.0
// A file for each compiled model, named by its hash, with the path of its source.
#include "formats/compiled_sources.h"

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/sha256.h"

namespace dlpu {
namespace {

Result<std::string> Folder() {
  // The XDG base directory specification: a relative path is to be ignored.
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && data[0] == '/') return std::string(data) + "/dlpu/compiled";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/share/dlpu/compiled";
  return NotFoundError("no folder to note sources in: set XDG_DATA_HOME or HOME");
}

}  // namespace

Status RegisterSource(std::span<const uint8_t> compiled, const std::string& source_path) {
  DLPU_TRY(const std::string folder, Folder());
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder));
  std::error_code error;
  const auto source = std::filesystem::absolute(source_path, error);
  return WriteTextFile(folder + "/" + Sha256Hex(compiled), source.string());
}

std::optional<std::string> RegisteredSource(std::span<const uint8_t> compiled) {
  const Result<std::string> folder = Folder();
  if (!folder.ok()) return std::nullopt;
  const Result<std::string> source = ReadTextFile(*folder + "/" + Sha256Hex(compiled));
  if (!source.ok() || source->empty()) return std::nullopt;
  return *source;
}

}  // namespace dlpu
