// SPDX-License-Identifier: Apache-2.0
// Copies rows of an 8-bit picture with padding around them, so that kernels read every tap at a
// fixed distance from its pixel. Pure; any thread.
#pragma once

#include <cstdint>

namespace dlpu {

// H,W,C pictures. A copied row holds `width` pixels from column -pad_left on.
struct PaddedRows {
  int64_t in_h = 1, in_w = 1, in_c = 1;
  int64_t pad_left = 0, width = 1;
  uint8_t zero = 0;      // the code outside the picture
  uint8_t flip = 0;      // widened copies hold unsigned codes: 0x80 when the input is signed
  bool widened = false;  // to 16 bits

  int64_t pixel_bytes() const { return in_c * (widened ? 2 : 1); }
  int64_t row_bytes() const { return width * pixel_bytes(); }
};

// Copies `count` rows from row `first` on (rows may lie outside) to `to`, row_bytes() apart.
void CopyPaddedRows(const PaddedRows& rows, const uint8_t* picture, int64_t first, int64_t count,
                    uint8_t* to);

// Whether taps of a kernel leave the picture along one axis.
inline bool LeavesPicture(int64_t out, int64_t stride, int64_t kernel, int64_t dilation,
                          int64_t pad, int64_t in) {
  return pad != 0 || (out - 1) * stride + (kernel - 1) * dilation >= in;
}

}  // namespace dlpu
