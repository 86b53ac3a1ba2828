// SPDX-License-Identifier: Apache-2.0
// PNG through libpng's classic interface. Errors leave libpng by longjmp, so the functions that
// call it hold plain structs only; everything that owns memory lives in their callers.
#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "vision/decoders.h"

namespace dlpu {
namespace {

struct PngState {
  std::span<const uint8_t> in;  // what is left to read
  std::vector<uint8_t>* out = nullptr;
  char message[128] = {};
};

void OnError(png_structp png, png_const_charp what) {
  auto* state = static_cast<PngState*>(png_get_error_ptr(png));
  std::strncpy(state->message, what, sizeof(state->message) - 1);
  png_longjmp(png, 1);
}

void OnWarning(png_structp, png_const_charp) {}

void OnRead(png_structp png, png_bytep to, size_t size) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  if (size > state->in.size()) png_error(png, "the file ends too early");
  std::memcpy(to, state->in.data(), size);
  state->in = state->in.subspan(size);
}

void OnWrite(png_structp png, png_bytep from, size_t size) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  state->out->insert(state->out->end(), from, from + size);
}

void OnFlush(png_structp) {}

// Owns libpng's structs for one read or write.
struct Png {
  png_structp png = nullptr;
  png_infop info = nullptr;
  bool writing = false;

  Png(bool write, PngState* state) : writing(write) {
    png = write ? png_create_write_struct(PNG_LIBPNG_VER_STRING, state, OnError, OnWarning)
                : png_create_read_struct(PNG_LIBPNG_VER_STRING, state, OnError, OnWarning);
    if (png) info = png_create_info_struct(png);
  }
  ~Png() {
    if (writing) {
      png_destroy_write_struct(&png, &info);
    } else {
      png_destroy_read_struct(&png, &info, nullptr);
    }
  }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
};

struct PngHeader {
  png_uint_32 width, height;
  int channels;
  bool grey_palette;  // RGB, but all three are equal
};

bool HasGreyPalette(png_structp png, png_infop info) {
  png_colorp palette = nullptr;
  int size = 0;
  if (png_get_PLTE(png, info, &palette, &size) == 0) return false;
  if (png_get_color_type(png, info) != PNG_COLOR_TYPE_PALETTE) return false;
  for (int i = 0; i < size; ++i) {
    if (palette[i].red != palette[i].green || palette[i].green != palette[i].blue) return false;
  }
  return true;
}

// Reads up to the pixels and asks for 8 bits of grey, RGB or RGBA. False: see state->message.
bool ReadHeader(png_structp png, png_infop info, PngState* state, PngHeader* header) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);  // CheckPictureSize decides
  png_set_chunk_malloc_max(png, 16 << 20);
  png_set_read_fn(png, state, OnRead);
  png_read_info(png, info);
  png_set_strip_16(png);
  png_set_expand(png);  // palette to RGB, 1/2/4-bit grey to 8, a transparent colour to alpha
  const bool alpha = (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) != 0 ||
                     png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  if (alpha) png_set_gray_to_rgb(png);  // there is no grey with alpha here
  const bool grey_palette = !alpha && HasGreyPalette(png, info);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  *header = {png_get_image_width(png, info), png_get_image_height(png, info),
             png_get_channels(png, info), grey_palette};
  return true;
}

bool ReadPixels(png_structp png, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

bool WritePixels(png_structp png, png_infop info, PngState* state, const Image* image,
                 png_bytepp rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_write_fn(png, state, OnWrite, OnFlush);
  const int colour = image->channels == 1   ? PNG_COLOR_TYPE_GRAY
                     : image->channels == 3 ? PNG_COLOR_TYPE_RGB
                                            : PNG_COLOR_TYPE_RGB_ALPHA;
  png_set_IHDR(png, info, image->width, image->height, 8, colour, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, 6);
  png_write_info(png, info);
  png_write_image(png, rows);
  png_write_end(png, info);
  return true;
}

std::vector<png_bytep> RowPointers(const Image& image) {
  std::vector<png_bytep> rows(image.height);
  // libpng's writer takes pointers to non-const and leaves the rows alone.
  for (int y = 0; y < image.height; ++y) rows[y] = const_cast<png_bytep>(image.Row(y));
  return rows;
}

Error PngError(const std::string& name, const PngState& state) {
  return InvalidError(
      fmt::format("{}: damaged or truncated PNG: {}; save or copy it again", name, state.message));
}

}  // namespace

Result<Image> DecodePng(std::span<const uint8_t> bytes, const std::string& name) {
  PngState state;
  state.in = bytes;
  Png png(false, &state);
  if (!png.info) return ExhaustedError(fmt::format("{}: no memory to read a PNG", name));
  PngHeader header{};
  if (!ReadHeader(png.png, png.info, &state, &header)) return PngError(name, state);
  DLPU_RETURN_IF_ERROR(CheckPictureSize(header.width, header.height, name));
  if (header.channels != 1 && header.channels != 3 && header.channels != 4) {
    return UnsupportedError(fmt::format("{}: a PNG of {} channels", name, header.channels));
  }
  Image image =
      MakeImage(static_cast<int>(header.width), static_cast<int>(header.height), header.channels);
  std::vector<png_bytep> rows = RowPointers(image);
  if (!ReadPixels(png.png, rows.data())) return PngError(name, state);
  if (header.grey_palette) return ToGrey(image);  // exact: the weights add up to 65536
  return image;
}

Result<std::vector<uint8_t>> EncodePng(const Image& image) {
  if ((image.channels != 1 && image.channels != 3 && image.channels != 4) || image.width < 1 ||
      image.height < 1 || image.pixels.size() != image.RowBytes() * image.height) {
    return InvalidError(fmt::format("a picture of {}x{}x{} with {} bytes cannot be saved as PNG",
                                    image.width, image.height, image.channels,
                                    image.pixels.size()));
  }
  std::vector<uint8_t> out;
  PngState state;
  state.out = &out;
  Png png(true, &state);
  if (!png.info) return ExhaustedError("no memory to write a PNG");
  std::vector<png_bytep> rows = RowPointers(image);
  if (!WritePixels(png.png, png.info, &state, &image, rows.data())) {
    return InternalError(fmt::format("cannot write a PNG: {}", state.message));
  }
  return out;
}

Status WritePng(const std::string& path, const Image& image) {
  DLPU_TRY(const std::vector<uint8_t> bytes, EncodePng(image));
  return WriteFile(path, bytes);
}

}  // namespace dlpu
