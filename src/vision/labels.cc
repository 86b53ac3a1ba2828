// SPDX-License-Identifier: Apache-2.0
// Parsing of label files.
#include "vision/labels.h"

#include <fmt/format.h>

#include <cctype>
#include <optional>

#include "base/file.h"

namespace dlpu {
namespace {

// Above this a number in front of a name is not taken for a class.
constexpr int kMaxClass = 1'000'000;

std::string_view Trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  return s;
}

struct NumberedName {
  int class_id;
  std::string_view name;
};

// "12  name" or "12: name".
std::optional<NumberedName> ParseNumbered(std::string_view line) {
  size_t digits = 0;
  int class_id = 0;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits]))) {
    class_id = class_id * 10 + (line[digits++] - '0');
    if (class_id > kMaxClass) return std::nullopt;
  }
  if (digits == 0 || digits == line.size()) return std::nullopt;
  if (line[digits] != ':' && !std::isspace(static_cast<unsigned char>(line[digits]))) {
    return std::nullopt;
  }
  return NumberedName{class_id, Trim(line.substr(digits + 1))};
}

}  // namespace

Labels ParseLabels(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(Trim(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  bool numbered = !lines.empty();
  for (const std::string_view line : lines) {
    numbered = numbered && (line.empty() || ParseNumbered(line));
  }
  Labels labels;
  for (const std::string_view line : lines) {
    if (!numbered) {
      labels.emplace_back(line);
      continue;
    }
    if (line.empty()) continue;
    const NumberedName named = *ParseNumbered(line);
    if (labels.size() <= static_cast<size_t>(named.class_id)) labels.resize(named.class_id + 1);
    labels[named.class_id] = named.name;
  }
  return labels;
}

Result<Labels> ReadLabels(const std::string& path) {
  DLPU_TRY(const std::string text, ReadTextFile(path));
  Labels labels = ParseLabels(text);
  if (labels.empty()) {
    return InvalidError(fmt::format("{}: no labels; give one class name a line", path));
  }
  return labels;
}

std::string LabelOf(const Labels& labels, int class_id) {
  if (class_id >= 0 && static_cast<size_t>(class_id) < labels.size() && !labels[class_id].empty()) {
    return labels[class_id];
  }
  return fmt::format("class {}", class_id);
}

void ApplyLabels(const Labels& labels, std::vector<Detection>& detections) {
  for (Detection& d : detections) d.label = LabelOf(labels, d.class_id);
}

}  // namespace dlpu
