// SPDX-License-Identifier: Apache-2.0
// Custom options -> package -> executables. Each flatbuffer is copied to memory of its own, because
// none is aligned in the file, and verified before anything is looked at. No more executables are
// read than a legal package has, so a small file cannot make much work.
#include "formats/edgetpu_package.h"

#include <flatbuffers/flexbuffers.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "edgetpu_package_generated.h"

namespace dlpu {
namespace {

namespace fb = ::dlpu::edgetpu;
using Bytes = std::vector<uint8_t>;
using Type = EdgeTpuExecutableType;

constexpr flatbuffers::uoffset_t kMaxTables = 500'000;
constexpr size_t kMostExecutables = 3;
constexpr int64_t kMostElements = int64_t{1} << 31;

// What the names of layers have in files whose model keeps state: LSTM states come out as layers
// that no tensor takes.
constexpr std::string_view kVariableSuffix = "_variable_output";

std::string Text(const flatbuffers::String* text) { return text != nullptr ? text->str() : ""; }

template <typename T>
int64_t SizeOf(const flatbuffers::Vector<T>* vector) {
  return vector != nullptr ? static_cast<int64_t>(vector->size()) : 0;
}

struct LayerKind {
  const char* name;
  int bytes;
  int zero_shift;  // the tensor's zero point is the file's less this
};

std::optional<LayerKind> KindOf(fb::LayerType type) {
  switch (type) {
    case fb::LayerType::FIXED_POINT8:
      return LayerKind{"uint8", 1, 0};
    case fb::LayerType::FIXED_POINT16:
      return LayerKind{"uint16", 2, 0};
    case fb::LayerType::SIGNED_FIXED_POINT32:
      return LayerKind{"int32", 4, 0};
    case fb::LayerType::BFLOAT:
      return LayerKind{"bfloat16", 2, 0};
    case fb::LayerType::HALF:
      return LayerKind{"float16", 2, 0};
    case fb::LayerType::SINGLE:
      return LayerKind{"float32", 4, 0};
    case fb::LayerType::SIGNED_FIXED_POINT8:
      return LayerKind{"int8", 1, 128};
    case fb::LayerType::SIGNED_FIXED_POINT16:
      return LayerKind{"int16", 2, 32768};
  }
  return std::nullopt;
}

Result<EdgeTpuLayer> ReadLayer(const fb::Layer& source) {
  EdgeTpuLayer layer;
  layer.name = Text(source.name());
  const std::optional<LayerKind> kind = KindOf(source.data_type());
  if (!kind.has_value()) {
    return InvalidError(fmt::format("layer '{}' has data type {}, which is none", layer.name,
                                    static_cast<int>(source.data_type())));
  }
  layer.type = kind->name;
  layer.y = source.y_dim(), layer.x = source.x_dim(), layer.z = source.z_dim();
  layer.bytes = source.size_bytes();
  layer.executions = source.execution_count_per_inference();
  bool valid = layer.y > 0 && layer.x > 0 && layer.z > 0 && layer.executions > 0;
  const double elements = double{1} * layer.y * layer.x * layer.z;
  valid = valid && elements < static_cast<double>(kMostElements) &&
          static_cast<double>(layer.bytes) >= elements * kind->bytes;
  if (!valid) {
    return InvalidError(fmt::format("layer '{}' of {}x{}x{} {} cannot have {} bytes", layer.name,
                                    layer.y, layer.x, layer.z, layer.type, layer.bytes));
  }
  if (const fb::Numerics* numerics = source.numerics()) {
    layer.scale = numerics->dequantization_factor();
    layer.zero_point = static_cast<int>(int64_t{numerics->zero_point()} - kind->zero_shift);
    if (!std::isfinite(layer.scale) || numerics->zero_point() < 0) {
      return InvalidError(fmt::format("layer '{}' has scale {} and zero point {}", layer.name,
                                      layer.scale, numerics->zero_point()));
    }
  }
  if (source.shape() != nullptr && source.shape()->dimension() != nullptr) {
    for (const fb::Range* range : *source.shape()->dimension()) {
      layer.shape.push_back(static_cast<int>(
          std::clamp<int64_t>(int64_t{range->end()} - range->start() + 1, 0, kMostElements - 1)));
    }
  }
  return layer;
}

Result<std::vector<EdgeTpuLayer>> ReadLayers(
    const flatbuffers::Vector<flatbuffers::Offset<fb::Layer>>* source) {
  std::vector<EdgeTpuLayer> layers;
  if (source == nullptr) return layers;
  for (const fb::Layer* layer : *source) {
    DLPU_TRY(EdgeTpuLayer read, ReadLayer(*layer));
    layers.push_back(std::move(read));
  }
  return layers;
}

Status AddHint(const fb::DmaHint& hint, const std::vector<int64_t>& chunks, EdgeTpuDma& dma) {
  if (const fb::InstructionHint* instruction = hint.any_hint_as_InstructionHint()) {
    const int chunk = instruction->instruction_chunk_index();
    if (chunk < 0 || static_cast<size_t>(chunk) >= chunks.size()) {
      return InvalidError(
          fmt::format("a DMA hint names instruction bitstream {} of {}", chunk, chunks.size()));
    }
    dma.instructions += chunks[static_cast<size_t>(chunk)];
    return OkStatus();
  }
  const fb::DmaDescriptorHint* descriptor = hint.any_hint_as_DmaDescriptorHint();
  if (descriptor == nullptr) return OkStatus();
  const int64_t bytes = descriptor->size_in_bytes();
  if (bytes < 0 || descriptor->meta() == nullptr) {
    return InvalidError(fmt::format("a DMA hint of {} bytes says not what for", bytes));
  }
  switch (descriptor->meta()->desc()) {
    case fb::Description::OUTPUT_ACTIVATION:
      dma.output += bytes;
      return OkStatus();
    case fb::Description::INPUT_ACTIVATION:
      dma.input += bytes;
      return OkStatus();
    case fb::Description::PARAMETER:
      dma.parameters += bytes;
      return OkStatus();
    case fb::Description::SCRATCH:
      (hint.direction() == fb::Direction::INFEED ? dma.scratch_in : dma.scratch_out) += bytes;
      return OkStatus();
  }
  return InvalidError(fmt::format("a DMA hint is for data of kind {}, which is none",
                                  static_cast<int>(descriptor->meta()->desc())));
}

Status ReadInstructions(const fb::Executable& source, EdgeTpuExecutable& executable) {
  if (source.instruction_bitstreams() != nullptr) {
    for (const fb::InstructionBitstream* stream : *source.instruction_bitstreams()) {
      executable.instruction_bytes.push_back(SizeOf(stream->bitstream()));
    }
  }
  const fb::DmaHints* hints = source.dma_hints();
  if (hints == nullptr) return OkStatus();
  executable.dma.deterministic = hints->fully_deterministic();
  if (hints->hints() == nullptr) return OkStatus();
  for (const fb::DmaHint* hint : *hints->hints()) {
    DLPU_RETURN_IF_ERROR(AddHint(*hint, executable.instruction_bytes, executable.dma));
  }
  return OkStatus();
}

Result<EdgeTpuExecutable> ReadExecutable(const Bytes& bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 64, kMaxTables);
  if (bytes.size() < 8 || !verifier.VerifyBuffer<fb::Executable>(nullptr)) {
    return InvalidError("an executable is damaged or cut off");
  }
  const fb::Executable& source = *flatbuffers::GetRoot<fb::Executable>(bytes.data());
  EdgeTpuExecutable executable;
  executable.name = Text(source.name());
  executable.chip = Text(source.chip());
  const int type = static_cast<int>(source.type());
  if (type < 0 || type > 2) {
    return InvalidError(fmt::format("an executable has type {}, which is none", type));
  }
  executable.type = static_cast<Type>(type);
  executable.batch = source.batch_size();
  executable.scratch_bytes = source.scratch_size_bytes();
  executable.narrow_bytes_per_tile = source.used_narrow_memory_bytes_per_tile();
  if (executable.batch < 1 || executable.scratch_bytes < 0 ||
      executable.narrow_bytes_per_tile < 0) {
    return InvalidError(fmt::format(
        "an executable says batch {}, {} bytes of scratch, {} bytes of each tile's memory",
        executable.batch, executable.scratch_bytes, executable.narrow_bytes_per_tile));
  }
  executable.parameter_bytes = SizeOf(source.parameters());
  executable.caching_token = source.parameter_caching_token();
  const int64_t cycles =
      std::max<int64_t>(source.estimated_cycles(), source.estimated_cycles_64bit());
  if (cycles > 0) executable.estimated_cycles = cycles;
  DLPU_RETURN_IF_ERROR(ReadInstructions(source, executable));
  DLPU_TRY(executable.inputs, ReadLayers(source.input_layers()));
  DLPU_TRY(executable.outputs, ReadLayers(source.output_layers()));
  return executable;
}

// One executable, or caching + execution, or these and a stand-alone one.
Status CheckSet(const std::vector<EdgeTpuExecutable>& executables) {
  int counts[3] = {};
  for (const EdgeTpuExecutable& e : executables) ++counts[static_cast<int>(e.type)];
  const size_t n = executables.size();
  const bool legal = n == 1 || (counts[1] == 1 && counts[2] == 1 && n <= kMostExecutables);
  if (!legal) {
    return InvalidError(fmt::format(
        "its package has {} stand-alone, {} parameter-caching and {} execution executables; the "
        "driver takes one executable, or one of the latter two each",
        counts[0], counts[1], counts[2]));
  }
  const EdgeTpuExecutable *caching = nullptr, *execution = nullptr;
  for (const EdgeTpuExecutable& e : executables) {
    if (e.type == Type::kParameterCaching) caching = &e;
    if (e.type == Type::kExecutionOnly) execution = &e;
  }
  if (caching != nullptr && execution != nullptr &&
      caching->caching_token != execution->caching_token) {
    return InvalidError(
        fmt::format("its executables do not belong together (caching tokens {:016x} and {:016x})",
                    caching->caching_token, execution->caching_token));
  }
  return OkStatus();
}

Status ReadPackage(const Bytes& bytes, EdgeTpuPackage& package) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 64, kMaxTables);
  if (!fb::VerifyPackageBuffer(verifier)) {
    return InvalidError("the Edge TPU package is damaged or cut off");
  }
  const fb::Package& source = *fb::GetPackage(bytes.data());
  package.min_runtime_version = source.min_runtime_version();
  package.compiler_version = Text(source.compiler_version());
  package.model_identifier = Text(source.model_identifier());
  if (source.virtual_chip_id() == -1 || SizeOf(source.multi_chip_package()) > 0) {
    return UnsupportedError("the package is for several chips, which libedgetpu refuses");
  }
  if (SizeOf(source.serialized_multi_executable()) < 8) {
    return InvalidError("the Edge TPU package has no executables");
  }
  const Bytes multi(source.serialized_multi_executable()->begin(),
                    source.serialized_multi_executable()->end());
  flatbuffers::Verifier inner(multi.data(), multi.size(), 64, kMaxTables);
  if (!inner.VerifyBuffer<fb::MultiExecutable>(nullptr)) {
    return InvalidError("the Edge TPU package's list of executables is damaged");
  }
  const auto* list =
      flatbuffers::GetRoot<fb::MultiExecutable>(multi.data())->serialized_executables();
  if (SizeOf(list) < 1 || SizeOf(list) > static_cast<int64_t>(kMostExecutables)) {
    return InvalidError(
        fmt::format("the Edge TPU package has {} executables; the driver takes 1 to {}",
                    SizeOf(list), kMostExecutables));
  }
  for (const flatbuffers::String* text : *list) {
    const auto* data = reinterpret_cast<const uint8_t*>(text->data());
    DLPU_TRY(EdgeTpuExecutable read, ReadExecutable(Bytes(data, data + text->size())));
    package.executables.push_back(std::move(read));
  }
  return CheckSet(package.executables);
}

