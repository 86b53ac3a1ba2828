// SPDX-License-Identifier: Apache-2.0
// Edge TPU packages: small ones made here, damaged in every way, and compiled files of
// google-coral/test_data against what is known of them.
#include "formats/edgetpu_package.h"

#include <flatbuffers/flexbuffers.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "base/file.h"
#include "edgetpu_package_generated.h"
#include "formats/sniff.h"
#include "formats/tflite.h"

namespace dlpu {
namespace {

namespace fb = ::dlpu::edgetpu;
using testing::ElementsAre;
using testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

Bytes Finished(flatbuffers::FlatBufferBuilder& b) {
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

struct Making {
  fb::ExecutableType type = fb::ExecutableType::EXECUTION_ONLY;
  uint64_t token = 7;
  int64_t cycles = 0;
  int32_t cycles32 = 0;
  int y = 2, size = 16, chunk = 0, batch = 1;
  fb::LayerType layer_type = fb::LayerType::SIGNED_FIXED_POINT8;
};

Bytes MakeExecutable(const Making& making) {
  flatbuffers::FlatBufferBuilder b;
  const auto stream =
      fb::CreateInstructionBitstreamDirect(b, std::make_unique<Bytes>(Bytes(32, 1)).get());
  const auto streams = b.CreateVector(std::vector{stream});
  const auto hint = [&](fb::Description desc, int bytes, fb::Direction direction) {
    const auto meta = fb::CreateMetaDirect(b, desc, 1, "m");
    return fb::CreateDmaHint(b, fb::AnyHint::DmaDescriptorHint,
                             fb::CreateDmaDescriptorHint(b, meta, 0, bytes).Union(), direction);
  };
  const std::vector<flatbuffers::Offset<fb::DmaHint>> hints = {
      fb::CreateDmaHint(b, fb::AnyHint::InstructionHint,
                        fb::CreateInstructionHint(b, making.chunk).Union()),
      hint(fb::Description::INPUT_ACTIVATION, 16, fb::Direction::INFEED),
      hint(fb::Description::SCRATCH, 100, fb::Direction::OUTFEED),
      hint(fb::Description::SCRATCH, 50, fb::Direction::INFEED),
      hint(fb::Description::PARAMETER, 64, fb::Direction::INFEED),
      hint(fb::Description::OUTPUT_ACTIVATION, 8, fb::Direction::OUTFEED)};
  const auto dma = fb::CreateDmaHintsDirect(b, &hints, true);
  const auto numerics = fb::CreateNumerics(b, 130, 0.5f);
  const fb::Range range[] = {fb::Range(0, 0), fb::Range(0, 4)};
  const auto shape = fb::CreateTensorShape(b, b.CreateVectorOfStructs(range, 2));
  const std::vector<flatbuffers::Offset<fb::Layer>> inputs = {
      fb::CreateLayerDirect(b, "in", making.size, making.y, 2, 3, numerics, making.layer_type,
                            fb::AnyLayer::InputLayer, fb::CreateInputLayer(b).Union())};
  const std::vector<flatbuffers::Offset<fb::Layer>> outputs = {fb::CreateLayerDirect(
      b, "out", 8, 1, 1, 5, numerics, fb::LayerType::FIXED_POINT8, fb::AnyLayer::OutputLayer,
      fb::CreateOutputLayer(b).Union(), 1, false, shape)};
  const bool caching = making.type == fb::ExecutableType::PARAMETER_CACHING;
  const auto in = caching ? 0 : b.CreateVector(inputs);
  const auto out = caching ? 0 : b.CreateVector(outputs);
  const auto parameters = b.CreateVector(Bytes(caching ? 128 : 64, 3));
  const auto name = b.CreateString("model"), chip = b.CreateString("beagle");
  fb::ExecutableBuilder e(b);
  e.add_name(name);
  e.add_batch_size(making.batch);
  e.add_scratch_size_bytes(100);
  e.add_instruction_bitstreams(streams);
  e.add_parameters(parameters);
  e.add_dma_hints(dma);
  if (!caching) e.add_input_layers(in);
  if (!caching) e.add_output_layers(out);
  e.add_chip(chip);
  e.add_estimated_cycles(making.cycles32);
  e.add_used_narrow_memory_bytes_per_tile(4096);
  e.add_type(making.type);
  e.add_parameter_caching_token(making.token);
  e.add_estimated_cycles_64bit(making.cycles);
  b.Finish(e.Finish());
  return Finished(b);
}

Bytes MakePackage(const std::vector<Bytes>& executables, int chip_id = 0) {
  flatbuffers::FlatBufferBuilder inner;
  std::vector<flatbuffers::Offset<flatbuffers::String>> strings;
  for (const Bytes& bytes : executables) {
    strings.push_back(
        inner.CreateString(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  inner.Finish(fb::CreateMultiExecutable(inner, inner.CreateVector(strings)));
  flatbuffers::FlatBufferBuilder b;
  const Bytes multi = Finished(inner);
  fb::FinishPackageBuffer(
      b, fb::CreatePackageDirect(b, 13, &multi, nullptr, 0, "cl/1", chip_id, nullptr, "id"));
  return Finished(b);
}

Bytes MakeOptions(const Bytes& package, const Bytes& old_caching = {}, size_t chips = 1) {
  flexbuffers::Builder b;
  b.Map([&] {
    b.Int("1", 0);
    if (!old_caching.empty()) {
      b.String("3", std::string(old_caching.begin(), old_caching.end()));
    }
    b.String("4", std::string(package.begin(), package.end()));
    b.Int("5", -1);
    if (old_caching.empty())
      b.Vector("6", [&] {
        for (size_t i = 0; i < chips; ++i) b.Int(18);
      });
  });
  b.Finish();
  return b.GetBuffer();
}

Making Caching() { return {.type = fb::ExecutableType::PARAMETER_CACHING}; }

Bytes UsualOptions(const Making& execution = {}) {
  return MakeOptions(MakePackage({MakeExecutable(execution), MakeExecutable(Caching())}));
}

Graph GraphWith(const Bytes& options) {
  Graph graph;
  graph.name = "m.tflite";
  graph.tensors = {{"in", DataType::kInt8, {1, 2, 2, 3}, {{0.5f}, {2}, 0}, {}, false, false},
                   {"out", DataType::kUInt8, {1, 5}, {{0.5f}, {130}, 0}, {}, false, false}};
  UnknownAttrs attrs{kEdgeTpuOpName, true, {options.begin(), options.end()}};
  graph.nodes = {{Op::kUnknown, "out", {0}, {1}, {}, attrs, 1}};
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

std::string Refusal(const Bytes& options) {
  const auto read = ReadEdgeTpuPackages(GraphWith(options));
  return read.ok() ? "" : read.error().message;
}

TEST(EdgeTpuPackage, EverythingThatIsWrittenIsRead) {
  const auto read = ReadEdgeTpuPackages(GraphWith(UsualOptions({.cycles = 1234567890123})));
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->size(), 1u);
  const EdgeTpuPackage& package = (*read)[0];
  EXPECT_EQ(package.node, "out");
  EXPECT_EQ(package.min_runtime_version, 13);
  EXPECT_EQ(package.compiler_version, "cl/1");
  EXPECT_EQ(package.model_identifier, "id");
  EXPECT_EQ(package.execution_preference, -1);
  EXPECT_THAT(package.chip_enum, ElementsAre(18));
  EXPECT_EQ(package.cached_bytes(), 128);
  EXPECT_EQ(package.streamed_bytes(), 64);
  const EdgeTpuExecutable& main = package.Main();
  EXPECT_EQ(main.type, EdgeTpuExecutableType::kExecutionOnly);
  EXPECT_EQ(main.chip, "beagle");
  EXPECT_EQ(main.estimated_cycles, 1234567890123);
  EXPECT_EQ(main.narrow_bytes_per_tile, 4096);
  EXPECT_EQ(main.scratch_bytes, 100);
  EXPECT_THAT(main.instruction_bytes, ElementsAre(32));
  EXPECT_EQ(main.dma.instructions, 32);
  EXPECT_EQ(main.dma.input, 16);
  EXPECT_EQ(main.dma.output, 8);
  EXPECT_EQ(main.dma.parameters, 64);
  EXPECT_EQ(main.dma.scratch_in, 50);
  EXPECT_EQ(main.dma.scratch_out, 100);
  EXPECT_TRUE(main.dma.deterministic);
  ASSERT_EQ(main.inputs.size(), 1u);
  EXPECT_EQ(main.inputs[0].type, "int8");
  EXPECT_EQ(main.inputs[0].zero_point, 2);  // unsigned 130 in the file
  EXPECT_EQ(main.inputs[0].scale, 0.5f);
  ASSERT_EQ(main.outputs.size(), 1u);
  EXPECT_EQ(main.outputs[0].zero_point, 130);
  EXPECT_EQ(main.outputs[0].z, 5);
  EXPECT_THAT(main.outputs[0].shape, ElementsAre(1, 5));
}

TEST(EdgeTpuPackage, AllGenerationsAreRead) {
  // One stand-alone executable.
  const Bytes alone = MakeExecutable({.type = fb::ExecutableType::STAND_ALONE, .cycles32 = 99});
  auto read = ReadEdgeTpuOptions(MakeOptions(MakePackage({alone})));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->Main().estimated_cycles, 99);
  EXPECT_EQ(read->cached_bytes(), 0);
  // Three: the stand-alone one runs.
  read = ReadEdgeTpuOptions(
      MakeOptions(MakePackage({MakeExecutable({}), alone, MakeExecutable(Caching())})));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->Main().type, EdgeTpuExecutableType::kStandAlone);
  // Before packages: two bare executables without a type.
  const Bytes bare = MakeExecutable({.type = fb::ExecutableType::STAND_ALONE});
  read = ReadEdgeTpuOptions(MakeOptions(bare, MakeExecutable(Caching())));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_FALSE(read->min_runtime_version.has_value());
  EXPECT_EQ(read->Main().type, EdgeTpuExecutableType::kExecutionOnly);
  EXPECT_EQ(read->cached_bytes(), 128);
}

TEST(EdgeTpuPackage, WhatTheDriverRefusesIsRefusedByName) {
  const Bytes execution = MakeExecutable({}), caching = MakeExecutable(Caching());
  EXPECT_EQ(Refusal(UsualOptions()), "");
  EXPECT_THAT(Refusal(MakeOptions(MakePackage({execution, execution}))),
              HasSubstr("m.tflite: 'out': its package has 0 stand-alone, 0 parameter-caching and 2 "
                        "execution executables"));
  EXPECT_THAT(Refusal(MakeOptions(MakePackage({}))), HasSubstr("has 0 executables"));
  EXPECT_THAT(Refusal(MakeOptions(MakePackage({execution, caching, caching, caching}))),
              HasSubstr("has 4 executables"));
  EXPECT_THAT(Refusal(MakeOptions(MakePackage({execution, caching}, -1))),
              HasSubstr("for several chips"));
  EXPECT_THAT(Refusal(MakeOptions(MakePackage({execution, caching}), {}, 2)),
              HasSubstr("name 2 chips"));
  EXPECT_THAT(Refusal(UsualOptions({.token = 8})),
              HasSubstr("do not belong together (caching tokens 0000000000000007 and"));
  EXPECT_THAT(Refusal(UsualOptions({.size = 11})),
              HasSubstr("layer 'in' of 2x2x3 int8 cannot have 11 bytes"));
  EXPECT_THAT(Refusal(UsualOptions({.y = 0})), HasSubstr("layer 'in' of 0x2x3"));
  EXPECT_THAT(Refusal(UsualOptions({.chunk = 1})), HasSubstr("instruction bitstream 1 of 1"));
  EXPECT_THAT(Refusal(UsualOptions({.batch = 0})), HasSubstr("says batch 0"));
  EXPECT_THAT(Refusal(UsualOptions({.layer_type = static_cast<fb::LayerType>(77)})),
              HasSubstr("data type 77"));
  EXPECT_THAT(Refusal({}), HasSubstr("options of the Edge TPU node are damaged or cut off"));
}

TEST(EdgeTpuPackage, LayersAreTheNodesOwnTensors) {
  Graph graph = GraphWith(UsualOptions());
  graph.tensors[0].name = "other";
  auto read = ReadEdgeTpuPackages(graph);
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message, HasSubstr("an input layer 'in', the node has no such input"));
  graph = GraphWith(UsualOptions());
  graph.tensors.push_back(graph.tensors[1]);
  graph.tensors[2].name = "more";
  graph.nodes[0].outputs.push_back(2);
  read = ReadEdgeTpuPackages(graph);
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message, HasSubstr("has 1 of the node's 2 outputs"));
}

TEST(EdgeTpuPackage, EveryTruncationAndEveryFlippedByteIsAnErrorOrAPackage) {
  const Bytes whole = UsualOptions();
  int refused = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    const std::string why = Refusal(cut);
    EXPECT_NE(why, "") << "cut off at " << size;
    refused += !why.empty();
  }
  EXPECT_EQ(refused, static_cast<int>(whole.size()));
  int flipped = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const uint8_t mask : {0x01, 0x80, 0xff}) {
      Bytes changed = whole;
      changed[at] ^= mask;
      flipped += !Refusal(changed).empty();
    }
  }
  EXPECT_GT(flipped, static_cast<int>(whole.size() / 2));
}

