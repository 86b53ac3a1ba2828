// SPDX-License-Identifier: Apache-2.0
// Small picture files made on the spot for the tests of this folder. Test code only.
#pragma once

#include <turbojpeg.h>

#include <cstdint>
#include <string>
#include <vector>

#include "vision/image.h"

namespace dlpu {

using Bytes = std::vector<uint8_t>;

inline void Put16(Bytes& to, uint32_t v) {
  to.push_back(static_cast<uint8_t>(v));
  to.push_back(static_cast<uint8_t>(v >> 8));
}
inline void Put32(Bytes& to, uint32_t v) {
  Put16(to, v & 0xFFFF);
  Put16(to, v >> 16);
}

// A smooth picture with different channels, so that exchanged axes or channels show.
inline Image Gradient(int width, int height, int channels) {
  Image image = MakeImage(width, height, channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int values[4] = {10 + 200 * x / width, 20 + 180 * y / height, 90, 255 - 8 * (x % 16)};
      for (int c = 0; c < channels; ++c) image.At(x, y)[c] = static_cast<uint8_t>(values[c]);
    }
  }
  return image;
}

// `format` is TJPF_RGB, TJPF_GRAY or TJPF_CMYK; quality 100, no chroma subsampling.
inline Bytes EncodeJpeg(const Image& image, int format) {
  tjhandle handle = tjInitCompress();
  unsigned char* out = nullptr;
  unsigned long size = 0;
  const int failed =
      tjCompress2(handle, image.pixels.data(), image.width, 0, image.height, format, &out, &size,
                  format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444, 100, TJFLAG_ACCURATEDCT);
  Bytes bytes;
  if (!failed) bytes.assign(out, out + size);
  tjFree(out);
  tjDestroy(handle);
  return bytes;
}

// An uncompressed BMP. `bits` 24 or 32 take an RGB picture, 8 takes grey and writes `palette`
// (256 colours) or a grey one. A 40-byte header, rows from the bottom unless `top_down`.
inline Bytes EncodeBmp(const Image& image, int bits, bool top_down = false,
                       const std::vector<Colour>& palette = {}) {
  const size_t stride = (static_cast<size_t>(image.width) * bits + 31) / 32 * 4;
  const uint32_t offset = 54 + (bits == 8 ? 1024 : 0);
  Bytes out = {'B', 'M'};
  Put32(out, static_cast<uint32_t>(offset + stride * image.height));
  Put32(out, 0);
  Put32(out, offset);
  Put32(out, 40);
  Put32(out, image.width);
  Put32(out, top_down ? -image.height : image.height);
  Put16(out, 1);
  Put16(out, bits);
  for (int i = 0; i < 6; ++i) Put32(out, 0);
  for (int i = 0; bits == 8 && i < 256; ++i) {
    const uint8_t grey = static_cast<uint8_t>(i);
    const Colour c = palette.empty() ? Colour{grey, grey, grey} : palette[i];
    out.insert(out.end(), {c[2], c[1], c[0], 0});
  }
  for (int row = 0; row < image.height; ++row) {
    const int y = top_down ? row : image.height - 1 - row;
    const size_t start = out.size();
    for (int x = 0; x < image.width; ++x) {
      const uint8_t* p = image.At(x, y);
      if (bits == 8) {
        out.push_back(p[0]);
      } else {
        out.insert(out.end(), {p[2], p[1], p[0]});
        if (bits == 32) out.push_back(0x5A);  // ignored
      }
    }
    out.resize(start + stride);
  }
  return out;
}

}  // namespace dlpu
