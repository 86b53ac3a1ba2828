// SPDX-License-Identifier: Apache-2.0
// An ONNX file as plain values: what the reader's rules look at and the writer makes, so that the
// protobuf library is seen by onnx_proto.cc alone. Names and fields are those of onnx.proto.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/types.h"

namespace dlpu {

// TensorProto.DataType of the ONNX specification; types added after onnx.proto 1.12 included.
enum class OnnxType : int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kBFloat16 = 16,
  kUInt4 = 21,
  kInt4 = 22,
};
// "float16", or "type 17" for one without a name here.
std::string OnnxTypeName(OnnxType type);
// Bytes of one element; 0 for types that are not whole bytes or that dlpu does not read.
int OnnxTypeBytes(OnnxType type);

struct OnnxTensor {
  std::string name;
  OnnxType type = OnnxType::kUndefined;
  std::vector<int64_t> dims;
  std::vector<uint8_t> data;  // little-endian, row-major; empty when it is in another file
  // Where the data is when it is not in the model's own file: a path relative to the model.
  std::string external_path;
  int64_t external_offset = 0, external_bytes = -1;  // -1: to the end of the file
};

struct OnnxNode;

struct OnnxValue {
  std::string name;
  OnnxType type = OnnxType::kUndefined;
  bool has_shape = false;
  bool is_tensor = true;             // false for sequences, maps and optionals
  std::vector<int64_t> dims;         // -1: not known
  std::vector<std::string> symbols;  // parallel to dims: the name of an unknown one, or empty
};

struct OnnxGraph {
  std::string name;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValue> inputs, outputs;
};

struct OnnxAttribute {
  enum class Kind : uint8_t {
    kNone,
    kFloat,
    kInt,
    kString,
    kTensor,
    kGraph,
    kFloats,
    kInts,
    kStrings
  };
  Kind kind = Kind::kNone;
  float f = 0;
  int64_t i = 0;
  std::string s;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  std::vector<OnnxTensor> tensor;  // one for kTensor
  std::vector<OnnxGraph> graph;    // one for kGraph
};

struct OnnxNode {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;  // "" stands for an optional one that is left out
  std::map<std::string, OnnxAttribute> attributes;
};

struct OnnxModel {
  int64_t ir_version = 0;
  std::string producer, doc;
  std::map<std::string, int64_t> opsets;  // version by domain; "" is the standard's own
  std::map<std::string, std::string> metadata;
  std::string
      unknown;  // fields of the model message that dlpu's copy of the format lacks, as stored
  OnnxGraph graph;
};

// Entries of Graph::metadata that hold what an ONNX file says beside its graph: its documentation,
// its metadata properties by their keys, and fields that are not known.
inline constexpr const char* kOnnxDoc = "onnx.doc_string";
inline constexpr const char* kOnnxProperty = "onnx.property.";
inline constexpr const char* kOnnxUnknown = "onnx.unknown_fields";

// `name` is used in messages. Unknown fields of the model are kept, those inside its graph do not
// disturb. Errors: not a protobuf message, a tensor
// whose data does not fit its shape, sparse initializers.
Result<OnnxModel> ParseOnnx(std::span<const uint8_t> bytes, const std::string& name);
// Equal models give equal bytes.
std::vector<uint8_t> SerializeOnnx(const OnnxModel& model);

}  // namespace dlpu
