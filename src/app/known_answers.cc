// SPDX-License-Identifier: Apache-2.0
// Writing a pack.
#include "app/known_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/device_form.h"
#include "app/interpret.h"
#include "base/file.h"
#include "base/sha256.h"
#include "formats/tflite.h"
#include "target/target.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Tensors of one sample as the target and the other arithmetics compute them.
struct Answer {
  std::vector<std::vector<uint8_t>> inputs, outputs;
  std::vector<int64_t> codes;    // the largest distance of any arithmetic, by output
  std::vector<double> distance;  // the same in values
};

class PackWriter {
 public:
  PackWriter(const LoadedModel& model, const PackRequest& request)
      : model_(model), request_(request) {}

  Result<PackSummary> Write() {
    DLPU_RETURN_IF_ERROR(Load());
    DLPU_RETURN_IF_ERROR(MakeDirectory(request_.folder));
    DLPU_RETURN_IF_ERROR(WriteModel());
    const size_t samples =
        request_.samples.empty() ? static_cast<size_t>(request_.noise) : request_.samples.size();
    for (size_t i = 0; i < samples; ++i) DLPU_RETURN_IF_ERROR(WriteSample(i));
    DLPU_RETURN_IF_ERROR(WriteFacts());
    return std::move(summary_);
  }

 private:
  Status Load() {
    DLPU_TRY(main_, LoadRunner(model_, request_.model));
    if (!main_->program().target.empty()) {
      DLPU_TRY(target_, FindTarget(main_->program().target));
    }
    for (const char* profile : {"tflite-reference", "tflite-builtin", "xnnpack"}) {
      ModelOptions options = request_.model;
      options.profile = profile;
      Result<std::unique_ptr<Runner>> runner = LoadRunner(model_, options);
      if (runner.ok()) others_.push_back(*std::move(runner));
    }
    form_ = DeviceFormOf(main_->program().target);
    summary_.folder = request_.folder;
    summary_.device = target_.has_value() ? target_->device : "cpu-tflite";
    return OkStatus();
  }

