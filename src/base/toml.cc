// SPDX-License-Identifier: Apache-2.0
// The strict TOML reader on top of toml++.
#include "base/toml.h"

#define TOML_EXCEPTIONS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <map>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/nearest.h"

namespace dlpu {

struct TomlState {
  std::string name;
  toml::table root;
  std::optional<Error> mistake;
  std::map<const toml::table*, std::set<std::string>> asked;  // keys asked for, per table

  void Remember(const toml::source_region& at, const std::string& message) {
    if (!mistake) mistake = InvalidError(fmt::format("{}:{}: {}", name, at.begin.line, message));
  }
  Status CheckKeys(const toml::table& table) const;
};

namespace {

const toml::table& AsTable(const void* node) { return *static_cast<const toml::table*>(node); }

template <typename T>
constexpr const char* kKind = "value";
template <>
constexpr const char* kKind<std::string> = "text in quotes";
template <>
constexpr const char* kKind<int64_t> = "a whole number";
template <>
constexpr const char* kKind<double> = "a number";
template <>
constexpr const char* kKind<bool> = "true or false";

template <typename T>
std::optional<T> ValueOf(const toml::node& node) {
  if constexpr (std::is_same_v<T, double>) {
    if (!node.is_number()) return std::nullopt;
    return node.value<double>();
  } else {
    return node.value_exact<T>();
  }
}

}  // namespace

TomlFile::TomlFile(std::unique_ptr<TomlState> state) : state_(std::move(state)) {}
TomlFile::TomlFile(TomlFile&&) noexcept = default;
TomlFile& TomlFile::operator=(TomlFile&&) noexcept = default;
TomlFile::~TomlFile() = default;

Result<TomlFile> TomlFile::Parse(std::string_view text, const std::string& name) {
  toml::parse_result parsed = toml::parse(text, name);
  if (!parsed) {
    const toml::parse_error& e = parsed.error();
    return InvalidError(
        fmt::format("{}:{}: not valid TOML: {}", name, e.source().begin.line, e.description()));
  }
  auto state = std::make_unique<TomlState>();
  state->name = name;
  state->root = std::move(parsed).table();
  return TomlFile(std::move(state));
}

Result<TomlFile> TomlFile::Read(const std::string& path) {
  DLPU_TRY(const std::string text, ReadTextFile(path));
  return Parse(text, path);
}

TomlTable TomlFile::Root() { return TomlTable(state_.get(), &state_->root); }

Status TomlState::CheckKeys(const toml::table& table) const {
  const auto found = asked.find(&table);
  const std::set<std::string> none;
  const std::set<std::string>& known = found == asked.end() ? none : found->second;
  for (const auto& [key, value] : table) {
    const std::string word(key.str());
    if (!known.contains(word)) {
      return InvalidError(fmt::format("{}:{}: unknown key '{}'{}", name, key.source().begin.line,
                                      word, DidYouMean(word, {known.begin(), known.end()})));
    }
    if (const toml::table* inner = value.as_table()) DLPU_RETURN_IF_ERROR(CheckKeys(*inner));
    if (const toml::array* list = value.as_array()) {
      for (const toml::node& item : *list) {
        if (item.is_table()) DLPU_RETURN_IF_ERROR(CheckKeys(*item.as_table()));
      }
    }
  }
  return OkStatus();
}

Status TomlFile::Finish() const {
  // A misspelt required key is both missing and unknown; saying which key is unknown helps more.
  DLPU_RETURN_IF_ERROR(state_->CheckKeys(state_->root));
  if (state_->mistake) return *state_->mistake;
  return OkStatus();
}

// Reads values for TomlTable; lives here so that the header needs no toml++.
namespace {

struct Reader {
  TomlState* state;
  const toml::table* table;

