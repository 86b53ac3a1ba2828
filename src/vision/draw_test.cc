// SPDX-License-Identifier: Apache-2.0
// Drawing: exact pixels of small cases, clipping of coordinates from anywhere, and the font.
#include "vision/draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "vision/font.h"

namespace dlpu {
namespace {

constexpr Colour kRed = {255, 0, 0};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// The picture as text: '#' for pixels that are not black.
std::string Show(const Image& image) {
  std::string text;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const uint8_t* p = image.At(x, y);
      text += p[0] || p[1] || p[2] ? '#' : '.';
    }
    text += '\n';
  }
  return text;
}

TEST(DrawTest, RectanglesAndLines) {
  Image image = MakeImage(6, 5, 3);
  DrawRect(image, {1, 1, 4, 3}, kRed, 1);
  EXPECT_EQ(Show(image), "......\n.####.\n.#..#.\n.####.\n......\n");
  image = MakeImage(6, 3, 3);
  DrawLine(image, 0, 0, 5, 2, kRed, 1);
  EXPECT_EQ(Show(image), "##....\n..##..\n....##\n");
  Image back = MakeImage(6, 3, 3);
  DrawLine(back, 5, 2, 0, 0, kRed, 1);
  EXPECT_EQ(back, image) << "a line has no direction";
  image = MakeImage(3, 4, 3);
  DrawLine(image, 1, 0, 1, 3, kRed, 1);
  EXPECT_EQ(Show(image), ".#.\n.#.\n.#.\n.#.\n");
  image = MakeImage(5, 5, 3);
  DrawPoint(image, 2, 2, 2, kRed);
  EXPECT_EQ(Show(image), "..#..\n.###.\n#####\n.###.\n..#..\n");
}

TEST(DrawTest, ClipsEverything) {
  const int far = 1 << 29;
  Image image = MakeImage(4, 4, 3);
  FillRect(image, {-far, -far, far, far}, kRed);
  FillRect(image, {4, 0, 10, 10}, kRed);
  FillRect(image, {1, 1, -3, 2}, kRed);
  DrawPoint(image, far, -far, 3, kRed);
  DrawLine(image, -far, 9, far, 9, kRed, 1);
  EXPECT_EQ(image, MakeImage(4, 4, 3));
  DrawLine(image, -far, -far, far, far, kRed, 1);
  EXPECT_EQ(Show(image), "#...\n.#..\n..#.\n...#\n");
  DrawText(image, -3, -3, "abc", kRed, 2);
  DrawRect(image, {-2, -2, 8, 8}, kRed, 50);
}

TEST(DrawTest, SurvivesNonsense) {
  Image image = MakeImage(20, 10, 3);
  std::vector<Detection> detections = {{kNan, kNan, kNan, kNan, kNan, -5},
                                       {-kInf, -kInf, kInf, kInf, kInf, 1 << 30},
                                       {1e30f, 1e30f, -1e30f, -1e30f, 0.5f, 0}};
  detections[0].keypoints = {{kNan, kInf, 1}};
  detections[1].label = "\xFF\xC3\xB6 and a very long label that does not fit";
  DrawDetections(image, detections);
  Pose pose;
  pose.keypoints.assign(17, {kNan, -kInf, 1});
  pose.keypoints[3] = {1e20f, 0.5f, 1};
  DrawPoses(image, std::vector{pose});
  DrawClassMap(image, {});
  DrawClassMap(image, {1, 1, {7}}, 100000);
  EXPECT_EQ(image.At(3, 3)[0], ClassColour(7)[0]);
}

TEST(DrawTest, DetectionsShowBoxAndLabel) {
  Image image = MakeImage(128, 64, 3);
  Detection d{0.5f, 0.25f, 0.875f, 0.5f, 0.87f, 3};
  d.label = "cat";
  DrawDetections(image, std::vector{d});
  const Colour colour = ClassColour(3);
  const auto is_colour = [&](int x, int y) {
    return std::equal(colour.begin(), colour.end(), image.At(x, y));
  };
  EXPECT_TRUE(is_colour(32, 40) && is_colour(64, 40) && is_colour(40, 32) && is_colour(40, 56));
  EXPECT_TRUE(is_colour(32, 21)) << "the label's background above the box";
  EXPECT_EQ(image.At(40, 40)[0], 0) << "the inside stays";
}

TEST(DrawTest, MapsBlend) {
  Image image = MakeImage(2, 1, 3);
  image.pixels = {100, 100, 100, 100, 100, 100};
  DrawClassMap(image, {2, 1, {0, 1}}, 51);
  EXPECT_EQ(image.At(0, 0)[0], 100);
  EXPECT_EQ(image.At(1, 0)[1], (100 * 204 + ClassColour(1)[1] * 51 + 127) / 255);
}

TEST(DrawTest, ColoursOfNeighboursDiffer) {
  std::set<Colour> colours;
  for (int i = 0; i < 90; ++i) colours.insert(ClassColour(i));
  EXPECT_EQ(colours.size(), 90u);
  EXPECT_EQ(ClassColour(5), ClassColour(5));
}

TEST(DrawTest, StyleGrowsWithThePicture) {
  EXPECT_EQ(StyleFor(MakeImage(64, 64, 3)).line, 1);
  EXPECT_EQ(StyleFor(MakeImage(64, 64, 3)).text, 1);
  EXPECT_EQ(StyleFor(MakeImage(1920, 1080, 3)).line, 4);
  EXPECT_EQ(StyleFor(MakeImage(1920, 1080, 3)).text, 3);
}

TEST(FontTest, EveryGlyphIsThereAndDistinct) {
  std::set<std::string> shapes;
  for (char c = 32; c < 127; ++c) {
    std::string shape;
    for (int y = 0; y < kGlyphHeight; ++y) {
      for (int x = 0; x < kGlyphWidth; ++x) shape += GlyphPixel(c, x, y) ? '#' : '.';
    }
    EXPECT_EQ(shape.find('#') == std::string::npos, c == ' ') << c;
    shapes.insert(shape);
  }
  EXPECT_EQ(shapes.size(), 95u);
}

TEST(FontTest, DrawsLettersAsTheyLook) {
  Image image = MakeImage(12, 9, 3);
  DrawText(image, 0, 0, "Lg", kRed, 1);
  EXPECT_EQ(Show(image),
            "#...........\n#...........\n#......####.\n#.....#...#.\n#.....#...#.\n#.....#...#.\n"
            "#####..####.\n..........#.\n.......###..\n");
  EXPECT_EQ(CountCells("a\xC3\xB6z"), 3);
  Image umlaut = MakeImage(6, 10, 3), question = MakeImage(6, 10, 3);
  DrawText(umlaut, 0, 0, "\xC3\xB6", kRed, 1);
  DrawText(question, 0, 0, "?", kRed, 1);
  EXPECT_EQ(umlaut, question);
}

}  // namespace
}  // namespace dlpu
