// SPDX-License-Identifier: Apache-2.0
// Resizing against values worked out by hand and against exact rational arithmetic; fitting and
// its way back.
#include "vision/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "vision/test_files.h"

namespace dlpu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Image Row(std::vector<uint8_t> values) {
  const int width = static_cast<int>(values.size());
  return {width, 1, 1, std::move(values)};
}

Image Noise(int width, int height, int channels) {
  Image image = MakeImage(width, height, channels);
  std::mt19937 random(7);
  for (uint8_t& p : image.pixels) p = static_cast<uint8_t>(random());
  return image;
}

TEST(BilinearTest, HandWorked) {
  // Centres of 4 targets over 2 sources: -0.25, 0.25, 0.75, 1.25.
  EXPECT_THAT(ResizeImage(Row({0, 100}), 4, 1)->pixels, ElementsAre(0, 25, 75, 100));
  // 2 over 4: 0.5 and 2.5. No more than two pixels take part.
  EXPECT_THAT(ResizeImage(Row({10, 20, 30, 50}), 2, 1)->pixels, ElementsAre(15, 40));
  // 1 over 4: 1.5; half of 20 + 31 is 25.5, rounded up.
  EXPECT_THAT(ResizeImage(Row({0, 20, 31, 0}), 1, 1)->pixels, ElementsAre(26));
  // 2x2 to 1x1: the mean, (1 + 2 + 3 + 4) / 4 = 2.5, rounded up.
  EXPECT_THAT(ResizeImage(Image{2, 2, 1, {1, 2, 3, 4}}, 1, 1)->pixels, ElementsAre(3));
}

// Every value within 0.51 of the exact one in double.
TEST(BilinearTest, MatchesTheFormula) {
  const Image in = Noise(23, 17, 3);
  int looked = 0;
  for (const auto& [w, h] : {std::pair{9, 40}, {23, 5}, {61, 17}, {1, 1}, {22, 16}}) {
    const Image out = *ResizeImage(in, w, h);
    for (int y = 0; y < h; ++y) {
      for (int x = 0; x < w; ++x) {
        const double fx = std::clamp((x + 0.5) * in.width / w - 0.5, 0.0, in.width - 1.0);
        const double fy = std::clamp((y + 0.5) * in.height / h - 0.5, 0.0, in.height - 1.0);
        const int x0 = static_cast<int>(fx), y0 = static_cast<int>(fy);
        const int x1 = std::min(x0 + 1, in.width - 1), y1 = std::min(y0 + 1, in.height - 1);
        for (int c = 0; c < 3; ++c) {
          const double top = in.At(x0, y0)[c] * (x0 + 1 - fx) + in.At(x1, y0)[c] * (fx - x0);
          const double low = in.At(x0, y1)[c] * (x0 + 1 - fx) + in.At(x1, y1)[c] * (fx - x0);
          ASSERT_NEAR(out.At(x, y)[c], top * (y0 + 1 - fy) + low * (fy - y0), 0.51);
          ++looked;
        }
      }
    }
  }
  EXPECT_GT(looked, 1000);
}

TEST(AreaTest, HandWorked) {
  EXPECT_THAT(ResizeImage(Row({0, 10, 20, 31}), 2, 1, ResizeFilter::kArea)->pixels,
              ElementsAre(5, 26));
  // 3 to 2: (1 * 30 + 0.5 * 60) / 1.5 = 40 and (0.5 * 60 + 1 * 90) / 1.5 = 80.
  EXPECT_THAT(ResizeImage(Row({30, 60, 90}), 2, 1, ResizeFilter::kArea)->pixels,
              ElementsAre(40, 80));
  // 2 to 3: the middle one lies half in each.
  EXPECT_THAT(ResizeImage(Row({30, 61}), 3, 1, ResizeFilter::kArea)->pixels,
              ElementsAre(30, 46, 61));
  EXPECT_THAT(ResizeImage(Image{2, 2, 1, {1, 2, 3, 5}}, 1, 1, ResizeFilter::kArea)->pixels,
              ElementsAre(3));
}

TEST(AreaTest, KeepsTheMean) {
  const Image in = Noise(64, 48, 1);
  const Image out = *ResizeImage(in, 8, 6, ResizeFilter::kArea);
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 8; ++x) {
      int sum = 0;
      for (int i = 0; i < 64; ++i) sum += *in.At(8 * x + i % 8, 8 * y + i / 8);
      ASSERT_EQ(*out.At(x, y), (sum + 32) / 64);
    }
  }
}

