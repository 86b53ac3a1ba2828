// SPDX-License-Identifier: Apache-2.0
// Preprocessing devices: what they make of pictures, and what they refuse.
#include <cstdlib>
#include <optional>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

constexpr const char* kFormats[] = {"nv12", "rgb-interleaved", "rgb-planar"};

struct Size {
  int64_t width, height, pitch = 0;  // pitch 0: not said
};

// A preprocessing model, or nullptr with camera.error.
larodModel* LoadPicture(Camera& camera, const char* device, const char* from, Size in,
                        const char* to, Size out) {
  larodMap* map = larodCreateMap(nullptr);
  larodMapSetStr(map, "image.input.format", from, nullptr);
  larodMapSetIntArr2(map, "image.input.size", in.width, in.height, nullptr);
  if (in.pitch != 0) larodMapSetInt(map, "image.input.row-pitch", in.pitch, nullptr);
  larodMapSetStr(map, "image.output.format", to, nullptr);
  larodMapSetIntArr2(map, "image.output.size", out.width, out.height, nullptr);
  if (out.pitch != 0) larodMapSetInt(map, "image.output.row-pitch", out.pitch, nullptr);
  larodModel* model = larodLoadModel(camera.conn, -1, camera.Device(device), LAROD_ACCESS_PRIVATE,
                                     "", map, camera.error);
  larodDestroyMap(&map);
  return model;
}

using Crop = std::array<int64_t, 4>;

// The converted picture, or nothing with camera.error.
std::optional<Bytes> Convert(Camera& camera, larodModel* model, const Bytes& picture,
                             std::optional<Crop> crop = {}) {
  Job job(camera, model);
  job.UseFiles({picture});
  EXPECT_TRUE(job.MakeRequest()) << camera.error.text();
  if (crop.has_value()) {
    const auto [x, y, w, h] = *crop;
    larodMap* map = larodCreateMap(nullptr);
    larodMapSetIntArr4(map, "image.input.crop", x, y, w, h, nullptr);
    EXPECT_TRUE(larodSetJobRequestParams(job.request, map, camera.error));
    larodDestroyMap(&map);
  }
  if (!larodRunJob(camera.conn, job.request, camera.error)) return std::nullopt;
  return job.Outputs()[0];
}

// NV12 of one colour.
Bytes PlainNv12(size_t width, size_t height, uint8_t y, uint8_t u, uint8_t v) {
  Bytes picture(width * height, y);
  for (size_t i = 0; i < width * height / 4; ++i) {
    picture.push_back(u);
    picture.push_back(v);
  }
  return picture;
}

TEST(LarodPicture, TensorsAreDescribed) {
  Camera camera("cpu");
  larodModel* model =
      LoadPicture(camera, "cpu-proc", "nv12", {300, 224, 320}, "rgb-planar", {64, 32, 96});
  ASSERT_NE(model, nullptr) << camera.error.text();
  EXPECT_EQ(larodGetModelSize(model, nullptr), 0u);
  size_t count = 0;
  larodTensor** in = larodCreateModelInputs(model, &count, nullptr);
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(larodGetTensorLayout(in[0], nullptr), LAROD_TENSOR_LAYOUT_420SP);
  EXPECT_EQ(larodGetTensorDataType(in[0], nullptr), LAROD_TENSOR_DATA_TYPE_UINT8);
  const larodTensorPitches* pitches = larodGetTensorPitches(in[0], nullptr);
  EXPECT_EQ(pitches->len, 3u);
  EXPECT_EQ(pitches->pitches[0], 107520u);
  EXPECT_EQ(pitches->pitches[1], 71680u);
  larodTensor** out = larodCreateModelOutputs(model, &count, nullptr);
  EXPECT_EQ(larodGetTensorLayout(out[0], nullptr), LAROD_TENSOR_LAYOUT_NCHW);
  pitches = larodGetTensorPitches(out[0], nullptr);
  EXPECT_EQ(pitches->pitches[0], 3u * 32 * 96);
  EXPECT_EQ(pitches->pitches[3], 96u);
  larodDestroyTensors(camera.conn, &in, 1, nullptr);
  larodDestroyTensors(camera.conn, &out, 1, nullptr);
  larodDestroyModel(&model);
}

