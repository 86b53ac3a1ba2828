// SPDX-License-Identifier: Apache-2.0
// Lowest op versions: known ones, and that no converter gave a node of a real model less.
#include "formats/tflite_versions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "formats/tflite.h"
#include "ir/text.h"

namespace dlpu {
namespace {

// The lowest version of the only node, with what it needs: "2 int8 tensors".
std::string Lowest(const std::string& lines) {
  const Result<Graph> graph = ParseGraph("dlpu-graph 1\n" + lines);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  if (!graph.ok() || graph->nodes.size() != 1) return "no node";
  const auto lowest = LowestVersionOf(*graph, graph->nodes[0]);
  if (!lowest.has_value()) return "unsettled";
  return fmt::format("{} {}", lowest->version, lowest->needs);
}

TEST(LowestVersion, KnownOnes) {
  const std::string a = "tensor %0 \"a\" int8 1x4x4x2 scale=[0.5] zero=[0]\n";
  const std::string b = "tensor %1 \"b\" uint8 1x4x4x2 scale=[0.5] zero=[0]\n";
  const std::string c = "tensor %2 \"c\" int16 1x4x4x2 scale=[0.5] zero=[0]\n";
  const std::string f = "tensor %3 \"f\" float32 1x4x4x2\n";
  const std::string all = a + b + c + f;
  EXPECT_EQ(Lowest(all + "node QUANTIZE \"q\" (%0) -> (%1) version=3\n"), "1 ");
  EXPECT_EQ(Lowest(all + "node QUANTIZE \"q\" (%0) -> (%2) version=3\n"), "2 an int16 result");
  EXPECT_EQ(Lowest(all + "node DEQUANTIZE \"q\" (%0) -> (%3) version=5\n"), "2 int8 tensors");
  EXPECT_EQ(Lowest(all + "node ADD \"q\" (%0 %0) -> (%0) version=4\n"), "2 int8 tensors");
  EXPECT_EQ(Lowest(all + "node ADD \"q\" (%3 %3) -> (%3) version=2\n"), "1 ");
  EXPECT_EQ(Lowest(all + "node RESIZE_BILINEAR \"q\" (%0) -> (%0) {half_pixel_centers=true}\n"),
            "3 half-pixel centres");
  EXPECT_EQ(Lowest(all + "node UNKNOWN \"q\" (%0) -> (%0) {code=\"X\" custom=true}\n"),
            "unsettled");
  // 0.5 * 0.5 / 0.25 is 1: the product is rescaled by 1.
  const std::string fine = "tensor %4 \"d\" int8 1x4x4x2 scale=[0.25] zero=[0]\n";
  EXPECT_EQ(Lowest(all + fine + "node MUL \"q\" (%0 %0) -> (%4)\n"),
            "3 a product rescaled by 1 or more");
  EXPECT_EQ(Lowest(all + "node MUL \"q\" (%0 %0) -> (%0)\n"), "2 int8 tensors");
}

TEST(LowestVersion, NoRealNodeHasLess) {
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string folder =
      std::string(shared != nullptr ? shared : "../shared") + "/models/tflite";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no models in " << folder;
  int equal = 0, higher = 0, unsettled = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto bytes = ReadFile(entry.path());
    ASSERT_TRUE(bytes.ok());
    const auto graph = ReadTflite(*bytes, entry.path().filename());
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    for (const Node& node : graph->nodes) {
      const auto lowest = LowestVersionOf(*graph, node);
      if (!lowest.has_value()) {
        ++unsettled;
        continue;
      }
      // Converters before version 3 of MUL gave such products version 1.
      if (node.op == Op::kMul && lowest->version == 3) continue;
      EXPECT_LE(lowest->version, node.version)
          << entry.path().filename() << ", " << NodeOpName(node) << " " << node.name << ": "
          << lowest->needs;
      ++(lowest->version == node.version ? equal : higher);
    }
  }
  fmt::print("{} nodes have their lowest version, {} a higher one, {} are not settled\n", equal,
             higher, unsettled);
  EXPECT_GT(equal, 300);
}

}  // namespace
}  // namespace dlpu
