// SPDX-License-Identifier: Apache-2.0
// Text tables and numbers for people.
#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace dlpu {
namespace {

// Characters a terminal shows for UTF-8 text (all of width one here).
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Three significant digits of a value of at least 1.
std::string Rounded(double value) {
  return fmt::format("{:.{}f}", value, value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

std::string Scaled(double value, double step, const char* const* units, int count) {
  int unit = 0;
  while (unit + 1 < count && value >= step) {
    value /= step;
    ++unit;
  }
  return fmt::format("{} {}", Rounded(value), units[unit]);
}

}  // namespace

Table::Table(std::vector<std::string> header) : header_(std::move(header)) {
  for (std::string& cell : header_) {
    right_.push_back(!cell.empty() && cell[0] == '>');
    if (right_.back()) cell.erase(0, 1);
  }
}

void Table::AddRow(std::vector<std::string> cells) {
  DLPU_CHECK(cells.size() <= header_.size());
  cells.resize(header_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<size_t> widths(header_.size(), 0);
  const auto measure = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  };
  measure(header_);
  for (const auto& row : rows_) measure(row);
  std::string text;
  const auto print = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - Width(row[i]), ' ');
      if (i != 0) line += "  ";
      line += right_[i] ? blanks + row[i] : row[i] + blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  print(header_);
  for (const auto& row : rows_) print(row);
  return text;
}

std::string DurationText(double milliseconds) {
  static constexpr const char* kUnits[] = {"ns", "us", "ms", "s"};
  return Scaled(milliseconds * 1e6, 1000, kUnits, 4);
}

std::string DurationRangeText(double low_ms, double high_ms) {
  const std::string high = DurationText(high_ms);
  const double scale = high.ends_with(" ms")   ? 1
                       : high.ends_with(" us") ? 1e3
                       : high.ends_with(" ns") ? 1e6
                                               : 1e-3;
  return fmt::format("{} to {}", Rounded(low_ms * scale), high);
}

std::string BytesText(int64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB"};
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  return Scaled(static_cast<double>(bytes), 1024, kUnits, 4);
}

std::string CountText(int64_t count) {
  static constexpr const char* kUnits[] = {"", "k", "M", "G"};
  if (count < 1000) return std::to_string(count);
  return Scaled(static_cast<double>(count), 1000, kUnits, 4);
}

}  // namespace dlpu
