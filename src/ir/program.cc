// SPDX-License-Identifier: Apache-2.0
// Names of arithmetic profiles and engines.
#include "ir/program.h"

namespace dlpu {
namespace {

constexpr std::string_view kProfiles[] = {"tflite-reference", "tflite-builtin", "xnnpack"};

}  // namespace

std::string_view ProfileName(Profile profile) { return kProfiles[static_cast<int>(profile)]; }

std::optional<Profile> ProfileFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kProfiles); ++i) {
    if (kProfiles[i] == name) return static_cast<Profile>(i);
  }
  return std::nullopt;
}

std::string_view EngineName(Engine engine) { return engine == Engine::kDlpu ? "dlpu" : "cpu"; }

}  // namespace dlpu
