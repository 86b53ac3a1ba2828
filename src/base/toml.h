// SPDX-License-Identifier: Apache-2.0
// Strict reading of the project's own TOML files (targets, products, zoo). A TomlTable hands out
// values by key with the type the caller asks for; the first mistake is remembered with file, line
// and key, and a default is returned so that reading code stays straight. TomlFile::Finish() then
// reports that mistake, or any key of the file nobody asked for together with the nearest key that
// exists. A TomlTable is a view: it must not outlive its TomlFile. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dlpu {

struct TomlState;  // the parsed file and what was asked of it

class TomlTable {
 public:
  // False for what a missing table yields; every key of it is then missing without complaint.
  bool present() const { return node_ != nullptr; }
  // Asking counts as knowing the key.
  bool Has(std::string_view key) const;
  // Keys in alphabetical order.
  std::vector<std::string> Keys() const;

  // A required value: its absence, like a wrong type, is an error.
  std::string Str(std::string_view key) const;
  int64_t Int(std::string_view key, int64_t low, int64_t high) const;
  double Num(std::string_view key) const;
  bool Bool(std::string_view key) const;
  std::vector<std::string> Strs(std::string_view key) const;
  std::vector<double> Nums(std::string_view key) const;
  std::vector<int64_t> Ints(std::string_view key, int64_t low, int64_t high) const;
  // One of `words`; anything else is an error that lists them.
  std::string Word(std::string_view key, const std::vector<std::string>& words) const;

  // The same, with a value for an absent key.
  std::string Str(std::string_view key, std::string_view absent) const;
  int64_t Int(std::string_view key, int64_t low, int64_t high, int64_t absent) const;
  double Num(std::string_view key, double absent) const;
  bool Bool(std::string_view key, bool absent) const;
  std::vector<std::string> StrsOrNone(std::string_view key) const;
  std::vector<double> NumsOrNone(std::string_view key) const;
  std::string Word(std::string_view key, const std::vector<std::string>& words,
                   std::string_view absent) const;

  // A required table, and one that may be absent.
  TomlTable Table(std::string_view key) const;
  TomlTable TableOrNone(std::string_view key) const;
  // [[key]] or an array of inline tables; none when absent.
  std::vector<TomlTable> Tables(std::string_view key) const;

  // Remembers a mistake of meaning, placed at `key` (or at the table, for an empty key).
  void Fail(std::string_view key, const std::string& message) const;

 private:
  friend class TomlFile;
  TomlTable(TomlState* state, const void* node) : state_(state), node_(node) {}

  TomlState* state_ = nullptr;
  const void* node_ = nullptr;  // a toml::table
};

class TomlFile {
 public:
  // `name` is how errors call the file.
  static Result<TomlFile> Parse(std::string_view text, const std::string& name);
  static Result<TomlFile> Read(const std::string& path);
  TomlFile(TomlFile&&) noexcept;
  TomlFile& operator=(TomlFile&&) noexcept;
  ~TomlFile();

  TomlTable Root();
  // The first mistake, or the first key nobody asked for, or success.
  Status Finish() const;

 private:
  explicit TomlFile(std::unique_ptr<TomlState> state);
  std::unique_ptr<TomlState> state_;
};

}  // namespace dlpu
