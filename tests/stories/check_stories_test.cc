// SPDX-License-Identifier: Apache-2.0
// What people ran into with cameras, rebuilt as small models: each is judged as it should be, and
// what the finding says to do helps.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/check.h"
#include "app/check_text.h"
#include "app/fix.h"
#include "app/port.h"
#include "app/small_net.h"
#include "app/small_package.h"
#include "report/table.h"
#include "story_nets.h"

namespace dlpu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Target Named(const std::string& name) {
  Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok()) << target.error().message;
  return target.ok() ? *target : Target();
}

CheckReport Judge(const LoadedModel& model, const std::string& target, CheckOptions options = {}) {
  Result<CheckReport> report = Check(model, Named(target), options);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return report.ok() ? *report : CheckReport();
}

std::vector<Finding> Of(const CheckReport& report, const std::string& rule) {
  std::vector<Finding> found;
  for (const Finding& finding : report.findings) {
    if (finding.rule == rule) found.push_back(finding);
  }
  return found;
}

LoadedModel After(const LoadedModel& model, const FixReport& fixed) {
  LoadedModel better = model;
  better.graph = fixed.graph;
  return better;
}

// Convolutions with a SiLU between them, in float or in int8.
SmallNet Detector(int blocks, bool float_silu) {
  SmallNet n;
  TensorId x = n.In({1, 16, 16, 48});
  const Shape shape = {1, 16, 16, 48};
  for (int i = 0; i < blocks; ++i) {
    x = n.Conv(x, {});
    if (float_silu) {
      const TensorId wide = n.Tensor(shape, DataType::kFloat32);
      n.Node("DEQUANTIZE", {x}, {wide});
      const TensorId gate = n.Op1("LOGISTIC", {wide}, shape);
      const TensorId product = n.Op1("MUL", {wide, gate}, shape);
      x = n.Tensor(shape);
      n.Node("QUANTIZE", {product}, {x});
    } else {
      const TensorId gate = n.Op1("LOGISTIC", {x}, shape, NoAttrs(), 1 / 256.0f, -128);
      x = n.Op1("MUL", {x, gate}, shape);
    }
  }
  return n;
}

TEST(Stories, TooManyPartitions) {
  const CheckReport bad = Judge(Detector(9, true).Model(), "artpec8");
  EXPECT_EQ(bad.verdict, CheckVerdict::kRefused);
  const std::vector<Finding> refusal = Of(bad, "partitions");
  ASSERT_EQ(refusal.size(), 1u);
  EXPECT_EQ(bad.partitions, 18);
  EXPECT_EQ(refusal[0].camera_says,
            "Model contains too many graph partitions (18 > 16) and 9 of the graph partitions "
            "can't be run on the device");
  // Every break: the tensor's type and the layer that writes it.
  EXPECT_EQ(bad.cuts.size(), 17u);
  for (const CheckCut& cut : bad.cuts) {
    EXPECT_FALSE(cut.node.empty());
    EXPECT_TRUE(cut.type == "int8" || cut.type == "float32") << cut.type;
    EXPECT_NE(cut.op, "");
  }
  // Every island and every other op on the CPU says what to do about it.
  EXPECT_EQ(Of(bad, "float-island").size(), 9u);
  for (const Finding& finding : bad.findings) {
    EXPECT_TRUE(finding.severity == Severity::kNote || !finding.fix.empty()) << finding.rule;
  }
  EXPECT_THAT(Of(bad, "float-island")[0].fix, HasSubstr("TFLITE_BUILTINS_INT8"));
  // Quantized as it says, the model loads.
  const CheckReport good = Judge(Detector(9, false).Model(), "artpec8");
  EXPECT_EQ(good.verdict, CheckVerdict::kRuns) << CheckText(good, true);
  EXPECT_EQ(good.partitions, 1);
}