// Every conversion of cpu-proc on a picture of one colour, with and without scaling.
TEST(LarodPicture, EveryConversionKeepsAColour) {
  Camera camera("cpu");
  // BT.601, limited range: this Y, U and V are red.
  const Bytes nv12 = PlainNv12(64, 48, 82, 90, 240);
  for (const char* from : kFormats) {
    const auto picture =
        Convert(camera, LoadPicture(camera, "cpu-proc", "nv12", {64, 48}, from, {64, 48}), nv12);
    ASSERT_TRUE(picture.has_value()) << camera.error.text();
    for (const char* to : kFormats) {
      for (const Size size : {Size{64, 48}, Size{32, 20}, Size{100, 80}}) {
        SCOPED_TRACE(std::string(from) + " to " + to + " " + std::to_string(size.width));
        larodModel* model = LoadPicture(camera, "cpu-proc", from, {64, 48}, to, size);
        const bool merges =
            from == std::string("rgb-planar") && to == std::string("rgb-interleaved");
        if (merges && size.width != 64) {
          EXPECT_EQ(model, nullptr);
          continue;
        }
        ASSERT_NE(model, nullptr) << camera.error.text();
        const auto result = Convert(camera, model, *picture);
        ASSERT_TRUE(result.has_value()) << camera.error.text();
        const auto pixels = static_cast<size_t>(size.width * size.height);
        if (to == std::string("nv12")) {
          ASSERT_EQ(result->size(), pixels * 3 / 2);
          EXPECT_NEAR((*result)[pixels / 2], 82, 2);
          EXPECT_NEAR((*result)[pixels + 1], 240, 3);
        } else {
          ASSERT_EQ(result->size(), pixels * 3);
          const bool planar = to == std::string("rgb-planar");
          EXPECT_NEAR((*result)[0], 255, 3);
          EXPECT_NEAR((*result)[planar ? pixels : 1], 0, 3);
          EXPECT_NEAR(result->back(), 0, 3);
        }
      }
    }
  }
}

TEST(LarodPicture, CropsTheRightPart) {
  Camera camera("cpu");
  // Interleaved RGB whose pixel says where it is.
  Bytes picture;
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 60; ++x) {
      for (const int value : {x, y, x + y}) picture.push_back(static_cast<uint8_t>(value));
    }
  }
  const auto cropped = Convert(
      camera,
      LoadPicture(camera, "cpu-proc", "rgb-interleaved", {60, 40}, "rgb-interleaved", {10, 8}),
      picture, Crop{20, 30, 10, 8});
  ASSERT_TRUE(cropped.has_value()) << camera.error.text();
  for (size_t y = 0; y < 8; ++y) {
    for (size_t x = 0; x < 10; ++x) {
      EXPECT_EQ((*cropped)[(y * 10 + x) * 3], 20 + x);
      EXPECT_EQ((*cropped)[(y * 10 + x) * 3 + 1], 30 + y);
    }
  }
  // The same through planar, whose crop is a different computation.
  const auto planar = Convert(
      camera, LoadPicture(camera, "cpu-proc", "rgb-interleaved", {60, 40}, "rgb-planar", {60, 40}),
      picture);
  const auto part = Convert(
      camera, LoadPicture(camera, "cpu-proc", "rgb-planar", {60, 40}, "rgb-planar", {10, 8}),
      *planar, Crop{20, 30, 10, 8});
  ASSERT_TRUE(part.has_value()) << camera.error.text();
  EXPECT_EQ((*part)[0], 20);
  EXPECT_EQ((*part)[80], 30);
  EXPECT_EQ((*part)[79], 29);
  // Two halves of an NV12 picture have their own colours.
  Bytes halves = PlainNv12(64, 32, 82, 90, 240);
  for (size_t i = 64 * 16; i < 64 * 32; ++i) halves[i] = 235;
  for (size_t i = 64 * 32 + 64 * 8; i < halves.size(); ++i) halves[i] = 128;
  const auto lower = Convert(
      camera, LoadPicture(camera, "cpu-proc", "nv12", {64, 32}, "rgb-interleaved", {16, 16}),
      halves, Crop{8, 16, 16, 16});
  ASSERT_TRUE(lower.has_value()) << camera.error.text();
  for (const uint8_t value : *lower) EXPECT_GE(value, 253);
}

