// SPDX-License-Identifier: Apache-2.0
// Decoding of every format and channel layout, conversions, and hostile files: truncated at every
// byte, every byte changed, absurd sizes.
#include "vision/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "vision/decoders.h"
#include "vision/test_files.h"

namespace dlpu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(const Bytes& bytes) {
  const Result<Image> image = DecodeImage(bytes, "photo");
  return image.ok() ? "no error" : image.error().message;
}

int LargestDifference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.channels, b.channels);
  int most = 0;
  for (size_t i = 0; i < a.pixels.size() && i < b.pixels.size(); ++i) {
    most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  }
  return most;
}

// A PNG of any colour type and depth from raw rows (libpng's writer, no transformations).
struct PngRecipe {
  int width = 2, height = 1, depth = 8, colour = PNG_COLOR_TYPE_RGB;
  int interlace = PNG_INTERLACE_NONE;
  std::vector<Colour> palette = {};
  std::vector<uint8_t> palette_alpha = {};
  bool transparent_grey = false;  // grey value 1 is transparent
  std::vector<Bytes> rows = {};
};

Bytes MakePng(const PngRecipe& r) {
  Bytes out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep from, size_t size) {
        auto* to = static_cast<Bytes*>(png_get_io_ptr(p));
        to->insert(to->end(), from, from + size);
      },
      nullptr);
  png_set_IHDR(png, info, r.width, r.height, r.depth, r.colour, r.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  for (const Colour& c : r.palette) palette.push_back({c[0], c[1], c[2]});
  if (!palette.empty()) {
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  if (!r.palette_alpha.empty()) {
    png_set_tRNS(png, info, r.palette_alpha.data(), static_cast<int>(r.palette_alpha.size()),
                 nullptr);
  }
  if (r.transparent_grey) {
    png_color_16 clear{};
    clear.gray = 1;
    png_set_tRNS(png, info, nullptr, 0, &clear);
  }
  png_write_info(png, info);
  std::vector<Bytes> rows = r.rows;
  std::vector<png_bytep> pointers;
  for (Bytes& row : rows) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

TEST(PngTest, RoundTripsEveryChannelCount) {
  for (const int channels : {1, 3, 4}) {
    const Image image = Gradient(17, 9, channels);
    const auto png = EncodePng(image);
    ASSERT_TRUE(png.ok());
    const auto back = DecodeImage(*png, "x.png");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, image) << channels;
    EXPECT_EQ(*EncodePng(image), *png) << "the same picture must give the same bytes";
  }
}

TEST(PngTest, SixteenBitsKeepTheHighByte) {
  const Bytes png = MakePng({.depth = 16,
                             .rows = {{0x12, 0xFF, 0x80, 0x00, 0xFF, 0xFF,  //
                                       0x00, 0xFF, 0x01, 0x02, 0xFE, 0x80}}});
  const auto image = DecodeImage(png, "x.png");
  ASSERT_TRUE(image.ok());
  EXPECT_THAT(image->pixels, ElementsAre(0x12, 0x80, 0xFF, 0x00, 0x01, 0xFE));
}

TEST(PngTest, ExpandsSmallDepthsAndPalettes) {
  // 2-bit grey 0, 1, 2, 3 becomes 0, 85, 170, 255.
  const auto grey = DecodeImage(
      MakePng({.width = 4, .depth = 2, .colour = PNG_COLOR_TYPE_GRAY, .rows = {{0x1B}}}), "g");
  ASSERT_TRUE(grey.ok());
  EXPECT_EQ(grey->channels, 1);
  EXPECT_THAT(grey->pixels, ElementsAre(0, 85, 170, 255));
  const PngRecipe colours = {.depth = 4,
                             .colour = PNG_COLOR_TYPE_PALETTE,
                             .palette = {{1, 2, 3}, {4, 5, 6}},
                             .rows = {{0x10}}};
  const auto palette = DecodeImage(MakePng(colours), "p");
  ASSERT_TRUE(palette.ok());
  EXPECT_THAT(palette->pixels, ElementsAre(4, 5, 6, 1, 2, 3));
  PngRecipe greys = colours;
  greys.palette = {{7, 7, 7}, {9, 9, 9}};
  const auto map = DecodeImage(MakePng(greys), "m");
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->channels, 1);
  EXPECT_THAT(map->pixels, ElementsAre(9, 7));
}

