// SPDX-License-Identifier: Apache-2.0
// Planes, padded rows and floats of devices.
#include "app/device_form.h"

#include <fmt/format.h>

#include <cstring>

#include "app/interpret.h"
#include "app/probe.h"
#include "target/target.h"

namespace dlpu {
namespace {

bool BecomesFloat(const Tensor& tensor, const DeviceForm& form, bool output) {
  const bool integer = tensor.type == DataType::kInt8 || tensor.type == DataType::kUInt8 ||
                       tensor.type == DataType::kInt16;
  return output && form.float_outputs && integer && tensor.quantization.present() &&
         !tensor.quantization.per_channel();
}

// Where elements lie. Tensors of two extents have their second as channels, those of one and three
// are one long row.
struct Places {
  size_t n = 1, c = 1, h = 1, w = 1, element = 1, row = 0;
  bool pictures = false;

  Places(const Tensor& tensor, const DeviceForm& form, bool output) {
    const Shape& s = tensor.shape;
    const auto extent = [&](size_t i) { return static_cast<size_t>(s[i]); };
    const bool planar = form.planar && s.size() <= 4;
    pictures = planar && s.size() == 4;
    if (pictures) {
      n = extent(0), h = extent(1), w = extent(2), c = extent(3);
    } else if (planar && s.size() == 2) {
      n = extent(0), c = extent(1);
    } else {
      w = static_cast<size_t>(ElementCount(s));
    }
    element = static_cast<size_t>(BitsOf(DeviceType(tensor, form, output))) / 8;
    const auto multiple = static_cast<size_t>(planar ? form.row_multiple : 1);
    row = (w * element + multiple - 1) / multiple * multiple;
  }
  size_t bytes() const { return n * c * h * row; }

  // visit(index in the model, byte in the file) for every element
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    size_t line = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < c; ++k) {
        for (size_t y = 0; y < h; ++y, line += row) {
          for (size_t x = 0; x < w; ++x) {
            const size_t index = pictures ? ((i * h + y) * w + x) * c + k : i * c + k + x;
            visit(index, line + x * element);
          }
        }
      }
    }
  }
};

}  // namespace

DeviceForm DeviceFormOf(const std::string& name) {
  DeviceForm form;
  if (name.empty()) return form;
  const Result<Target> target = FindTarget(name);
  if (!target.ok()) return form;
  form.planar = target->input.layout == "rgb-planar";
  form.row_multiple = form.planar ? target->input.pitch_multiple : 1;
  form.float_outputs = target->quantization.need == "compiler";
  return form;
}

DataType DeviceType(const Tensor& tensor, const DeviceForm& form, bool output) {
  return BecomesFloat(tensor, form, output) ? DataType::kFloat32 : tensor.type;
}

size_t DeviceBytes(const Tensor& tensor, const DeviceForm& form, bool output) {
  return Places(tensor, form, output).bytes();
}

std::string DeviceText(const Tensor& tensor, const DeviceForm& form, bool output) {
  const Places at(tensor, form, output);
  const std::string type(DataTypeName(DeviceType(tensor, form, output)));
  if (!form.planar) return fmt::format("{} {}", type, ShapeText(tensor.shape));
  return fmt::format("{} {}x{}x{}x{} (planes), rows of {} bytes", type, at.n, at.c, at.h, at.w,
                     at.row);
}

std::vector<uint8_t> ToDevice(const Tensor& tensor, std::span<const uint8_t> model,
                              const DeviceForm& form, bool output) {
  const Places at(tensor, form, output);
  std::vector<uint8_t> file(at.bytes(), 0);
  std::vector<uint8_t> floats;
  const uint8_t* from = model.data();
  if (BecomesFloat(tensor, form, output)) {
    const std::vector<float> values = RealValues(tensor, model);
    floats.resize(values.size() * sizeof(float));
    std::memcpy(floats.data(), values.data(), floats.size());
    from = floats.data();
  }
  at.ForEach([&](size_t index, size_t byte) {
    std::memcpy(&file[byte], from + index * at.element, at.element);
  });
  return file;
}

std::vector<uint8_t> FromDevice(const Tensor& tensor, std::span<const uint8_t> file,
                                const DeviceForm& form, bool output) {
  const Places at(tensor, form, output);
  const auto count = static_cast<size_t>(ElementCount(tensor.shape));
  std::vector<uint8_t> packed(count * at.element);
  at.ForEach([&](size_t index, size_t byte) {
    std::memcpy(&packed[index * at.element], &file[byte], at.element);
  });
  if (!BecomesFloat(tensor, form, output)) return packed;
  std::vector<float> values(count);
  std::memcpy(values.data(), packed.data(), packed.size());
  return ToBytes(tensor, values);
}

}  // namespace dlpu
