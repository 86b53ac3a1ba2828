// SPDX-License-Identifier: Apache-2.0
// Metadata flatbuffer -> TfliteMetadata. Verified before anything is looked at. A small hostile
// buffer can refer to one large string many times, so what is copied often is also limited in size.
#include "formats/tflite_metadata.h"

#include <fmt/format.h>

#include <cmath>

#include "formats/zip.h"
#include "tflite_metadata_generated.h"

namespace dlpu {
namespace {

namespace tfm = ::dlpu::tflite_metadata;
using TensorInfo = TfliteMetadata::TensorInfo;

constexpr flatbuffers::uoffset_t kMaxTables = 100'000;
constexpr size_t kMaxTensors = 1000;
constexpr size_t kMaxName = 4096;                                            // bytes
constexpr size_t kMaxChannels = 1024;                                        // of a normalisation
constexpr size_t kMaxFile = size_t{16} << 20, kMaxFiles = size_t{64} << 20;  // bytes

class MetadataReader {
 public:
  MetadataReader(const Graph& graph, std::span<const uint8_t> file)
      : graph_name_(graph.name), file_(file) {}

  Result<TfliteMetadata> Read(const std::vector<uint8_t>& bytes) {
    if (bytes.size() < 8 || !tfm::ModelMetadataBufferHasIdentifier(bytes.data())) {
      return Named(UnsupportedError("its metadata is of another version than M001"));
    }
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 64, kMaxTables);
    if (!tfm::VerifyModelMetadataBuffer(verifier)) {
      return Named(InvalidError("its metadata is damaged; download or convert it again"));
    }
    const tfm::ModelMetadata& model = *tfm::GetModelMetadata(bytes.data());
    if (model.name() != nullptr) metadata_.name = model.name()->str();
    if (model.description() != nullptr) metadata_.description = model.description()->str();
    if (model.subgraph_metadata() != nullptr && model.subgraph_metadata()->size() > 0) {
      const tfm::SubGraphMetadata& subgraph = *model.subgraph_metadata()->Get(0);
      DLPU_RETURN_IF_ERROR(ReadTensors(subgraph.input_tensor_metadata(), metadata_.inputs));
      DLPU_RETURN_IF_ERROR(ReadTensors(subgraph.output_tensor_metadata(), metadata_.outputs));
    }
    DLPU_RETURN_IF_ERROR(ReadFiles());
    return std::move(metadata_);
  }

 private:
  using Tensors = flatbuffers::Vector<flatbuffers::Offset<tfm::TensorMetadata>>;

  Error Named(const Error& error) const {
    return {error.code, fmt::format("{}: {}", graph_name_, error.message)};
  }

  Status ReadTensors(const Tensors* source, std::vector<TensorInfo>& tensors) const {
    if (source == nullptr) return OkStatus();
    if (source->size() > kMaxTensors) {
      return Named(ExhaustedError(fmt::format("its metadata describes {} tensors; dlpu takes {}",
                                              source->size(), kMaxTensors)));
    }
    for (const tfm::TensorMetadata* tensor : *source) {
      TensorInfo info;
      DLPU_TRY(info.name, Name(tensor->name()));
      ReadContent(tensor->content(), info);
      DLPU_RETURN_IF_ERROR(ReadNormalization(*tensor, info));
      DLPU_RETURN_IF_ERROR(ReadLabelsName(*tensor, info));
      tensors.push_back(std::move(info));
    }
    return OkStatus();
  }

  Result<std::string> Name(const flatbuffers::String* source) const {
    if (source == nullptr) return std::string();
    if (source->size() > kMaxName) {
      return Named(ExhaustedError(fmt::format("a name in its metadata has {} bytes; dlpu takes {}",
                                              source->size(), kMaxName)));
    }
    return source->str();
  }

  static void ReadContent(const tfm::Content* content, TensorInfo& info) {
    if (content == nullptr) return;
    const tfm::ImageProperties* image = content->content_properties_as_ImageProperties();
    if (image == nullptr) return;
    if (image->color_space() == tfm::ColorSpaceType::RGB) info.color_space = "rgb";
    if (image->color_space() == tfm::ColorSpaceType::GRAYSCALE) info.color_space = "grayscale";
  }