TEST(LarodPicture, PaddingIsTheApplications) {
  Camera camera("cpu");
  larodModel* model =
      LoadPicture(camera, "cpu-proc", "nv12", {16, 8}, "rgb-interleaved", {16, 8, 64});
  ASSERT_NE(model, nullptr) << camera.error.text();
  Job job(camera, model);
  job.UseFiles({PlainNv12(16, 8, 235, 128, 128)});
  EXPECT_EQ(pwrite(job.files[1]->fd(), Bytes(512, 7).data(), 512, 0), 512);
  EXPECT_TRUE(job.Run()) << camera.error.text();
  const Bytes out = job.Outputs()[0];
  for (size_t row = 0; row < 8; ++row) {
    EXPECT_GE(out[row * 64 + 47], 253);
    EXPECT_EQ(out[row * 64 + 48], 7);
    EXPECT_EQ(out[row * 64 + 63], 7);
  }
}

TEST(LarodPicture, FeedsANetworkFromTheSameFile) {
  Camera camera("artpec8");
  larodModel* picture =
      LoadPicture(camera, "axis-a8-gpu-proc", "nv12", {64, 48}, "rgb-interleaved", {28, 28});
  ASSERT_NE(picture, nullptr) << camera.error.text();
  Job convert(camera, picture);
  convert.UseFiles({PlainNv12(64, 48, 100, 110, 120)});
  ASSERT_TRUE(convert.Run()) << camera.error.text();
  // The classifier wants one channel: the first third of the file will do.
  Job classify(camera, camera.Load(DigitsModel(), "axis-a8-dlpu-tflite"));
  classify.UseFiles({Bytes(784)});
  const int fd = larodGetTensorFd(convert.outputs[0], nullptr);
  ASSERT_TRUE(larodSetTensorFd(classify.inputs[0], fd, nullptr));
  ASSERT_TRUE(larodSetTensorFdProps(classify.inputs[0], LAROD_FD_TYPE_DMA, nullptr));
  ASSERT_TRUE(classify.Run()) << camera.error.text();
  Bytes input = convert.Outputs()[0];
  input.resize(784);
  EXPECT_EQ(classify.Outputs(), RunPlainly(DigitsModel(), {input}, "artpec8"));
}

