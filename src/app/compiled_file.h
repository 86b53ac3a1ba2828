// SPDX-License-Identifier: Apache-2.0
// Model files in the forms that cameras load, seen from a PC: what is in them, and which larod
// devices take them. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"
#include "formats/cvflow_bin.h"
#include "formats/edgetpu_package.h"
#include "formats/sniff.h"

namespace dlpu {

// A larod device that takes a kind of file.
struct TakingDevice {
  std::string device, target;
  bool operator==(const TakingDevice&) const = default;
};

// The devices of data/targets whose `takes` lists the kind's format, by target. Empty for files
// that no camera loads. An error: the targets' data cannot be read.
Result<std::vector<TakingDevice>> DevicesTaking(FileKind kind);
// "cpu-tflite (artpec7, artpec8), a9-dlpu-tflite (artpec9)"; "none that is known".
std::string DevicesText(const std::vector<TakingDevice>& devices);
// The same of DevicesTaking(kind); in place of an error "not known: " and what it says.
std::string DevicesTextOf(FileKind kind);

// Why such a file cannot be run or compiled here, and what to give instead; empty for files that
// are models for dlpu. `path` begins the sentence.
std::string OnlyOnCamera(const std::string& path, FileKind kind);

// What `dlpu inspect` shows of them.
std::string EdgeTpuText(const std::vector<EdgeTpuPackage>& packages);
nlohmann::ordered_json EdgeTpuJson(const std::vector<EdgeTpuPackage>& packages);
std::string CvflowText(const CvflowBin& bin);
nlohmann::ordered_json CvflowJson(const CvflowBin& bin);

}  // namespace dlpu