TEST(PngTest, TransparencyIsLaidOverTheBackground) {
  const PngRecipe palette = {.depth = 8,
                             .colour = PNG_COLOR_TYPE_PALETTE,
                             .palette = {{100, 0, 0}, {0, 100, 0}},
                             .palette_alpha = {128},
                             .rows = {{0, 1}}};
  const auto raw = DecodeImage(MakePng(palette), "p");
  ASSERT_TRUE(raw.ok());
  EXPECT_THAT(raw->pixels, ElementsAre(100, 0, 0, 128, 0, 100, 0, 255));
  // 100 * 128 / 255 + 255 * 127 / 255 = 50.196 + 127; black: 50.196.
  EXPECT_THAT(DecodeRgb(MakePng(palette), "p")->pixels, ElementsAre(177, 127, 127, 0, 100, 0));
  EXPECT_THAT(DecodeRgb(MakePng(palette), "p", kBlack)->pixels, ElementsAre(50, 0, 0, 0, 100, 0));
  const auto grey = DecodeRgb(
      MakePng(
          {.depth = 8, .colour = PNG_COLOR_TYPE_GRAY, .transparent_grey = true, .rows = {{1, 2}}}),
      "g");
  ASSERT_TRUE(grey.ok());
  EXPECT_THAT(grey->pixels, ElementsAre(255, 255, 255, 2, 2, 2));
  const auto grey_alpha = DecodeRgb(
      MakePng({.colour = PNG_COLOR_TYPE_GRAY_ALPHA, .rows = {{40, 255, 40, 0}}}), "ga", kBlack);
  ASSERT_TRUE(grey_alpha.ok());
  EXPECT_THAT(grey_alpha->pixels, ElementsAre(40, 40, 40, 0, 0, 0));
}

TEST(PngTest, ReadsInterlacedPictures) {
  const Image image = Gradient(13, 11, 3);
  PngRecipe recipe = {.width = 13, .height = 11, .interlace = PNG_INTERLACE_ADAM7};
  for (int y = 0; y < 11; ++y) {
    recipe.rows.emplace_back(image.Row(y), image.Row(y) + image.RowBytes());
  }
  const auto back = DecodeImage(MakePng(recipe), "i");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, image);
}

TEST(PngTest, RefusesPicturesThatAreNoPictures) {
  EXPECT_FALSE(EncodePng(Image{}).ok());
  EXPECT_FALSE(EncodePng(Image{2, 2, 3, Bytes(11)}).ok());
  EXPECT_FALSE(EncodePng(Image{2, 2, 2, Bytes(8)}).ok());
}

TEST(PngTest, WritesFiles) {
  const std::string path = std::filesystem::temp_directory_path() / "dlpu_image_test.png";
  const Image image = Gradient(5, 4, 3);
  ASSERT_TRUE(WritePng(path, image).ok());
  const auto back = ReadRgb(path);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, image);
  std::filesystem::remove(path);
  EXPECT_EQ(ReadImage(path).error().code, ErrorCode::kNotFound);
}

TEST(JpegTest, DecodesRgbAndGreyClosely) {
  const Image rgb = Gradient(32, 24, 3);
  const auto back = DecodeImage(EncodeJpeg(rgb, TJPF_RGB), "x.jpg");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_LE(LargestDifference(*back, rgb), 4);
  const Image grey = Gradient(32, 24, 1);
  const auto grey_back = DecodeImage(EncodeJpeg(grey, TJPF_GRAY), "x.jpg");
  ASSERT_TRUE(grey_back.ok());
  EXPECT_EQ(grey_back->channels, 1);
  EXPECT_LE(LargestDifference(*grey_back, grey), 2);
}

// Inks C, M, Y, K as Adobe stores them: 255 is no ink, so R = C * K / 255.
TEST(JpegTest, ConvertsCmyk) {
  Image cmyk = MakeImage(16, 16, 4);
  for (size_t i = 0; i < cmyk.pixels.size(); i += 4) {
    cmyk.pixels[i] = 200;
    cmyk.pixels[i + 1] = 100;
    cmyk.pixels[i + 2] = 0;
    cmyk.pixels[i + 3] = 128;
  }
  Bytes jpeg = EncodeJpeg(cmyk, TJPF_CMYK);
  const auto image = DecodeImage(jpeg, "x.jpg");
  ASSERT_TRUE(image.ok()) << image.error().message;
  ASSERT_EQ(image->channels, 3);
  EXPECT_NEAR(image->pixels[0], 200 * 128 / 255, 2);
  EXPECT_NEAR(image->pixels[1], 100 * 128 / 255, 2);
  EXPECT_NEAR(image->pixels[2], 0, 2);
}