TEST(Stories, ADeadModelIsSeenByRunningIt) {
  SmallNet dead;
  dead.Conv(dead.In({1, 8, 8, 4}), {1, 1, 4});  // weights of zero
  CheckOptions options;
  options.run = true;
  options.threads = 1;
  const CheckReport report = Judge(dead.Model(), "artpec8", options);
  ASSERT_EQ(Of(report, "output-constant").size(), 1u);
  EXPECT_THAT(Of(report, "output-constant")[0].message, HasSubstr("at most 0 codes"));
}

TEST(Stories, PerTensorOrPerChannelIsAnsweredForEachChip) {
  auto net = [](int scales) {
    SmallNet n;
    ConvSpec spec;
    spec.weight_scales = scales;
    n.Conv(n.In({1, 112, 112, 48}), spec);
    return n.Model();
  };
  const CheckReport slow = Judge(net(48), "artpec8"), fast = Judge(net(1), "artpec8");
  const std::vector<Finding> advice = Of(slow, "weights-per-tensor");
  ASSERT_EQ(advice.size(), 1u);
  ASSERT_TRUE(advice[0].gain_ms && slow.time && fast.time);
  EXPECT_GT(*advice[0].gain_ms, 0);
  EXPECT_NEAR(slow.time->total_ms - *advice[0].gain_ms, fast.time->total_ms,
              1e-6 * fast.time->total_ms);
  EXPECT_THAT(advice[0].fix, HasSubstr("_experimental_disable_per_channel"));
  EXPECT_EQ(advice[0].confidence, "assumed");
  // What each should be brought as differs.
  const LoadedModel digits = *LoadModel("digits");
  EXPECT_EQ(JudgeTarget(digits, Named("artpec8"), {})->quantize, "int8 per-tensor");
  EXPECT_EQ(JudgeTarget(digits, Named("artpec9"), {})->quantize, "int8 per-channel");
  // ARTPEC-9 has nothing against either, and takes the same time for both.
  const CheckReport a = Judge(net(48), "artpec9"), b = Judge(net(1), "artpec9");
  EXPECT_TRUE(Of(a, "weights-per-tensor").empty());
  EXPECT_EQ(a.time->total_ms, b.time->total_ms);
}

// Boxes in pixels and sigmoid scores under one scale, as YOLO exports have them.
LoadedModel YoloHead() {
  SmallNet n;
  const TensorId in = n.In({1, 100, 6});
  const TensorId begin_boxes = n.Ints({0, 0, 0}), boxes_size = n.Ints({1, 100, 4});
  const TensorId begin_scores = n.Ints({0, 0, 4}), scores_size = n.Ints({1, 100, 2});
  TensorId boxes = n.Op1("SLICE", {in, begin_boxes, boxes_size}, {1, 100, 4});
  const TensorId pixels = n.Const({1}, DataType::kInt8, 25, 1);
  boxes = n.Op1("MUL", {boxes, pixels}, {1, 100, 4}, NoAttrs(), 2.54f, -128);
  TensorId scores = n.Op1("SLICE", {in, begin_scores, scores_size}, {1, 100, 2});
  scores = n.Op1("LOGISTIC", {scores}, {1, 100, 2}, NoAttrs(), 1 / 256.0f, -128);
  scores = n.Op1("QUANTIZE", {scores}, {1, 100, 2}, NoAttrs(), 2.54f, -128);
  n.Op1("CONCATENATION", {boxes, scores}, {1, 100, 6}, ConcatenationAttrs{2}, 2.54f, -128);
  return n.Model();
}

