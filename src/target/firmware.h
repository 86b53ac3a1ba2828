// SPDX-License-Identifier: Apache-2.0
// What a version of AXIS OS brings with it, as far as it is known (data/firmware.toml): the release
// of TensorFlow Lite, which decides the op versions it reads, and the Edge TPU runtime. Plain
// values; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "target/condition.h"

namespace dlpu {

struct Firmware {
  std::string os_from, os_to;          // as Condition's
  std::string tflite;                  // release of TensorFlow Lite: "2.3.1"; empty: not known
  std::optional<int> edgetpu_runtime;  // newest version of compiled Edge TPU files
  Fact fact;
};

struct FirmwareTable {
  std::vector<Firmware> firmware;
  // Of each op, the release of TensorFlow that first read version 1, 2, ... of it.
  std::map<std::string, std::vector<std::string>, std::less<>> op_releases;
  Fact op_fact;

  // What is known of a version; null when nothing is.
  const Firmware* Find(std::string_view os) const;
  // The newest version of an op that a release of TensorFlow Lite reads; nothing when the op is not
  // in the table, 0 when it reads none.
  std::optional<int> NewestVersion(std::string_view op, std::string_view release) const;
};

Result<FirmwareTable> ParseFirmware(const std::string& text, const std::string& name);
Result<FirmwareTable> LoadFirmware();  // data/firmware.toml

}  // namespace dlpu
