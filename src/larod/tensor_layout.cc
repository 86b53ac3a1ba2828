// SPDX-License-Identifier: Apache-2.0
// Tensors in the form a device hands them out.
#include "larod/tensor_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "larod/buffer_io.h"

namespace dlpu::larod {
namespace {

larodTensorDataType TypeOf(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return LAROD_TENSOR_DATA_TYPE_FLOAT32;
    case DataType::kFloat16:
      return LAROD_TENSOR_DATA_TYPE_FLOAT16;
    case DataType::kFloat64:
      return LAROD_TENSOR_DATA_TYPE_FLOAT64;
    case DataType::kInt8:
      return LAROD_TENSOR_DATA_TYPE_INT8;
    case DataType::kUInt8:
      return LAROD_TENSOR_DATA_TYPE_UINT8;
    case DataType::kInt16:
      return LAROD_TENSOR_DATA_TYPE_INT16;
    case DataType::kUInt16:
      return LAROD_TENSOR_DATA_TYPE_UINT16;
    case DataType::kInt32:
      return LAROD_TENSOR_DATA_TYPE_INT32;
    case DataType::kUInt32:
      return LAROD_TENSOR_DATA_TYPE_UINT32;
    case DataType::kInt64:
      return LAROD_TENSOR_DATA_TYPE_INT64;
    case DataType::kUInt64:
      return LAROD_TENSOR_DATA_TYPE_UINT64;
    case DataType::kBool:
      return LAROD_TENSOR_DATA_TYPE_BOOL;
    default:
      return LAROD_TENSOR_DATA_TYPE_INVALID;
  }
}

size_t RoundedUp(size_t bytes, size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

// real = scale * (code - zero point), with the integer types that outputs have.
float Real(const Tensor& tensor, const uint8_t* code) {
  int32_t value = 0;
  switch (tensor.type) {
    case DataType::kInt8:
      value = static_cast<int8_t>(*code);
      break;
    case DataType::kUInt8:
      value = *code;
      break;
    default: {
      int16_t wide;
      std::memcpy(&wide, code, sizeof wide);
      value = wide;
    }
  }
  return tensor.quantization.scale0() * static_cast<float>(value - tensor.quantization.zero0());
}

bool CanDequantize(const Tensor& tensor) {
  const bool integer = tensor.type == DataType::kInt8 || tensor.type == DataType::kUInt8 ||
                       tensor.type == DataType::kInt16;
  return integer && tensor.quantization.present() && !tensor.quantization.per_channel();
}

}  // namespace

DeviceLayout LayoutOf(const Target& target, const VirtualDevice& device) {
  DeviceLayout layout;
  if (device.facts.engine != "dlpu") return layout;
  layout.planar = target.input.layout == "rgb-planar";
  layout.row_multiple = layout.planar ? target.input.pitch_multiple : 1;
  layout.float_outputs = target.quantization.need == "compiler";
  return layout;
}

Outcome<DeviceTensor> MakeDeviceTensor(const Tensor& tensor, const DeviceLayout& layout,
                                       bool input) {
  DeviceTensor result;
  result.tensor_ = {tensor.name, tensor.type, tensor.shape, tensor.quantization, {}, false, false};
  TensorSpec& spec = result.spec_;
  spec.name = tensor.name;
  spec.type = TypeOf(tensor.type);
  if (spec.type == LAROD_TENSOR_DATA_TYPE_INVALID || tensor.shape.size() > LAROD_TENSOR_MAX_LEN) {
    return Failure{LAROD_ERROR_LOAD_MODEL, "Could not allocate tensors",
                   fmt::format("tensor '{}' is {} {}, which larod cannot describe", tensor.name,
                               DataTypeName(tensor.type), ShapeText(tensor.shape))};
  }
  result.dequantize_ = !input && layout.float_outputs && CanDequantize(tensor);
  if (result.dequantize_) spec.type = LAROD_TENSOR_DATA_TYPE_FLOAT32;
  const Shape& shape = tensor.shape;
  if (!layout.planar || shape.size() > 4) {
    spec.dims.len = shape.size();
    std::copy(shape.begin(), shape.end(), spec.dims.dims);
    if (shape.size() == 4) spec.layout = LAROD_TENSOR_LAYOUT_NHWC;
    spec.pitches = TightPitches(spec.type, spec.dims);
    spec.bytes = ElementBytes(spec.type) * static_cast<size_t>(ElementCount(shape));
    result.as_is_ = !result.dequantize_;
    result.w_ = static_cast<size_t>(ElementCount(shape));
    result.file_.resize(result.as_is_ ? 0 : spec.bytes);
    return result;
  }
  // A vector of classes has them as channels; three extents are one long row (docs/larod.md).
  const auto extent = [&](size_t i) { return static_cast<size_t>(shape[i]); };
  result.spatial_ = shape.size() == 4;
  if (shape.size() == 4) {
    result.n_ = extent(0), result.h_ = extent(1), result.w_ = extent(2), result.c_ = extent(3);
  } else if (shape.size() == 2) {
    result.n_ = extent(0), result.c_ = extent(1);
  } else {
    result.w_ = static_cast<size_t>(ElementCount(shape));
  }
  const size_t element = ElementBytes(spec.type);
  const size_t row = RoundedUp(result.w_ * element, static_cast<size_t>(layout.row_multiple));
  const size_t plane = row * result.h_, picture = plane * result.c_;
  spec.layout = LAROD_TENSOR_LAYOUT_NCHW;
  spec.dims = {{result.n_, result.c_, result.h_, result.w_}, 4};
  spec.pitches = {{picture * result.n_, picture, plane, row}, 4};
  spec.bytes = spec.pitches.pitches[0];
  result.as_is_ = false;
  result.file_.resize(spec.bytes);
  return result;
}

// Calls visit(index in the model, byte in the file) for every element.
template <typename Visit>
void DeviceTensor::ForEachElement(const Visit& visit) const {
  const size_t element = ElementBytes(spec_.type);
  const size_t* pitch = spec_.pitches.pitches;
  const bool padded = spec_.layout == LAROD_TENSOR_LAYOUT_NCHW;
  for (size_t n = 0; n < n_; ++n) {
    for (size_t c = 0; c < c_; ++c) {
      for (size_t h = 0; h < h_; ++h) {
        const size_t row = padded ? n * pitch[1] + c * pitch[2] + h * pitch[3] : 0;
        for (size_t w = 0; w < w_; ++w) {
          const size_t index = spatial_ ? ((n * h_ + h) * w_ + w) * c_ + c : n * c_ + c + w;
          visit(index, row + w * element);
        }
      }
    }
  }
}

void DeviceTensor::Pack(std::span<const uint8_t> model) {
  const size_t element = ElementBytes(spec_.type);
  const size_t code = static_cast<size_t>(BitsOf(tensor_.type)) / 8;
  std::fill(file_.begin(), file_.end(), uint8_t{0});
  ForEachElement([&](size_t index, size_t byte) {
    if (dequantize_) {
      const float real = Real(tensor_, &model[index * code]);
      std::memcpy(&file_[byte], &real, sizeof real);
    } else {
      std::memcpy(&file_[byte], &model[index * code], element);
    }
  });
}

void DeviceTensor::Unpack(std::span<uint8_t> model) const {
  const size_t element = ElementBytes(spec_.type);
  ForEachElement([&](size_t index, size_t byte) {
    std::memcpy(&model[index * element], &file_[byte], element);
  });
}

Outcome<Nothing> DeviceTensor::Read(const Buffer& buffer, std::span<uint8_t> model) {
  if (as_is_) return ReadBuffer(buffer, spec_, model);
  LAROD_RETURN_IF_FAILED(ReadBuffer(buffer, spec_, file_));
  Unpack(model);
  return Nothing();
}

Outcome<Nothing> DeviceTensor::Write(std::span<const uint8_t> model, const Buffer& buffer) {
  if (as_is_) return WriteBuffer(buffer, model);
  Pack(model);
  return WriteBuffer(buffer, file_);
}

}  // namespace dlpu::larod
