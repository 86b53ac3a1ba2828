// SPDX-License-Identifier: Apache-2.0
// Networks: model files become Programs and Runners, the very ones of `dlpu run`. Tensors lie in an
// application's files as the device has them: as in the model, or (CVflow) planar with padded rows.
#include <fmt/format.h>

#include <cerrno>

#include "formats/edgetpu_package.h"
#include "formats/sniff.h"
#include "formats/tflite.h"
#include "ir/program_file.h"
#include "larod/camera_times.h"
#include "larod/dump.h"
#include "larod/edgetpu_source.h"
#include "larod/executable.h"
#include "larod/refusal.h"
#include "larod/tensor_layout.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu::larod {
namespace {

Failure LoadFailure(const char* message, std::string cause) {
  return {LAROD_ERROR_LOAD_MODEL, message, std::move(cause)};
}
// What cameras say of nearly everything TensorFlow Lite refuses.
constexpr const char* kNotAllocated = "Could not allocate tensors";
constexpr const char* kWrongFormat = "Incorrect model format";

size_t MemoryOf(const Program& program) {
  auto bytes = static_cast<size_t>(program.arena_bytes);
  for (const Tensor& tensor : program.tensors) bytes += tensor.data.size();
  return bytes;
}

class Network : public Executable {
 public:
  static Outcome<std::unique_ptr<Executable>> Make(Program program, const DeviceLayout& layout,
                                                   const CameraTimes& times) {
    const size_t memory = MemoryOf(program);
    auto runner = Runner::Load(std::move(program), {});
    if (!runner.ok()) return LoadFailure(kNotAllocated, runner.error().message);
    std::unique_ptr<Network> network(new Network(*std::move(runner)));
    network->times_ = times;
    Runner& r = *network->runner_;
    network->memory_ = memory;
    for (size_t i = 0; i < r.input_count(); ++i) {
      LAROD_TRY(DeviceTensor tensor, MakeDeviceTensor(r.input_tensor(i), layout, /*input=*/true));
      network->inputs_.push_back(tensor.spec());
      network->input_tensors_.push_back(std::move(tensor));
    }
    for (size_t i = 0; i < r.output_count(); ++i) {
      LAROD_TRY(DeviceTensor tensor, MakeDeviceTensor(r.output_tensor(i), layout, /*input=*/false));
      network->outputs_.push_back(tensor.spec());
      network->output_tensors_.push_back(std::move(tensor));
    }
    return std::unique_ptr<Executable>(std::move(network));
  }

  Outcome<Nothing> Run(const Job& job) override {
    for (size_t i = 0; i < job.inputs.size(); ++i) {
      LAROD_RETURN_IF_FAILED(input_tensors_[i].Read(job.inputs[i], runner_->input(i)));
      if (dump_.has_value()) dump_->Write("input", i, runner_->input_tensor(i), runner_->input(i));
    }
    if (const Status status = runner_->Run(); !status.ok()) {
      return Failure{LAROD_ERROR_JOB, "Could not invoke model", status.error().message};
    }
    for (size_t i = 0; i < job.outputs.size(); ++i) {
      if (dump_.has_value()) {
        dump_->Write("output", i, runner_->output_tensor(i), runner_->output(i));
      }
      LAROD_RETURN_IF_FAILED(output_tensors_[i].Write(runner_->output(i), job.outputs[i]));
    }
    dump_.reset();
    return Nothing();
  }

  std::optional<double> CameraTime(const Job&) const override { return times_.job; }
  std::optional<double> CameraLoadTime(bool cached) const override {
    return cached ? times_.cached_load : times_.first_load;
  }
  size_t MemoryBytes() const override { return memory_; }

 private:
  explicit Network(std::unique_ptr<Runner> runner) : runner_(std::move(runner)) {}

