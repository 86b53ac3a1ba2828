// SPDX-License-Identifier: Apache-2.0
// Known mistakes are named; equal tensors and unknown differences are not explained away. And
// what is suggested for models that do not say how they want their pictures.
#include "vision/explain_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "vision/suggest.h"

namespace dlpu {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A picture with structure at every size and different channels.
Image Scene() {
  Image image = MakeImage(60, 40, 3);
  std::mt19937 random(3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const int noise = static_cast<int>(random() % 40);
      image.At(x, y)[0] = static_cast<uint8_t>(x * 3 + noise);
      image.At(x, y)[1] = static_cast<uint8_t>(y * 4 + noise);
      image.At(x, y)[2] = static_cast<uint8_t>((x / 8 + y / 8) % 2 * 150 + noise);
    }
  }
  return image;
}

InputSpec Spec(PixelType type) {
  InputSpec spec;
  spec.width = spec.height = 21;
  spec.type = type;
  spec.scale = 1.0f / 255;
  spec.zero_point = type == PixelType::kInt8 ? -128 : 0;
  return spec;
}

// The cause found first for a tensor made with `change`d settings.
template <typename Change>
std::string CauseOf(PixelType type, const Change& change) {
  InputSpec wrong = Spec(type);
  change(wrong);
  const auto theirs = MakeModelInput(Scene(), wrong);
  const auto report = ExplainInput(Scene(), Spec(type), theirs->bytes);
  if (!report.ok()) return report.error().message;
  if (report->causes.empty()) return "nothing";
  EXPECT_EQ(report->causes[0].distance.largest, 0) << report->causes[0].cause;
  EXPECT_GT(report->distance.largest, 0);
  return report->causes[0].cause;
}

TEST(ExplainInputTest, NamesSingleMistakes) {
  for (const PixelType type : {PixelType::kUint8, PixelType::kFloat32}) {
    EXPECT_EQ(CauseOf(type, [](InputSpec& s) { s.bgr = true; }), "red and blue are exchanged");
    EXPECT_THAT(CauseOf(type, [](InputSpec& s) { s.layout = PixelLayout::kNchw; }),
                HasSubstr("NCHW"));
    EXPECT_THAT(CauseOf(type, [](InputSpec& s) { s.filter = ResizeFilter::kArea; }),
                HasSubstr("area filter"));
    EXPECT_THAT(CauseOf(type, [](InputSpec& s) { s.fit = FitMode::kLetterbox; }),
                HasSubstr("letterboxed"));
  }
  EXPECT_THAT(CauseOf(PixelType::kFloat32, [](InputSpec& s) { s.std.fill(1); }),
              HasSubstr("not normalised"));
  EXPECT_THAT(CauseOf(PixelType::kFloat32, [](InputSpec& s) { s.std.fill(255 * 255); }),
              HasSubstr("applied twice"));
  EXPECT_THAT(CauseOf(PixelType::kFloat32,
                      [](InputSpec& s) {
                        s.mean.fill(127.5f);
                        s.std.fill(127.5f);
                      }),
              HasSubstr("-1..1"));
}

TEST(ExplainInputTest, NamesTwoMistakes) {
  const std::string cause = CauseOf(PixelType::kUint8, [](InputSpec& s) {
    s.bgr = true;
    s.fit = FitMode::kCrop;
  });
  EXPECT_THAT(cause, HasSubstr("red and blue"));
  EXPECT_THAT(cause, HasSubstr("cropped"));
}

TEST(ExplainInputTest, NamesMistakesOfCopying) {
  const InputSpec spec = Spec(PixelType::kInt8);
  std::vector<uint8_t> theirs = MakeModelInput(Scene(), spec)->bytes;
  for (uint8_t& b : theirs) b ^= 0x80;
  EXPECT_THAT(ExplainInput(Scene(), spec, theirs)->causes[0].cause,
              HasSubstr("int8 wants 128 less"));
  // Rows of 63 bytes padded to 64, read as if there were no padding.
  const std::vector<uint8_t> ours = MakeModelInput(Scene(), spec)->bytes;
  std::vector<uint8_t> padded;
  for (int y = 0; y < 21; ++y) {
    padded.insert(padded.end(), ours.begin() + 63 * y, ours.begin() + 63 * (y + 1));
    padded.push_back(0);
  }
  padded.resize(ours.size());
  EXPECT_THAT(ExplainInput(Scene(), spec, padded)->causes[0].cause,
              HasSubstr("rows are padded to 64 bytes"));
  Image turned = Scene();
  for (int y = 0; y < turned.height; ++y) {
    std::memcpy(turned.Row(y), Scene().Row(turned.height - 1 - y), turned.RowBytes());
  }
  EXPECT_EQ(ExplainInput(Scene(), spec, MakeModelInput(turned, spec)->bytes)->causes[0].cause,
            "the picture is upside down");
}

