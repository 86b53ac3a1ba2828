// SPDX-License-Identifier: Apache-2.0
// Files to tensors.
#include "app/tensor_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "formats/npy.h"
#include "formats/sniff.h"

namespace dlpu {
namespace {

bool IsPicture(FileKind kind, std::span<const uint8_t> bytes) {
  const bool pnm = bytes.size() > 2 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6');
  return kind == FileKind::kPng || kind == FileKind::kJpeg || kind == FileKind::kBmp || pnm;
}

// Which input of the model an entry of --input means, and the file.
Result<std::pair<size_t, std::string>> ResolveEntry(const Runner& runner, const LoadedModel& model,
                                                    const std::string& entry, size_t position) {
  const size_t equals = entry.find('=');
  if (equals != std::string::npos) {
    const std::string name = entry.substr(0, equals);
    for (size_t i = 0; i < runner.input_count(); ++i) {
      const bool is_signature_name =
          i < model.graph.signature_inputs.size() && model.graph.signature_inputs[i] == name;
      if (runner.input_tensor(i).name == name || is_signature_name) {
        return std::pair(i, entry.substr(equals + 1));
      }
    }
    // A path may have the sign in it, but then the file is there.
    if (std::error_code none; !std::filesystem::exists(entry, none)) {
      std::string names;
      for (size_t i = 0; i < runner.input_count(); ++i) {
        names += fmt::format("{}'{}'", i > 0 ? ", " : "", runner.input_tensor(i).name);
      }
      return NotFoundError(
          fmt::format("--input {}: the model has no input '{}'; it has {}", entry, name, names));
    }
  }
  if (position >= runner.input_count()) {
    return InvalidError(fmt::format("--input {}: the model has {} input{}", entry,
                                    runner.input_count(), runner.input_count() == 1 ? "" : "s"));
  }
  return std::pair(position, entry);
}

// The type a buffer of `bytes` would fit if the input had it, or an empty text.
std::string FittingType(const Tensor& tensor, int64_t bytes) {
  for (const DataType type : {DataType::kUInt8, DataType::kInt16, DataType::kFloat32}) {
    if (BitsOf(type) != BitsOf(tensor.type) && ByteCount(type, tensor.shape) == bytes) {
      return fmt::format(", which would fit {}", DataTypeName(type));
    }
  }
  return "";
}

Result<PixelType> PixelTypeOf(const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::kUInt8:
      return PixelType::kUint8;
    case DataType::kInt8:
      return PixelType::kInt8;
    case DataType::kInt16:
      return PixelType::kInt16;
    case DataType::kFloat32:
      return PixelType::kFloat32;
    default:
      return UnsupportedError(fmt::format("input '{}' is {}: it cannot be filled from a picture",
                                          tensor.name, InputText(tensor)));
  }
}

Result<std::array<float, 4>> PerChannel(const std::vector<float>& values, const char* option) {
  if (values.size() == 1) return std::array<float, 4>{values[0], values[0], values[0], values[0]};
  if (values.size() == 3) return std::array<float, 4>{values[0], values[1], values[2], 0};
  return InvalidError(
      fmt::format("{}: give one value, or three for the channels; not {}", option, values.size()));
}

// The normalisation that the model's own metadata states for input `index`; null when it states
// none that fits the tensor's channels, or none that can be stored (integers without a scale).
const TfliteMetadata::TensorInfo* StatedByModel(const LoadedModel& model, const InputSpec& spec,
                                                const Tensor& tensor, size_t index) {
  if (!model.metadata.has_value() || index >= model.metadata->inputs.size()) return nullptr;
  if (spec.type != PixelType::kFloat32 && !tensor.quantization.present()) return nullptr;
  const TfliteMetadata::TensorInfo& info = model.metadata->inputs[index];
  const auto fits = [&spec](const std::vector<float>& values) {
    return values.size() == 1 || (values.size() == 3 && spec.channels == 3);
  };
  return fits(info.mean) && fits(info.std) ? &info : nullptr;
}

bool HasPictureName(const std::string& path) {
  static constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm"};
  std::string lower = path;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

Status FillFromFile(Runner& runner, size_t index, const LoadedModel& model,
                    const InputOptions& options, FilledInput& filled) {
  const Tensor& tensor = runner.input_tensor(index);
  const std::span<uint8_t> target = runner.input(index);
  DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(filled.source));
  if (IsNpy(bytes)) {
    DLPU_TRY(const NpyArray array, ReadNpy(bytes, filled.source));
    if (array.type != tensor.type || array.data.size() != target.size()) {
      return InvalidError(fmt::format("input '{}' is {}; {} is {} {}", tensor.name,
                                      InputText(tensor), filled.source, DataTypeName(array.type),
                                      ShapeText(array.shape)));
    }
    if (!target.empty()) std::memcpy(target.data(), array.data.data(), target.size());
    return OkStatus();
  }
  if (IsPicture(SniffFile(bytes), bytes)) {
    DLPU_TRY(const InputSpec spec, PictureSpec(tensor, index, model, options, filled.note));
    DLPU_TRY(filled.picture, DecodeRgb(bytes, filled.source));
    DLPU_TRY(ModelInput input, MakeModelInput(filled.picture, spec));
    DLPU_CHECK(input.bytes.size() == target.size());
    std::memcpy(target.data(), input.bytes.data(), target.size());
    filled.placement = input.placement;
    filled.is_picture = true;
    return OkStatus();
  }
  if (bytes.size() != target.size() && HasPictureName(filled.source)) {
    return InvalidError(fmt::format(
        "{}: is named like a picture, and its {} bytes are no JPEG, PNG, BMP, PPM or PGM",
        filled.source, bytes.size()));
  }
  if (bytes.size() != target.size()) {
    return InvalidError(fmt::format("input '{}' is {}; {} has {}{}", tensor.name, InputText(tensor),
                                    filled.source, bytes.size(),
                                    FittingType(tensor, static_cast<int64_t>(bytes.size()))));
  }
  if (!target.empty()) std::memcpy(target.data(), bytes.data(), target.size());
  return OkStatus();
}

}  // namespace

