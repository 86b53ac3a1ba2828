// SPDX-License-Identifier: Apache-2.0
// Between ONNX's protobuf messages and plain values; the only file that sees protobuf.
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstring>
#include <limits>

#include "formats/onnx_graph.h"
#include "onnx.pb.h"

namespace dlpu {
namespace {

// Largest number of elements of a tensor, as for the rest of dlpu (ir/verify.cc).
constexpr int64_t kMaxElements = int64_t{1} << 31;
constexpr int kMaxGraphDepth = 16;

class Parser {
 public:
  explicit Parser(const std::string& name) : name_(name) {}

  Result<OnnxModel> Parse(const ::onnx::ModelProto& source) {
    OnnxModel model;
    model.ir_version = source.ir_version();
    model.producer = source.producer_name();
    model.doc = source.doc_string();
    for (const auto& opset : source.opset_import()) {
      const std::string domain = opset.domain() == "ai.onnx" ? "" : opset.domain();
      model.opsets[domain] = opset.version();
    }
    for (const auto& entry : source.metadata_props()) model.metadata[entry.key()] = entry.value();
    model.unknown = source.unknown_fields();
    if (!source.has_graph()) return Invalid("the ONNX file has no graph");
    DLPU_RETURN_IF_ERROR(ParseGraph(source.graph(), 0, model.graph));
    return model;
  }

 private:
  Error Invalid(const std::string& message) const {
    return InvalidError(fmt::format("{}: {}", name_, message));
  }

  Status ParseGraph(const ::onnx::GraphProto& source, int depth, OnnxGraph& graph) {
    if (depth > kMaxGraphDepth) return Invalid("graphs are nested too deeply");
    graph.name = source.name();
    if (source.sparse_initializer_size() > 0) {
      return UnsupportedError(fmt::format(
          "{}: sparse initializers are not supported; export the weights dense", name_));
    }
    for (const auto& tensor : source.initializer()) {
      graph.initializers.emplace_back();
      DLPU_RETURN_IF_ERROR(ParseTensor(tensor, graph.initializers.back()));
    }
    for (const auto& value : source.input()) graph.inputs.push_back(ParseValue(value));
    for (const auto& value : source.output()) graph.outputs.push_back(ParseValue(value));
    for (const auto& node : source.node()) {
      graph.nodes.emplace_back();
      DLPU_RETURN_IF_ERROR(ParseNode(node, depth, graph.nodes.back()));
    }
    return OkStatus();
  }

  static OnnxValue ParseValue(const ::onnx::ValueInfoProto& source) {
    OnnxValue value;
    value.name = source.name();
    value.is_tensor = !source.has_type() || source.type().has_tensor_type();
    const auto& type = source.type().tensor_type();
    value.type = static_cast<OnnxType>(type.elem_type());
    value.has_shape = type.has_shape();
    for (const auto& dim : type.shape().dim()) {
      const bool known = dim.has_dim_value() && dim.dim_value() >= 0;
      value.dims.push_back(known ? dim.dim_value() : -1);
      value.symbols.push_back(dim.has_dim_param() ? dim.dim_param() : "");
    }
    return value;
  }

  Status ParseNode(const ::onnx::NodeProto& source, int depth, OnnxNode& node) {
    node.name = source.name();
    node.op = source.op_type();
    node.domain = source.domain() == "ai.onnx" ? "" : source.domain();
    node.inputs.assign(source.input().begin(), source.input().end());
    node.outputs.assign(source.output().begin(), source.output().end());
    for (const auto& attribute : source.attribute()) {
      OnnxAttribute& target = node.attributes[attribute.name()];
      target = {};
      DLPU_RETURN_IF_ERROR(ParseAttribute(attribute, depth, target));
    }
    return OkStatus();
  }

  Status ParseAttribute(const ::onnx::AttributeProto& source, int depth, OnnxAttribute& target) {
    using Kind = OnnxAttribute::Kind;
    target.f = source.f();
    target.i = source.i();
    target.s = source.s();
    target.floats.assign(source.floats().begin(), source.floats().end());
    target.ints.assign(source.ints().begin(), source.ints().end());
    target.strings.assign(source.strings().begin(), source.strings().end());
    if (source.has_t()) {
      target.tensor.emplace_back();
      DLPU_RETURN_IF_ERROR(ParseTensor(source.t(), target.tensor.back()));
    }
    if (source.has_g()) {
      target.graph.emplace_back();
      DLPU_RETURN_IF_ERROR(ParseGraph(source.g(), depth + 1, target.graph.back()));
    }
    target.kind = source.has_f()              ? Kind::kFloat
                  : source.has_i()            ? Kind::kInt
                  : source.has_s()            ? Kind::kString
                  : source.has_t()            ? Kind::kTensor
                  : source.has_g()            ? Kind::kGraph
                  : source.floats_size() > 0  ? Kind::kFloats
                  : source.strings_size() > 0 ? Kind::kStrings
                  : source.ints_size() > 0    ? Kind::kInts
                                              : Kind::kNone;
    return OkStatus();
  }