TEST(ExplainInputTest, EqualTensorsNeedNoExplanation) {
  const InputSpec spec = Spec(PixelType::kUint8);
  const auto report = ExplainInput(Scene(), spec, MakeModelInput(Scene(), spec)->bytes);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->causes, IsEmpty());
  EXPECT_EQ(report->distance.equal, 1);
  EXPECT_EQ(report->distance.mean, 0);
}

TEST(ExplainInputTest, NoiseIsNotExplained) {
  const InputSpec spec = Spec(PixelType::kUint8);
  std::vector<uint8_t> noise(21 * 21 * 3);
  std::mt19937 random(1);
  for (uint8_t& b : noise) b = static_cast<uint8_t>(random());
  const auto report = ExplainInput(Scene(), spec, noise);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->causes, IsEmpty());
  EXPECT_GT(report->distance.mean, 20);
}

TEST(ExplainInputTest, WrongSizesGetAHint) {
  const auto error = [](const InputSpec& spec, size_t size) {
    return ExplainInput(Scene(), spec, std::vector<uint8_t>(size)).error().message;
  };
  constexpr size_t kCount = 21 * 21 * 3;
  EXPECT_THAT(error(Spec(PixelType::kFloat32), kCount), HasSubstr("it fits 8-bit values"));
  EXPECT_THAT(error(Spec(PixelType::kUint8), 4 * kCount), HasSubstr("it fits float32 values"));
  EXPECT_THAT(error(Spec(PixelType::kUint8), 7), HasSubstr("check its width"));
  InputSpec even = Spec(PixelType::kUint8);
  even.width = even.height = 20;
  EXPECT_THAT(error(even, 600), HasSubstr("NV12"));
}

TEST(SuggestInputTest, EightBitInputsGetRawPixels) {
  Image ramp = MakeImage(256, 1, 1);
  for (int p = 0; p < 256; ++p) ramp.pixels[p] = static_cast<uint8_t>(p);
  InputSpec tensor;
  tensor.width = 256;
  tensor.height = 1;
  tensor.channels = 1;
  const struct {
    PixelType type;
    float scale;
    int zero_point;
  } cases[] = {{PixelType::kUint8, 0.0078125f, 128},     {PixelType::kUint8, 0.00392156886f, 0},
               {PixelType::kUint8, 0.00784313772f, 127}, {PixelType::kUint8, 0.0186584499f, 114},
               {PixelType::kInt8, 0.00392156886f, -128}, {PixelType::kInt8, 0.0182f, -14}};
  for (const auto& c : cases) {
    tensor.type = c.type;
    tensor.scale = c.scale;
    tensor.zero_point = c.zero_point;
    const InputSuggestion s = SuggestInput(tensor, {}, {});
    const auto codes = PackPixels(ramp, s.spec);
    ASSERT_TRUE(codes.ok());
    for (int p = 0; p < 256; ++p) {
      ASSERT_EQ((*codes)[p], c.type == PixelType::kInt8 ? p ^ 0x80 : p) << c.scale;
    }
    EXPECT_THAT(s.reason, HasSubstr("raw pixels"));
  }
}

TEST(SuggestInputTest, FloatInputsFollowTheirFamily) {
  InputSpec tensor;
  tensor.type = PixelType::kFloat32;
  const auto suggest = [&](HeadKind kind, std::vector<int> shape) {
    const OutputInfo output = {"", std::move(shape)};
    return SuggestInput(tensor, {kind, {0}}, {&output, 1});
  };
  const InputSuggestion yolo = suggest(HeadKind::kYolo, {1, 25200, 85});
  EXPECT_EQ(yolo.spec.fit, FitMode::kLetterbox);
  EXPECT_EQ(yolo.spec.std[0], 255);
  EXPECT_THAT(yolo.reason, HasSubstr("0..1 and letterboxed, as for the YOLO family"));
  EXPECT_EQ(suggest(HeadKind::kBlaze, {1, 896, 16}).spec.mean[0], 127.5f);
  EXPECT_EQ(suggest(HeadKind::kBlaze, {1, 2016, 18}).spec.mean[0], 0);
  EXPECT_EQ(suggest(HeadKind::kSsd, {1, 1917, 4}).spec.fit, FitMode::kStretch);
  EXPECT_EQ(suggest(HeadKind::kClassify, {1, 1001}).spec.std[0], 127.5f);
  EXPECT_EQ(suggest(HeadKind::kSegment, {1, 256, 256, 1}).spec.std[0], 255);
  tensor.layout = PixelLayout::kNchw;
  EXPECT_EQ(suggest(HeadKind::kClassify, {1, 1000}).spec.mean[0], 123.675f);
  EXPECT_THAT(suggest(HeadKind::kUnknown, {}).reason, Not(IsEmpty()));
}

}  // namespace
}  // namespace dlpu
