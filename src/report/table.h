// SPDX-License-Identifier: Apache-2.0
// A plain text table: a header, rows, columns as wide as they need to be. Plain value.
#pragma once

#include <string>
#include <vector>

namespace dlpu {

class Table {
 public:
  // A column whose header begins with '>' is aligned to the right.
  explicit Table(std::vector<std::string> header);
  // Missing cells are empty. REQUIRES: no more cells than columns.
  void AddRow(std::vector<std::string> cells);
  size_t rows() const { return rows_.size(); }
  // Lines end in '\n'; no trailing blanks.
  std::string Text() const;

 private:
  std::vector<std::string> header_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// "1.23 ms", "45.6 us": three significant digits and a unit that fits.
std::string DurationText(double milliseconds);
// "4.60 to 6.80 ms": both in the unit that fits the larger.
std::string DurationRangeText(double low_ms, double high_ms);
// "3.4 MiB", "512 bytes".
std::string BytesText(int64_t bytes);
// "300.8 M", "12.3 k".
std::string CountText(int64_t count);

}  // namespace dlpu
