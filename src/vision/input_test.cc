// SPDX-License-Identifier: Apache-2.0
// Model inputs: exact copies where quantization and normalisation cancel, hand-worked codes
// elsewhere, layouts and orders, and specifications that make no sense.
#include "vision/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "vision/test_files.h"

namespace dlpu {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

// All 256 values, width 256, one channel.
Image Ramp() {
  Image image = MakeImage(256, 1, 1);
  for (int p = 0; p < 256; ++p) image.pixels[p] = static_cast<uint8_t>(p);
  return image;
}

InputSpec RampSpec(PixelType type, float scale, int zero_point, float mean, float std) {
  InputSpec spec;
  spec.width = 256;
  spec.height = 1;
  spec.channels = 1;
  spec.type = type;
  spec.scale = scale;
  spec.zero_point = zero_point;
  spec.mean.fill(mean);
  spec.std.fill(std);
  return spec;
}

template <typename T>
std::vector<T> As(const std::vector<uint8_t>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

TEST(InputTest, CancellingQuantizationCopiesPixels) {
  // Quantization of public models: MobileNet V2 uint8, YOLOv5n, MobileNet V2 from TF2 (127.5
  // with zero point 127), and a mean of 127.5 with 128.
  const struct {
    float scale;
    int zero_point;
    float mean, std;
  } cases[] = {{0.0078125f, 128, 128, 128},
               {0.00392156886f, 0, 0, 255},
               {0.00784313772f, 127, 127.5f, 127.5f},
               {0.0078125f, 128, 127.5f, 127.5f}};
  for (const auto& c : cases) {
    const InputSpec spec = RampSpec(PixelType::kUint8, c.scale, c.zero_point, c.mean, c.std);
    const auto codes = PackPixels(Ramp(), spec);
    ASSERT_TRUE(codes.ok());
    if (c.std == 127.5f && c.scale == 0.0078125f) {
      // 1 / 127.5 against 1 / 128 spreads the ends: not the identity, and it must not become it.
      EXPECT_EQ((*codes)[255], 255);
      EXPECT_EQ((*codes)[1], 1);
      EXPECT_EQ((*codes)[0], 0);
    } else {
      EXPECT_EQ(*codes, Ramp().pixels) << c.scale;
    }
  }
}

TEST(InputTest, Int8IsAnExactExclusiveOr) {
  const auto codes = PackPixels(Ramp(), RampSpec(PixelType::kInt8, 0.00392156886f, -128, 0, 255));
  for (int p = 0; p < 256; ++p) ASSERT_EQ((*codes)[p], p ^ 0x80);
  const auto centred = PackPixels(Ramp(), RampSpec(PixelType::kInt8, 0.0078125f, 0, 128, 128));
  for (int p = 0; p < 256; ++p) ASSERT_EQ((*centred)[p], p ^ 0x80);
}

TEST(InputTest, QuantizesByHand) {
  // real = p / 255; scale 0.5: p = 0, 63 -> 0, p = 64..191 -> 1 (0.501..1.498), 192..255 -> 2.
  const auto coarse = PackPixels(Ramp(), RampSpec(PixelType::kUint8, 0.5f, 10, 0, 255));
  EXPECT_EQ((*coarse)[63], 10);
  EXPECT_EQ((*coarse)[64], 11);
  EXPECT_EQ((*coarse)[191], 11);
  EXPECT_EQ((*coarse)[192], 12);
  // A tie: (p - 128) / 2 with p = 127 is -0.5, away from zero: -1; with p = 129 it is 1.
  const auto ties = As<int8_t>(*PackPixels(Ramp(), RampSpec(PixelType::kInt8, 2, 0, 128, 1)));
  EXPECT_EQ(ties[127], -1);
  EXPECT_EQ(ties[129], 1);
  EXPECT_EQ(ties[128], 0);
  // Saturation at both ends.
  const auto wide = As<int8_t>(*PackPixels(Ramp(), RampSpec(PixelType::kInt8, 0.1f, 0, 128, 1)));
  EXPECT_EQ(wide[0], -128);
  EXPECT_EQ(wide[255], 127);
  const auto words =
      As<int16_t>(*PackPixels(Ramp(), RampSpec(PixelType::kInt16, 1.0f / 32768, 0, 0, 255)));
  EXPECT_EQ(words[255], 32767);
  EXPECT_EQ(words[51], 6554);  // 0.2 * 32768 = 6553.6
}

TEST(InputTest, FloatsAreNormalisedPerChannel) {
  InputSpec spec;
  spec.width = spec.height = 1;
  spec.type = PixelType::kFloat32;
  spec.mean = {123.675f, 116.28f, 103.53f, 0};
  spec.std = {58.395f, 57.12f, 57.375f, 1};
  const auto values = As<float>(*PackPixels(Image{1, 1, 3, {124, 116, 255}}, spec));
  EXPECT_THAT(values,
              ElementsAre(FloatEq((124 - 123.675f) / 58.395f), FloatEq((116 - 116.28f) / 57.12f),
                          FloatEq((255 - 103.53f) / 57.375f)));
}

TEST(InputTest, LayoutsAndOrders) {
  const Image image{2, 1, 3, {1, 2, 3, 4, 5, 6}};
  InputSpec spec;
  spec.width = 2;
  spec.height = 1;
  spec.scale = 1.0f / 255;
  EXPECT_THAT(MakeModelInput(image, spec)->bytes, ElementsAre(1, 2, 3, 4, 5, 6));
  spec.bgr = true;
  EXPECT_THAT(MakeModelInput(image, spec)->bytes, ElementsAre(3, 2, 1, 6, 5, 4));
  spec.layout = PixelLayout::kNchw;
  EXPECT_THAT(MakeModelInput(image, spec)->bytes, ElementsAre(3, 6, 2, 5, 1, 4));
  spec.bgr = false;
  EXPECT_THAT(MakeModelInput(image, spec)->bytes, ElementsAre(1, 4, 2, 5, 3, 6));
  spec.channels = 4;
  spec.layout = PixelLayout::kNhwc;
  EXPECT_THAT(MakeModelInput(image, spec)->bytes, ElementsAre(1, 2, 3, 255, 4, 5, 6, 255));
  spec.channels = 1;
  EXPECT_THAT(MakeModelInput(image, spec)->bytes, ElementsAre(2, 5));
}

TEST(InputTest, LetterboxUsesThePadColourInTheTensorsOrder) {
  InputSpec spec;
  spec.width = 1;
  spec.height = 3;
  spec.scale = 1.0f / 255;
  spec.fit = FitMode::kLetterbox;
  spec.pad = {10, 20, 30};
  spec.bgr = true;
  const auto input = MakeModelInput(Image{1, 1, 3, {1, 2, 3}}, spec);
  EXPECT_THAT(input->bytes, ElementsAre(30, 20, 10, 3, 2, 1, 30, 20, 10));
  EXPECT_EQ(input->placement.target, (PixelRect{0, 1, 1, 1}));
}

TEST(InputTest, RefusesSpecificationsThatMakeNoSense) {
  const Image image{1, 1, 3, {1, 2, 3}};
  InputSpec good;
  good.width = good.height = 1;
  ASSERT_TRUE(MakeModelInput(image, good).ok());
  const auto error = [&](auto change) {
    InputSpec spec = good;
    change(spec);
    const auto input = MakeModelInput(image, spec);
    return input.ok() ? std::string("no error") : input.error().message;
  };
  EXPECT_THAT(error([](InputSpec& s) { s.width = 0; }), HasSubstr("0x1"));
  EXPECT_THAT(error([](InputSpec& s) { s.channels = 2; }), HasSubstr("2 channels"));
  EXPECT_THAT(error([](InputSpec& s) { s.std[1] = 0; }), HasSubstr("std 0 of channel 1"));
  EXPECT_THAT(error([](InputSpec& s) { s.scale = 0; }), HasSubstr("scale 0"));
  EXPECT_THAT(error([](InputSpec& s) { s.scale = NAN; }), HasSubstr("scale"));
  EXPECT_THAT(error([](InputSpec& s) { s.zero_point = 256; }), HasSubstr("zero point 256"));
  EXPECT_FALSE(MakeModelInput(Image{}, good).ok());
  EXPECT_THAT(PackPixels(Image{2, 1, 3, Bytes(6)}, good).error().message, HasSubstr("2x1x3"));
}

}  // namespace
}  // namespace dlpu
