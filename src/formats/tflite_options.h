// SPDX-License-Identifier: Apache-2.0
// Between the option tables of TensorFlow Lite operators and the IR's attributes. Used by the
// reader and the writer of .tflite only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "tflite_generated.h"

namespace dlpu {

DataType FromTfliteType(tflite::TensorType type);
// REQUIRES: type is not kOther.
tflite::TensorType ToTfliteType(DataType type);

// Attributes of a builtin operator whose op the IR knows; defaults when the table is missing.
Result<Attrs> ReadOptions(Op op, tflite::BuiltinOperator code, const tflite::Operator& source);

struct WrittenOptions {
  tflite::BuiltinOptions type = tflite::BuiltinOptions::NONE;
  flatbuffers::Offset<void> table = 0;
};
WrittenOptions WriteOptions(flatbuffers::FlatBufferBuilder& builder, tflite::BuiltinOperator code,
                            const Attrs& attrs);

// The same for custom operators, whose options are bytes in a format of their own.
Result<Attrs> ReadCustomOptions(Op op, std::span<const uint8_t> options, const std::string& name);
std::vector<uint8_t> WriteCustomOptions(const Attrs& attrs);

}  // namespace dlpu