Result<InputSpec> PictureSpec(const Tensor& tensor, size_t index, const LoadedModel& model,
                              const InputOptions& options, std::string& note) {
  if (tensor.shape.size() != 4 || tensor.shape[0] != 1) {
    return UnsupportedError(
        fmt::format("input '{}' is {}: a picture needs 1xHxWxC", tensor.name, InputText(tensor)));
  }
  InputSpec spec;
  DLPU_TRY(spec.type, PixelTypeOf(tensor));
  const ZooInput* zoo =
      model.zoo.has_value() && model.zoo->input.image ? &model.zoo->input : nullptr;
  const bool nchw = tensor.shape[1] <= 4 && tensor.shape[3] > 4;
  spec.layout = nchw ? PixelLayout::kNchw : PixelLayout::kNhwc;
  spec.channels = tensor.shape[nchw ? 1 : 3];
  spec.height = tensor.shape[nchw ? 2 : 1];
  spec.width = tensor.shape[nchw ? 3 : 2];
  const Quantization& q = tensor.quantization;
  if (q.present()) {
    spec.scale = q.scale0();
    spec.zero_point = q.zero0();
  }
  const bool stated = !options.mean.empty() || !options.std.empty();
  if (stated) {
    if (!options.mean.empty()) {
      DLPU_TRY(spec.mean, PerChannel(options.mean, "--mean"));
    }
    if (!options.std.empty()) {
      DLPU_TRY(spec.std, PerChannel(options.std, "--std"));
    }
  } else if (zoo != nullptr && zoo->mean.size() == 3 && zoo->std.size() == 3) {
    std::copy(zoo->mean.begin(), zoo->mean.end(), spec.mean.begin());
    std::copy(zoo->std.begin(), zoo->std.end(), spec.std.begin());
  } else if (const auto* stated_by_model = StatedByModel(model, spec, tensor, index)) {
    DLPU_TRY(spec.mean, PerChannel(stated_by_model->mean, "mean in the metadata"));
    DLPU_TRY(spec.std, PerChannel(stated_by_model->std, "std in the metadata"));
  } else if (spec.type != PixelType::kFloat32 && (BitsOf(tensor.type) == 8 || !q.present())) {
    spec.mean = {0, 0, 0, 0};
    spec.std = {1, 1, 1, 1};
    spec.scale = 1;
    spec.zero_point = LowestCode(tensor.type) < 0 && BitsOf(tensor.type) == 8 ? -128 : 0;
    note = "pixels are passed as they are; state another normalisation with --mean and --std";
  } else {
    note = "pixels are scaled to 0..1; state another normalisation with --mean and --std";
  }
  spec.bgr = options.bgr || (zoo != nullptr && zoo->bgr);
  const std::string resize = !options.resize.empty()              ? options.resize
                             : (zoo != nullptr && zoo->letterbox) ? "letterbox"
                                                                  : "stretch";
  if (resize == "letterbox") {
    spec.fit = FitMode::kLetterbox;
    if (zoo != nullptr) spec.pad = kBlack;
  } else if (resize == "crop") {
    spec.fit = FitMode::kCrop;
  } else if (resize != "stretch") {
    return InvalidError(
        fmt::format("--resize {}: give stretch, letterbox or crop", options.resize));
  }
  return spec;
}

