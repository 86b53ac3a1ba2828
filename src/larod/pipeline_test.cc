// SPDX-License-Identifier: Apache-2.0
// Frames a second of preprocessing and a network, by what the devices share.
#include "larod/pipeline.h"

#include <gtest/gtest.h>

namespace dlpu::larod {
namespace {

const Pipeline& Of(const std::vector<Pipeline>& pipelines, const std::string& device) {
  for (const Pipeline& pipeline : pipelines) {
    if (pipeline.device == device) return pipeline;
  }
  ADD_FAILURE() << "no " << device;
  return pipelines.at(0);
}

std::vector<Pipeline> On(const char* product, double ms, PictureSize video = {1920, 1080}) {
  const auto catalogue = MakeCatalogue(product);
  EXPECT_TRUE(catalogue.ok());
  return PredictPipelines(*catalogue, ms, video, {300, 300});
}

// On ARTPEC-8 the GPU and the DLPU work one after the other, the CPU beside the DLPU.
TEST(Pipeline, GpuIsSerialAndCpuOverlapsOnArtpec8) {
  const auto pipelines = On("AXIS Q1656", 10);
  const Pipeline& gpu = Of(pipelines, "axis-a8-gpu-proc");
  EXPECT_FALSE(gpu.overlaps);
  EXPECT_GT(gpu.prepare_ms, 0);
  EXPECT_DOUBLE_EQ(gpu.fps_queued, 1000 / (gpu.prepare_ms + 10));
  EXPECT_DOUBLE_EQ(gpu.fps_queued, gpu.fps_one_by_one);
  const Pipeline& cpu = Of(pipelines, "cpu-proc");
  EXPECT_TRUE(cpu.overlaps);
  EXPECT_GT(cpu.prepare_ms, gpu.prepare_ms);
  EXPECT_DOUBLE_EQ(cpu.fps_queued, 1000 / std::max(cpu.prepare_ms, 10.0));
  EXPECT_DOUBLE_EQ(cpu.fps_one_by_one, 1000 / (cpu.prepare_ms + 10));
  EXPECT_GT(cpu.fps_queued, gpu.fps_queued) << "slower by itself, faster in the pipeline";
  EXPECT_FALSE(Of(pipelines, "axis-a8-dlpu-proc").overlaps);
  EXPECT_EQ(Of(pipelines, "axis-ace-proc").refusal,
            "Scaling from 1920x1080 to 300x300 is not supported");
}

TEST(Pipeline, GpuOverlapsOnArtpec9) {
  const auto pipelines = On("artpec9", 2);
  EXPECT_TRUE(Of(pipelines, "a9-gpu-proc").overlaps);
  EXPECT_TRUE(Of(pipelines, "cpu-proc").overlaps);
}

TEST(Pipeline, CvflowTakesPlanarAndACameraWithoutDlpuItsCpu) {
  const auto cv25 = On("cv25", 5);
  EXPECT_EQ(Of(cv25, "ambarella-cvflow-proc").refusal, "");
  EXPECT_GT(Of(cv25, "ambarella-cvflow-proc").fps_queued, 0);
  EXPECT_TRUE(Of(On("cpu", 100), "cpu-proc").overlaps);
  EXPECT_NE(Of(On("cpu", 100, {1921, 1081}), "cpu-proc").refusal, "");
}

}  // namespace
}  // namespace dlpu::larod