// Puts an EXIF block with the given orientation behind the start marker.
Bytes WithOrientation(const Bytes& jpeg, uint8_t orientation, bool little) {
  Bytes exif = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0};
  const Bytes tiff_le = {'I', 'I', 42, 0, 8, 0,           0, 0, 1, 0, 0x12, 1, 3,
                         0,   1,   0,  0, 0, orientation, 0, 0, 0, 0, 0,    0, 0};
  const Bytes tiff_be = {'M', 'M', 0, 42, 0, 0, 0,           8, 0, 1, 1, 0x12, 0,
                         3,   0,   0, 0,  1, 0, orientation, 0, 0, 0, 0, 0,    0};
  const Bytes& tiff = little ? tiff_le : tiff_be;
  exif.insert(exif.end(), tiff.begin(), tiff.end());
  Bytes out = jpeg;
  out.insert(out.begin() + 2, exif.begin(), exif.end());
  return out;
}

TEST(JpegTest, AppliesExifOrientation) {
  const Image image = Gradient(32, 16, 3);
  const Bytes jpeg = EncodeJpeg(image, TJPF_RGB);
  const Image stored = *DecodeImage(jpeg, "x");
  for (const bool little : {true, false}) {
    const auto turned = DecodeImage(WithOrientation(jpeg, 6, little), "x");
    ASSERT_TRUE(turned.ok()) << turned.error().message;
    ASSERT_EQ(turned->width, 16);
    ASSERT_EQ(turned->height, 32);
    // Quarter turn clockwise: the stored bottom left is the upper left.
    EXPECT_EQ(turned->At(0, 0)[1], stored.At(0, 15)[1]);
    EXPECT_EQ(turned->At(15, 31)[0], stored.At(31, 0)[0]);
    EXPECT_EQ(*DecodeImage(WithOrientation(jpeg, 1, little), "x"), stored);
    EXPECT_EQ(*DecodeImage(WithOrientation(jpeg, 77, little), "x"), stored);
  }
}

// Stored 2x1 picture A B; what each orientation shows, row by row (TIFF 6.0, tag 274).
TEST(JpegTest, KnowsAllOrientations) {
  const Image stored{2, 2, 1, {'A', 'B', 'C', 'D'}};
  const char* shown[9] = {"ABCD", "ABCD", "BADC", "DCBA", "CDAB", "ACBD", "CADB", "DBCA", "BDAC"};
  for (int i = 0; i <= 8; ++i) {
    const Image out = ApplyOrientation(stored, i);
    EXPECT_EQ(std::string(out.pixels.begin(), out.pixels.end()), shown[i]) << i;
  }
}

TEST(JpegTest, ToleratesStrayBytesBeforeTheEndMarker) {
  Bytes jpeg = EncodeJpeg(Gradient(16, 16, 3), TJPF_RGB);
  const Image clean = *DecodeImage(jpeg, "x");
  jpeg.insert(jpeg.end() - 2, {0, 0, 0});
  const auto image = DecodeImage(jpeg, "x");
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(*image, clean);
}

TEST(BmpTest, DecodesEveryDepth) {
  const Image rgb = Gradient(5, 3, 3);
  for (const bool top_down : {false, true}) {
    EXPECT_EQ(*DecodeImage(EncodeBmp(rgb, 24, top_down), "x"), rgb);
    EXPECT_EQ(*DecodeImage(EncodeBmp(rgb, 32, top_down), "x"), rgb);
  }
  const Image grey = Gradient(5, 3, 1);
  EXPECT_EQ(*DecodeImage(EncodeBmp(grey, 8), "x"), grey);
  std::vector<Colour> palette(256, Colour{1, 2, 3});
  palette[grey.pixels[0]] = {9, 8, 7};
  const auto coloured = DecodeImage(EncodeBmp(grey, 8, false, palette), "x");
  ASSERT_TRUE(coloured.ok());
  EXPECT_EQ(coloured->channels, 3);
  EXPECT_EQ(coloured->pixels[0], 9);
  EXPECT_EQ(coloured->pixels[2], 7);
}

