// SPDX-License-Identifier: Apache-2.0
// Preprocessing: crop, then scale in the input's format, then convert, all by libyuv. Colours are
// BT.601 of limited range, libyuv's own choice for NV12, and pictures are scaled with its box
// filter; what cameras do is not published (docs/larod.md).
#include <libyuv.h>
#include <libyuv/scale_rgb.h>

#include "larod/buffer_io.h"
#include "larod/executable.h"
#include "larod/picture_rules.h"

namespace dlpu::larod {
namespace {

// Planes of a picture in memory.
template <typename Byte>
struct Planes {
  PictureShape shape;
  Byte* at[3] = {};  // NV12: Y, UV; interleaved: one; planar: R, G, B
};

template <typename Byte>
Planes<Byte> PlanesOf(const PictureShape& shape, Byte* data) {
  const auto plane = static_cast<size_t>(shape.pitch) * static_cast<size_t>(shape.height);
  switch (shape.format) {
    case PixelFormat::kNv12:
      return {shape, {data, data + plane, nullptr}};
    case PixelFormat::kRgbInterleaved:
      return {shape, {data, nullptr, nullptr}};
    default:
      return {shape, {data, data + plane, data + 2 * plane}};
  }
}

Planes<const uint8_t> Cropped(Planes<const uint8_t> picture, const Rectangle& part) {
  const auto pitch = static_cast<size_t>(picture.shape.pitch);
  const auto x = static_cast<size_t>(part.x), y = static_cast<size_t>(part.y);
  switch (picture.shape.format) {
    case PixelFormat::kNv12:
      picture.at[0] += y * pitch + x;
      picture.at[1] += y / 2 * pitch + x;  // even x: a pair of U and V for two pixels
      break;
    case PixelFormat::kRgbInterleaved:
      picture.at[0] += y * pitch + 3 * x;
      break;
    case PixelFormat::kRgbPlanar:
      for (const uint8_t*& plane : picture.at) plane += y * pitch + x;
      break;
  }
  picture.shape.width = part.width;
  picture.shape.height = part.height;
  return picture;
}

// Same format, another size (or the same: then it is a copy).
bool Scale(const Planes<const uint8_t>& from, const Planes<uint8_t>& to) {
  const int w = from.shape.width, h = from.shape.height, pitch = from.shape.pitch;
  const int ow = to.shape.width, oh = to.shape.height, opitch = to.shape.pitch;
  constexpr auto kFilter = libyuv::kFilterBox;
  switch (from.shape.format) {
    case PixelFormat::kNv12:
      return libyuv::NV12Scale(from.at[0], pitch, from.at[1], pitch, w, h, to.at[0], opitch,
                               to.at[1], opitch, ow, oh, kFilter) == 0;
    case PixelFormat::kRgbInterleaved:
      if (w == ow && h == oh) {
        libyuv::CopyPlane(from.at[0], pitch, to.at[0], opitch, 3 * w, h);
        return true;
      }
      return libyuv::RGBScale(from.at[0], pitch, w, h, to.at[0], opitch, ow, oh, kFilter) == 0;
    case PixelFormat::kRgbPlanar:
      for (int i = 0; i < 3; ++i) {
        libyuv::ScalePlane(from.at[i], pitch, w, h, to.at[i], opitch, ow, oh, kFilter);
      }
      return true;
  }
  return false;
}

// A picture of one's own.
struct Owned {
  std::vector<uint8_t> bytes;
  Planes<uint8_t> planes;
};
Owned NewPicture(PixelFormat format, int width, int height) {
  PictureShape shape{format, width, height, 0};
  shape.pitch = shape.row() + (format == PixelFormat::kNv12 ? width & 1 : 0);
  Owned picture;
  // NV12 of odd sizes has chroma for the last row and column too.
  picture.bytes.resize(static_cast<size_t>(shape.pitch) * static_cast<size_t>(height + 1) * 3);
  picture.planes = PlanesOf(shape, picture.bytes.data());
  return picture;
}
Planes<const uint8_t> Read(const Planes<uint8_t>& picture) {
  return {picture.shape, {picture.at[0], picture.at[1], picture.at[2]}};
}

bool ToInterleaved(const Planes<const uint8_t>& from, const Planes<uint8_t>& to) {
  const int w = from.shape.width, h = from.shape.height, pitch = from.shape.pitch;
  if (from.shape.format == PixelFormat::kNv12) {
    // libyuv calls R, G, B in memory "raw".
    return libyuv::NV12ToRAW(from.at[0], pitch, from.at[1], pitch, to.at[0], to.shape.pitch, w,
                             h) == 0;
  }
  libyuv::MergeRGBPlane(from.at[0], pitch, from.at[1], pitch, from.at[2], pitch, to.at[0],
                        to.shape.pitch, w, h);
  return true;
}

bool FromInterleaved(const Planes<const uint8_t>& from, const Planes<uint8_t>& to) {
  const int w = from.shape.width, h = from.shape.height, pitch = from.shape.pitch;
  if (to.shape.format == PixelFormat::kRgbPlanar) {
    libyuv::SplitRGBPlane(from.at[0], pitch, to.at[0], to.shape.pitch, to.at[1], to.shape.pitch,
                          to.at[2], to.shape.pitch, w, h);
    return true;
  }
  std::vector<uint8_t> argb(static_cast<size_t>(w) * static_cast<size_t>(h) * 4);
  return libyuv::RAWToARGB(from.at[0], pitch, argb.data(), 4 * w, w, h) == 0 &&
         libyuv::ARGBToNV12(argb.data(), 4 * w, to.at[0], to.shape.pitch, to.at[1], to.shape.pitch,
                            w, h) == 0;
}

// Same size, another format.
bool Convert(const Planes<const uint8_t>& from, const Planes<uint8_t>& to) {
  if (to.shape.format == PixelFormat::kRgbInterleaved) return ToInterleaved(from, to);
  if (from.shape.format == PixelFormat::kRgbInterleaved) return FromInterleaved(from, to);
  const Owned between =
      NewPicture(PixelFormat::kRgbInterleaved, from.shape.width, from.shape.height);
  return ToInterleaved(from, between.planes) && FromInterleaved(Read(between.planes), to);
}

bool Process(const Planes<const uint8_t>& from, const Planes<uint8_t>& to) {
  if (from.shape.format == to.shape.format) return Scale(from, to);
  if (from.shape.width == to.shape.width && from.shape.height == to.shape.height) {
    return Convert(from, to);
  }
  const Owned scaled = NewPicture(from.shape.format, to.shape.width, to.shape.height);
  return Scale(from, scaled.planes) && Convert(Read(scaled.planes), to);
}

class Picture : public Executable {
 public:
  Picture(const PictureRules& rules, const PictureShape& input, const PictureShape& output)
      : rules_(rules), input_(input), output_(output) {
    inputs_ = {SpecOf(input)};
    outputs_ = {SpecOf(output)};
    from_.resize(inputs_[0].bytes);
    to_.resize(outputs_[0].bytes);
  }

