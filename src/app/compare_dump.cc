// SPDX-License-Identifier: Apache-2.0
// Reads raw outputs and compares them.
#include "app/compare_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "app/device_form.h"
#include "app/interpret.h"
#include "base/file.h"
#include "formats/npy.h"
#include "formats/sniff.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

// The last number in a file's name, its ending aside; -1 without one.
int64_t LastNumber(const fs::path& path) {
  std::string name = path.filename().string();
  for (const char* ending : {".npy", ".bin", ".raw"}) {
    if (name.ends_with(ending)) name.resize(name.size() - 4);
  }
  size_t end = name.size();
  while (end > 0 && std::isdigit(static_cast<unsigned char>(name[end - 1])) == 0) --end;
  size_t begin = end;
  while (begin > 0 && end - begin < 9 &&
         std::isdigit(static_cast<unsigned char>(name[begin - 1])) != 0) {
    --begin;
  }
  return begin == end ? -1 : std::stoll(name.substr(begin, end - begin));
}

std::vector<std::string> FilesOf(const std::string& path, size_t outputs) {
  std::vector<std::string> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end(), [](const std::string& a, const std::string& b) {
      return std::pair(LastNumber(a), a) < std::pair(LastNumber(b), b);
    });
    return files;
  }
  files = {path};
  if (!path.ends_with('0')) return files;
  for (size_t i = 1; i < outputs; ++i) {
    const std::string next = path.substr(0, path.size() - 1) + std::to_string(i);
    if (!fs::exists(next)) break;
    files.push_back(next);
  }
  return files;
}

// What the bytes would fit; empty when nothing is obvious.
std::string Hint(const Tensor& tensor, size_t bytes) {
  const auto count = static_cast<size_t>(ElementCount(tensor.shape));
  if (bytes == count) return "; it fits 8-bit codes: name the model it came from with --of";
  if (bytes == 4 * count) return "; it fits float32: name the model it came from with --of";
  if (bytes > count && tensor.shape.size() == 4 && count > 0) {
    return "; rows may be padded: name the target it came from, as in MODEL@cv25";
  }
  return "";
}

struct Output {
  Tensor tensor;
  std::vector<uint8_t> bytes;
};

// Inputs that are files in the form of a device, all of them; false when they are not.
Result<bool> FillAsOnDevice(Runner& runner, const DeviceForm& form,
                            const std::vector<std::string>& files) {
  if (form.same() || files.size() != runner.input_count()) return false;
  std::vector<std::vector<uint8_t>> inputs;
  for (size_t i = 0; i < files.size(); ++i) {
    DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(files[i]));
    const Tensor& tensor = runner.input_tensor(i);
    const FileKind kind = SniffFile(bytes);
    const bool raw = kind != FileKind::kNpy && kind != FileKind::kPng && kind != FileKind::kJpeg &&
                     kind != FileKind::kBmp;
    if (!raw || bytes.size() != DeviceBytes(tensor, form, false)) return false;
    inputs.push_back(FromDevice(tensor, bytes, form, false));
  }
  for (size_t i = 0; i < files.size(); ++i) {
    std::copy(inputs[i].begin(), inputs[i].end(), runner.input(i).begin());
  }
  return true;
}

Result<std::vector<Output>> RunModel(const CompareSide& side, const DeviceForm& form,
                                     const CompareOptions& options, CompareReport& report) {
  ModelOptions model = side.options;
  model.threads = options.threads;
  DLPU_TRY(const std::unique_ptr<Runner> runner, LoadRunner(side.model, model));
  if (options.input.files.empty()) {
    return InvalidError("a dump needs --input: the file that the camera's run was given");
  }
  DLPU_TRY(const bool raw, FillAsOnDevice(*runner, form, options.input.files));
  if (!raw) {
    DLPU_TRY(const auto filled, FillInputs(*runner, side.model, options.input));
    for (const FilledInput& one : filled) {
      if (!one.note.empty()) {
        report.notes.push_back(fmt::format("input '{}': {}", one.name, one.note));
      }
    }
  }
  report.samples = {options.input.files[0]};
  DLPU_RETURN_IF_ERROR(runner->Run());
  std::vector<Output> outputs;
  for (size_t i = 0; i < runner->output_count(); ++i) {
    const auto bytes = runner->output(i);
    outputs.push_back({runner->output_tensor(i), {bytes.begin(), bytes.end()}});
  }
  return outputs;
}

Result<std::vector<Output>> TakeDump(const std::string& path, const std::vector<Tensor>& tensors,
                                     const DeviceForm& form) {
  DLPU_TRY(const Dump dump, ReadDump(path, tensors.size()));
  std::vector<Output> outputs;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const size_t wanted = DeviceBytes(tensors[i], form, true), given = dump.outputs[i].size();
    if (given != wanted) {
      const std::string is =
          form.same() ? InputText(tensors[i])
                      : fmt::format("{}, {} bytes", DeviceText(tensors[i], form, true), wanted);
      return InvalidError(fmt::format("{}: {} bytes; output '{}' is {}{}", dump.files[i], given,
                                      tensors[i].name, is,
                                      form.same() ? Hint(tensors[i], given) : ""));
    }
    outputs.push_back({tensors[i], FromDevice(tensors[i], dump.outputs[i], form, true)});
  }
  return outputs;
}