TEST(BmpTest, DecodesOneBitAndBitfields) {
  Bytes one = {'B', 'M'};
  for (const uint32_t v : {66u, 0u, 62u, 40u, 10u, 1u}) Put32(one, v);
  Put16(one, 1);
  Put16(one, 1);
  for (int i = 0; i < 6; ++i) Put32(one, 0);
  Put32(one, 0x000000);
  Put32(one, 0xFFFFFF);
  one.insert(one.end(), {0b10100000, 0b01000000, 0, 0});
  const auto bits = DecodeImage(one, "x");
  ASSERT_TRUE(bits.ok()) << bits.error().message;
  EXPECT_THAT(bits->pixels, ElementsAre(255, 0, 255, 0, 0, 0, 0, 0, 0, 255));

  Bytes fields = {'B', 'M'};
  for (const uint32_t v : {0u, 0u, 70u, 56u, 1u, 1u}) Put32(fields, v);
  Put16(fields, 1);
  Put16(fields, 32);
  Put32(fields, 3);
  for (int i = 0; i < 5; ++i) Put32(fields, 0);
  for (const uint32_t mask : {0xFFu, 0xFF00u, 0xFF0000u, 0xFF000000u}) Put32(fields, mask);
  fields.insert(fields.end(), {1, 2, 3, 4});
  const auto rgba = DecodeImage(fields, "x");
  ASSERT_TRUE(rgba.ok()) << rgba.error().message;
  EXPECT_THAT(rgba->pixels, ElementsAre(1, 2, 3, 4));
}

TEST(BmpTest, NamesWhatItDoesNotRead) {
  Bytes rle = EncodeBmp(Gradient(4, 4, 1), 8);
  rle[30] = 1;
  EXPECT_THAT(ErrorOf(rle), HasSubstr("compression 1; save it uncompressed"));
}

TEST(PnmTest, DecodesTextAndBinary) {
  const auto bytes = [](const std::string& s) { return Bytes(s.begin(), s.end()); };
  EXPECT_THAT(DecodeImage(bytes("P2 # grey\n3 1 255\n0 7\n255"), "x")->pixels,
              ElementsAre(0, 7, 255));
  EXPECT_THAT(DecodeImage(bytes("P3 1 1 15 15 0 5"), "x")->pixels, ElementsAre(255, 0, 85));
  EXPECT_THAT(DecodeImage(bytes("P5 2 1 255 AB"), "x")->pixels, ElementsAre('A', 'B'));
  EXPECT_THAT(DecodeImage(bytes(std::string("P5 1 1 65535 \x80\x00", 15)), "x")->pixels,
              ElementsAre(128));
  EXPECT_THAT(DecodeImage(bytes("P6\n1 1\n255\nRGB"), "x")->pixels, ElementsAre('R', 'G', 'B'));
  EXPECT_THAT(ErrorOf(bytes("P6\n2 1\n255\nRGB")), HasSubstr("need 6 bytes, 3 are left"));
  EXPECT_THAT(ErrorOf(bytes("P5 1 1 0 A")), HasSubstr("largest value"));
  EXPECT_THAT(ErrorOf(bytes("P5 1 1 15 A")), HasSubstr("above 15"));
  EXPECT_THAT(ErrorOf(bytes("P5 99999999999999999999 1 15 A")), HasSubstr("header"));
}

TEST(ConvertTest, GreyAndRedBlue) {
  Image image{2, 1, 3, {255, 0, 0, 255, 255, 255}};
  EXPECT_THAT(ToGrey(image).pixels, ElementsAre(76, 255));  // 0.299 * 255 = 76.2
  SwapRedBlue(image);
  EXPECT_THAT(image.pixels, ElementsAre(0, 0, 255, 255, 255, 255));
  EXPECT_THAT(ToRgb(Image{1, 1, 1, {9}}).pixels, ElementsAre(9, 9, 9));
}

TEST(HostileTest, UnknownAndEmptyFilesAreNamed) {
  EXPECT_THAT(ErrorOf({}), HasSubstr("photo: the picture file is empty"));
  EXPECT_THAT(ErrorOf({'G', 'I', 'F', '8', '9', 'a'}), HasSubstr("photo: a GIF; give a JPEG"));
  EXPECT_THAT(ErrorOf({1, 2, 3}), HasSubstr("not a picture known here"));
}