std::string InputText(const Tensor& tensor) {
  return fmt::format("{} {}, {} bytes", DataTypeName(tensor.type), ShapeText(tensor.shape),
                     ByteCount(tensor.type, tensor.shape));
}

Result<std::vector<FilledInput>> FillInputs(Runner& runner, const LoadedModel& model,
                                            const InputOptions& options) {
  std::vector<FilledInput> filled(runner.input_count());
  for (size_t i = 0; i < runner.input_count(); ++i) {
    const Tensor& tensor = runner.input_tensor(i);
    filled[i].name = tensor.name;
    filled[i].source = "zeros";
    const bool coded = BitsOf(tensor.type) == 8 && tensor.quantization.present();
    const std::span<uint8_t> target = runner.input(i);
    if (!target.empty()) {
      std::memset(target.data(), coded ? tensor.quantization.zero0() : 0, target.size());
    }
  }
  std::vector<bool> taken(runner.input_count(), false);
  size_t next = 0;
  for (const std::string& entry : options.files) {
    while (next < taken.size() && taken[next]) ++next;
    DLPU_TRY(const auto resolved, ResolveEntry(runner, model, entry, next));
    const auto& [index, file] = resolved;
    if (taken[index]) {
      return InvalidError(
          fmt::format("--input {}: input '{}' has a file already", entry, filled[index].name));
    }
    taken[index] = true;
    filled[index].source = file;
    DLPU_RETURN_IF_ERROR(FillFromFile(runner, index, model, options, filled[index]));
  }
  return filled;
}

void FillRandom(Runner& runner, uint64_t seed) {
  uint64_t state = seed * 0x9E3779B97F4A7C15ull + 0x632BE59BD9B4E019ull;
  const auto next = [&state] {  // xorshift64*: the same everywhere
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Dull;
  };
  for (size_t i = 0; i < runner.input_count(); ++i) {
    const std::span<uint8_t> target = runner.input(i);
    if (runner.input_tensor(i).type == DataType::kFloat32) {
      for (size_t k = 0; k + 4 <= target.size(); k += 4) {
        const float value =
            static_cast<float>(static_cast<int64_t>(next() >> 40)) / 8388608.0f - 1.0f;
        std::memcpy(target.data() + k, &value, sizeof(value));
      }
    } else {
      for (uint8_t& byte : target) byte = static_cast<uint8_t>(next() >> 56);
    }
  }
}

}  // namespace dlpu