  Status ParseTensor(const ::onnx::TensorProto& source, OnnxTensor& tensor) {
    tensor.name = source.name();
    tensor.type = static_cast<OnnxType>(source.data_type());
    tensor.dims.assign(source.dims().begin(), source.dims().end());
    int64_t count = 1;
    for (const int64_t extent : tensor.dims) {
      if (extent < 0 || extent > kMaxElements || (count *= extent) > kMaxElements) {
        return Invalid(
            fmt::format("tensor '{}': its extents are negative or too large", tensor.name));
      }
    }
    if (source.has_data_location() &&
        source.data_location() == ::onnx::TensorProto_DataLocation_EXTERNAL) {
      return ParseExternal(source, tensor);
    }
    if (tensor.type == OnnxType::kString) return OkStatus();  // refused where it is used
    const int size = OnnxTypeBytes(tensor.type);
    if (size == 0) {
      return UnsupportedError(fmt::format("{}: tensor '{}' is {}, which dlpu does not read", name_,
                                          tensor.name, OnnxTypeName(tensor.type)));
    }
    if (source.has_raw_data()) {
      tensor.data.assign(source.raw_data().begin(), source.raw_data().end());
    } else {
      AppendTyped(source, size, tensor.data);
    }
    if (static_cast<int64_t>(tensor.data.size()) != count * size) {
      return Invalid(fmt::format("tensor '{}': {} elements of {} need {} bytes, the file has {}",
                                 tensor.name, count, OnnxTypeName(tensor.type), count * size,
                                 tensor.data.size()));
    }
    return OkStatus();
  }

  Status ParseExternal(const ::onnx::TensorProto& source, OnnxTensor& tensor) {
    for (const auto& entry : source.external_data()) {
      if (entry.key() == "location") {
        tensor.external_path = entry.value();
      } else if (entry.key() == "offset" || entry.key() == "length") {
        const std::string& text = entry.value();
        const bool digits = !text.empty() && text.size() <= 18 &&
                            text.find_first_not_of("0123456789") == std::string::npos;
        if (!digits) {
          return Invalid(fmt::format("tensor '{}': {} '{}' of its external data is not a number",
                                     tensor.name, entry.key(), text));
        }
        (entry.key() == "offset" ? tensor.external_offset : tensor.external_bytes) =
            std::stoll(text);
      }
    }
    if (tensor.external_path.empty()) {
      return Invalid(
          fmt::format("tensor '{}': its data is in another file that is not named", tensor.name));
    }
    return OkStatus();
  }

  template <typename T, typename List>
  static void Append(const List& values, std::vector<uint8_t>& data) {
    data.reserve(static_cast<size_t>(values.size()) * sizeof(T));
    for (const auto value : values) {
      const T element = static_cast<T>(value);
      const auto* bytes = reinterpret_cast<const uint8_t*>(&element);
      data.insert(data.end(), bytes, bytes + sizeof(T));
    }
  }

  // The typed fields of TensorProto; small types are widened to int32 there.
  static void AppendTyped(const ::onnx::TensorProto& source, int size, std::vector<uint8_t>& data) {
    switch (static_cast<OnnxType>(source.data_type())) {
      case OnnxType::kFloat:
        return Append<float>(source.float_data(), data);
      case OnnxType::kDouble:
        return Append<double>(source.double_data(), data);
      case OnnxType::kInt64:
        return Append<int64_t>(source.int64_data(), data);
      case OnnxType::kUInt64:
        return Append<uint64_t>(source.uint64_data(), data);
      case OnnxType::kUInt32:
        return Append<uint32_t>(source.uint64_data(), data);
      default:
        break;
    }
    if (size == 1) return Append<uint8_t>(source.int32_data(), data);
    if (size == 2) return Append<uint16_t>(source.int32_data(), data);
    return Append<int32_t>(source.int32_data(), data);
  }

