// SPDX-License-Identifier: Apache-2.0
// What kind of file some bytes are, so that a message can say what the user gave instead of a
// model. Looks at contents, never at the name. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dlpu {

enum class FileKind : uint8_t {
  kTflite,
  kOnnx,
  kNpy,
  kPng,
  kJpeg,
  kBmp,
  kZip,
  kGzip,
  kElf,
  kText,
  kEmpty,
  kUnknown,
};

FileKind SniffFile(std::span<const uint8_t> bytes);
// "a PNG picture", "an ONNX model", ...
std::string_view FileKindText(FileKind kind);

}  // namespace dlpu
