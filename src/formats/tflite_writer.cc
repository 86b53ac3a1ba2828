// SPDX-License-Identifier: Apache-2.0
// Graph -> .tflite. Everything is written in a fixed order, so equal graphs give equal bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <utility>

#include "formats/tflite.h"
#include "formats/tflite_options.h"
#include "formats/zip.h"
#include "ir/verify.h"

namespace dlpu {
namespace {

namespace tfl = ::dlpu::tflite;
using flatbuffers::Offset;

// LiteRT maps constants from the file and its kernels want them aligned.
constexpr size_t kBufferAlignment = 16;

// Nodes of the graph without DENSIFY of a constant, which the reader has expanded: its input's
// value moves to its output.
Graph WithoutDensify(Graph graph) {
  std::erase_if(graph.nodes, [&](const Node& node) {
    if (NodeOpName(node) != "DENSIFY" || node.inputs.size() != 1 || node.outputs.size() != 1) {
      return false;
    }
    if (node.inputs[0] == kNoTensor || !graph.tensors[node.inputs[0]].is_constant) return false;
    Tensor& output = graph.tensors[node.outputs[0]];
    output.data = graph.tensors[node.inputs[0]].data;
    output.is_constant = true;
    return true;
  });
  return graph;
}

class Writer {
 public:
  explicit Writer(const Graph& graph) : graph_(graph) {}

  Result<std::vector<uint8_t>> Write() {
    DLPU_RETURN_IF_ERROR(Verify(graph_));
    buffers_.push_back(tfl::CreateBuffer(builder_));  // buffer 0 is empty by convention
    std::vector<Offset<tfl::Tensor>> tensors;
    for (const Tensor& tensor : graph_.tensors) tensors.push_back(WriteTensor(tensor));
    std::vector<Offset<tfl::Operator>> operators;
    for (const Node& node : graph_.nodes) {
      DLPU_TRY(const Offset<tfl::Operator> op, WriteNode(node));
      operators.push_back(op);
    }
    const auto subgraph = tfl::CreateSubGraph(
        builder_, builder_.CreateVector(tensors), builder_.CreateVector(graph_.inputs),
        builder_.CreateVector(graph_.outputs), builder_.CreateVector(operators),
        builder_.CreateString("main"));
    const auto subgraphs = builder_.CreateVector(&subgraph, 1);
    const auto metadata = WriteMetadata();
    const auto signatures = WriteSignature();
    const auto codes = builder_.CreateVector(codes_);
    const auto buffers = builder_.CreateVector(buffers_);
    const auto description =
        builder_.CreateString(graph_.description.empty() ? "dlpu" : graph_.description);
    const auto model = tfl::CreateModel(builder_, 3, codes, subgraphs, description, buffers, 0,
                                        metadata, signatures);
    tfl::FinishModelBuffer(builder_, model);
    std::vector<uint8_t> bytes(builder_.GetBufferPointer(),
                               builder_.GetBufferPointer() + builder_.GetSize());
    DLPU_RETURN_IF_ERROR(AddArchive(bytes));
    return bytes;
  }

 private:
  // Label files stand behind the model in a zip archive.
  Status AddArchive(std::vector<uint8_t>& bytes) const {
    const auto entry = graph_.metadata.find(kArchiveMetadata);
    if (entry == graph_.metadata.end()) return OkStatus();
    DLPU_TRY(const std::optional<ZipArchive> archive, ZipArchive::Open(entry->second));
    if (!archive.has_value()) return InvalidError("the graph's archive is not a zip archive");
    DLPU_TRY(const std::vector<uint8_t> moved, archive->Moved(bytes.size()));
    bytes.insert(bytes.end(), moved.begin(), moved.end());
    return OkStatus();
  }

  uint32_t AddBuffer(std::span<const uint8_t> data) {
    builder_.ForceVectorAlignment(data.size(), 1, kBufferAlignment);
    const auto vector = builder_.CreateVector(data.data(), data.size());
    buffers_.push_back(tfl::CreateBuffer(builder_, vector));
    return static_cast<uint32_t>(buffers_.size() - 1);
  }

  Offset<tfl::Tensor> WriteTensor(const Tensor& tensor) {
    const uint32_t buffer = tensor.is_constant && !tensor.data.empty() ? AddBuffer(tensor.data) : 0;
    // -1 stands in the signature only; the shape itself holds a default of 1.
    Shape shape = tensor.shape;
    std::replace(shape.begin(), shape.end(), -1, 1);
    Offset<flatbuffers::Vector<int32_t>> signature = 0;
    if (shape != tensor.shape) signature = builder_.CreateVector(tensor.shape);
    const auto shape_offset = builder_.CreateVector(shape);
    const auto name = builder_.CreateString(tensor.name);
    Offset<tfl::QuantizationParameters> quantization = 0;
    if (tensor.quantization.present()) {
      const auto scale = builder_.CreateVector(tensor.quantization.scale);
      const auto zero = builder_.CreateVector(tensor.quantization.zero_point);
      quantization = tfl::CreateQuantizationParameters(
          builder_, 0, 0, scale, zero, tfl::QuantizationDetails::NONE, 0, tensor.quantization.axis);
    }
    return tfl::CreateTensor(builder_, shape_offset, ToTfliteType(tensor.type), buffer, name,
                             quantization, tensor.is_variable, 0, signature);
  }

