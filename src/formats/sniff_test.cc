// SPDX-License-Identifier: Apache-2.0
// Files are recognised by their content.
#include "formats/sniff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "formats/tflite.h"

namespace dlpu {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Of(const std::string& text) { return {text.begin(), text.end()}; }

Bytes Tflite(const std::string& custom_op) {
  Graph graph;
  graph.name = "m";
  graph.tensors = {{"in", DataType::kUInt8, {1}, {}, {}, false, false},
                   {"out", DataType::kUInt8, {1}, {}, {}, false, false}};
  graph.nodes = {{Op::kUnknown, "out", {0}, {1}, {}, UnknownAttrs{custom_op, true, {}}, 1}};
  graph.inputs = {0};
  graph.outputs = {1};
  auto bytes = WriteTflite(graph);
  EXPECT_TRUE(bytes.ok());
  return *bytes;
}

// A flatbuffer of one table with one byte vector, as the wrapper is taken to be.
Bytes Wrapped(const Bytes& payload) {
  Bytes bytes(24);
  const auto put = [&](size_t at, uint32_t value, size_t size) {
    std::memcpy(&bytes[at], &value, size);
  };
  put(0, 12, 4);                             // root
  put(4, 6, 2), put(6, 8, 2), put(8, 4, 2);  // vtable: size, table size, field 0
  put(12, 8, 4);                             // the table's vtable, 8 bytes before
  put(16, 4, 4);                             // field 0: the vector, 4 bytes on
  put(20, static_cast<uint32_t>(payload.size()), 4);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

TEST(Sniff, KnowsModelsAndCompiledFiles) {
  EXPECT_EQ(SniffFile(Tflite("TFLite_Detection_PostProcess")), FileKind::kTflite);
  EXPECT_EQ(SniffFile(Tflite("edgetpu-custom-op")), FileKind::kEdgeTpuTflite);
  EXPECT_EQ(SniffFile(Tflite("edgetpu-custom-op-2")), FileKind::kTflite);
  EXPECT_EQ(SniffFile(Of(std::string("VPMN\1\0\0\0", 8))), FileKind::kVivanteNb);
  EXPECT_EQ(SniffFile(Wrapped(Tflite("x"))), FileKind::kLarod);
  Bytes cvflow(1000);
  const uint32_t magic = 0xFEEDBEEF;
  std::memcpy(&cvflow[8], &magic, 4);
  EXPECT_EQ(SniffFile(cvflow), FileKind::kCvflow3);
  EXPECT_EQ(SniffFile(Wrapped(cvflow)), FileKind::kLarod);
  EXPECT_EQ(SniffFile(Wrapped(Bytes(1000))), FileKind::kUnknown);
}

TEST(Sniff, AnyShortFileIsSomething) {
  const Bytes whole = Wrapped(Tflite("edgetpu-custom-op"));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(FileKindText(SniffFile(std::span(whole.data(), size))).empty());
  }
  EXPECT_EQ(SniffFile({}), FileKind::kEmpty);
}

TEST(Sniff, DeviceFormatsAreThoseOfCompiledFilesOnly) {
  EXPECT_EQ(DeviceFormat(FileKind::kEdgeTpuTflite), "edgetpu-tflite");
  EXPECT_EQ(DeviceFormat(FileKind::kCvflow2), "cvflow2-bin");
  EXPECT_EQ(DeviceFormat(FileKind::kVivanteNb), "vip-nb");
  EXPECT_EQ(DeviceFormat(FileKind::kPng), "");
}

}  // namespace
}  // namespace dlpu
