// SPDX-License-Identifier: Apache-2.0
// .tflite -> Graph. The flatbuffer is verified before anything is looked at.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/sparse.h"
#include "formats/tflite.h"
#include "formats/tflite_options.h"
#include "formats/zip.h"
#include "ir/flat_list.h"
#include "ir/verify.h"

namespace dlpu {
namespace {

namespace tfl = ::dlpu::tflite;

// Largest number of tables a model may have; the largest real one seen has some ten thousand.
constexpr flatbuffers::uoffset_t kMaxTables = 2'000'000;

class Reader {
 public:
  // `shared`, if any, owns `bytes` and keeps the constants.
  Reader(std::span<const uint8_t> bytes, const FileBytes* shared, const std::string& name)
      : bytes_(bytes), shared_(shared) {
    graph_.name = name;
  }

  Result<Graph> Read() {
    DLPU_RETURN_IF_ERROR(Open());
    const tfl::SubGraph& subgraph = *model_->subgraphs()->Get(0);
    if (model_->description() != nullptr) graph_.description = model_->description()->str();
    if (subgraph.tensors() != nullptr) {
      graph_.tensors.reserve(subgraph.tensors()->size());
      for (const tfl::Tensor* tensor : *subgraph.tensors()) {
        DLPU_RETURN_IF_ERROR(ReadTensor(*tensor));
      }
    }
    DLPU_TRY(graph_.inputs, Ids(subgraph.inputs(), "a model input", false));
    DLPU_TRY(graph_.outputs, Ids(subgraph.outputs(), "a model output", false));
    if (subgraph.operators() != nullptr) {
      for (const tfl::Operator* op : *subgraph.operators()) {
        DLPU_RETURN_IF_ERROR(ReadNode(*op));
      }
    }
    MarkEmptyConstants();
    RestoreBatch();
    ReadSignature();
    ReadMetadata();
    ReadArchive();
    if (Status status = Verify(graph_); !status.ok()) return Failure(status.error());
    return std::move(graph_);
  }

 private:
  Error Invalid(const std::string& message) const {
    return InvalidError(fmt::format("{}: {}", graph_.name, message));
  }
  Error Refuse(const std::string& message) const {
    return UnsupportedError(fmt::format("{}: {}", graph_.name, message));
  }
  Error Failure(const Error& error) const {
    return {error.code, fmt::format("{}: {}", graph_.name, error.message)};
  }

  Status Open() {
    if (bytes_.size() < 8 || std::memcmp(bytes_.data() + 4, "TFL3", 4) != 0) {
      return Invalid("not a .tflite file (bytes 4 to 7 are not 'TFL3')");
    }
    flatbuffers::Verifier verifier(bytes_.data(), bytes_.size(), 64, kMaxTables);
    if (!tfl::VerifyModelBuffer(verifier)) {
      return Invalid("the .tflite file is damaged or cut off; download or convert it again");
    }
    model_ = tfl::GetModel(bytes_.data());
    if (model_->version() != 3) {
      return Refuse(fmt::format("schema version {}; dlpu reads version 3", model_->version()));
    }
    const size_t subgraphs = model_->subgraphs() != nullptr ? model_->subgraphs()->size() : 0;
    if (subgraphs != 1) {
      return Refuse(fmt::format(
          "{} subgraphs; dlpu takes one (control flow and several signatures are not supported: "
          "export the model as one static graph)",
          subgraphs));
    }
    if (model_->subgraphs()->Get(0) == nullptr) return Invalid("its subgraph is missing");
    return OkStatus();
  }

  Result<std::span<const uint8_t>> BufferBytes(uint32_t index, const std::string& owner) const {
    const auto* buffers = model_->buffers();
    if (index == 0 && (buffers == nullptr || buffers->size() == 0)) {
      return std::span<const uint8_t>();
    }
    if (buffers == nullptr || index >= buffers->size()) {
      return Invalid(fmt::format("tensor '{}' refers to buffer {} of {}", owner, index,
                                 buffers == nullptr ? 0 : buffers->size()));
    }
    const tfl::Buffer& buffer = *buffers->Get(index);
    if (buffer.data() != nullptr) {
      return std::span<const uint8_t>(buffer.data()->data(), buffer.data()->size());
    }
    if (buffer.offset() > 1 && buffer.size() > 0) {  // data behind the flatbuffer
      if (buffer.offset() > bytes_.size() || buffer.size() > bytes_.size() - buffer.offset()) {
        return Invalid(fmt::format("tensor '{}': its data lies outside the file", owner));
      }
      return bytes_.subspan(buffer.offset(), buffer.size());
    }
    return std::span<const uint8_t>();
  }