TEST(LarodPicture, LimitsOfDevices) {
  const auto refused = [](Camera& camera, larodModel* model, const char* part) {
    EXPECT_EQ(model, nullptr);
    EXPECT_EQ(camera.error.code(), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(camera.error.text().find("Could not load model: "), 0u);
    EXPECT_NE(camera.error.text().find(part), std::string::npos) << camera.error.text();
  };
  Camera camera("artpec8");
  const auto load = [&](const char* device, const char* from, Size in, const char* to, Size out) {
    return LoadPicture(camera, device, from, in, to, out);
  };
  refused(camera, load("cpu-proc", "nv12", {63, 48}, "nv12", {64, 48}), "multiple of 2");
  refused(camera, load("cpu-proc", "nv12", {64, 48, 63}, "nv12", {64, 48}), "smaller than a row");
  refused(camera, load("cpu-proc", "nv12", {64, 48, 65}, "nv12", {64, 48}), "multiple of 2");
  refused(camera, load("cpu-proc", "bgr", {64, 48}, "nv12", {64, 48}), "format \"bgr\"");
  refused(camera, load("cpu-proc", "nv12", {0, 48}, "nv12", {64, 48}), "size 0,48");
  refused(camera, load("cpu-proc", "nv12", {int64_t{1} << 40, 48}, "nv12", {64, 48}), "size");
  refused(camera, load("cpu-proc", "nv12", {16384, 16384}, "nv12", {64, 48}), "is too large");
  refused(camera, load("axis-ace-proc", "nv12", {64, 48}, "rgb-interleaved", {32, 24}), "Scaling");
  refused(camera, load("axis-ace-proc", "nv12", {60, 48}, "rgb-interleaved", {60, 48}),
          "multiple of 8");
  refused(camera, load("axis-ace-proc", "nv12", {64, 2}, "rgb-interleaved", {64, 2}), "at least 4");
  refused(camera, load("axis-ace-proc", "nv12", {2048, 2048}, "rgb-interleaved", {2048, 2048}),
          "fewer than 4194304");
  refused(camera, load("axis-ace-proc", "nv12", {64, 48, 128}, "rgb-interleaved", {64, 48}),
          "row-pitch");
  refused(camera, load("axis-ace-proc", "nv12", {64, 48}, "rgb-planar", {64, 48}), "not supported");
  larodMap* map = larodCreateMap(nullptr);
  EXPECT_EQ(larodLoadModel(camera.conn, -1, camera.Device("cpu-proc"), LAROD_ACCESS_PRIVATE, "",
                           map, camera.error),
            nullptr);
  EXPECT_NE(camera.error.text().find("image.input.format is missing"), std::string::npos);
  larodDestroyMap(&map);
  // OpenCL devices find out when the job runs.
  larodModel* late = load("axis-a8-gpu-proc", "nv12", {64, 48}, "rgb-planar", {64, 48});
  ASSERT_NE(late, nullptr) << camera.error.text();
  EXPECT_FALSE(Convert(camera, late, PlainNv12(64, 48, 1, 2, 3)).has_value());
  EXPECT_EQ(camera.error.text(),
            "Could not run job: This backend only supports color conversion from NV12 to RGB "
            "interleaved");
}

TEST(LarodPicture, CropsMustLieInside) {
  Camera camera("artpec8");
  const Bytes picture = PlainNv12(64, 48, 1, 2, 3);
  const auto crop = [&](Crop part) {
    larodModel* model = LoadPicture(camera, "cpu-proc", "nv12", {64, 48}, "nv12", {16, 16});
    return Convert(camera, model, picture, part).has_value();
  };
  EXPECT_TRUE(crop({48, 32, 16, 16}));
  for (const Crop part :
       {Crop{50, 32, 16, 16}, Crop{0, 0, 66, 48}, Crop{-2, 0, 16, 16}, Crop{0, 0, 0, 16},
        Crop{INT64_MAX, 0, 16, 16}, Crop{0, 0, INT64_MAX, 2}, Crop{1, 0, 16, 16}}) {
    EXPECT_FALSE(crop(part));
    EXPECT_EQ(camera.error.code(), LAROD_ERROR_JOB) << camera.error.text();
  }
  larodModel* model =
      LoadPicture(camera, "axis-ace-proc", "nv12", {64, 48}, "rgb-interleaved", {64, 48});
  EXPECT_FALSE(Convert(camera, model, picture, Crop{0, 0, 32, 32}).has_value());
}

TEST(LarodPicture, CvflowWantsRowsOf32Bytes) {
  Camera camera("cv25");
  EXPECT_EQ(
      LoadPicture(camera, "ambarella-cvflow-proc", "nv12", {64, 48}, "rgb-planar", {300, 300, 300}),
      nullptr);
  larodModel* model =
      LoadPicture(camera, "ambarella-cvflow-proc", "nv12", {64, 48}, "rgb-planar", {300, 300});
  ASSERT_NE(model, nullptr) << camera.error.text();
  size_t count = 0;
  larodTensor** out = larodCreateModelOutputs(model, &count, nullptr);
  EXPECT_EQ(larodGetTensorPitches(out[0], nullptr)->pitches[3], 320u);
  larodDestroyTensors(camera.conn, &out, count, nullptr);
  larodDestroyModel(&model);
}

}  // namespace
}  // namespace dlpu::larod_testing