Result<Bytes> BytesOf(const flexbuffers::Reference& value) {
  if (!value.IsString() && !value.IsBlob()) {
    return InvalidError("the options of the Edge TPU node lack the package (key 4)");
  }
  const flexbuffers::Blob blob = value.AsBlob();
  return Bytes(blob.data(), blob.data() + blob.size());
}

// Files from before packages: "4" is the executable, "3" the one that caches its parameters.
Status ReadBareExecutables(const flexbuffers::Map& map, const Bytes& main,
                           EdgeTpuPackage& package) {
  if (map["3"].IsString() || map["3"].IsBlob()) {
    DLPU_TRY(const Bytes bytes, BytesOf(map["3"]));
    if (!bytes.empty()) {
      DLPU_TRY(EdgeTpuExecutable caching, ReadExecutable(bytes));
      caching.type = Type::kParameterCaching;
      package.executables.push_back(std::move(caching));
    }
  }
  DLPU_TRY(EdgeTpuExecutable execution, ReadExecutable(main));
  execution.type = package.executables.empty() ? Type::kStandAlone : Type::kExecutionOnly;
  package.executables.push_back(std::move(execution));
  return OkStatus();
}

Status ReadChips(const flexbuffers::Map& map, EdgeTpuPackage& package) {
  const flexbuffers::Reference chips = map["6"];
  if (chips.IsNull()) return OkStatus();
  const size_t more = map["7"].IsNull() ? 0 : map["7"].AsVector().size();
  const bool typed = chips.IsTypedVector();
  const size_t count = typed ? chips.AsTypedVector().size() : chips.AsVector().size();
  if (count != 1 || more != 0) {
    return UnsupportedError(fmt::format(
        "the options of the Edge TPU node name {} chips and {} further packages; dlpu reads one "
        "package",
        count, more));
  }
  package.chip_enum.push_back((typed ? chips.AsTypedVector()[0] : chips.AsVector()[0]).AsInt32());
  return OkStatus();
}