  Status ReadTensor(const tfl::Tensor& source) {
    Tensor tensor;
    if (source.name() != nullptr) tensor.name = source.name()->str();
    tensor.type = FromTfliteType(source.type());
    tensor.is_variable = source.is_variable();
    if (source.shape() != nullptr) {
      tensor.shape.assign(source.shape()->begin(), source.shape()->end());
    }
    for (const int32_t extent : tensor.shape) {
      if (extent < -1) {
        return Invalid(fmt::format("tensor '{}': extent {} is negative", tensor.name, extent));
      }
    }
    if (BitsOf(tensor.type) == 0) {
      return Refuse(fmt::format("tensor '{}' has type {}, which no camera takes", tensor.name,
                                tfl::EnumNameTensorType(source.type())));
    }
    ReadQuantization(source.quantization(), tensor.quantization);
    DLPU_TRY(const std::span<const uint8_t> data, BufferBytes(source.buffer(), tensor.name));
    if (!data.empty()) DLPU_RETURN_IF_ERROR(ReadConstant(source, data, tensor));
    signatures_.push_back(source.shape_signature());
    graph_.tensors.push_back(std::move(tensor));
    return OkStatus();
  }

  Status ReadConstant(const tfl::Tensor& source, std::span<const uint8_t> data, Tensor& tensor) {
    tensor.is_constant = true;
    if (source.sparsity() != nullptr) {
      DLPU_TRY(tensor.data, ExpandSparse(*source.sparsity(), tensor, data, graph_.name));
      return OkStatus();
    }
    const int64_t want = ByteCount(tensor.type, tensor.shape);
    if (want != static_cast<int64_t>(data.size())) {
      return Invalid(fmt::format("tensor '{}': {} {} needs {} bytes, its buffer has {}",
                                 tensor.name, DataTypeName(tensor.type), ShapeText(tensor.shape),
                                 want, data.size()));
    }
    // Elements of several bytes are read where they lie, if they lie as in memory of our own.
    const auto step = static_cast<uintptr_t>(std::max(BitsOf(tensor.type) / 8, 1));
    if (shared_ != nullptr && reinterpret_cast<uintptr_t>(data.data()) % step == 0) {
      tensor.data = ConstantBytes(shared_->Part(data));
    } else {
      tensor.data.assign(data.begin(), data.end());
    }
    return OkStatus();
  }

  static void ReadQuantization(const tfl::QuantizationParameters* source, Quantization& q) {
    if (source == nullptr || source->scale() == nullptr || source->scale()->size() == 0) return;
    q.scale = FlatList(source->scale());
    q.zero_point = FlatList(source->zero_point());
    if (q.zero_point.empty()) q.zero_point.assign(q.scale.size(), 0);
    if (q.zero_point.size() == 1 && q.scale.size() > 1) {
      q.zero_point.assign(q.scale.size(), q.zero_point[0]);
    }
    q.axis = source->quantized_dimension();
  }

  Result<std::vector<TensorId>> Ids(const flatbuffers::Vector<int32_t>* list, const char* what,
                                    bool optional) const {
    std::vector<TensorId> ids;
    if (list == nullptr) return ids;
    for (const int32_t id : *list) {
      if (id == kNoTensor && optional) {
        ids.push_back(id);
        continue;
      }
      if (id < 0 || static_cast<size_t>(id) >= graph_.tensors.size()) {
        return Invalid(
            fmt::format("{} refers to tensor {} of {}", what, id, graph_.tensors.size()));
      }
      ids.push_back(id);
    }
    return ids;
  }

  Status ReadNode(const tfl::Operator& source) {
    const auto* codes = model_->operator_codes();
    if (codes == nullptr || source.opcode_index() >= codes->size()) {
      return Invalid(fmt::format("an operator refers to operator code {} of {}",
                                 source.opcode_index(), codes == nullptr ? 0 : codes->size()));
    }
    const tfl::OperatorCode& code = *codes->Get(source.opcode_index());
    const auto builtin = static_cast<tfl::BuiltinOperator>(
        std::max(static_cast<int32_t>(code.builtin_code()),
                 static_cast<int32_t>(code.deprecated_builtin_code())));
    Node node;
    node.version = code.version();
    DLPU_TRY(node.inputs, Ids(source.inputs(), "an operator input", true));
    DLPU_TRY(node.outputs, Ids(source.outputs(), "an operator output", false));
    DLPU_TRY(node.intermediates, Ids(source.intermediates(), "an intermediate", true));
    if (!node.outputs.empty()) node.name = graph_.tensors[node.outputs[0]].name;
    const bool custom = builtin == tfl::BuiltinOperator::CUSTOM;
    const std::string op_name =
        custom ? (code.custom_code() != nullptr ? code.custom_code()->str() : "CUSTOM")
               : BuiltinName(builtin);
    if (RefusedByName(op_name)) {
      return Refuse(fmt::format(
          "{} '{}': control flow and resource variables do not run on a camera's DLPU; export the "
          "model without them",
          op_name, node.name));
    }
    node.op = OpFromName(op_name);
    if (IsCustomOp(node.op) != custom && node.op != Op::kUnknown) node.op = Op::kUnknown;
    std::span<const uint8_t> options;
    if (source.custom_options() != nullptr) {
      options = {source.custom_options()->data(), source.custom_options()->size()};
    }
    if (node.op == Op::kUnknown) {
      node.attrs = UnknownAttrs{op_name, custom, {options.begin(), options.end()}};
    } else if (custom) {
      DLPU_TRY(node.attrs, Named(ReadCustomOptions(node.op, options, node.name)));
    } else {
      DLPU_TRY(node.attrs, Named(ReadOptions(node.op, builtin, source)));
    }
    graph_.nodes.push_back(std::move(node));
    return OkStatus();
  }

