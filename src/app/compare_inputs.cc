// SPDX-License-Identifier: Apache-2.0
// compare --inputs: an application's input tensor beside the one the model should get.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/compare_dump.h"
#include "app/interpret.h"
#include "base/file.h"
#include "formats/npy.h"
#include "formats/sniff.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

Result<std::vector<uint8_t>> ReadTensorFile(const std::string& path) {
  DLPU_TRY(std::vector<uint8_t> bytes, ReadFile(path));
  if (!IsNpy(bytes)) return bytes;
  DLPU_TRY(NpyArray array, ReadNpy(bytes, path));
  return std::move(array.data);
}

bool IsPictureFile(const std::vector<uint8_t>& bytes) {
  const FileKind kind = SniffFile(bytes);
  const bool pnm = bytes.size() > 2 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6');
  return kind == FileKind::kPng || kind == FileKind::kJpeg || kind == FileKind::kBmp || pnm;
}

// The pixels that the tensor was made from: each value's nearest pixel.
Result<Image> PixelsOf(std::span<const uint8_t> bytes, const Tensor& tensor,
                       const InputSpec& spec) {
  if (spec.channels != 1 && spec.channels != 3) {
    return UnsupportedError(
        fmt::format("input '{}' has {} channels: give the picture", tensor.name, spec.channels));
  }
  Tensor plain = tensor;
  plain.quantization = {};
  const std::vector<float> values = RealValues(plain, bytes);
  Image image = MakeImage(spec.width, spec.height, spec.channels);
  const auto area = static_cast<size_t>(spec.width) * static_cast<size_t>(spec.height);
  for (int c = 0; c < spec.channels; ++c) {
    const std::array<float, 256> known = PixelValues(spec, c);
    const bool rising = known[255] > known[0];
    for (size_t i = 0; i < area; ++i) {
      const size_t from = spec.layout == PixelLayout::kNhwc
                              ? i * static_cast<size_t>(spec.channels) + static_cast<size_t>(c)
                              : static_cast<size_t>(c) * area + i;
      size_t best = 0;
      for (size_t step = 128; step > 0; step /= 2) {
        const size_t next = best + step;
        const bool below = rising ? known[next] <= values[from] : known[next] >= values[from];
        if (next < 256 && below) best = next;
      }
      if (best < 255 &&
          std::fabs(known[best + 1] - values[from]) < std::fabs(known[best] - values[from])) {
        ++best;
      }
      const int channel = spec.bgr && spec.channels == 3 ? 2 - c : c;
      image.pixels[i * static_cast<size_t>(spec.channels) + static_cast<size_t>(channel)] =
          static_cast<uint8_t>(best);
    }
  }
  return image;
}

Result<size_t> FindInput(const Program& program, const std::string& name) {
  if (name.empty()) return size_t{0};
  std::string names;
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    const std::string& known = program.tensors[program.inputs[i]].name;
    if (known == name) return i;
    names += (i == 0 ? "" : ", ") + known;
  }
  return NotFoundError(fmt::format("no input '{}'; the model has {}", name, names));
}

std::string DistanceText(const InputDistance& d) {
  if (d.largest == 0) return "equal";
  return fmt::format("mean {:.3g}, largest {:.4g}, {:.1f} % equal", d.mean, d.largest,
                     100 * d.equal);
}

nlohmann::ordered_json DistanceJson(const InputDistance& d) {
  return {{"mean", d.mean}, {"largest", d.largest}, {"equal", d.equal}};
}

}  // namespace

Result<InputComparison> CompareInputs(const CompareSide& model, const std::string& mine,
                                      const std::string& theirs, const std::string& input,
                                      const InputOptions& options) {
  DLPU_TRY(const Program program, CompileModel(model.model, model.options));
  DLPU_TRY(const size_t index, FindInput(program, input));
  const Tensor& tensor = program.tensors[program.inputs[index]];
  InputComparison comparison;
  comparison.input = tensor.name;
  DLPU_TRY(const InputSpec spec, PictureSpec(tensor, index, model.model, options, comparison.note));
  DLPU_TRY(const std::vector<uint8_t> other, ReadTensorFile(theirs));
  DLPU_TRY(const std::vector<uint8_t> file, ReadFile(mine));
  comparison.from_picture = IsPictureFile(file);
  Image picture;
  if (comparison.from_picture) {
    DLPU_TRY(picture, DecodeRgb(file, mine));
  } else {
    DLPU_TRY(const std::vector<uint8_t> bytes, ReadTensorFile(mine));
    if (static_cast<int64_t>(bytes.size()) != ByteCount(tensor.type, tensor.shape)) {
      return InvalidError(fmt::format("{}: {} bytes; input '{}' is {}", mine, bytes.size(),
                                      tensor.name, InputText(tensor)));
    }
    DLPU_TRY(picture, PixelsOf(bytes, tensor, spec));
  }
  DLPU_TRY(comparison.report, ExplainInput(picture, spec, other));
  return comparison;
}

std::string CompareInputsText(const InputComparison& comparison) {
  const InputReport& report = comparison.report;
  std::string text = fmt::format("input      {}\ndistance   {}\n", comparison.input,
                                 DistanceText(report.distance));
  if (report.distance.largest == 0) return text + "the tensors are the same\n";
  if (report.causes.empty()) {
    text += "cause      not known: no usual mistake brings them nearer\n";
  }
  int left = 5;
  for (const InputExplanation& cause : report.causes) {
    if (left-- == 0) break;
    text += fmt::format("cause      {}; undone: {}\n", cause.cause, DistanceText(cause.distance));
    if (cause.distance.largest == 0) break;
  }
  if (!comparison.from_picture) {
    text +=
        "note: with the picture instead of a tensor, filters, fits and colours are tried on "
        "its full size\n";
  }
  if (!comparison.note.empty()) text += "note: " + comparison.note + "\n";
  return text;
}

nlohmann::ordered_json CompareInputsJson(const InputComparison& comparison) {
  nlohmann::ordered_json json = {{"input", comparison.input},
                                 {"distance", DistanceJson(comparison.report.distance)},
                                 {"causes", nlohmann::ordered_json::array()},
                                 {"note", comparison.note}};
  for (const InputExplanation& cause : comparison.report.causes) {
    json["causes"].push_back({{"cause", cause.cause}, {"distance", DistanceJson(cause.distance)}});
  }
  return json;
}

}  // namespace dlpu
