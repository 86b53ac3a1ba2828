// SPDX-License-Identifier: Apache-2.0
// How a device lays tensors out in an application's files, and the way between that and the
// model's own form (row-major, packed, NHWC). Any thread; one job at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "larod/catalogue.h"
#include "larod/outcome.h"
#include "larod/types.h"

namespace dlpu::larod {

// What a device does to a model's tensors; from the target's facts.
struct DeviceLayout {
  bool planar = false;         // four extents: NHWC becomes NCHW; fewer are spread over N, C, H, W
  int row_multiple = 1;        // bytes; the innermost rows are padded to this
  bool float_outputs = false;  // quantized outputs are handed out as float32
};
DeviceLayout LayoutOf(const Target& target, const VirtualDevice& device);

// One input or output.
class DeviceTensor {
 public:
  const TensorSpec& spec() const { return spec_; }
  // From an application's file to the model's input of that tensor.
  Outcome<Nothing> Read(const Buffer& buffer, std::span<uint8_t> model);
  // From the model's output to an application's file.
  Outcome<Nothing> Write(std::span<const uint8_t> model, const Buffer& buffer);

 private:
  friend Outcome<DeviceTensor> MakeDeviceTensor(const Tensor& tensor, const DeviceLayout& layout,
                                                bool input);
  void Pack(std::span<const uint8_t> model);
  void Unpack(std::span<uint8_t> model) const;
  template <typename Visit>
  void ForEachElement(const Visit& visit) const;

  TensorSpec spec_;
  Tensor tensor_;      // without data
  bool as_is_ = true;  // the file holds the model's bytes
  bool dequantize_ = false;
  size_t n_ = 1, c_ = 1, h_ = 1, w_ = 1;  // of the planar form
  bool spatial_ = false;                  // the model has the channel last
  std::vector<uint8_t> file_;             // the tensor as it lies in the file
};
// -2 for a tensor that larod cannot describe (strings, int4, more than 12 extents).
Outcome<DeviceTensor> MakeDeviceTensor(const Tensor& tensor, const DeviceLayout& layout,
                                       bool input);

}  // namespace dlpu::larod
