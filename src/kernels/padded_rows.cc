// SPDX-License-Identifier: Apache-2.0
// Padded row copies.
#include "kernels/padded_rows.h"

#include <algorithm>
#include <cstring>

namespace dlpu {
namespace {

void Fill(const PaddedRows& rows, uint8_t* to, int64_t pixels) {
  if (pixels <= 0) return;
  if (!rows.widened) {
    std::memset(to, rows.zero, static_cast<size_t>(pixels * rows.in_c));
    return;
  }
  const auto wide = static_cast<uint16_t>(rows.zero ^ rows.flip);
  std::fill_n(reinterpret_cast<uint16_t*>(to), pixels * rows.in_c, wide);
}

void Copy(const PaddedRows& rows, const uint8_t* from, int64_t pixels, uint8_t* to) {
  const int64_t bytes = pixels * rows.in_c;
  if (!rows.widened) {
    std::memcpy(to, from, static_cast<size_t>(bytes));
    return;
  }
  auto* wide = reinterpret_cast<uint16_t*>(to);
  const uint8_t flip = rows.flip;
  for (int64_t i = 0; i < bytes; ++i) wide[i] = static_cast<uint8_t>(from[i] ^ flip);
}

}  // namespace

void CopyPaddedRows(const PaddedRows& rows, const uint8_t* picture, int64_t first, int64_t count,
                    uint8_t* to) {
  const int64_t left = std::min(rows.pad_left, rows.width);
  const int64_t body = std::clamp<int64_t>(rows.in_w, 0, rows.width - left);
  for (int64_t r = 0; r < count; ++r, to += rows.row_bytes()) {
    const int64_t y = first + r;
    if (y < 0 || y >= rows.in_h) {
      Fill(rows, to, rows.width);
      continue;
    }
    Fill(rows, to, left);
    uint8_t* at = to + left * rows.pixel_bytes();
    Copy(rows, picture + y * rows.in_w * rows.in_c, body, at);
    Fill(rows, at + body * rows.pixel_bytes(), rows.width - left - body);
  }
}

}  // namespace dlpu