TEST(NearestTest, HandWorked) {
  EXPECT_THAT(ResizeImage(Row({1, 2, 3, 4}), 2, 1, ResizeFilter::kNearest)->pixels,
              ElementsAre(2, 4));
  EXPECT_THAT(ResizeImage(Row({1, 2}), 5, 1, ResizeFilter::kNearest)->pixels,
              ElementsAre(1, 1, 2, 2, 2));
}

TEST(ResizeTest, SameSizeIsACopyAndConstantsStay) {
  const Image in = Noise(7, 5, 3);
  Image flat = MakeImage(7, 5, 3);
  for (uint8_t& p : flat.pixels) p = 255;
  for (const auto filter : {ResizeFilter::kNearest, ResizeFilter::kBilinear, ResizeFilter::kArea}) {
    EXPECT_EQ(*ResizeImage(in, 7, 5, filter), in);
    const Image still_flat = *ResizeImage(flat, 13, 3, filter);
    for (const uint8_t p : still_flat.pixels) ASSERT_EQ(p, 255);
  }
}

TEST(ResizeTest, RefusesImpossibleSizes) {
  EXPECT_THAT(ResizeImage(Row({1}), 0, 1).error().message, HasSubstr("0x1"));
  EXPECT_THAT(ResizeImage(Row({1}), 1'000'000, 1'000'000).error().message, HasSubstr("million"));
  EXPECT_FALSE(ResizeImage(Image{}, 1, 1).ok());
  EXPECT_THAT(CropImage(Row({1, 2}), {1, 0, 2, 1}).error().message, HasSubstr("does not lie"));
  EXPECT_FALSE(CropImage(Row({1, 2}), {-1, 0, 1, 1}).ok());
  EXPECT_THAT(CropImage(Row({1, 2, 3}), {1, 0, 2, 1})->pixels, ElementsAre(2, 3));
}

TEST(FitTest, Letterbox) {
  const Placement wide = PlanFit(640, 360, 640, 640, FitMode::kLetterbox);
  EXPECT_EQ(wide.target, (PixelRect{0, 140, 640, 360}));
  const Placement tall = PlanFit(100, 300, 64, 65, FitMode::kLetterbox);
  EXPECT_EQ(tall.target, (PixelRect{21, 0, 22, 65}));  // 65 / 3 = 21.67; bars of 21 and 21
  EXPECT_EQ(PlanFit(1000, 1, 10, 10, FitMode::kLetterbox).target.height, 1);
  const auto placed = PlaceImage(Row({5, 5}), PlanFit(2, 1, 2, 3, FitMode::kLetterbox),
                                 ResizeFilter::kBilinear, {7, 8, 9});
  EXPECT_THAT(placed->pixels, ElementsAre(7, 7, 5, 5, 7, 7));
}

TEST(FitTest, CropAndStretch) {
  EXPECT_EQ(PlanFit(640, 480, 224, 224, FitMode::kCrop).source, (PixelRect{80, 0, 480, 480}));
  EXPECT_EQ(PlanFit(480, 640, 224, 224, FitMode::kCrop, 0.875).source,
            (PixelRect{30, 110, 420, 420}));
  const Placement stretch = PlanFit(640, 480, 300, 300, FitMode::kStretch);
  EXPECT_EQ(stretch.source, (PixelRect{0, 0, 640, 480}));
  EXPECT_EQ(stretch.target, (PixelRect{0, 0, 300, 300}));
}

// A corner of the content on the canvas is the same corner of the source in the picture.
TEST(FitTest, PointsFindTheirWayBack) {
  int looked = 0;
  for (const FitMode fit : {FitMode::kStretch, FitMode::kLetterbox, FitMode::kCrop}) {
    for (const auto& [w, h] : {std::pair{640, 360}, {333, 777}, {100, 100}}) {
      const Placement p = PlanFit(w, h, 320, 256, fit);
      EXPECT_NEAR(p.PictureX(p.target.x / 320.0f) * w, p.source.x, 1e-3);
      EXPECT_NEAR(p.PictureX((p.target.x + p.target.width) / 320.0f) * w,
                  p.source.x + p.source.width, 1e-3);
      EXPECT_NEAR(p.PictureY(p.target.y / 256.0f) * h, p.source.y, 1e-3);
      EXPECT_NEAR(p.PictureY((p.target.y + p.target.height) / 256.0f) * h,
                  p.source.y + p.source.height, 1e-3);
      ++looked;
    }
  }
  EXPECT_EQ(looked, 9);
}

}  // namespace
}  // namespace dlpu
