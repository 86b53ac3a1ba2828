// SPDX-License-Identifier: Apache-2.0
// Reads lists of classes and of labels.
#include "app/eval_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

#include "base/file.h"

namespace dlpu {
namespace {

// "n01440764", the id of a set of synonyms in WordNet.
bool IsWordNetId(const std::string& text) {
  return text.size() == 9 && text[0] == 'n' && IsNumber(text.substr(1));
}

struct Line {
  int number = 0;
  std::string text;
  std::vector<std::string> words;
  std::vector<size_t> at;  // where each word begins
};

Result<std::vector<Line>> ReadLines(const std::string& path, const char* what) {
  DLPU_TRY(const std::string text, ReadTextFile(path));
  std::vector<Line> lines;
  std::istringstream stream(text);
  int number = 0;
  for (std::string row; std::getline(stream, row);) {
    ++number;
    Line line{number, row, {}, {}};
    for (size_t i = 0; i < row.size();) {
      const size_t begin = row.find_first_not_of(" \t,\r", i);
      if (begin == std::string::npos) break;
      const size_t end = std::min(row.find_first_of(" \t,\r", begin), row.size());
      line.words.push_back(row.substr(begin, end - begin));
      line.at.push_back(begin);
      i = end;
    }
    if (!line.words.empty() && line.words[0][0] != '#') lines.push_back(std::move(line));
  }
  if (lines.empty()) return InvalidError(fmt::format("{}: no {} in it", path, what));
  return lines;
}

// The word that is the class: a WordNet id wherever it stands, else the last one.
size_t ClassWord(const Line& line) {
  const auto id = std::find_if(line.words.begin(), line.words.end(), IsWordNetId);
  return id != line.words.end() ? static_cast<size_t>(id - line.words.begin())
                                : line.words.size() - 1;
}

// Whether the first line is a heading: Kaggle's "ImageId,PredictionString".
bool IsHeading(const std::vector<Line>& lines, bool classes) {
  if (classes || lines.size() < 2) return false;
  const std::string &first = lines[0].words.back(), &second = lines[1].words[ClassWord(lines[1])];
  return IsWordNetId(second) && !IsWordNetId(lines[0].words[ClassWord(lines[0])]) &&
         !IsNumber(first);
}

}  // namespace

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() < 9 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

Result<int64_t> ClassList::ClassOf(const std::string& name) const {
  const auto found = by_name.find(name);
  if (found != by_name.end()) return found->second;
  return InvalidError(
      fmt::format("class '{}' is not in {}, which has {} classes", name, path, names.size()));
}

Result<ClassList> ReadClassList(const std::string& path) {
  DLPU_TRY(const std::vector<Line> lines, ReadLines(path, "classes"));
  ClassList list;
  list.path = path;
  const bool numbered = std::all_of(lines.begin(), lines.end(), [](const Line& line) {
    return line.words.size() > 1 && IsNumber(line.words[1]);
  });
  for (const Line& line : lines) list.names.push_back(line.words[0]);
  if (numbered) std::sort(list.names.begin(), list.names.end());
  for (size_t i = 0; i < list.names.size(); ++i) {
    if (!list.by_name.emplace(list.names[i], static_cast<int64_t>(i)).second) {
      return InvalidError(fmt::format("{}: class '{}' stands there twice", path, list.names[i]));
    }
  }
  for (const Line& line : lines) {
    if (numbered) list.by_number[std::stoll(line.words[1])] = list.by_name[line.words[0]];
  }
  return list;
}

Result<LabelList> ReadLabelList(const std::string& path, int first_class,
                                const ClassList* classes) {
  DLPU_TRY(std::vector<Line> lines, ReadLines(path, "labels"));
  if (IsHeading(lines, classes != nullptr && classes->by_name.contains(lines[0].words.back()))) {
    lines.erase(lines.begin());
  }
  LabelList list;
  const bool named = classes != nullptr ? !IsNumber(lines[0].words[ClassWord(lines[0])])
                                        : IsWordNetId(lines[0].words[ClassWord(lines[0])]);
  std::set<std::string> names;
  if (named && classes == nullptr) {
    for (const Line& line : lines) names.insert(line.words[ClassWord(line)]);
    list.class_names.assign(names.begin(), names.end());
  } else if (classes != nullptr) {
    list.class_names = classes->names;
  }
  list.classes = static_cast<int64_t>(list.class_names.size());
  for (const Line& line : lines) {
    const size_t at = ClassWord(line);
    const std::string& word = line.words[at];
    LabelLine label;
    label.file = line.text.substr(0, line.at[at]);
    while (!label.file.empty() &&
           std::string(" \t,").find(label.file.back()) != std::string::npos) {
      label.file.pop_back();
    }
    const auto where = [&] { return fmt::format("{}:{}", path, line.number); };
    if (!named && !IsNumber(word)) {
      return InvalidError(
          fmt::format("{}: '{}' ends in no class number", where(), line.text.substr(0, 60)));
    }
    if (named && classes == nullptr) {
      if (!IsWordNetId(word)) return InvalidError(where() + ": no WordNet id as before");
      label.label = std::lower_bound(list.class_names.begin(), list.class_names.end(), word) -
                    list.class_names.begin();
    } else if (named) {
      const Result<int64_t> found = classes->ClassOf(word);
      if (!found.ok()) {
        return InvalidError(fmt::format("{}: {}", where(), found.error().message));
      }
      label.label = *found;
    } else if (classes != nullptr && !classes->by_number.empty()) {
      const auto found = classes->by_number.find(std::stoll(word));
      if (found == classes->by_number.end()) {
        return InvalidError(
            fmt::format("{}: class {} has no line in {}", where(), word, classes->path));
      }
      label.label = found->second;
    } else {
      label.label = std::stoll(word) - first_class;
      if (label.label < 0) {
        return InvalidError(fmt::format("{}: class {} is below the first one, {} (--first-class)",
                                        where(), word, first_class));
      }
      list.classes = std::max(list.classes, label.label + 1);
    }
    list.lines.push_back(std::move(label));
  }
  return list;
}

}  // namespace dlpu
