// SPDX-License-Identifier: Apache-2.0
// Magic numbers.
#include "formats/sniff.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace dlpu {
namespace {

bool HasAt(std::span<const uint8_t> bytes, size_t offset, std::string_view magic) {
  return bytes.size() >= offset + magic.size() &&
         std::memcmp(bytes.data() + offset, magic.data(), magic.size()) == 0;
}

// ONNX has no magic number: field 1 (ir_version, a small varint) comes first in files in the
// field, and one of the next fields is a producer name, a graph or an opset.
bool LooksLikeOnnx(std::span<const uint8_t> bytes) {
  if (bytes.size() < 8 || bytes[0] != 0x08 || bytes[1] < 1 || bytes[1] > 32) return false;
  return bytes[2] == 0x12 || bytes[2] == 0x3A || bytes[2] == 0x42 || bytes[2] == 0x1A ||
         bytes[2] == 0x22;
}

}  // namespace

FileKind SniffFile(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return FileKind::kEmpty;
  if (HasAt(bytes, 4, "TFL3")) return FileKind::kTflite;
  if (HasAt(bytes, 0, "\x93NUMPY")) return FileKind::kNpy;
  if (HasAt(bytes, 0, "\x89PNG")) return FileKind::kPng;
  if (HasAt(bytes, 0, "\xFF\xD8\xFF")) return FileKind::kJpeg;
  if (HasAt(bytes, 0, "BM")) return FileKind::kBmp;
  if (HasAt(bytes, 0, "PK\x03\x04")) return FileKind::kZip;
  if (HasAt(bytes, 0, "\x1F\x8B")) return FileKind::kGzip;
  if (HasAt(bytes, 0,
            "\x7F"
            "ELF"))
    return FileKind::kElf;
  if (LooksLikeOnnx(bytes)) return FileKind::kOnnx;
  const auto head = bytes.first(std::min<size_t>(bytes.size(), 512));
  const bool text = std::all_of(head.begin(), head.end(), [](uint8_t c) {
    return c == '\n' || c == '\r' || c == '\t' || (c >= 32 && c < 127);
  });
  return text ? FileKind::kText : FileKind::kUnknown;
}

std::string_view FileKindText(FileKind kind) {
  switch (kind) {
    case FileKind::kTflite:
      return "a .tflite model";
    case FileKind::kOnnx:
      return "an ONNX model";
    case FileKind::kNpy:
      return "a .npy array";
    case FileKind::kPng:
      return "a PNG picture";
    case FileKind::kJpeg:
      return "a JPEG picture";
    case FileKind::kBmp:
      return "a BMP picture";
    case FileKind::kZip:
      return "a zip archive";
    case FileKind::kGzip:
      return "a gzip archive";
    case FileKind::kElf:
      return "an ELF program";
    case FileKind::kText:
      return "a text file";
    case FileKind::kEmpty:
      return "an empty file";
    case FileKind::kUnknown:
      return "of an unknown kind";
  }
  return "of an unknown kind";
}

}  // namespace dlpu