// --- Real files ------------------------------------------------------------------------------

std::string Shared() {
  const char* shared = std::getenv("DLPU_SHARED");
  return shared != nullptr ? shared : "../shared";
}

// Cells of one line; double quotes protect commas.
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

using Row = std::map<std::string, std::string>;

// Rows of the table of compiled files by file name and caching token.
std::map<std::string, Row> MappingRows() {
  std::map<std::string, Row> rows;
  std::ifstream file(Shared() + "/data/edgetpu_mapping.csv");
  std::string line;
  if (!std::getline(file, line)) return rows;
  const std::vector<std::string> names = Cells(line);
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = Cells(line);
    Row row;
    for (size_t i = 0; i < cells.size() && i < names.size(); ++i) row[names[i]] = cells[i];
    const std::string stem = row["compiled"].substr(row["compiled"].rfind('/') + 1);
    rows[stem + " " + row["caching_token"]] = row;
  }
  return rows;
}

std::string LayersText(const std::vector<EdgeTpuLayer>& layers) {
  const std::map<std::string, std::string> types = {{"uint8", "FIXED_POINT8"},
                                                    {"int8", "SIGNED_FIXED_POINT8"},
                                                    {"int16", "SIGNED_FIXED_POINT16"}};
  std::string text;
  for (const EdgeTpuLayer& layer : layers) {
    text += fmt::format("{}{} {}x{}x{} {}", text.empty() ? "" : " | ", layer.name, layer.y, layer.x,
                        layer.z, types.at(layer.type));
  }
  return text;
}

