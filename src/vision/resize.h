// SPDX-License-Identifier: Apache-2.0
// Changes the size of pictures with integer arithmetic only, so that every CPU and compiler gives
// the same bytes. Pure functions on values: any thread may call them.
#pragma once

#include <array>
#include <optional>

#include "base/result.h"
#include "vision/image.h"

namespace dlpu {

// How a new pixel is made from old ones. All use half-pixel centres: the middle of target pixel i
// lies at (i + 0.5) * in / out in source pixels.
enum class ResizeFilter {
  kNearest,   // the source pixel that contains the centre: floor((i + 0.5) * in / out)
  kBilinear,  // the 2 x 2 source pixels around the centre, also when shrinking: LiteRT and
              // TensorFlow with half_pixel_centers, OpenCV's INTER_LINEAR. The default: most
              // models were trained on pictures made like this
  kArea,      // the exact mean over the source area a target pixel covers; smoother when
              // shrinking a lot, and between nearest and bilinear when enlarging
};

// Scales to width x height; 1 <= width, height and at most kMaxPixels together. Bilinear weights
// have 15 bits per axis (error below 0.01 of a step); means and blends round to nearest, half up.
Result<Image> ResizeImage(const Image& image, int width, int height,
                          ResizeFilter filter = ResizeFilter::kBilinear);

// Part of a picture in pixels.
struct PixelRect {
  int x = 0, y = 0, width = 0, height = 0;
  bool operator==(const PixelRect&) const = default;
};

// The part of `image` inside `rect`, which must lie within it.
Result<Image> CropImage(const Image& image, const PixelRect& rect);

// How a picture of one shape fills a model input of another.
enum class FitMode {
  kStretch,    // the whole picture, aspect ratio not kept: SSD and most classifiers on cameras
  kLetterbox,  // the whole picture, aspect ratio kept, bars left and right or above and below: YOLO
  kCrop,       // the central part with the target's aspect ratio: ImageNet classifiers
};

// Where a picture went: the part `source` of the picture lies at `target` on the canvas.
struct Placement {
  int picture_width = 0, picture_height = 0;
  int canvas_width = 0, canvas_height = 0;
  PixelRect source;
  PixelRect target;

  // From a point on the canvas to one on the picture, both 0..1 over the whole width or height,
  // not clipped.
  float PictureX(float canvas_x) const;
  float PictureY(float canvas_y) const;
};

// Letterbox: the longer side fills, the other is rounded to nearest; an odd bar is larger at the
// right or bottom. Crop: the largest centred part of the target's shape times `central_fraction`
// (0 < fraction <= 1; 0.875 is usual for ImageNet), rounded to nearest.
// REQUIRES: all sizes >= 1.
Placement PlanFit(int picture_width, int picture_height, int canvas_width, int canvas_height,
                  FitMode fit, double central_fraction = 1.0);

// Carries out a plan; bars take the colour `pad` (grey pictures: its first value).
Result<Image> PlaceImage(const Image& image, const Placement& placement, ResizeFilter filter,
                         Colour pad);

}  // namespace dlpu