TEST(Stories, ZeroScores) {
  const LoadedModel model = YoloHead();
  const CheckReport bad = Judge(model, "artpec8");
  const std::vector<Finding> conflict = Of(bad, "range-conflict");
  ASSERT_EQ(conflict.size(), 1u);
  // Both ranges, and how many codes the small one keeps.
  EXPECT_THAT(conflict[0].message, HasSubstr("(0 to 0.9961) beside 0 to 317.5"));
  EXPECT_THAT(conflict[0].message, HasSubstr("about 0.4 of 256 codes"));
  const Result<FixReport> fixed = Fix(model, Named("artpec8"), {.threads = 1});
  ASSERT_TRUE(fixed.ok()) << fixed.error().message;
  ASSERT_FALSE(fixed->done.empty());
  EXPECT_EQ(fixed->done[0].kind, "split-head");
  const CheckReport good = Judge(After(model, *fixed), "artpec8");
  EXPECT_TRUE(Of(good, "range-conflict").empty());
  EXPECT_TRUE(Of(good, "output-scale").empty()) << CheckText(good, true);
}

TEST(Stories, AFloat16FileIsRefusedForWhatItIs) {
  SmallNet n;
  const TensorId x = n.In({1, 16, 16, 48}, DataType::kFloat32);
  const TensorId w = n.Tensor({48, 3, 3, 48}, DataType::kFloat32);
  n.Node("DEQUANTIZE", {n.Const({48, 3, 3, 48}, DataType::kFloat16)}, {w});
  n.Node("CONV_2D", {x, w, kNoTensor}, {n.Tensor({1, 16, 16, 48}, DataType::kFloat32)},
         ConvAttrs{});
  const CheckReport report = Judge(n.Model(), "artpec8");
  EXPECT_EQ(report.verdict, CheckVerdict::kRefused);
  ASSERT_EQ(report.Count(Severity::kError), 1) << CheckText(report, true);
  EXPECT_EQ(report.findings[0].rule, "float16");
  EXPECT_THAT(report.findings[0].message, HasSubstr("needs int8 or uint8; this file has float16"));
  EXPECT_THAT(report.findings[0].camera_says, HasSubstr("Asynchronous connection"));
  // What unpacks the weights is no layer to change: nothing is said of its shapes or sizes.
  for (const char* target : {"artpec7", "artpec9"}) {
    for (const Finding& finding : Judge(n.Model(), target).findings) {
      EXPECT_NE(finding.op, "DEQUANTIZE") << target << " " << finding.rule;
    }
  }
}

TEST(Stories, ACustomOpOfNobodyIsRefusedByEveryDevice) {
  SmallNet n;
  const TensorId x = n.Conv(n.In({1, 16, 16, 48}), {});
  n.Op1("RELU", {x}, {1, 16, 16, 48});
  n.graph.nodes.back().op = Op::kUnknown;
  n.graph.nodes.back().attrs = UnknownAttrs{"MyOwnOp", true, {}};
  CheckOptions options;
  options.targets = *LoadTargets();
  const CheckReport report = Judge(n.Model(), "artpec8", options);
  EXPECT_EQ(report.verdict, CheckVerdict::kRefused);
  ASSERT_EQ(Of(report, "custom-op").size(), 1u);
  EXPECT_THAT(Of(report, "custom-op")[0].message, HasSubstr("the custom op MyOwnOp is not part"));
  EXPECT_THAT(Of(report, "custom-op")[0].camera_says, HasSubstr("Could not allocate tensors"));
  ASSERT_FALSE(report.devices.empty());
  for (const CheckDevice& device : report.devices) EXPECT_FALSE(device.takes) << device.device;
}

TEST(Stories, Float16WeightsAreCountedAsWhatTheyBecome) {
  // 12 MiB of float16 are 6 MiB in 8 bits, which fit the parameter cache; 18 MiB are not.
  auto judge = [](int filters) {
    SmallNet n;
    const TensorId w = n.Tensor({filters, 1, 1, 1024}, DataType::kFloat32);
    n.Node("DEQUANTIZE", {n.Const({filters, 1, 1, 1024}, DataType::kFloat16)}, {w});
    n.Node("CONV_2D", {n.In({1, 1, 1, 1024}, DataType::kFloat32), w, kNoTensor},
           {n.Tensor({1, 1, 1, filters}, DataType::kFloat32)}, ConvAttrs{});
    return Of(Judge(n.Model(), "artpec7"), "parameter-cache");
  };
  EXPECT_TRUE(judge(6 * 1024).empty());
  const std::vector<Finding> large = judge(9 * 1024);
  ASSERT_EQ(large.size(), 1u);
  EXPECT_THAT(large[0].message, HasSubstr("9437184 bytes in 8 bits"));
}

