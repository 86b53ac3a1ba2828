// SPDX-License-Identifier: Apache-2.0
// Metadata and label files are read as written; every damage is an error or a missing part.
#include "formats/tflite_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "formats/tflite.h"
#include "formats/zip.h"
#include "tflite_metadata_generated.h"

namespace dlpu {
namespace {

namespace tfm = ::dlpu::tflite_metadata;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Bytes = std::vector<uint8_t>;

const std::string kAnimals = "cat\ndog\n";
const std::string kPlants = std::string(5000, 'x') + "\ntree\n";

// One image input with a normalisation, two outputs with a label file each.
Bytes MetadataBytes(std::vector<float> mean = {1, 2, 3}, std::vector<float> deviation = {127.5f}) {
  flatbuffers::FlatBufferBuilder b;
  const auto normalization = tfm::CreateNormalizationOptionsDirect(b, &mean, &deviation);
  const std::vector<flatbuffers::Offset<tfm::ProcessUnit>> units = {
      tfm::CreateProcessUnit(b, tfm::ProcessUnitOptions::ScoreThresholdingOptions,
                             tfm::CreateScoreThresholdingOptions(b).Union()),
      tfm::CreateProcessUnit(b, tfm::ProcessUnitOptions::NormalizationOptions,
                             normalization.Union())};
  const auto image = tfm::CreateImageProperties(b, tfm::ColorSpaceType::RGB);
  const auto content =
      tfm::CreateContent(b, tfm::ContentProperties::ImageProperties, image.Union());
  const auto labels = [&b](const char* name, tfm::AssociatedFileType type) {
    return std::vector<flatbuffers::Offset<tfm::AssociatedFile>>{
        tfm::CreateAssociatedFileDirect(b, "readme.txt", nullptr,
                                        tfm::AssociatedFileType::DESCRIPTIONS),
        tfm::CreateAssociatedFileDirect(b, name, nullptr, type)};
  };
  const auto axis = labels("animals.txt", tfm::AssociatedFileType::TENSOR_AXIS_LABELS);
  const auto value = labels("plants.txt", tfm::AssociatedFileType::TENSOR_VALUE_LABELS);
  const std::vector<flatbuffers::Offset<tfm::TensorMetadata>> inputs = {
      tfm::CreateTensorMetadataDirect(b, "image", nullptr, nullptr, content, &units)};
  const std::vector<flatbuffers::Offset<tfm::TensorMetadata>> outputs = {
      tfm::CreateTensorMetadataDirect(b, "animal", nullptr, nullptr, 0, nullptr, 0, &axis),
      tfm::CreateTensorMetadataDirect(b, "plant", nullptr, nullptr, 0, nullptr, 0, &value)};
  const std::vector<flatbuffers::Offset<tfm::SubGraphMetadata>> subgraphs = {
      tfm::CreateSubGraphMetadataDirect(b, nullptr, nullptr, &inputs, &outputs)};
  tfm::FinishModelMetadataBuffer(
      b, tfm::CreateModelMetadataDirect(b, "finder", "finds", nullptr, &subgraphs));
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

void Put(Bytes& bytes, std::initializer_list<uint32_t> values, int width) {
  for (const uint32_t value : values) {
    for (int i = 0; i < width; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
}

Bytes Deflated(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(text.size() + 100);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Appends animals.txt stored and plants.txt deflated, offsets counted from `base`.
void AppendZip(Bytes& file, size_t base) {
  Bytes directory;
  for (const bool deflate : {false, true}) {
    const std::string& text = deflate ? kPlants : kAnimals;
    const std::string name = deflate ? "plants.txt" : "animals.txt";
    const Bytes data = deflate ? Deflated(text) : Bytes(text.begin(), text.end());
    const auto crc = static_cast<uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
    const auto offset = static_cast<uint32_t>(file.size() - base);
    const auto common = [&](Bytes& to) {
      Put(to, {20, 0, deflate ? 8u : 0u, 0, 0}, 2);
      Put(to, {crc, static_cast<uint32_t>(data.size()), static_cast<uint32_t>(text.size())}, 4);
      Put(to, {static_cast<uint32_t>(name.size()), 0}, 2);
    };
    Put(file, {0x04034b50}, 4);
    common(file);
    file.insert(file.end(), name.begin(), name.end());
    file.insert(file.end(), data.begin(), data.end());
    Put(directory, {0x02014b50}, 4);
    Put(directory, {20}, 2);
    common(directory);
    Put(directory, {0, 0, 0, 0, 0}, 2);
    Put(directory, {offset}, 4);
    directory.insert(directory.end(), name.begin(), name.end());
  }
  const auto start = static_cast<uint32_t>(file.size() - base);
  file.insert(file.end(), directory.begin(), directory.end());
  Put(file, {0x06054b50}, 4);
  Put(file, {0, 0, 2, 2}, 2);
  Put(file, {static_cast<uint32_t>(directory.size()), start}, 4);
  Put(file, {0}, 2);
}

Bytes FileWithLabels(bool absolute_offsets = true) {
  Bytes file(1000, 7);  // stands for the flatbuffer in front
  AppendZip(file, absolute_offsets ? 0 : file.size());
  return file;
}

Graph GraphWith(Bytes metadata) {
  Graph graph;
  graph.name = "m.tflite";
  graph.metadata["TFLITE_METADATA"] = std::move(metadata);
  return graph;
}

TEST(TfliteMetadata, AModelWithoutHasNone) {
  const auto read = ReadTfliteMetadata(Graph(), {});
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read->has_value());
}

TEST(TfliteMetadata, EverythingThatIsWrittenIsRead) {
  for (const bool absolute : {true, false}) {
    const auto read = ReadTfliteMetadata(GraphWith(MetadataBytes()), FileWithLabels(absolute));
    ASSERT_TRUE(read.ok()) << read.error().message;
    const TfliteMetadata& metadata = **read;
    EXPECT_EQ(metadata.name, "finder");
    EXPECT_EQ(metadata.description, "finds");
    ASSERT_EQ(metadata.inputs.size(), 1u);
    EXPECT_EQ(metadata.inputs[0].name, "image");
    EXPECT_EQ(metadata.inputs[0].color_space, "rgb");
    EXPECT_THAT(metadata.inputs[0].mean, ElementsAre(1, 2, 3));
    EXPECT_THAT(metadata.inputs[0].std, ElementsAre(127.5f));
    ASSERT_EQ(metadata.outputs.size(), 2u);
    EXPECT_THAT(metadata.outputs[0].mean, IsEmpty());
    EXPECT_EQ(metadata.outputs[0].labels_file, "animals.txt");
    EXPECT_EQ(metadata.outputs[1].labels_file, "plants.txt");
    ASSERT_EQ(metadata.files.size(), 2u);
    EXPECT_EQ(metadata.files.at("animals.txt"), kAnimals);
    EXPECT_EQ(metadata.files.at("plants.txt"), kPlants);
    ASSERT_NE(metadata.OutputLabels(), nullptr);
    EXPECT_EQ(*metadata.OutputLabels(), kAnimals);
  }
}

TEST(TfliteMetadata, WithoutTheArchiveTheFilesAreMissing) {
  const auto read = ReadTfliteMetadata(GraphWith(MetadataBytes()), {});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)->outputs[0].labels_file, "animals.txt");
  EXPECT_THAT((*read)->files, IsEmpty());
  EXPECT_EQ((*read)->OutputLabels(), nullptr);
}

TEST(TfliteMetadata, AFileCutAnywhereGivesNoWrongLabels) {
  const Graph graph = GraphWith(MetadataBytes());
  const Bytes file = FileWithLabels();
  for (size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
    const auto read = ReadTfliteMetadata(graph, cut);
    if (read.ok()) {
      EXPECT_THAT((*read)->files, IsEmpty()) << size;
    }
  }
  for (size_t start = 1001; start < file.size(); ++start) {  // the front of the archive is gone
    const Bytes cut(file.begin() + static_cast<ptrdiff_t>(start), file.end());
    const auto read = ReadTfliteMetadata(graph, cut);
    if (read.ok()) {
      EXPECT_THAT((*read)->files, IsEmpty()) << start;
    }
  }
}

TEST(TfliteMetadata, AFlippedByteOfTheArchiveGivesNoWrongLabels) {
  const Graph graph = GraphWith(MetadataBytes());
  Bytes file = FileWithLabels();
  int refused = 0;
  for (size_t at = 1000; at < file.size(); ++at) {
    for (const uint8_t mask : {0x01, 0x80, 0xff}) {
      file[at] ^= mask;
      const auto read = ReadTfliteMetadata(graph, file);
      refused += !read.ok();
      if (read.ok()) {
        for (const auto& [name, text] : (*read)->files) {
          EXPECT_EQ(text, name == "animals.txt" ? kAnimals : kPlants) << at;
        }
      }
      file[at] ^= mask;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(TfliteMetadata, CutOrChangedMetadataIsAnErrorOrHarmless) {
  const Bytes whole = MetadataBytes(), file = FileWithLabels();
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    const auto read = ReadTfliteMetadata(GraphWith(cut), file);
    // Only what pads the end may go.
    if (size + 8 < whole.size()) {
      ASSERT_FALSE(read.ok()) << size;
      EXPECT_THAT(read.error().message, HasSubstr("m.tflite: its metadata is"));
    }
  }
  int read_count = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= 0xff;
    const auto read = ReadTfliteMetadata(GraphWith(changed), file);
    read_count += read.ok() && read->has_value();
  }
  EXPECT_GT(read_count, 0);
}

TEST(TfliteMetadata, ANormalisationThatIsNoneIsRefused) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<std::vector<float>, std::vector<float>>> bad = {
      {{1}, {0}}, {{inf}, {1}}, {{1}, {inf}},
      {{}, {1}},  {{1}, {}},    {std::vector<float>(2000), {1}}};
  for (const auto& [mean, deviation] : bad) {
    const auto read = ReadTfliteMetadata(GraphWith(MetadataBytes(mean, deviation)), {});
    ASSERT_FALSE(read.ok());
    EXPECT_THAT(read.error().message, HasSubstr("tensor 'image' a normalisation that is none"));
  }
}

TEST(Zip, AnArchiveMovesWithItsOffsets) {
  for (const bool absolute : {true, false}) {
    const Bytes file = FileWithLabels(absolute);
    const auto archive = ZipArchive::Open(file);
    ASSERT_TRUE(archive.ok() && archive->has_value());
    const auto alone = (*archive)->Moved(0);
    ASSERT_TRUE(alone.ok()) << alone.error().message;
    EXPECT_EQ(alone->size(), file.size() - 1000);
    const auto reopened = ZipArchive::Open(*alone);
    ASSERT_TRUE(reopened.ok() && reopened->has_value());
    const auto behind = (*reopened)->Moved(77);
    ASSERT_TRUE(behind.ok());
    EXPECT_EQ((*behind)[behind->size() - 6], 77 + (*alone)[alone->size() - 6]);  // the directory's
    Bytes moved(77, 9);
    moved.insert(moved.end(), behind->begin(), behind->end());
    const auto read = ReadTfliteMetadata(GraphWith(MetadataBytes()), moved);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ((*read)->files.at("plants.txt"), kPlants);
  }
}

TEST(TfliteMetadata, AWrittenModelKeepsItsLabelFiles) {
  Graph graph = GraphWith(MetadataBytes());
  graph.tensors = {{"x", DataType::kFloat32, {1}, {}, {}, false, false},
                   {"y", DataType::kFloat32, {1}, {}, {}, false, false}};
  graph.nodes = {{Op::kRelu, "y", {0}, {1}, {}, NoAttrs{}, 1}};
  graph.inputs = {0};
  graph.outputs = {1};
  AppendZip(graph.metadata[kArchiveMetadata], 0);
  const auto written = WriteTflite(graph);
  ASSERT_TRUE(written.ok()) << written.error().message;
  const auto again = ReadTflite(*written, "m.tflite");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->metadata, graph.metadata);
  const auto read = ReadTfliteMetadata(*again, *written);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)->files.at("animals.txt"), kAnimals);
  graph.metadata[kArchiveMetadata] = {1, 2, 3};
  EXPECT_FALSE(WriteTflite(graph).ok());
}