  // Notes that `key` was asked for.
  Reader(TomlState* s, const void* node, std::string_view key)
      : state(s), table(node ? &AsTable(node) : nullptr) {
    if (table) state->asked[table].insert(std::string(key));
  }
  void Say(const toml::node& at, const std::string& message) const {
    state->Remember(at.source(), message);
  }
  const toml::node* Find(std::string_view key, bool required) const {
    if (!table) return nullptr;
    const toml::node* node = table->get(key);
    if (!node && required) Say(*table, fmt::format("the key '{}' is missing", key));
    return node;
  }
  template <typename T>
  std::optional<T> Get(std::string_view key, bool required) const {
    const toml::node* node = Find(key, required);
    if (!node) return std::nullopt;
    std::optional<T> value = ValueOf<T>(*node);
    if (!value) Say(*node, fmt::format("'{}' must be {}", key, kKind<T>));
    return value;
  }
  template <typename T>
  std::vector<T> List(std::string_view key, bool required) const {
    const toml::node* node = Find(key, required);
    if (!node) return {};
    std::vector<T> values;
    const toml::array* list = node->as_array();
    if (!list) {
      Say(*node, fmt::format("'{}' must be a list, each item {}", key, kKind<T>));
      return {};
    }
    for (const toml::node& item : *list) {
      std::optional<T> value = ValueOf<T>(item);
      if (!value) {
        Say(item, fmt::format("every item of '{}' must be {}", key, kKind<T>));
        return {};
      }
      values.push_back(*std::move(value));
    }
    return values;
  }
};

}  // namespace

bool TomlTable::Has(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.table && reader.table->contains(key);
}

std::vector<std::string> TomlTable::Keys() const {
  std::vector<std::string> keys;
  if (!node_) return keys;
  for (const auto& [key, value] : AsTable(node_)) keys.emplace_back(key.str());
  return keys;
}

std::string TomlTable::Str(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.Get<std::string>(key, true).value_or("");
}
std::string TomlTable::Str(std::string_view key, std::string_view absent) const {
  const Reader reader(state_, node_, key);
  return reader.Get<std::string>(key, false).value_or(std::string(absent));
}
double TomlTable::Num(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.Get<double>(key, true).value_or(0);
}
double TomlTable::Num(std::string_view key, double absent) const {
  const Reader reader(state_, node_, key);
  return reader.Get<double>(key, false).value_or(absent);
}
bool TomlTable::Bool(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.Get<bool>(key, true).value_or(false);
}
bool TomlTable::Bool(std::string_view key, bool absent) const {
  const Reader reader(state_, node_, key);
  return reader.Get<bool>(key, false).value_or(absent);
}
std::vector<std::string> TomlTable::Strs(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.List<std::string>(key, true);
}
std::vector<std::string> TomlTable::StrsOrNone(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.List<std::string>(key, false);
}
std::vector<double> TomlTable::Nums(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.List<double>(key, true);
}
std::vector<double> TomlTable::NumsOrNone(std::string_view key) const {
  const Reader reader(state_, node_, key);
  return reader.List<double>(key, false);
}

int64_t TomlTable::Int(std::string_view key, int64_t low, int64_t high) const {
  const Reader reader(state_, node_, key);
  const std::optional<int64_t> value = reader.Get<int64_t>(key, true);
  if (!value) return low;
  if (*value < low || *value > high) {
    Fail(key, fmt::format("'{}' is {}, allowed is {} to {}", key, *value, low, high));
    return low;
  }
  return *value;
}

int64_t TomlTable::Int(std::string_view key, int64_t low, int64_t high, int64_t absent) const {
  const Reader reader(state_, node_, key);
  return reader.table && reader.table->contains(key) ? Int(key, low, high) : absent;
}

std::vector<int64_t> TomlTable::Ints(std::string_view key, int64_t low, int64_t high) const {
  const Reader reader(state_, node_, key);
  std::vector<int64_t> values = reader.List<int64_t>(key, true);
  for (int64_t& value : values) {
    if (value < low || value > high) {
      Fail(key, fmt::format("'{}' holds {}, allowed is {} to {}", key, value, low, high));
      value = low;
    }
  }
  return values;
}

std::string TomlTable::Word(std::string_view key, const std::vector<std::string>& words) const {
  std::string value = Str(key);
  for (const std::string& word : words) {
    if (word == value) return value;
  }
  if (Has(key)) {
    Fail(key, fmt::format("'{}' is \"{}\", allowed is {}{}", key, value, fmt::join(words, ", "),
                          DidYouMean(value, words)));
  }
  return words.empty() ? "" : words.front();
}

std::string TomlTable::Word(std::string_view key, const std::vector<std::string>& words,
                            std::string_view absent) const {
  const Reader reader(state_, node_, key);
  return Has(key) ? Word(key, words) : std::string(absent);
}

TomlTable TomlTable::Table(std::string_view key) const {
  const Reader reader(state_, node_, key);
  const toml::node* node = reader.Find(key, true);
  if (node && !node->is_table()) reader.Say(*node, fmt::format("'{}' must be a table", key));
  return TomlTable(state_, node ? node->as_table() : nullptr);
}

TomlTable TomlTable::TableOrNone(std::string_view key) const {
  return Has(key) ? Table(key) : TomlTable(state_, nullptr);
}

std::vector<TomlTable> TomlTable::Tables(std::string_view key) const {
  const Reader reader(state_, node_, key);
  const toml::node* node = reader.Find(key, false);
  std::vector<TomlTable> tables;
  if (!node) return tables;
  const toml::array* list = node->as_array();
  if (!list || (!list->empty() && !list->is_homogeneous(toml::node_type::table))) {
    reader.Say(*node, fmt::format("'{}' must be a list of tables", key));
    return tables;
  }
  for (const toml::node& item : *list) tables.push_back(TomlTable(state_, item.as_table()));
  return tables;
}

void TomlTable::Fail(std::string_view key, const std::string& message) const {
  if (!node_) return;
  const toml::table& table = AsTable(node_);
  const toml::node* node = key.empty() ? nullptr : table.get(key);
  state_->Remember(node ? node->source() : table.source(), message);
}

}  // namespace dlpu