  Result<Attrs> Named(Result<Attrs> attrs) const {
    if (!attrs.ok()) return Failure(attrs.error());
    return attrs;
  }

  static std::string BuiltinName(tfl::BuiltinOperator code) {
    const char* name = tfl::EnumNameBuiltinOperator(code);
    return name[0] != '\0' ? name : fmt::format("BUILTIN_{}", static_cast<int>(code));
  }

  static bool RefusedByName(const std::string& name) {
    static constexpr const char* kNames[] = {"IF",
                                             "WHILE",
                                             "CALL",
                                             "CALL_ONCE",
                                             "STABLEHLO_WHILE",
                                             "VAR_HANDLE",
                                             "READ_VARIABLE",
                                             "ASSIGN_VARIABLE",
                                             "STABLEHLO_CASE",
                                             "HASHTABLE",
                                             "HASHTABLE_FIND",
                                             "HASHTABLE_IMPORT",
                                             "HASHTABLE_SIZE",
                                             "HASHTABLE_LOOKUP"};
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
  }

  // A tensor of no elements has no bytes, so the file cannot say that it is a constant.
  void MarkEmptyConstants() {
    std::vector<bool> made(graph_.tensors.size(), false);
    for (const TensorId id : graph_.inputs) made[id] = true;
    for (const Node& node : graph_.nodes) {
      for (const TensorId id : node.outputs) made[id] = true;
    }
    for (size_t i = 0; i < made.size(); ++i) {
      Tensor& tensor = graph_.tensors[i];
      const bool is_static =
          std::find(tensor.shape.begin(), tensor.shape.end(), -1) == tensor.shape.end();
      if (!made[i] && !tensor.is_variable && is_static && ElementCount(tensor.shape) == 0) {
        tensor.is_constant = true;
      }
    }
  }

  // Inputs whose signature leaves more than the batch open keep -1 there.
  void RestoreBatch() {
    for (const TensorId id : graph_.inputs) {
      const auto* signature = signatures_[id];
      Shape& shape = graph_.tensors[id].shape;
      if (signature == nullptr || signature->size() != shape.size()) continue;
      for (size_t i = 1; i < shape.size(); ++i) {
        if (signature->Get(i) < 0) shape[i] = -1;
      }
    }
  }

  void ReadSignature() {
    const auto* signatures = model_->signature_defs();
    if (signatures == nullptr || signatures->size() == 0) return;
    const tfl::SignatureDef& source = *signatures->Get(0);
    if (source.signature_key() != nullptr) graph_.signature = source.signature_key()->str();
    const auto names = [](const auto* maps, const std::vector<TensorId>& ids) {
      std::vector<std::string> result(ids.size());
      if (maps == nullptr) return result;
      for (const tfl::TensorMap* map : *maps) {
        for (size_t i = 0; i < ids.size(); ++i) {
          if (static_cast<uint32_t>(ids[i]) == map->tensor_index() && map->name() != nullptr) {
            result[i] = map->name()->str();
          }
        }
      }
      return result;
    };
    graph_.signature_inputs = names(source.inputs(), graph_.inputs);
    graph_.signature_outputs = names(source.outputs(), graph_.outputs);
  }

  void ReadMetadata() {
    if (model_->metadata() == nullptr) return;
    for (const tfl::Metadata* entry : *model_->metadata()) {
      if (entry->name() == nullptr) continue;
      const Result<std::span<const uint8_t>> data = BufferBytes(entry->buffer(), "metadata");
      if (!data.ok()) continue;
      graph_.metadata[entry->name()->str()].assign(data->begin(), data->end());
    }
  }

  // Label files stand behind the model. A damaged archive is left behind: ReadTfliteMetadata says
  // what is wrong with it, and the model does without.
  void ReadArchive() {
    graph_.metadata.erase(kArchiveMetadata);
    const Result<std::optional<ZipArchive>> archive = ZipArchive::Open(bytes_);
    if (!archive.ok() || !archive->has_value()) return;
    Result<std::vector<uint8_t>> moved = (*archive)->Moved(0);
    if (moved.ok() && !moved->empty()) graph_.metadata[kArchiveMetadata] = *std::move(moved);
  }

  const std::span<const uint8_t> bytes_;
  const FileBytes* const shared_;
  const tfl::Model* model_ = nullptr;
  std::vector<const flatbuffers::Vector<int32_t>*> signatures_;  // of tensors; may be null
  Graph graph_;
};

}  // namespace

Result<Graph> ReadTflite(std::span<const uint8_t> bytes, const std::string& name) {
  return Reader(bytes, nullptr, name).Read();
}

Result<Graph> ReadTfliteInPlace(const FileBytes& bytes, const std::string& name) {
  return Reader(bytes, &bytes, name).Read();
}

}  // namespace dlpu