  Outcome<Nothing> Run(const Job& job) override {
    LAROD_TRY(const Rectangle part, CheckPictureJob(rules_, input_, output_, job.params));
    LAROD_RETURN_IF_FAILED(ReadBuffer(job.inputs[0], inputs_[0], from_));
    const Buffer& out = job.outputs[0];
    if (output_.pitch != output_.row()) KeepPadding(out);
    const auto from = Cropped(PlanesOf<const uint8_t>(input_, from_.data()), part);
    if (!Process(from, PlanesOf(output_, to_.data()))) {
      return Failure{LAROD_ERROR_JOB, "Image conversion failed", "libyuv refused the sizes"};
    }
    return WriteBuffer(out, to_);
  }

  std::optional<double> CameraTime(const Job& job) const override {
    const auto part = CheckPictureJob(rules_, input_, output_, job.params);
    if (!part.ok()) return std::nullopt;
    return PictureTime(rules_, input_, output_, *part);
  }
  std::optional<double> CameraLoadTime(bool) const override { return std::nullopt; }
  size_t MemoryBytes() const override { return from_.size() + to_.size(); }

 private:
  // Bytes between the rows are the application's: a picture may be part of a wider one.
  void KeepPadding(const Buffer& out) {
    const auto read = ReadAt(FdOf(out), out.offset, to_);
    if (!read.ok()) std::fill(to_.begin(), to_.end(), uint8_t{0});
  }

  const PictureRules& rules_;
  const PictureShape input_, output_;
  std::vector<uint8_t> from_, to_;
};

}  // namespace

Outcome<std::unique_ptr<Executable>> LoadPicture(const VirtualDevice& device,
                                                 const Params& params) {
  if (device.picture == nullptr) {
    return Failure{LAROD_ERROR_LOAD_MODEL, "Device does not run preprocessing",
                   device.info.name + " is not emulated"};
  }
  const PictureRules& rules = *device.picture;
  LAROD_TRY(const PictureShape input, ReadPictureShape(rules, params, "input"));
  LAROD_TRY(const PictureShape output, ReadPictureShape(rules, params, "output"));
  LAROD_RETURN_IF_FAILED(CheckPictureModel(rules, input, output));
  return std::unique_ptr<Executable>(new Picture(rules, input, output));
}

}  // namespace dlpu::larod
