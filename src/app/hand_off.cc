// SPDX-License-Identifier: Apache-2.0
// The folder for a vendor's tool that dlpu cannot run.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "app/compile.h"
#include "base/file.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

// Rows of a picture as the target wants them in memory.
std::string PitchText(const Tensor& tensor, const TargetInput& input) {
  if (tensor.shape.size() != 4) return "";
  const int width = tensor.shape[2];
  if (width <= 0) return "";
  const int pitch =
      (width + input.pitch_multiple - 1) / input.pitch_multiple * input.pitch_multiple;
  return fmt::format("  row pitch: {} bytes ({} pixels of one plane{})\n", pitch, width,
                     pitch == width ? ""
                                    : fmt::format(" and {} bytes of padding: rows start at "
                                                  "multiples of {}",
                                                  pitch - width, input.pitch_multiple));
}

// How one input's calibration files are made.
struct CalibrationInput {
  std::string name;   // of the tensor
  Shape planar;       // N, C, H, W; other ranks as they are
  bool turn = false;  // the tensor has channels last
  InputSpec pixels;   // a picture as planes of bytes, before the normalisation
  InputSpec spec;     // the normalisation
  bool takes_pictures = false;
  bool bytes = false;        // pictures were given: the files hold pixels, else float32
  std::string folder, list;  // names in the hand-off folder
  std::vector<std::string> files;
};

std::vector<CalibrationInput> InputsOf(const HandOff& hand_off) {
  std::vector<CalibrationInput> inputs;
  const Graph& graph = hand_off.graph;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.inputs[i]];
    CalibrationInput input;
    input.name = tensor.name;
    input.planar = tensor.shape;
    std::string note;
    const auto spec = PictureSpec(tensor, i, hand_off.model, hand_off.input, note);
    input.takes_pictures = spec.ok() && tensor.type == DataType::kFloat32;
    if (input.takes_pictures) input.spec = *spec;
    input.turn = tensor.shape.size() == 4 &&
                 !(input.takes_pictures && input.spec.layout == PixelLayout::kNchw);
    if (input.turn) {
      input.planar = {tensor.shape[0], tensor.shape[3], tensor.shape[1], tensor.shape[2]};
    }
    input.pixels = input.spec;
    input.pixels.layout = PixelLayout::kNchw;
    input.pixels.type = PixelType::kUint8;
    input.pixels.mean = {0, 0, 0, 0};
    input.pixels.std = {1, 1, 1, 1};
    input.pixels.scale = 1;
    input.pixels.zero_point = 0;
    const std::string number = i == 0 ? "" : fmt::format("_{}", i + 1);
    input.folder = "calibration" + number;
    input.list = "calibration_list" + number + ".txt";
    inputs.push_back(std::move(input));
  }
  return inputs;
}

// Values with channels last as planes.
std::vector<uint8_t> Planes(std::span<const uint8_t> values, const CalibrationInput& input) {
  std::vector<uint8_t> planes(values.begin(), values.end());
  if (!input.turn) return planes;
  const auto channels = static_cast<size_t>(input.planar[1]);
  const size_t places = static_cast<size_t>(input.planar[2]) * static_cast<size_t>(input.planar[3]);
  const size_t picture = channels * places * sizeof(float);
  for (size_t n = 0; picture > 0 && (n + 1) * picture <= values.size(); ++n) {
    for (size_t at = 0; at < places; ++at) {
      for (size_t c = 0; c < channels; ++c) {
        std::memcpy(&planes[n * picture + (c * places + at) * sizeof(float)],
                    &values[n * picture + (at * channels + c) * sizeof(float)], sizeof(float));
      }
    }
  }
  return planes;
}

// Writes the calibration files and lists.
class CalibrationWriter {
 public:
  CalibrationWriter(const HandOff& hand_off, const std::string& folder,
                    std::vector<CalibrationInput>& inputs)
      : hand_off_(hand_off), folder_(folder), inputs_(inputs) {}

