// SPDX-License-Identifier: Apache-2.0
// Tensors as a target's device lays them out in files, and the way between that and a model's own
// form (row-major, packed, NHWC): CVflow has planes, rows that are padded, and float outputs. Plain
// values; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

struct DeviceForm {
  bool planar = false;         // four extents: NHWC becomes NCHW; fewer are spread over N, C, H, W
  int row_multiple = 1;        // bytes; each row starts at a multiple of it
  bool float_outputs = false;  // quantized outputs are handed out as float32
  bool same() const { return !planar && row_multiple == 1 && !float_outputs; }
};
// Of the target's device for models; the model's own form for "" and for unknown names.
DeviceForm DeviceFormOf(const std::string& target);

// The type that a device's file has: float32 for quantized outputs where the device makes floats.
DataType DeviceType(const Tensor& tensor, const DeviceForm& form, bool output);
size_t DeviceBytes(const Tensor& tensor, const DeviceForm& form, bool output);
// "1x3x224x224 float32, rows of 896 bytes"
std::string DeviceText(const Tensor& tensor, const DeviceForm& form, bool output);

// REQUIRES: `model` has the tensor's size.
std::vector<uint8_t> ToDevice(const Tensor& tensor, std::span<const uint8_t> model,
                              const DeviceForm& form, bool output);
// The nearest codes of floats. REQUIRES: `file` has DeviceBytes bytes.
std::vector<uint8_t> FromDevice(const Tensor& tensor, std::span<const uint8_t> file,
                                const DeviceForm& form, bool output);

}  // namespace dlpu
