// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over files, in builds without libFuzzer: replay FILE_OR_FOLDER...
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

bool Replay(const std::string& path) {
  const auto bytes = dlpu::ReadFile(path);
  if (!bytes.ok()) {
    std::fprintf(stderr, "%s\n", bytes.error().message.c_str());
    return false;
  }
  LLVMFuzzerTestOneInput(bytes->data(), bytes->size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int replayed = 0;
  for (int i = 1; i < argc; ++i) {
    std::vector<std::string> paths = {argv[i]};
    if (std::filesystem::is_directory(argv[i])) {
      paths.clear();
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
        if (entry.is_regular_file()) paths.push_back(entry.path().string());
      }
    }
    for (const std::string& path : paths) {
      if (!Replay(path)) return 1;
      ++replayed;
    }
  }
  std::printf("%d files replayed\n", replayed);
  return replayed > 0 ? 0 : 1;
}