TEST(HostileTest, HugePicturesAreRefusedBeforeAllocation) {
  Bytes bmp = EncodeBmp(Gradient(4, 4, 3), 24);
  for (const size_t at : {18, 22}) bmp[at] = bmp[at + 1] = bmp[at + 2] = 0x7F;
  EXPECT_THAT(ErrorOf(bmp), HasSubstr("more than the 100 million"));
  Bytes jpeg = EncodeJpeg(Gradient(16, 16, 3), TJPF_RGB);
  for (size_t i = 0; i + 9 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) {
      for (size_t at = i + 5; at < i + 9; ++at) jpeg[at] = 0xF0;
    }
  }
  EXPECT_THAT(ErrorOf(jpeg), HasSubstr("more than the 100 million"));
  const std::string pnm = "P6 100000 100000 255 x";
  EXPECT_THAT(ErrorOf(Bytes(pnm.begin(), pnm.end())), HasSubstr("more than the 100 million"));
  bmp = EncodeBmp(Gradient(4, 4, 3), 24);
  bmp[18] = 0;
  EXPECT_THAT(ErrorOf(bmp), HasSubstr("must be at least 1"));
}

struct NamedFile {
  const char* name;
  Bytes bytes;
};

std::vector<NamedFile> SmallFiles() {
  const Image rgb = Gradient(12, 9, 3);
  const Image grey = Gradient(12, 9, 1);
  const std::string text = "P3 2 1 255 10 20 30 40 50 60";
  const Bytes jpeg = EncodeJpeg(rgb, TJPF_RGB);
  Image cmyk = Gradient(12, 9, 4);
  return {{"png", *EncodePng(rgb)},
          {"png grey", *EncodePng(grey)},
          {"png palette", MakePng({.depth = 4,
                                   .colour = PNG_COLOR_TYPE_PALETTE,
                                   .palette = {{1, 2, 3}, {4, 5, 6}},
                                   .palette_alpha = {7},
                                   .rows = {{0x10}}})},
          {"jpeg", jpeg},
          {"jpeg exif", WithOrientation(jpeg, 6, false)},
          {"jpeg grey", EncodeJpeg(grey, TJPF_GRAY)},
          {"jpeg cmyk", EncodeJpeg(cmyk, TJPF_CMYK)},
          {"bmp 24", EncodeBmp(rgb, 24)},
          {"bmp 32", EncodeBmp(rgb, 32)},
          {"bmp 8", EncodeBmp(grey, 8)},
          {"ppm", Bytes(text.begin(), text.end())}};
}

TEST(HostileTest, EveryTruncationIsAnErrorThatNamesTheFile) {
  int looked = 0;
  for (const NamedFile& file : SmallFiles()) {
    ASSERT_TRUE(DecodeImage(file.bytes, "whole").ok()) << file.name;
    for (size_t size = 0; size < file.bytes.size(); ++size) {
      // A text file cut inside its last number still holds all numbers.
      if (std::string(file.name) == "ppm" && size + 1 == file.bytes.size()) continue;
      const Bytes cut(file.bytes.begin(), file.bytes.begin() + size);
      const auto image = DecodeImage(cut, "photo");
      ASSERT_FALSE(image.ok()) << file.name << " cut to " << size << " of " << file.bytes.size();
      ASSERT_THAT(image.error().message, HasSubstr("photo: "));
      ++looked;
    }
  }
  EXPECT_GT(looked, 1000);
}

TEST(HostileTest, EveryChangedByteGivesAPictureOrAnError) {
  int decoded = 0, refused = 0;
  for (const NamedFile& file : SmallFiles()) {
    for (size_t at = 0; at < file.bytes.size(); ++at) {
      for (const uint8_t change : {uint8_t{0xFF}, uint8_t{0x01}, uint8_t{0x80}}) {
        Bytes bytes = file.bytes;
        bytes[at] ^= change;
        const auto image = DecodeImage(bytes, "photo");
        if (image.ok()) {
          ASSERT_EQ(image->pixels.size(), image->RowBytes() * image->height);
          ++decoded;
        } else {
          ASSERT_THAT(image.error().message, HasSubstr("photo: "));
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(decoded, 100);
  EXPECT_GT(refused, 100);
}

// Real pictures of several cameras and programs, where a copy is at hand.
TEST(RealPicturesTest, AllDecode) {
  const char* given = std::getenv("DLPU_SHARED");
  const std::filesystem::path folder =
      std::filesystem::path(given ? given : "../shared") / "models" / "images";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  int looked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto image = ReadRgb(entry.path());
    ASSERT_TRUE(image.ok()) << image.error().message;
    ++looked;
  }
  EXPECT_GT(looked, 10);
}

}  // namespace
}  // namespace dlpu
