// SPDX-License-Identifier: Apache-2.0
// The one font for labels on pictures: 95 glyphs of 5x9 pixels in cells of 6x10, drawn for this
// project. Constant data; any thread.
#pragma once

#include <string_view>

namespace dlpu {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 9;  // 7 above the base line, 2 below
inline constexpr int kCellWidth = 6;
inline constexpr int kCellHeight = 10;

// Whether the glyph of `c` covers column x of row y. Characters outside ASCII 32..126 look like
// a question mark. REQUIRES: 0 <= x < kGlyphWidth, 0 <= y < kGlyphHeight.
bool GlyphPixel(char c, int x, int y);

// Characters to draw for UTF-8 text: every code point outside ASCII becomes one '?'.
int CountCells(std::string_view text);

}  // namespace dlpu