  const std::string& name_;
};

void WriteTensor(const OnnxTensor& tensor, ::onnx::TensorProto* target) {
  if (!tensor.name.empty()) target->set_name(tensor.name);
  target->set_data_type(static_cast<int32_t>(tensor.type));
  for (const int64_t extent : tensor.dims) target->add_dims(extent);
  target->set_raw_data(tensor.data.data(), tensor.data.size());
}

void WriteValue(const OnnxValue& value, ::onnx::ValueInfoProto* target) {
  target->set_name(value.name);
  auto* type = target->mutable_type()->mutable_tensor_type();
  type->set_elem_type(static_cast<int32_t>(value.type));
  auto* shape = type->mutable_shape();
  for (size_t d = 0; d < value.dims.size(); ++d) {
    auto* dim = shape->add_dim();
    if (value.dims[d] >= 0) {
      dim->set_dim_value(value.dims[d]);
    } else if (d < value.symbols.size() && !value.symbols[d].empty()) {
      dim->set_dim_param(value.symbols[d]);
    }
  }
}

void WriteAttribute(const std::string& name, const OnnxAttribute& attribute,
                    ::onnx::AttributeProto* target) {
  using Kind = OnnxAttribute::Kind;
  target->set_name(name);
  switch (attribute.kind) {
    case Kind::kFloat:
      target->set_type(::onnx::AttributeProto_AttributeType_FLOAT);
      target->set_f(attribute.f);
      break;
    case Kind::kInt:
      target->set_type(::onnx::AttributeProto_AttributeType_INT);
      target->set_i(attribute.i);
      break;
    case Kind::kString:
      target->set_type(::onnx::AttributeProto_AttributeType_STRING);
      target->set_s(attribute.s);
      break;
    case Kind::kTensor:
      target->set_type(::onnx::AttributeProto_AttributeType_TENSOR);
      WriteTensor(attribute.tensor.at(0), target->mutable_t());
      break;
    case Kind::kFloats:
      target->set_type(::onnx::AttributeProto_AttributeType_FLOATS);
      for (const float value : attribute.floats) target->add_floats(value);
      break;
    case Kind::kInts:
      target->set_type(::onnx::AttributeProto_AttributeType_INTS);
      for (const int64_t value : attribute.ints) target->add_ints(value);
      break;
    default:
      DLPU_CHECK(false);  // the writer makes no others
  }
}

}  // namespace

std::string OnnxTypeName(OnnxType type) {
  static constexpr const char* kNames[] = {
      "undefined", "float32", "uint8",   "int8",   "uint16", "int16",  "int32",     "int64",
      "string",    "bool",    "float16", "double", "uint32", "uint64", "complex64", "complex128",
      "bfloat16",  "float8",  "float8",  "float8", "float8", "uint4",  "int4",      "float4"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(kNames) ? kNames[index] : fmt::format("type {}", index);
}

int OnnxTypeBytes(OnnxType type) {
  switch (type) {
    case OnnxType::kUInt8:
    case OnnxType::kInt8:
    case OnnxType::kBool:
      return 1;
    case OnnxType::kUInt16:
    case OnnxType::kInt16:
    case OnnxType::kFloat16:
    case OnnxType::kBFloat16:
      return 2;
    case OnnxType::kFloat:
    case OnnxType::kInt32:
    case OnnxType::kUInt32:
      return 4;
    case OnnxType::kInt64:
    case OnnxType::kUInt64:
    case OnnxType::kDouble:
      return 8;
    default:
      return 0;
  }
}

Result<OnnxModel> ParseOnnx(std::span<const uint8_t> bytes, const std::string& name) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return ExhaustedError(fmt::format(
        "{}: larger than 2 GiB, which protobuf cannot hold; save the weights as external data",
        name));
  }
  ::onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidError(
        fmt::format("{}: the .onnx file is damaged or cut off; download or export it again", name));
  }
  return Parser(name).Parse(model);
}

std::vector<uint8_t> SerializeOnnx(const OnnxModel& model) {
  ::onnx::ModelProto target;
  target.set_ir_version(model.ir_version);
  target.set_producer_name(model.producer);
  if (!model.doc.empty()) target.set_doc_string(model.doc);
  *target.mutable_unknown_fields() = model.unknown;
  for (const auto& [domain, version] : model.opsets) {
    auto* opset = target.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  for (const auto& [key, value] : model.metadata) {
    auto* entry = target.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  auto* graph = target.mutable_graph();
  graph->set_name(model.graph.name);
  for (const OnnxValue& value : model.graph.inputs) WriteValue(value, graph->add_input());
  for (const OnnxValue& value : model.graph.outputs) WriteValue(value, graph->add_output());
  for (const OnnxTensor& tensor : model.graph.initializers) {
    WriteTensor(tensor, graph->add_initializer());
  }
  for (const OnnxNode& node : model.graph.nodes) {
    auto* written = graph->add_node();
    written->set_name(node.name);
    written->set_op_type(node.op);
    for (const std::string& input : node.inputs) written->add_input(input);
    for (const std::string& output : node.outputs) written->add_output(output);
    for (const auto& [name, attribute] : node.attributes) {
      WriteAttribute(name, attribute, written->add_attribute());
    }
  }
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  DLPU_CHECK(target.SerializeToCodedStream(&coded));
  coded.Trim();
  return {bytes.begin(), bytes.end()};
}

}  // namespace dlpu