  Status ReadNormalization(const tfm::TensorMetadata& tensor, TensorInfo& info) const {
    if (tensor.process_units() == nullptr) return OkStatus();
    for (const tfm::ProcessUnit* unit : *tensor.process_units()) {
      const tfm::NormalizationOptions* options = unit->options_as_NormalizationOptions();
      if (options == nullptr || options->mean() == nullptr || options->deviation() == nullptr) {
        continue;
      }
      const auto &mean = *options->mean(), &deviation = *options->deviation();
      bool valid = mean.size() > 0 && mean.size() <= kMaxChannels && deviation.size() > 0 &&
                   deviation.size() <= kMaxChannels;
      for (size_t i = 0; valid && i < mean.size(); ++i) valid = std::isfinite(mean.Get(i));
      for (size_t i = 0; valid && i < deviation.size(); ++i) {
        valid = std::isfinite(deviation.Get(i)) && deviation.Get(i) != 0;
      }
      if (!valid) {
        return Named(InvalidError(
            fmt::format("its metadata gives tensor '{}' a normalisation that is none (empty, not "
                        "finite, or divided by 0); state one with --mean and --std",
                        info.name)));
      }
      info.mean.assign(mean.begin(), mean.end());
      info.std.assign(deviation.begin(), deviation.end());
      return OkStatus();
    }
    return OkStatus();
  }

  Status ReadLabelsName(const tfm::TensorMetadata& tensor, TensorInfo& info) const {
    if (tensor.associated_files() == nullptr) return OkStatus();
    for (const tfm::AssociatedFile* file : *tensor.associated_files()) {
      const bool labels = file->type() == tfm::AssociatedFileType::TENSOR_AXIS_LABELS ||
                          file->type() == tfm::AssociatedFileType::TENSOR_VALUE_LABELS;
      if (!labels || file->name() == nullptr || file->name()->size() == 0) continue;
      DLPU_TRY(info.labels_file, Name(file->name()));
      return OkStatus();  // more of them are translations
    }
    return OkStatus();
  }

  Status ReadFiles() {
    std::optional<ZipArchive> archive;
    size_t total = 0;
    for (const auto* tensors : {&metadata_.inputs, &metadata_.outputs}) {
      for (const TensorInfo& info : *tensors) {
        if (info.labels_file.empty() || metadata_.files.contains(info.labels_file)) continue;
        if (!archive.has_value()) {
          Result<std::optional<ZipArchive>> opened = ZipArchive::Open(file_);
          if (!opened.ok()) return Named(opened.error());
          if (!opened->has_value()) return OkStatus();
          archive = **std::move(opened);
        }
        auto content = archive->Read(info.labels_file, std::min(kMaxFile, kMaxFiles - total));
        if (!content.ok()) return Named(content.error());
        if (!content->has_value()) continue;
        total += (*content)->size();
        metadata_.files[info.labels_file] = **std::move(content);
      }
    }
    return OkStatus();
  }

  const std::string graph_name_;
  const std::span<const uint8_t> file_;
  TfliteMetadata metadata_;
};

}  // namespace

const std::string* TfliteMetadata::OutputLabels() const {
  for (const TensorInfo& info : outputs) {
    const auto found = files.find(info.labels_file);
    if (found != files.end()) return &found->second;
  }
  return nullptr;
}

Result<std::optional<TfliteMetadata>> ReadTfliteMetadata(const Graph& graph,
                                                         std::span<const uint8_t> file) {
  const auto found = graph.metadata.find("TFLITE_METADATA");
  if (found == graph.metadata.end()) return std::optional<TfliteMetadata>();
  DLPU_TRY(TfliteMetadata metadata, MetadataReader(graph, file).Read(found->second));
  return std::optional<TfliteMetadata>(std::move(metadata));
}

}  // namespace dlpu