// The layers of the executable that runs are the node's own tensors.
Status CheckLayers(const Graph& graph, const std::vector<TensorId>& ids,
                   const std::vector<EdgeTpuLayer>& layers, const char* side) {
  size_t used = 0;
  for (const EdgeTpuLayer& layer : layers) {
    const bool known = std::any_of(ids.begin(), ids.end(), [&](TensorId id) {
      return id != kNoTensor && graph.tensors[id].name == layer.name;
    });
    if (!known && !layer.name.ends_with(kVariableSuffix)) {
      return InvalidError(fmt::format("the package has an {} layer '{}', the node has no such {}",
                                      side, layer.name, side));
    }
    used += known;
  }
  if (used < ids.size()) {
    return InvalidError(
        fmt::format("the package has {} of the node's {} {}s", used, ids.size(), side));
  }
  return OkStatus();
}

}  // namespace

std::string_view EdgeTpuExecutableTypeName(EdgeTpuExecutableType type) {
  switch (type) {
    case Type::kStandAlone:
      return "stand-alone";
    case Type::kParameterCaching:
      return "parameter caching";
    case Type::kExecutionOnly:
      return "execution";
  }
  return "unknown";
}

const EdgeTpuExecutable& EdgeTpuPackage::Main() const {
  DLPU_CHECK(!executables.empty());
  for (const Type type : {Type::kStandAlone, Type::kExecutionOnly}) {
    for (const EdgeTpuExecutable& executable : executables) {
      if (executable.type == type) return executable;
    }
  }
  return executables[0];
}

