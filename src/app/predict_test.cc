// SPDX-License-Identifier: Apache-2.0
// Real files are seen as the layer lists that the cost model was fitted to. Skipped without the
// shared models (DLPU_SHARED).
#include "app/predict.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "app/size_sweep.h"
#include "passes/compile.h"
#include "target/tiles.h"

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

// Exports of the network that was measured have its time; one with other classes does not.
TEST(Predict, MeasuredIsTheVeryNetwork) {
  const Result<Target> target = FindTarget("artpec7");
  const Result<Product> product = FindProduct("Q1615 Mk III");
  ASSERT_TRUE(target.ok() && product.ok());
  PredictOptions options;
  options.product = *product;
  int compared = 0;
  for (const auto& [file, measured] :
       {std::pair("mobilenet_v2_1.0_224_quant.tflite", true),
        std::pair("tf2_mobilenet_v2_1.0_224_ptq.tflite", true),
        std::pair("mobilenet_v2_1.0_224_inat_bird_quant.tflite", false),
        std::pair("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", false)}) {
    const std::string path = SharedModel(file);
    if (path.empty()) continue;
    const Result<LoadedModel> model = LoadModel(path);
    ASSERT_TRUE(model.ok());
    const Result<Prediction> p = PredictModel(*model, {}, *target, options);
    ASSERT_TRUE(p.ok()) << p.error().message;
    EXPECT_EQ(p->measured.has_value(), measured) << file;
    EXPECT_EQ(p->confidence == Confidence::kMeasured, measured) << file;
    ++compared;
  }
  if (compared == 0) GTEST_SKIP() << "no shared models";
}

// What predict says of the parameter cache is what compile plans.
TEST(Predict, OnePlanOfTheParameterCache) {
  const Result<Target> target = FindTarget("artpec7");
  ASSERT_TRUE(target.ok() && target->tiles.has_value());
  int compared = 0, streams = 0;
  const std::string first = SharedModel("mobilenet_v2_1.0_224_quant.tflite");
  if (first.empty()) GTEST_SKIP() << "no shared models";
  Target small = *target;  // a cache that large models overflow
  small.tiles->cache_bytes = 2'000'000;
  small.cost->engine.tiles = small.tiles;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(first).parent_path())) {
    if (entry.path().extension() != ".tflite") continue;
    const Result<LoadedModel> model = LoadModel(entry.path().string());
    if (!model.ok()) continue;
    for (const Target& t : {*target, small}) {
      const Result<Program> program = Compile(model->graph, OptionsFor(t));
      if (!program.ok()) continue;
      const Result<Prediction> p = Predict(*program, t);
      ASSERT_TRUE(p.ok()) << entry.path() << ": " << p.error().message;
      const Partition partition = PartitionGraph(model->graph, t);
      const TilePlan plan = PlanTiles(model->graph, partition, *t.tiles);
      EXPECT_EQ(*p->memory.cache_bytes, plan.cache_bytes);
      // Nodes that were folded away have no weights, but a word or two.
      EXPECT_NEAR(static_cast<double>(*p->memory.parameter_bytes),
                  static_cast<double>(plan.parameter_bytes), 4096)
          << entry.path();
      EXPECT_NEAR(static_cast<double>(*p->memory.streamed_bytes),
                  static_cast<double>(plan.streamed_bytes), 4096)
          << entry.path();
      streams += plan.streamed_bytes > 0;
      ++compared;
    }
  }
  EXPECT_GE(compared, 20);
  EXPECT_GE(streams, 4);
}

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
      EXPECT_EQ(LayersHash(*file), LayersHash(*list)) << pair.file << " " << name;
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