  Status Put(const std::string& name, std::span<const uint8_t> bytes) {
    summary_.files.push_back(name);
    return WriteFile((fs::path(request_.folder) / name).string(), bytes);
  }
  Status PutText(const std::string& name, const std::string& text) {
    return Put(name, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

  // The file that the camera's device loads, when it is an open format.
  Status WriteModel() {
    if (target_.has_value() && target_->compiler.has_value()) {
      summary_.notes.push_back(fmt::format("the file for the camera is made by {}: {}",
                                           target_->compiler->name, target_->compiler->says));
      return OkStatus();
    }
    std::string stem = fs::path(model_.path).stem().string();
    summary_.camera_file = stem + ".tflite";
    if (model_.format == "tflite" && fs::path(model_.path).extension() == ".tflite") {
      DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(model_.path));
      return Put(summary_.camera_file, bytes);
    }
    if (model_.program.has_value()) {
      summary_.camera_file.clear();
      summary_.notes.push_back("a .dlpu program is for this PC: load the .tflite it was made from");
      return OkStatus();
    }
    DLPU_TRY(const std::vector<uint8_t> bytes, WriteTflite(model_.graph));
    return Put(summary_.camera_file, bytes);
  }

  Status Fill(size_t sample, std::string& name) {
    if (request_.samples.empty()) {
      FillRandom(*main_, sample + 1);
      name = fmt::format("noise {}", sample + 1);
      return OkStatus();
    }
    InputOptions input = request_.input;
    input.files = {request_.samples[sample]};
    name = request_.samples[sample];
    DLPU_TRY(const auto filled, FillInputs(*main_, model_, input));
    for (const FilledInput& one : filled) {
      const std::string note = fmt::format("input '{}': {}", one.name, one.note);
      const auto end = summary_.notes.end();
      if (!one.note.empty() && std::find(summary_.notes.begin(), end, note) == end) {
        summary_.notes.push_back(note);
      }
    }
    return OkStatus();
  }

  Result<Answer> Compute() {
    Answer answer;
    DLPU_RETURN_IF_ERROR(main_->Run());
    for (size_t i = 0; i < main_->input_count(); ++i) {
      answer.inputs.emplace_back(main_->input(i).begin(), main_->input(i).end());
    }
    for (size_t i = 0; i < main_->output_count(); ++i) {
      answer.outputs.emplace_back(main_->output(i).begin(), main_->output(i).end());
    }
    answer.codes.assign(answer.outputs.size(), 0);
    answer.distance.assign(answer.outputs.size(), 0);
    for (const auto& other : others_) {
      for (size_t i = 0; i < answer.inputs.size(); ++i) {
        std::copy(answer.inputs[i].begin(), answer.inputs[i].end(), other->input(i).begin());
      }
      DLPU_RETURN_IF_ERROR(other->Run());
      for (size_t i = 0; i < answer.outputs.size(); ++i) {
        const Tensor& tensor = main_->output_tensor(i);
        ErrorStats stats;
        stats.Add(RealValues(tensor, answer.outputs[i]), RealValues(tensor, other->output(i)));
        stats.AddCodes(tensor.type, answer.outputs[i], other->output(i));
        answer.codes[i] = std::max(answer.codes[i], stats.worst_code);
        answer.distance[i] = std::max(answer.distance[i], stats.worst);
      }
    }
    return answer;
  }

  Status WriteSample(size_t at) {
    std::string name;
    DLPU_RETURN_IF_ERROR(Fill(at, name));
    DLPU_TRY(const Answer answer, Compute());
    Json sample = {{"name", name}, {"inputs", Json::array()}, {"outputs", Json::array()}};
    std::string command = "larod-client -g \"$MODEL\" -c " + summary_.device;
    for (size_t i = 0; i < answer.inputs.size(); ++i) {
      const std::string file = fmt::format("s{}_in{}.bin", at, i);
      const std::vector<uint8_t> bytes =
          ToDevice(main_->input_tensor(i), answer.inputs[i], form_, false);
      DLPU_RETURN_IF_ERROR(Put(file, bytes));
      sample["inputs"].push_back({{"name", main_->input_tensor(i).name},
                                  {"file", file},
                                  {"holds", DeviceText(main_->input_tensor(i), form_, false)},
                                  {"bytes", bytes.size()},
                                  {"sha256", Sha256Hex(bytes)}});
      command += " -i " + file;
    }
    for (size_t i = 0; i < answer.outputs.size(); ++i) {
      const std::string file = fmt::format("s{}_out{}.bin", at, i);
      DLPU_RETURN_IF_ERROR(Put("expected_" + file, answer.outputs[i]));
      sample["outputs"].push_back(OutputJson(i, file, answer));
      command += " -o results/" + file;
    }
    samples_.push_back(std::move(sample));
    commands_ += command + "\n";
    ++summary_.samples;
    summary_.outputs += static_cast<int>(answer.outputs.size());
    return OkStatus();
  }

  // One code more than our own arithmetics differ by among themselves; a float answer may be off by
  // as much as they are, or by 1e-4 of its range.
  Json OutputJson(size_t i, const std::string& file, const Answer& answer) {
    const Tensor& tensor = main_->output_tensor(i);
    const Quantization& q = tensor.quantization;
    Json json = {{"name", tensor.name},
                 {"file", file},
                 {"type", DataTypeName(tensor.type)},
                 {"shape", tensor.shape},
                 {"holds", DeviceText(tensor, form_, true)},
                 {"bytes", answer.outputs[i].size()},
                 {"sha256", Sha256Hex(answer.outputs[i])}};
    if (q.present()) {
      json["scale"] = q.scale0();
      json["zero_point"] = q.zero0();
    }
    if (IsFloat(tensor.type)) {
      const std::vector<float> values = RealValues(tensor, answer.outputs[i]);
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      const double range = values.empty() ? 0 : static_cast<double>(*high) - *low;
      json["tolerance"] = std::max(2 * answer.distance[i], 1e-4 * range);
    } else {
      const int64_t codes = answer.codes[i] + 1;
      json["tolerance_codes"] = codes;
      summary_.tolerance_codes = std::max(summary_.tolerance_codes, codes);
    }
    return json;
  }

  Json OpsJson() const {
    std::map<std::string, int> counts;
    for (const Step& step : main_->program().steps) {
      ++counts[NodeOpName(step.node) + "\t" + std::string(EngineName(step.engine))];
    }
    Json ops = Json::array();
    for (const auto& [key, count] : counts) {
      const size_t tab = key.find('\t');
      const std::string op = key.substr(0, tab);
      std::string says = target_.has_value()
                             ? std::string(ConfidenceName(target_->arithmetic.fact.confidence))
                             : "derived";
      const bool winograd = target_.has_value() && !target_->arithmetic.winograd.empty();
      if (op == "CONV_2D" && winograd) says += "; " + target_->arithmetic.winograd;
      ops.push_back(
          {{"op", op}, {"engine", key.substr(tab + 1)}, {"count", count}, {"confidence", says}});
    }
    return ops;
  }

  Status WriteFacts() {
    const std::string tolerance =
        "an integer output may be off by one code more than LiteRT's reference kernels, its "
        "optimized ones and XNNPACK differ by on the same input; a float one by twice their "
        "difference or 1e-4 of its range";
    Json json = {
        {"format", "dlpu known answers"},
        {"version", 1},
        {"model", fs::path(model_.path).filename().string()},
        {"sha256", model_.sha256},
        {"target", main_->program().target},
        {"device", summary_.device},
        {"form",
         {{"planar", form_.planar},
          {"row_multiple", form_.row_multiple},
          {"float_outputs", form_.float_outputs}}},
        {"camera_file", summary_.camera_file},
        {"profile", ProfileName(main_->program().profile)},
        {"confidence", target_.has_value()
                           ? std::string(ConfidenceName(target_->arithmetic.fact.confidence))
                           : "derived"},
        {"says", target_.has_value() ? target_->arithmetic.says
                                     : "LiteRT's kernels on the camera's processor"},
        {"tolerance_rule", tolerance},
        {"ops", OpsJson()},
        {"samples", samples_}};
    DLPU_RETURN_IF_ERROR(PutText("pack.json", json.dump(2) + "\n"));
    DLPU_RETURN_IF_ERROR(PutText("run.sh", Script()));
    return PutText("README.txt", Readme());
  }

  std::string Script() const {
    const std::string model = summary_.camera_file.empty() ? "COMPILED" : summary_.camera_file;
    return fmt::format(
        "#!/bin/sh\n# On the camera, in this folder: sh run.sh [MODEL]. Answers go to results/.\n"
        "set -e\nMODEL=${{1:-{}}}\nmkdir -p results\n{}",
        model, commands_);
  }

  std::string Readme() const {
    std::string text = fmt::format(
        "Known answers of {} for {}\n\n1. Copy this folder to the camera (scp -r, to /tmp).\n"
        "2. There: sh run.sh{}\n3. Bring the folder results back.\n4. dlpu compare THIS_FOLDER "
        "results\n\nThe same commands work on a PC with dlpu's larod-client{}.\n",
        fs::path(model_.path).filename().string(), summary_.device,
        summary_.camera_file.empty() ? " COMPILED_MODEL" : "",
        summary_.camera_file.empty() ? ", with the .dlpu of dlpu compile as COMPILED_MODEL" : "");
    for (const std::string& note : summary_.notes) text += "Note: " + note + "\n";
    return text;
  }

  const LoadedModel& model_;
  const PackRequest& request_;
  std::optional<Target> target_;
  DeviceForm form_;  // of the camera's files
  std::unique_ptr<Runner> main_;
  std::vector<std::unique_ptr<Runner>> others_;
  PackSummary summary_;
  Json samples_ = Json::array();
  std::string commands_;
};

}  // namespace

Result<PackSummary> WritePack(const LoadedModel& model, const PackRequest& request) {
  return PackWriter(model, request).Write();
}

}  // namespace dlpu
