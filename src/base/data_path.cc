// SPDX-License-Identifier: Apache-2.0
// The search for data files upwards from the running program or library.
#include "base/data_path.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace dlpu {
namespace {

namespace fs = std::filesystem;

// The files the search starts from: the program, then the library (when Python, say, loaded it).
std::vector<fs::path> Starts() {
  std::vector<fs::path> starts;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) starts.push_back(self);
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&DataPath), &info) != 0 && info.dli_fname != nullptr) {
    const fs::path library = fs::absolute(info.dli_fname, error);
    if (!error) starts.push_back(library);
  }
  return starts;
}

}  // namespace

Result<std::string> DataPath(const std::string& relative) {
  std::error_code error;
  if (const char* set = std::getenv("DLPU_DATA"); set != nullptr && *set != '\0') {
    const fs::path path = fs::path(set) / relative;
    if (fs::exists(path, error)) return path.string();
    return NotFoundError(
        fmt::format("{} does not exist: DLPU_DATA must name dlpu's data folder", path.string()));
  }
  for (const fs::path& start : Starts()) {
    for (fs::path folder = start.parent_path();; folder = folder.parent_path()) {
      for (const char* below : {"share/dlpu", "data"}) {
        const fs::path path = folder / below / relative;
        if (fs::exists(path, error)) return path.string();
      }
      if (folder == folder.parent_path()) break;
    }
  }
  return NotFoundError(fmt::format(
      "{} was not found: dlpu's data folder is neither share/dlpu beside the program nor data in "
      "a folder above it; set DLPU_DATA to it",
      relative));
}

}  // namespace dlpu