  // What was left out, and why.
  Result<std::string> Write() {
    DLPU_TRY(Program program, Compile(hand_off_.graph, {}));
    DLPU_TRY(runner_, Runner::Load(std::move(program), {}));
    for (const CalibrationInput& input : inputs_) {
      DLPU_RETURN_IF_ERROR(MakeDirectory(folder_ + "/" + input.folder));
    }
    const CalibrationSet& set = *hand_off_.set;
    for (size_t i = 0; i < set.size(); ++i) {
      const auto filled = FillSample(*runner_, hand_off_.model, hand_off_.input, set, i);
      if (!filled.ok()) {
        left_out_ += fmt::format("left out of the calibration: {}: {}\n", SampleName(set, i),
                                 filled.error().message);
        continue;
      }
      DLPU_RETURN_IF_ERROR(WriteSample(*filled, i));
      ++written_;
    }
    if (written_ == 0) {
      return InvalidError(
          fmt::format("{}: no input for the hand-off folder\n{}", set.source, left_out_));
    }
    for (const CalibrationInput& input : inputs_) {
      std::string list;
      for (const std::string& file : input.files) list += file + "\n";
      DLPU_RETURN_IF_ERROR(WriteTextFile(folder_ + "/" + input.list, list));
    }
    return left_out_;
  }

 private:
  Status WriteSample(const std::vector<FilledInput>& filled, size_t sample) {
    for (size_t k = 0; k < inputs_.size(); ++k) {
      CalibrationInput& input = inputs_[k];
      std::vector<uint8_t> bytes;
      if (filled[k].is_picture && input.takes_pictures) {
        DLPU_TRY(ModelInput pixels, MakeModelInput(filled[k].picture, input.pixels));
        bytes = std::move(pixels.bytes);
        input.bytes = true;
      } else {
        bytes = Planes(runner_->input(k), input);
      }
      const std::string name = fmt::format("{}/{:05}.bin", input.folder, sample);
      DLPU_RETURN_IF_ERROR(WriteFile(folder_ + "/" + name, bytes));
      input.files.push_back(name);
    }
    return OkStatus();
  }

  const HandOff& hand_off_;
  const std::string& folder_;
  std::vector<CalibrationInput>& inputs_;
  std::unique_ptr<Runner> runner_;
  std::string left_out_;
  int written_ = 0;
};

std::string Joined(const Shape& shape) {
  std::string text;
  for (const int32_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : ",", extent);
  return text;
}

// One value, or one for each channel.
std::string PerChannelText(const std::array<float, 4>& values, int channels) {
  const auto end = values.begin() + std::min(channels, 3);
  if (std::all_of(values.begin(), end, [&](float v) { return v == values[0]; })) {
    return fmt::format("{:.9g}", values[0]);
  }
  std::string text;
  for (auto v = values.begin(); v != end; ++v) {
    text += fmt::format("{}{:.9g}", text.empty() ? "" : ",", *v);
  }
  return text;
}

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// Letters, digits, '-' and '_' only: it becomes a file's name.
std::string PlainName(std::string name) {
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    if (!plain) c = '_';
  }
  return name.empty() ? "network" : name;
}

