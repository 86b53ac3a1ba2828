// SPDX-License-Identifier: Apache-2.0
// Magic numbers.
#include "formats/sniff.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "formats/cvflow_bin.h"

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

uint64_t Word32(std::span<const uint8_t> bytes, size_t at) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));  // files are little-endian, as are we
  return value;
}

// The name of the op that the Edge TPU Compiler puts in, as a flatbuffer string of its own.
bool HasEdgeTpuCode(std::span<const uint8_t> bytes) {
  constexpr std::string_view kName("\x11\0\0\0edgetpu-custom-op", 21);
  return memmem(bytes.data(), bytes.size(), kName.data(), kName.size()) != nullptr;
}

// The schema of the wrapper that larod's old converter made is not public. It is known to be a
// flatbuffer that holds the model as it is: a table whose root and vtable are in place, with a
// whole .tflite or CVflow header inside.
bool LooksLikeLarod(std::span<const uint8_t> bytes) {
  constexpr size_t kFar = 1 << 20;  // the model begins before
  if (bytes.size() < 64) return false;
  const uint64_t root = Word32(bytes, 0);
  if (root < 4 || root > kFar || root + 4 > bytes.size()) return false;
  const int64_t vtable =
      static_cast<int64_t>(root) - static_cast<int32_t>(Word32(bytes, static_cast<size_t>(root)));
  if (vtable < 4 || vtable + 4 > static_cast<int64_t>(bytes.size())) return false;
  const size_t end = std::min(bytes.size() - 32, kFar);
  for (size_t at = 4; at < end; ++at) {
    if (HasAt(bytes, at + 4, "TFL3") && Word32(bytes, at) < bytes.size() - at) return true;
    const uint64_t length = Word32(bytes, at - 4);  // of the byte vector that begins here
    if (length > 32 && length <= bytes.size() - at && CvflowGeneration(bytes.subspan(at)) != 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

FileKind SniffFile(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return FileKind::kEmpty;
  if (HasAt(bytes, 4, "TFL3")) {
    return HasEdgeTpuCode(bytes) ? FileKind::kEdgeTpuTflite : FileKind::kTflite;
  }
  if (HasAt(bytes, 0, "VPMN")) return FileKind::kVivanteNb;
  if (const int generation = CvflowGeneration(bytes); generation != 0) {
    return generation == 2 ? FileKind::kCvflow2 : FileKind::kCvflow3;
  }
  if (HasAt(bytes, 4, "DLPU")) return FileKind::kProgram;
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
  if (text) return FileKind::kText;
  return LooksLikeLarod(bytes) ? FileKind::kLarod : FileKind::kUnknown;
}

std::string_view FileKindText(FileKind kind) {
  switch (kind) {
    case FileKind::kTflite:
      return "a .tflite model";
    case FileKind::kEdgeTpuTflite:
      return "a .tflite model compiled for the Edge TPU";
    case FileKind::kCvflow2:
      return "a CVflow network for Ambarella CV25";
    case FileKind::kCvflow3:
      return "a CVflow network for Ambarella CV75";
    case FileKind::kVivanteNb:
      return "a Vivante network binary (.nb)";
    case FileKind::kLarod:
      return "a model in the .larod wrapper of old firmware";
    case FileKind::kProgram:
      return "a compiled .dlpu program";
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

std::string_view DeviceFormat(FileKind kind) {
  switch (kind) {
    case FileKind::kTflite:
      return "tflite";
    case FileKind::kEdgeTpuTflite:
      return "edgetpu-tflite";
    case FileKind::kCvflow2:
      return "cvflow2-bin";
    case FileKind::kCvflow3:
      return "cvflow3-bin";
    case FileKind::kVivanteNb:
      return "vip-nb";
    default:
      return "";
  }
}

}  // namespace dlpu