TEST(Stories, IsThereAnEdgeTpu) {
  CheckOptions options;
  const Result<Product> product = FindProduct("M3067-P");
  const Result<std::vector<Target>> targets = LoadTargets();
  ASSERT_TRUE(product.ok() && targets.ok());
  ASSERT_EQ(*product->target, "cpu");
  options.product = *product;
  options.targets = *targets;
  SmallNet compiled;
  AddPackage(compiled, 13);
  const CheckReport refused = Judge(compiled.Model(), "cpu", options);
  EXPECT_EQ(refused.verdict, CheckVerdict::kRefused);
  ASSERT_EQ(Of(refused, "edgetpu-package").size(), 1u);
  EXPECT_THAT(Of(refused, "edgetpu-package")[0].camera_says,
              HasSubstr("Could not allocate tensors"));
  // The same model uncompiled: the CPU, with a time, and the GPU, whose time nobody has measured.
  const CheckReport taken = Judge(Detector(2, false).Model(), "cpu", options);
  EXPECT_EQ(taken.verdict, CheckVerdict::kRuns);
  std::vector<std::string> rows;
  for (const CheckDevice& device : taken.devices) {
    rows.push_back(fmt::format("{} {} {}{}", device.device, device.takes,
                               device.ms ? "timed" : "untimed",
                               device.why.empty() ? "" : ": " + device.why));
  }
  EXPECT_THAT(
      rows, ElementsAre("cpu-tflite true timed",
                        "google-edge-tpu-tflite false untimed: AXIS M3067-P has no Google Edge TPU",
                        "axis-a7-gpu-tflite true untimed: time not available",
                        "a7-gpu-native false untimed: takes vip-nb"));
}

TEST(Stories, ANewerRuntimeThanTheFirmwareHas) {
  auto judge = [](int runtime, const std::string& os) {
    SmallNet net;
    AddPackage(net, runtime);
    CheckOptions options;
    options.os = os;
    return Judge(net.Model(), "artpec7", options);
  };
  const CheckReport bad = judge(14, "10.6");
  EXPECT_EQ(bad.verdict, CheckVerdict::kRefused);
  ASSERT_EQ(Of(bad, "runtime-version").size(), 1u);
  EXPECT_THAT(Of(bad, "runtime-version")[0].message,
              HasSubstr("runtime 14, the AXIS OS version has 13"));
  EXPECT_THAT(Of(bad, "runtime-version")[0].fix, HasSubstr("--min_runtime_version 13"));
  EXPECT_EQ(judge(13, "10.6").verdict, CheckVerdict::kRuns);
  EXPECT_EQ(judge(14, "").verdict, CheckVerdict::kRuns);  // what newer firmware has is not known
}

// QUANTIZE and CONV_2D of the given versions.
LoadedModel OfVersions(int quantize, int conv) {
  SmallNet n;
  const TensorId y = n.Tensor({1, 16, 16, 48});
  n.Node("QUANTIZE", {n.In({1, 16, 16, 48}, DataType::kUInt8, 0.1f, 128)}, {y}, NoAttrs(),
         quantize);
  n.Conv(y, {});
  n.graph.nodes.back().version = conv;
  return n.Model();
}