// Inside double quotes of a shell.
std::string InQuotes(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// The command lines; empty when the tool's data has none for the format.
std::string CommandsText(const HandOff& hand_off, const std::vector<CalibrationInput>& inputs) {
  const TargetCompiler& compiler = *hand_off.target.compiler;
  const std::vector<std::string>& steps =
      hand_off.format == "onnx" ? compiler.onnx_steps : compiler.tflite_steps;
  if (steps.empty()) return "";
  std::string sources, outputs;
  for (const CalibrationInput& input : inputs) {
    std::string one = Replaced(compiler.input_argument, "{shape}", Joined(input.planar));
    const bool normalised = input.takes_pictures && (input.bytes || hand_off.set == nullptr);
    const std::array<float, 4> zeros = {0, 0, 0, 0}, ones = {1, 1, 1, 1};
    one = Replaced(one, "{mean}",
                   PerChannelText(normalised ? input.spec.mean : zeros, input.spec.channels));
    one = Replaced(one, "{std}",
                   PerChannelText(normalised ? input.spec.std : ones, input.spec.channels));
    // The vendor's words for unsigned bytes and for float32: sign, size, exponent offset and bits.
    one = Replaced(one, "{format}", normalised ? "0,0,0,0" : "1,2,0,7");
    one = Replaced(one, "{list}", input.list);
    one = Replaced(one, "{input}", InQuotes(input.name));
    sources += (sources.empty() ? "" : " ") + one;
  }
  for (const TensorId id : hand_off.graph.outputs) {
    outputs += (outputs.empty() ? "" : " ") + Replaced(compiler.output_argument, "{output}",
                                                       InQuotes(hand_off.graph.tensors[id].name));
  }
  std::string text = fmt::format(
      "#!/bin/sh\n# To be run in this folder where {} is installed. dlpu has not run it: the "
      "lines\n"
      "# follow {}, and options differ between versions of the tool.\nset -e\n",
      compiler.name, compiler.fact.source);
  for (std::string step : steps) {
    step = Replaced(step, "{model}", "model." + hand_off.format);
    step = Replaced(step, "{name}", PlainName(fs::path(hand_off.model.path).stem().string()));
    step = Replaced(step, "{inputs}", sources);
    text += Replaced(step, "{outputs}", outputs) + "\n";
  }
  return text;
}

std::string CalibrationFacts(const CalibrationInput& input) {
  if (input.files.empty()) return "";
  const std::string first =
      fmt::format("  calibration: {} files in {}", input.files.size(), input.list);
  if (!input.bytes) return first + ": float32, planar, as the model takes them\n";
  return fmt::format(
      "{}: bytes of pixels, planes {}, rows without padding; the model wants (pixel - {}) / {}\n",
      first,
      input.spec.channels == 1 ? "grey"
      : input.spec.bgr         ? "blue, green, red"
                               : "red, green, blue",
      PerChannelText(input.spec.mean, input.spec.channels),
      PerChannelText(input.spec.std, input.spec.channels));
}

std::string FactsText(const HandOff& hand_off, const std::string& file_name,
                      const std::vector<CalibrationInput>& inputs, const std::string& left_out) {
  const Target& target = hand_off.target;
  const Graph& graph = hand_off.graph;
  std::string text = fmt::format(
      "Facts for {} ({})\n\nmodel file: {}\nmade from: {} (sha256 {})\nlarod device: {}\n",
      target.compiler->name, target.title, file_name, hand_off.model.path, hand_off.model.sha256,
      target.device);
  text += fmt::format("\nThe camera loads a file that only {} makes. {}\n", target.compiler->name,
                      target.compiler->says);
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.inputs[i]];
    text += fmt::format("\ninput '{}': {} {}\n  layout on the camera: {}; {}\n", tensor.name,
                        ShapeText(tensor.shape), TypeText(tensor), target.input.layout,
                        target.input.says);
    text += PitchText(tensor, target.input) + CalibrationFacts(inputs[i]);
  }
  for (const TensorId id : graph.outputs) {
    const Tensor& tensor = graph.tensors[id];
    text += fmt::format("\noutput '{}': {} {}\n", tensor.name, ShapeText(tensor.shape),
                        TypeText(tensor));
  }
  text += fmt::format("\nquantization: {}\n{}", target.quantization.says, left_out);
  return text;
}

constexpr const char* kCalibrationText =
    "# Calibration inputs, one path on each line. This list is empty: dlpu has no pictures of\n"
    "# yours. Give 100 to 200 that look like what the camera will see with --calibration, and\n"
    "# they are prepared exactly as the application prepares its input (size, channel order).\n";

}  // namespace

Result<Artifact> WriteHandOff(const HandOff& hand_off, const std::string& folder) {
  DLPU_CHECK(hand_off.target.compiler.has_value());
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder));
  const std::string file_name = "model." + hand_off.format;
  DLPU_RETURN_IF_ERROR(WriteFile(folder + "/" + file_name, hand_off.file));
  std::vector<CalibrationInput> inputs = InputsOf(hand_off);
  std::string left_out;
  if (hand_off.set != nullptr) {
    DLPU_TRY(left_out, CalibrationWriter(hand_off, folder, inputs).Write());
  } else {
    DLPU_RETURN_IF_ERROR(WriteTextFile(folder + "/calibration_list.txt", kCalibrationText));
  }
  const std::string commands = CommandsText(hand_off, inputs);
  if (!commands.empty()) {
    DLPU_RETURN_IF_ERROR(WriteTextFile(folder + "/commands.sh", commands));
  }
  DLPU_RETURN_IF_ERROR(
      WriteTextFile(folder + "/facts.txt", FactsText(hand_off, file_name, inputs, left_out)));
  return Artifact{folder, "the hand-off folder for " + hand_off.target.compiler->name, "",
                  static_cast<int64_t>(hand_off.file.size())};
}

}  // namespace dlpu