TEST(Zip, AnEntryAboveTheLimitIsRefused) {
  const Bytes file = FileWithLabels();
  const auto archive = ZipArchive::Open(file);
  ASSERT_TRUE(archive.ok() && archive->has_value());
  const auto fits = (*archive)->Read("plants.txt", kPlants.size());
  ASSERT_TRUE(fits.ok());
  EXPECT_EQ(*fits, kPlants);
  const auto large = (*archive)->Read("plants.txt", kPlants.size() - 1);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::kExhausted);
  const auto missing = (*archive)->Read("stones.txt", 100);
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(missing->has_value());
}

TEST(TfliteMetadata, RealModelsHaveLabelsAndNormalisation) {
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string folder =
      std::string(shared != nullptr ? shared : "../shared") + "/models/tflite/";
  int count = 0;
  for (const char* name :
       {"mobilenet_v2_1.0_224_quant.tflite", "mobilenet_v1_0.25_128_quant.tflite",
        "tf2_mobilenet_v2_1.0_224_ptq.tflite"}) {
    if (!std::filesystem::exists(folder + name)) continue;
    ++count;
    const auto bytes = ReadFile(folder + name);
    ASSERT_TRUE(bytes.ok());
    const auto graph = ReadTflite(*bytes, name);
    ASSERT_TRUE(graph.ok());
    const auto read = ReadTfliteMetadata(*graph, *bytes);
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_TRUE(read->has_value());
    const TfliteMetadata& metadata = **read;
    ASSERT_EQ(metadata.inputs.size(), 1u);
    EXPECT_EQ(metadata.inputs[0].color_space, "rgb");
    EXPECT_FALSE(metadata.inputs[0].mean.empty());
    EXPECT_FALSE(metadata.inputs[0].std.empty());
    ASSERT_NE(metadata.OutputLabels(), nullptr);
    EXPECT_THAT(*metadata.OutputLabels(), HasSubstr("tench"));
    // Written again, it still has them.
    const auto written = WriteTflite(*graph);
    ASSERT_TRUE(written.ok()) << written.error().message;
    const auto again = ReadTfliteMetadata(*graph, *written);
    ASSERT_TRUE(again.ok() && again->has_value());
    EXPECT_EQ((*again)->files, metadata.files);
  }
  if (count == 0) GTEST_SKIP() << "no models in " << folder;
}

}  // namespace
}  // namespace dlpu