  Result<uint32_t> OperatorCode(const Node& node) {
    std::string name = NodeOpName(node);
    const auto* unknown = std::get_if<UnknownAttrs>(&node.attrs);
    const bool custom = unknown != nullptr ? unknown->custom : IsCustomOp(node.op);
    int builtin = static_cast<int>(tfl::BuiltinOperator::CUSTOM);
    if (!custom) {
      builtin = -1;
      for (const tfl::BuiltinOperator code : tfl::EnumValuesBuiltinOperator()) {
        if (name == tfl::EnumNameBuiltinOperator(code)) builtin = static_cast<int>(code);
      }
      if (builtin < 0 || unknown != nullptr) {
        return UnsupportedError(fmt::format(
            "{} '{}': dlpu does not know this op's options and cannot write it", name, node.name));
      }
      name.clear();
    }
    const auto key = std::make_tuple(builtin, name, node.version);
    const auto [entry, added] = code_index_.try_emplace(key, codes_.size());
    if (added) {
      Offset<flatbuffers::String> custom_code = 0;
      if (custom) custom_code = builder_.CreateString(name);
      codes_.push_back(tfl::CreateOperatorCode(
          builder_, static_cast<int8_t>(std::min(builtin, 127)), custom_code, node.version,
          static_cast<tfl::BuiltinOperator>(builtin)));
    }
    return entry->second;
  }

  Result<Offset<tfl::Operator>> WriteNode(const Node& node) {
    DLPU_TRY(const uint32_t code, OperatorCode(node));
    const bool custom =
        std::get<0>(FindKey(code)) == static_cast<int>(tfl::BuiltinOperator::CUSTOM);
    WrittenOptions options;
    Offset<flatbuffers::Vector<uint8_t>> custom_options = 0;
    if (custom) {
      custom_options = builder_.CreateVector(WriteCustomOptions(node.attrs));
    } else {
      options = WriteOptions(
          builder_, static_cast<tfl::BuiltinOperator>(std::get<0>(FindKey(code))), node.attrs);
    }
    const auto inputs = builder_.CreateVector(node.inputs);
    const auto outputs = builder_.CreateVector(node.outputs);
    Offset<flatbuffers::Vector<int32_t>> intermediates = 0;
    if (!node.intermediates.empty()) intermediates = builder_.CreateVector(node.intermediates);
    return tfl::CreateOperator(builder_, code, inputs, outputs, options.type, options.table,
                               custom_options, 0, 0, intermediates);
  }

  const std::tuple<int, std::string, int32_t>& FindKey(uint32_t code) const {
    for (const auto& [key, index] : code_index_) {
      if (index == code) return key;
    }
    DLPU_CHECK(false);
  }

  Offset<flatbuffers::Vector<Offset<tfl::Metadata>>> WriteMetadata() {
    std::vector<Offset<tfl::Metadata>> entries;
    for (const auto& [name, data] : graph_.metadata) {
      if (name == kArchiveMetadata) continue;
      const uint32_t buffer = AddBuffer(data);
      entries.push_back(tfl::CreateMetadata(builder_, builder_.CreateString(name), buffer));
    }
    if (entries.empty()) return 0;
    return builder_.CreateVector(entries);
  }

  Offset<flatbuffers::Vector<Offset<tfl::SignatureDef>>> WriteSignature() {
    if (graph_.signature.empty()) return 0;
    const auto maps = [&](const std::vector<TensorId>& ids, const std::vector<std::string>& names) {
      std::vector<Offset<tfl::TensorMap>> list;
      for (size_t i = 0; i < ids.size() && i < names.size(); ++i) {
        if (names[i].empty()) continue;
        list.push_back(tfl::CreateTensorMap(builder_, builder_.CreateString(names[i]),
                                            static_cast<uint32_t>(ids[i])));
      }
      return builder_.CreateVector(list);
    };
    const auto inputs = maps(graph_.inputs, graph_.signature_inputs);
    const auto outputs = maps(graph_.outputs, graph_.signature_outputs);
    const auto signature =
        tfl::CreateSignatureDef(builder_, inputs, outputs, builder_.CreateString(graph_.signature));
    return builder_.CreateVector(&signature, 1);
  }

  const Graph& graph_;
  flatbuffers::FlatBufferBuilder builder_{1 << 20};
  std::vector<Offset<tfl::Buffer>> buffers_;
  std::vector<Offset<tfl::OperatorCode>> codes_;
  std::map<std::tuple<int, std::string, int32_t>, uint32_t> code_index_;
};

}  // namespace

int TfliteOpCode(std::string_view op) {
  for (const tfl::BuiltinOperator code : tfl::EnumValuesBuiltinOperator()) {
    if (op == tfl::EnumNameBuiltinOperator(code)) return static_cast<int>(code);
  }
  return kTfliteCustomOpCode;
}

Result<std::vector<uint8_t>> WriteTflite(const Graph& graph) {
  return Writer(WithoutDensify(graph)).Write();
}

}  // namespace dlpu
