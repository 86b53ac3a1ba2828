// SPDX-License-Identifier: Apache-2.0
// What kind of file some bytes are, so that a message can say what the user gave instead of a
// model, and which camera takes a compiled file. Looks at contents, never at the name. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dlpu {

enum class FileKind : uint8_t {
  kTflite,
  kEdgeTpuTflite,  // a .tflite file with a part compiled for the Edge TPU
  kProgram,        // .dlpu
  kOnnx,
  kCvflow2,    // Ambarella CVflow network for CV25
  kCvflow3,    // the same for CV75
  kVivanteNb,  // VeriSilicon (Vivante) network binary
  kLarod,      // a .tflite or CVflow file in the wrapper of old firmware

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

// The word by which the devices of data/targets say that they take such a file ("tflite",
// "edgetpu-tflite", "cvflow2-bin", ...); empty when none loads it.
std::string_view DeviceFormat(FileKind kind);

}  // namespace dlpu