TEST(Stories, ANewerConverterThanTheFirmwareReads) {
  CheckOptions options;
  options.os = "10.6";
  const LoadedModel model = OfVersions(3, 3);
  const CheckReport bad = Judge(model, "artpec8", options);
  EXPECT_EQ(bad.verdict, CheckVerdict::kRefused);
  ASSERT_EQ(Of(bad, "op-version").size(), 1u);
  EXPECT_EQ(Of(bad, "op-version")[0].camera_says,
            "Didn't find op for builtin opcode 'QUANTIZE' version '3'");
  EXPECT_TRUE(Of(Judge(model, "artpec8"), "op-version").empty());  // of no known firmware
  const Result<FixReport> fixed = Fix(model, Named("artpec8"), {.threads = 1});
  ASSERT_TRUE(fixed.ok()) << fixed.error().message;
  EXPECT_TRUE(Of(Judge(After(model, *fixed), "artpec8", options), "op-version").empty());
  // A version that the op needs stays, with the reason; the finding stays with it.
  SmallNet newer;
  newer.Op1("ABS", {newer.In({1, 16})}, {1, 16});
  newer.graph.nodes.back().version = 2;
  const LoadedModel needed = newer.Model();
  EXPECT_EQ(Judge(needed, "artpec8", options).verdict, CheckVerdict::kRefused);
  const Result<FixReport> kept = Fix(needed, Named("artpec8"), {.threads = 1});
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  ASSERT_FALSE(kept->left.empty());
  EXPECT_THAT(kept->left[0].what,
              HasSubstr("ABS stays at version 2 (1 nodes): 8-bit tensors need"));
  EXPECT_EQ(Of(Judge(After(needed, *kept), "artpec8", options), "op-version").size(), 1u);
}

TEST(Stories, NotQuantizedHasTwoDiagnoses) {
  SmallNet dynamic;
  const TensorId x = dynamic.In({1, 16, 16, 48}, DataType::kFloat32);
  dynamic.Node("CONV_2D", {x, dynamic.Const({48, 3, 3, 48}), kNoTensor},
               {dynamic.Tensor({1, 16, 16, 48}, DataType::kFloat32)}, ConvAttrs{});
  const CheckReport one = Judge(dynamic.Model(), "artpec7");
  ASSERT_EQ(one.Count(Severity::kError), 1) << CheckText(one, true);
  EXPECT_EQ(one.findings[0].rule, "dynamic-range");
  EXPECT_EQ(one.findings[0].camera_says, "Model not quantized");
  EXPECT_THAT(one.findings[0].fix, HasSubstr("representative_dataset"));

  const LoadedModel island = Detector(1, true).Model();
  const CheckReport other = Judge(island, "artpec7");
  EXPECT_TRUE(Of(other, "dynamic-range").empty());
  const std::vector<Finding> found = Of(other, "float-island");
  ASSERT_EQ(found.size(), 1u);
  // The offending tensors, and the layers of the source that write them.
  for (const Node& node : island.graph.nodes) {
    const bool inside = NodeOpName(node) == "LOGISTIC" || NodeOpName(node) == "MUL";
    EXPECT_EQ(found[0].message.find(fmt::format("'{}' ({})", node.name, NodeOpName(node))) !=
                  std::string::npos,
              inside)
        << node.name;
  }
  EXPECT_EQ(found[0].nodes.size(), 2u);
}

// Down and up again with an op in the middle that the Edge TPU lacks.
LoadedModel EncoderDecoder(int tail) {
  SmallNet n;
  TensorId x = n.Conv(n.In({1, 64, 64, 48}), {});
  x = n.Op1("NEG", {x}, {1, 64, 64, 48});
  for (int i = 0; i < tail; ++i) x = n.Conv(x, {});
  return n.Model();
}