int64_t LayerBytes(const std::vector<EdgeTpuLayer>& layers) {
  int64_t bytes = 0;
  for (const EdgeTpuLayer& layer : layers) bytes += layer.bytes;
  return bytes;
}

void ExpectRow(const EdgeTpuPackage& package, Row& row, const std::string& file) {
  const EdgeTpuExecutable& main = package.Main();
  const auto number = [](int64_t value) { return std::to_string(value); };
  EXPECT_EQ(number(package.cached_bytes()), row["params_cached"]) << file;
  EXPECT_EQ(number(package.streamed_bytes()), row["params_streamed"]) << file;
  EXPECT_EQ(number(package.min_runtime_version.value_or(-1)), row["min_runtime"]) << file;
  EXPECT_EQ(package.compiler_version, row["compiler"]) << file;
  EXPECT_EQ(main.chip, row["chip"]) << file;
  std::string chunks;
  for (const int64_t bytes : main.instruction_bytes) {
    chunks += (chunks.empty() ? "" : "+") + number(bytes);
  }
  EXPECT_EQ(chunks, row["instr_bytes_exec"]) << file;
  for (const EdgeTpuExecutable& e : package.executables) {
    if (e.type != EdgeTpuExecutableType::kParameterCaching) continue;
    ASSERT_EQ(e.instruction_bytes.size(), 1u) << file;
    EXPECT_EQ(number(e.instruction_bytes[0]), row["instr_bytes_caching"]) << file;
  }
  EXPECT_EQ(number(main.scratch_bytes), row["scratch_bytes"]) << file;
  EXPECT_EQ(number(main.narrow_bytes_per_tile), row["narrow_bytes_per_tile"]) << file;
  EXPECT_EQ(LayersText(main.inputs), row["tpu_inputs"]) << file;
  EXPECT_EQ(LayersText(main.outputs), row["tpu_outputs"]) << file;
  EXPECT_EQ(number(LayerBytes(main.inputs)), row["dma_in_bytes"]) << file;
  EXPECT_EQ(number(LayerBytes(main.outputs)), row["dma_out_bytes"]) << file;
  const bool absent = row["estimated_cycles"].find("EXECUTION_ONLY=absent") != std::string::npos;
  EXPECT_EQ(main.estimated_cycles.has_value(), !absent) << file;
}

