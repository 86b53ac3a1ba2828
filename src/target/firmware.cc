// SPDX-License-Identifier: Apache-2.0
// Loading what is known of AXIS OS versions.
#include "target/firmware.h"

#include "base/data_path.h"
#include "base/file.h"
#include "base/toml.h"
#include "target/os_version.h"

namespace dlpu {

const Firmware* FirmwareTable::Find(std::string_view os) const {
  for (const Firmware& f : firmware) {
    if (OsVersionWithin(os, f.os_from, f.os_to)) return &f;
  }
  return nullptr;
}

std::optional<int> FirmwareTable::NewestVersion(std::string_view op,
                                                std::string_view release) const {
  const auto row = op_releases.find(op);
  if (row == op_releases.end()) return std::nullopt;
  int newest = 0;
  for (size_t i = 0; i < row->second.size(); ++i) {
    if (CompareOsVersions(row->second[i], release) <= 0) newest = static_cast<int>(i) + 1;
  }
  return newest;
}

Result<FirmwareTable> ParseFirmware(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  const TomlTable root = file.Root();
  const TomlTable sources = root.Table("sources");
  for (const std::string& key : sources.Keys()) sources.Str(key);
  FirmwareTable table;
  auto check = [](const TomlTable& t, std::string_view key, const std::string& version) {
    if (version.empty()) return;
    if (const Status status = CheckOsVersion(version); !status.ok()) {
      t.Fail(key, status.error().message);
    }
  };
  for (const TomlTable& t : root.Tables("firmware")) {
    Firmware f;
    f.os_from = t.Str("os_from", "");
    f.os_to = t.Str("os_to", "");
    f.tflite = t.Str("tflite", "");
    for (const auto& [key, version] :
         {std::pair<std::string_view, std::string>("os_from", f.os_from),
          {"os_to", f.os_to},
          {"tflite", f.tflite}}) {
      check(t, key, version);
    }
    if (t.Has("edgetpu_runtime")) {
      f.edgetpu_runtime = static_cast<int>(t.Int("edgetpu_runtime", 1, 1000));
    }
    f.fact = ReadFact(t, sources);
    table.firmware.push_back(std::move(f));
  }
  const TomlTable ops = root.Table("op_versions");
  table.op_fact = ReadFact(ops, sources);
  const TomlTable releases = ops.Table("releases");
  for (const std::string& op : releases.Keys()) {
    table.op_releases[op] = releases.Strs(op);
    for (const std::string& release : table.op_releases[op]) check(releases, op, release);
  }
  DLPU_RETURN_IF_ERROR(file.Finish());
  return table;
}

Result<FirmwareTable> LoadFirmware() {
  DLPU_TRY(const std::string path, DataPath("firmware.toml"));
  DLPU_TRY(const std::string text, ReadTextFile(path));
  return ParseFirmware(text, path);
}

}  // namespace dlpu