TEST(Stories, TheFirstBlockerAndWhatItHoldsBack) {
  const CheckReport report = Judge(EncoderDecoder(5), "artpec7");
  EXPECT_EQ(report.dlpu_ops, 1);
  EXPECT_EQ(report.cpu_ops, 6);
  const std::vector<Finding> root = Of(report, "op-not-listed");
  const std::vector<Finding> dependents = Of(report, "behind-first-miss");
  ASSERT_EQ(root.size(), 1u);
  ASSERT_EQ(dependents.size(), 1u);
  EXPECT_EQ(root[0].op, "NEG");
  EXPECT_EQ(root[0].unblocks, 6);
  EXPECT_EQ(dependents[0].nodes.size(), 5u);
  EXPECT_THAT(dependents[0].message, HasSubstr(root[0].nodes[0]));
  ASSERT_TRUE(root[0].gain_ms && report.time);
  EXPECT_GT(*root[0].gain_ms, 0);
  EXPECT_LT(*root[0].gain_ms, report.time->total_ms);
  // "6 ops would then run on the DLPU, itself included", and from what time to what time.
  EXPECT_THAT(root[0].message, HasSubstr("6 ops would then run on the DLPU"));
  EXPECT_EQ(root[0].worth,
            fmt::format("about {} an inference ({} -> {})", DurationText(*root[0].gain_ms),
                        DurationText(report.time->total_ms),
                        DurationText(report.time->total_ms - *root[0].gain_ms)));
  EXPECT_EQ(dependents[0].camera_says, "More than one subgraph is not supported");
}

TEST(Stories, AForcedSplitCanBeSlower) {
  // A single cheap layer behind the blocker is not worth a second trip over the link.
  SmallNet n;
  TensorId x = n.Conv(n.In({1, 8, 8, 48}), {});
  x = n.Op1("NEG", {x}, {1, 8, 8, 48});
  n.Op1("RELU", {x}, {1, 8, 8, 48});
  const LoadedModel model = n.Model();
  const CheckReport report = Judge(model, "artpec7");
  const std::vector<Finding> split = Of(report, "several-parts");
  ASSERT_EQ(split.size(), 1u);
  double parts = 0, instead = 0;
  const size_t at = split[0].message.find("about ");
  ASSERT_NE(at, std::string::npos);
  ASSERT_EQ(std::sscanf(split[0].message.c_str() + at, "about %lf ms instead of %lf ms", &parts,
                        &instead),
            2)
      << split[0].message;
  EXPECT_GT(parts, instead) << split[0].message;
  EXPECT_THAT(split[0].message, HasSubstr("it would be slower: about"));
  EXPECT_NEAR(instead, report.time->total_ms, 0.01);
}

TEST(Stories, PostProcessingOnTheCpu) {
  const LoadedModel model = Ssd();
  const CheckReport report = Judge(model, "artpec8");
  EXPECT_EQ(report.verdict, CheckVerdict::kRunsWithFallback) << CheckText(report, true);
  std::vector<Finding> about;
  for (const Finding& finding : report.findings) {
    if (finding.op == "TFLite_Detection_PostProcess") about.push_back(finding);
  }
  // One line, which is no alarm; the camera's number has its name.
  ASSERT_EQ(about.size(), 1u) << CheckText(report, true);
  EXPECT_EQ(about[0].severity, Severity::kNote);
  EXPECT_EQ(about[0].camera_says,
            "WARNING: Fallback unsupported op 32 to TfLite (32 is CUSTOM, here "
            "TFLite_Detection_PostProcess)");
  EXPECT_GT(about[0].cpu_share, 0);
  EXPECT_LT(about[0].cpu_share, 1);
  // Cut off, everything runs on the DLPU, and the decoder that takes its place is named.
  const Result<FixReport> fixed =
      Fix(model, Named("artpec8"), {.threads = 1, .only = {"cut-post-processing"}});
  ASSERT_TRUE(fixed.ok()) << fixed.error().message;
  EXPECT_THAT(fixed->decoder, HasSubstr("SSD"));
  EXPECT_EQ(Judge(After(model, *fixed), "artpec8").verdict, CheckVerdict::kRuns);
}

}  // namespace
}  // namespace dlpu
