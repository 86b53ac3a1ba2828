// SPDX-License-Identifier: Apache-2.0
// Draws results on pictures. Everything is clipped to the picture; pixel coordinates
// and sizes may be anything up to 2^29 either way, relative ones anything at all.
// Functions change the given picture only; any thread may draw on its own. Pictures must have 3
// channels (ToRgb), or the program stops.
#pragma once

#include <span>
#include <string_view>

#include "vision/classify.h"
#include "vision/detection.h"
#include "vision/image.h"
#include "vision/pose.h"
#include "vision/segment.h"

namespace dlpu {

// Sizes that suit a picture: about a line of 1/300 and a character of 1/40 of its shorter side.
struct DrawStyle {
  int line = 1;  // pixels
  int text = 1;  // pixels per font pixel
};
DrawStyle StyleFor(const Image& image);

// A bright colour, far from those of the neighbouring classes. Same class, same colour.
Colour ClassColour(int class_id);

void FillRect(Image& image, const PixelRect& rect, Colour colour);
// The four edges, `line` pixels thick, inside `rect`.
void DrawRect(Image& image, const PixelRect& rect, Colour colour, int line);
void DrawLine(Image& image, int x0, int y0, int x1, int y1, Colour colour, int line);
// A filled disc.
void DrawPoint(Image& image, int x, int y, int radius, Colour colour);
// The upper left corner of the first character's cell is at (x, y).
void DrawText(Image& image, int x, int y, std::string_view text, Colour colour, int scale);
// Black or white text, whichever stands out, on a filled background with a margin.
void DrawTextBox(Image& image, int x, int y, std::string_view text, Colour background, int scale);

// Boxes in the colour of their class with label and percent above (inside where there is no room),
// the best on top; keypoints as points.
void DrawDetections(Image& image, std::span<const Detection> detections);
// Points and bones (SkeletonOf) whose score is at least `min_score`.
void DrawPoses(Image& image, std::span<const Pose> poses, float min_score = 0.3f);
// A list of classes in the upper left corner.
void DrawClasses(Image& image, std::span<const Classification> classes);
// Lays the colours of all classes but 0 over the picture. opacity: 0..255. A map of another size
// is scaled to the picture, nearest pixel.
void DrawClassMap(Image& image, const ClassMap& map, int opacity = 128);

}  // namespace dlpu