TEST(EdgeTpuPackage, RealFilesAreWhatIsKnownOfThem) {
  const std::string folder = Shared() + "/models/edgetpu";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no models in " << folder;
  std::map<std::string, Row> rows = MappingRows();
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename();
    const auto bytes = ReadFile(entry.path());
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(SniffFile(*bytes), FileKind::kEdgeTpuTflite) << file;
    const auto graph = ReadTflite(*bytes, file);
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    const auto packages = ReadEdgeTpuPackages(*graph);
    ASSERT_TRUE(packages.ok()) << packages.error().message;
    ASSERT_EQ(packages->size(), 1u) << file;
    const EdgeTpuPackage& package = (*packages)[0];
    const std::string key = fmt::format("{} {:016x}", file, package.Main().caching_token);
    ASSERT_TRUE(rows.contains(key)) << key;
    ExpectRow(package, rows[key], file);
    // Layers have the scale and zero point of the node's own tensors.
    for (const EdgeTpuLayer& layer : package.Main().inputs) {
      for (const Tensor& tensor : graph->tensors) {
        if (tensor.name != layer.name) continue;
        EXPECT_EQ(tensor.quantization.scale0(), layer.scale) << layer.name;
        EXPECT_EQ(tensor.quantization.zero0(), layer.zero_point) << layer.name;
        EXPECT_EQ(DataTypeName(tensor.type), layer.type) << layer.name;
      }
    }
    ++count;
  }
  RecordProperty("files", count);
  fmt::print("{} compiled files compared with the table\n", count);
  EXPECT_EQ(count, 11);
}

TEST(EdgeTpuPackage, RealFilesCutOffAnywhereAreRefused) {
  const std::string path = Shared() + "/models/edgetpu/split_concat_edgetpu.tflite";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto bytes = ReadFile(path);
  ASSERT_TRUE(bytes.ok());
  const auto graph = ReadTflite(*bytes, "split_concat");
  ASSERT_TRUE(graph.ok());
  ASSERT_EQ(graph->nodes.size(), 1u);
  const auto& options = std::get<UnknownAttrs>(graph->nodes[0].attrs).options;
  const Bytes whole(options.begin(), options.end());
  ASSERT_TRUE(ReadEdgeTpuOptions(whole).ok());
  int refused = 0;
  for (size_t size = 0; size < whole.size(); size += 101) {
    refused += !ReadEdgeTpuOptions(std::span(whole.data(), size)).ok();
  }
  EXPECT_EQ(refused, static_cast<int>((whole.size() + 100) / 101));
  for (size_t at = 0; at < whole.size(); at += 61) {
    Bytes changed = whole;
    changed[at] ^= 0xff;
    (void)ReadEdgeTpuOptions(changed);  // any answer but a crash
  }
}

}  // namespace
}  // namespace dlpu