  std::unique_ptr<Runner> runner_;
  CameraTimes times_;
  size_t memory_ = 0;
  std::optional<Dump> dump_ = Dump::IfWanted();  // of the first job
  std::vector<DeviceTensor> input_tensors_, output_tensors_;
};

bool Takes(const VirtualDevice& device, std::string_view format) {
  for (const std::string& taken : device.facts.takes) {
    if (taken == format) return true;
  }
  return false;
}

std::string TakesText(const VirtualDevice& device) {
  return fmt::format("{} takes {}", device.info.name, fmt::join(device.facts.takes, ", "));
}

// The model as a graph. Failures have the camera's text, and why.
Outcome<Graph> ReadModel(const VirtualDevice& device, const std::vector<uint8_t>& file,
                         const std::string& path) {
  const FileKind kind = SniffFile(file);
  const bool tflite = Takes(device, "tflite"), edgetpu = Takes(device, "edgetpu-tflite");
  const bool compiled = kind == FileKind::kEdgeTpuTflite;
  const std::string_view format = DeviceFormat(kind);
  if (!format.empty() && !tflite && !edgetpu && Takes(device, format)) {
    return LoadFailure(kWrongFormat,
                       fmt::format("the file is {}, whose instructions are not published: only the "
                                   "camera runs it; load the .dlpu file that `dlpu compile` makes "
                                   "from the model it was made from",
                                   FileKindText(kind)));
  }
  if ((kind != FileKind::kTflite && !compiled) || (!tflite && !edgetpu)) {
    return LoadFailure(kWrongFormat,
                       fmt::format("the file is {}; {}", FileKindText(kind), TakesText(device)));
  }
  if (compiled && !edgetpu) {
    return LoadFailure(
        kNotAllocated,
        fmt::format("the model was compiled for the Edge TPU (it has the custom op {}), "
                    "which {} does not have; load the .tflite it was made from",
                    kEdgeTpuOpName, device.info.name));
  }
  if (!compiled && !tflite) {
    return LoadFailure(
        kNotAllocated,
        fmt::format("the model did not go through the Edge TPU compiler, and {} runs "
                    "nothing else; load it on cpu-tflite, or compile it",
                    device.info.name));
  }
  Result<Graph> graph = ReadTflite(file, path.empty() ? "model" : path);
  if (!graph.ok()) return LoadFailure(kNotAllocated, graph.error().message);
  if (!compiled) return *std::move(graph);
  if (const auto packages = ReadEdgeTpuPackages(*graph); !packages.ok()) {
    return LoadFailure(kNotAllocated, packages.error().message);
  }
  return FindEdgeTpuSource(*graph, file, path);
}

// A program that `dlpu compile` saved stands for the compiled file of a vendor's tool.
Outcome<Program> ReadCompiled(const Catalogue& catalogue, const VirtualDevice& device,
                              const std::vector<uint8_t>& file, const std::string& path) {
  if (device.facts.engine != "dlpu" || Takes(device, "tflite")) {
    return LoadFailure(
        kWrongFormat,
        fmt::format("the file is {}; {}", FileKindText(FileKind::kProgram), TakesText(device)));
  }
  Result<Program> program = LoadProgram(file, path.empty() ? "model" : path);
  if (!program.ok()) return LoadFailure(kWrongFormat, program.error().message);
  if (program->target != catalogue.target.name) {
    return LoadFailure(kWrongFormat, fmt::format("the program was compiled for {}, and this is {}",
                                                 program->target, catalogue.target.name));
  }
  return *std::move(program);
}

Outcome<Program> CompileModel(const Catalogue& catalogue, const VirtualDevice& device,
                              const std::vector<uint8_t>& file, const std::string& path) {
  LAROD_TRY(Graph graph, ReadModel(device, file, path));
  if (std::optional<Failure> refusal = UnknownOpVersion(graph)) return *refusal;
  CompileOptions options;
  if (device.facts.engine == "dlpu") {
    // What went through a vendor's compiler was taken by it.
    if (Takes(device, "tflite")) {
      if (std::optional<Failure> refusal = RefusalOf(graph, catalogue)) return *refusal;
    }
    options = OptionsFor(catalogue.target);
  }
  Result<Program> program = Compile(std::move(graph), options);
  if (!program.ok()) return LoadFailure(kNotAllocated, program.error().message);
  return *std::move(program);
}

Outcome<Program> MakeProgram(const Catalogue& catalogue, const VirtualDevice& device,
                             const std::vector<uint8_t>& file, const std::string& path) {
  const bool compiled = SniffFile(file) == FileKind::kProgram;
  return compiled ? ReadCompiled(catalogue, device, file, path)
                  : CompileModel(catalogue, device, file, path);
}

}  // namespace

Outcome<std::vector<uint8_t>> ExportNetwork(const Catalogue& catalogue, const VirtualDevice& device,
                                            const std::vector<uint8_t>& file,
                                            const std::string& path) {
  if (device.facts.engine != "dlpu" || device.facts.runs == "preprocess") {
    return Failure{
        ENOTSUP, "Not supported by the device",
        fmt::format("{} compiles nothing: it runs models as they are", device.info.name)};
  }
  LAROD_TRY(const Program program, MakeProgram(catalogue, device, file, path));
  return WriteProgram(program);
}

Outcome<std::unique_ptr<Executable>> LoadNetwork(const Catalogue& catalogue,
                                                 const VirtualDevice& device,
                                                 std::vector<uint8_t> file, const std::string& path,
                                                 const Params&, bool realtime) {
  LAROD_TRY(Program program, MakeProgram(catalogue, device, file, path));
  const CameraTimes times = realtime ? PredictTimes(catalogue, device, program) : CameraTimes();
  return Network::Make(std::move(program), LayoutOf(catalogue.target, device), times);
}

}  // namespace dlpu::larod