int64_t EdgeTpuPackage::cached_bytes() const {
  int64_t bytes = 0;
  if (executables.size() == 1) return bytes;
  for (const EdgeTpuExecutable& e : executables) {
    if (e.type == Type::kParameterCaching) bytes += e.parameter_bytes;
  }
  return bytes;
}

int64_t EdgeTpuPackage::streamed_bytes() const { return Main().parameter_bytes; }

bool HasEdgeTpuNode(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return NodeOpName(node) == kEdgeTpuOpName; });
}

Result<EdgeTpuPackage> ReadEdgeTpuOptions(std::span<const uint8_t> custom_options) {
  const Bytes options(custom_options.begin(), custom_options.end());
  Bytes seen;  // what was verified already is not again: the work stays linear
  if (options.size() < 3 || !flexbuffers::VerifyBuffer(options.data(), options.size(), &seen) ||
      !flexbuffers::GetRoot(options.data(), options.size()).IsMap()) {
    return InvalidError("the options of the Edge TPU node are damaged or cut off");
  }
  const flexbuffers::Map map = flexbuffers::GetRoot(options.data(), options.size()).AsMap();
  EdgeTpuPackage package;
  DLPU_TRY(const Bytes bytes, BytesOf(map["4"]));
  if (!map["5"].IsNull()) package.execution_preference = map["5"].AsInt32();
  DLPU_RETURN_IF_ERROR(ReadChips(map, package));
  if (bytes.size() >= 8 && flatbuffers::BufferHasIdentifier(bytes.data(), "DWN1")) {
    DLPU_RETURN_IF_ERROR(ReadPackage(bytes, package));
  } else {
    DLPU_RETURN_IF_ERROR(ReadBareExecutables(map, bytes, package));
  }
  return package;
}

Result<std::vector<EdgeTpuPackage>> ReadEdgeTpuPackages(const Graph& graph) {
  std::vector<EdgeTpuPackage> packages;
  for (const Node& node : graph.nodes) {
    const auto* attrs = std::get_if<UnknownAttrs>(&node.attrs);
    if (attrs == nullptr || NodeOpName(node) != kEdgeTpuOpName) continue;
    const auto named = [&](const Error& error) {
      return Error{error.code, fmt::format("{}: '{}': {}", graph.name, node.name, error.message)};
    };
    const Bytes options(attrs->options.begin(), attrs->options.end());
    Result<EdgeTpuPackage> package = ReadEdgeTpuOptions(options);
    if (!package.ok()) return named(package.error());
    package->node = node.name;
    const EdgeTpuExecutable& main = package->Main();
    Status status = CheckLayers(graph, node.inputs, main.inputs, "input");
    if (status.ok()) status = CheckLayers(graph, node.outputs, main.outputs, "output");
    if (!status.ok()) return named(status.error());
    packages.push_back(*std::move(package));
  }
  return packages;
}

}  // namespace dlpu
