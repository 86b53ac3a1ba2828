// SPDX-License-Identifier: Apache-2.0
// Real files are seen as the layer lists that the cost model was fitted to. Skipped without the
// shared models (DLPU_SHARED).
#include "app/predict.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "app/size_sweep.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

std::string SharedModel(const std::string& name) {
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string path =
      (shared ? std::string(shared) : std::string("../shared")) + "/models/tflite/" + name;
  return std::filesystem::exists(path) ? path : "";
}

struct Pair {
  const char *file, *arch;
};

TEST(Predict, FilesAreTheirLayerLists) {
  int compared = 0;
  for (const Pair& pair : {Pair{"mobilenet_v2_1.0_224_quant.tflite", "mobilenet_v2_1.0_224"},
                           Pair{"yolov5n_artpec8_640.tflite", "yolov5n_artpec8_640"}}) {
    const std::string path = SharedModel(pair.file);
    if (path.empty()) continue;
    const Result<LoadedModel> model = LoadModel(path);
    ASSERT_TRUE(model.ok()) << model.error().message;
    for (const char* name : {"artpec7", "artpec8", "artpec9", "cv25", "cv75", "cpu"}) {
      const Result<Target> target = FindTarget(name);
      ASSERT_TRUE(target.ok());
      // All of it on the accelerator, as in the lists, whatever the target's op table says.
      const Result<Program> program = Compile(model->graph, {});
      ASSERT_TRUE(program.ok()) << program.error().message;
      const Result<Workload> file = WorkloadFor(*program, *target);
      ASSERT_TRUE(file.ok()) << file.error().message;
      const Result<Workload> list = LoadArchitecture(pair.arch);
      ASSERT_TRUE(list.ok());
      EXPECT_EQ(SumsOf(*file).macs + SumsOf(*file).cpu_macs, SumsOf(*list).macs) << pair.file;
      if (std::string(name) != "cpu") {
        EXPECT_EQ(file->input_bytes, list->input_bytes) << pair.file << " " << name;
      }
      const Result<Prediction> a = PredictWorkload(*file, *target, {});
      const Result<Prediction> b = PredictWorkload(*list, *target, {});
      ASSERT_TRUE(a.ok() && b.ok());
      EXPECT_NEAR(a->total_ms / b->total_ms, 1, 0.03) << pair.file << " " << name;
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "no shared models";
  EXPECT_EQ(compared, 12);
}

TEST(Sizes, Parse) {
  const auto sizes = ParseSizes("300x300,352,480x270");
  ASSERT_TRUE(sizes.ok());
  ASSERT_EQ(sizes->size(), 3U);
  EXPECT_EQ((*sizes)[1].width, 352);
  EXPECT_EQ((*sizes)[2].height, 480);
  EXPECT_EQ((*sizes)[2].width, 270);
  for (const char* bad : {"", "0", "12x", "x12", "99999", "3x4x5"}) {
    EXPECT_FALSE(ParseSizes(bad).ok()) << bad;
  }
}

// The built-in classifier is convolutional up to its head: a larger input is refused with the
// layer's name or predicted, and its own size gives the plain prediction.
TEST(Sizes, OwnSizeIsThePlainPrediction) {
  const Result<LoadedModel> model = LoadModel("digits");
  ASSERT_TRUE(model.ok());
  const Result<Target> target = FindTarget("artpec9");
  ASSERT_TRUE(target.ok());
  const Shape& shape = model->graph.tensors[model->graph.inputs[0]].shape;
  ASSERT_EQ(shape.size(), 4U);
  const Result<std::vector<SizeRow>> rows =
      SweepSizes(*model, {}, *target, {}, {{shape[1], shape[2]}, {4096, 4096}});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_TRUE((*rows)[0].prediction.has_value()) << (*rows)[0].error;
  const Result<Prediction> plain = PredictModel(*model, {}, *target, {});
  EXPECT_EQ((*rows)[0].prediction->total_ms, plain->total_ms);
  const SizeRow& large = (*rows)[1];
  EXPECT_NE(large.prediction.has_value(), !large.error.empty());
  if (large.prediction) {
    EXPECT_GT(large.prediction->total_ms, plain->total_ms);
  }
}

TEST(UnknownTimes, TheGpuIsNotInvented) {
  const Result<std::vector<Target>> targets = LoadTargets();
  const Result<Product> product = FindProduct("M3067-P");
  ASSERT_TRUE(targets.ok() && product.ok());
  const Result<Target> cpu = FindTarget(*targets, *product->target);
  ASSERT_TRUE(cpu.ok());
  const auto unknown = UnknownTimes(*cpu, *targets, &*product);
  ASSERT_FALSE(unknown.empty());
  EXPECT_EQ(unknown[0].device, "axis-a7-gpu-tflite");
  for (const UnknownTime& time : unknown)
    EXPECT_NE(time.says.find("not available"), std::string::npos);
}

}  // namespace
}  // namespace dlpu