Result<std::vector<Tensor>> OutputTensors(const CompareSide& side) {
  DLPU_TRY(const Program program, CompileModel(side.model, side.options));
  std::vector<Tensor> tensors;
  for (const TensorId id : program.outputs) tensors.push_back(program.tensors[id]);
  return tensors;
}

}  // namespace

bool LooksLikeDump(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return true;
  if (!fs::is_regular_file(path, ignored)) return false;
  const Result<std::vector<uint8_t>> bytes = ReadFile(path);
  if (!bytes.ok()) return false;
  const FileKind kind = SniffFile(*bytes);
  if (path.ends_with(".tflite") || path.ends_with(".onnx") || path.ends_with(".dlpu")) return false;
  return kind == FileKind::kUnknown || kind == FileKind::kNpy || kind == FileKind::kText ||
         path.find(".out") != std::string::npos;
}

Result<Dump> ReadDump(const std::string& path, size_t outputs) {
  Dump dump;
  dump.label = path;
  dump.files = FilesOf(path, outputs);
  if (dump.files.size() != outputs) {
    return InvalidError(fmt::format("{}: {} files; the model has {} output{}", path,
                                    dump.files.size(), outputs, outputs == 1 ? "" : "s"));
  }
  for (const std::string& file : dump.files) {
    DLPU_TRY(std::vector<uint8_t> bytes, ReadFile(file));
    if (IsNpy(bytes)) {
      DLPU_TRY(NpyArray array, ReadNpy(bytes, file));
      bytes = std::move(array.data);
    }
    dump.outputs.push_back(std::move(bytes));
  }
  return dump;
}

namespace {

// Which arithmetic gives exactly the dump's codes, where the model's own does not.
void FindProfile(const CompareSide& side, const std::vector<Output>& ours,
                 const std::vector<Output>& dump, const DeviceForm& form,
                 const CompareOptions& options, CompareReport& report) {
  const auto equal = [&](const std::vector<Output>& outputs) {
    return std::equal(outputs.begin(), outputs.end(), dump.begin(), dump.end(),
                      [](const Output& x, const Output& y) { return x.bytes == y.bytes; });
  };
  const bool integers = std::none_of(ours.begin(), ours.end(),
                                     [](const Output& o) { return IsFloat(o.tensor.type); });
  if (!integers || equal(ours)) return;
  for (const Profile profile :
       {Profile::kTfliteReference, Profile::kTfliteBuiltin, Profile::kXnnpack}) {
    CompareSide other = side;
    other.options.profile = ProfileName(profile);
    CompareReport unused;
    const Result<std::vector<Output>> outputs = RunModel(other, form, options, unused);
    if (!outputs.ok() || !equal(*outputs)) continue;
    report.notes.push_back(fmt::format(
        "the dump's codes are exactly those of another arithmetic: {}; give --profile {}",
        RoundingRule(profile), ProfileName(profile)));
    return;
  }
}

}  // namespace

Result<CompareReport> CompareOutputs(const OutputsSide& reference, const OutputsSide& other,
                                     const CompareSide* of, const CompareOptions& options) {
  if (of == nullptr) of = reference.model != nullptr ? reference.model : other.model;
  if (of == nullptr) {
    return InvalidError("two dumps: name the model that they came from with --of");
  }
  CompareReport report;
  report.reference = reference.label;
  report.other = other.label;
  DLPU_TRY(const std::vector<Tensor> tensors, OutputTensors(*of));
  const DeviceForm form = DeviceFormOf(of->options.target);
  const auto take = [&](const OutputsSide& side) -> Result<std::vector<Output>> {
    if (side.model != nullptr) return RunModel(*side.model, form, options, report);
    return TakeDump(side.dump, tensors, form);
  };
  DLPU_TRY(const std::vector<Output> a, take(reference));
  DLPU_TRY(const std::vector<Output> b, take(other));
  if (a.size() != b.size()) {
    return InvalidError(
        fmt::format("{} has {} outputs, {} {}", reference.label, a.size(), other.label, b.size()));
  }
  if (reference.model != nullptr && other.model == nullptr) {
    FindProfile(*reference.model, a, b, form, options, report);
  } else if (other.model != nullptr && reference.model == nullptr) {
    FindProfile(*other.model, b, a, form, options, report);
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (ElementCount(a[i].tensor.shape) != ElementCount(b[i].tensor.shape)) {
      return InvalidError(fmt::format("output {}: {} is {}, {} is {}", i, reference.label,
                                      ShapeText(a[i].tensor.shape), other.label,
                                      ShapeText(b[i].tensor.shape)));
    }
    ComparedOutput output;
    output.name = b[i].tensor.name;
    output.reference = a[i].tensor.name;
    const std::vector<float> values = RealValues(a[i].tensor, a[i].bytes);
    output.stats.Add(values, RealValues(b[i].tensor, b[i].bytes));
    output.stats.AddCodes(b[i].tensor.type, ToBytes(b[i].tensor, values), b[i].bytes);
    report.outputs.push_back(std::move(output));
  }
  report.notes.push_back("a dump has outputs only: layers are compared between models");
  return report;
}

}  // namespace dlpu
