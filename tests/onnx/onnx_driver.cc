// SPDX-License-Identifier: Apache-2.0
// onnx_driver: dlpu's side of the comparisons with ONNX (node_tests.py, models.py). Reads folders
// from stdin, one a line; in each it reads model.onnx, runs it on in_<i>.npy, whose shapes fix open
// extents, and writes out_<i>.npy and the converted model.tflite. Prints one line for each: the
// folder, "ok", the number of TRANSPOSE nodes, those between convolutions, all nodes, and the
// layers with weights that compute in float32; or the folder, "refused" (reading) or "failed"
// (running), and the message.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>

#include "app/import_onnx.h"
#include "base/file.h"
#include "formats/npy.h"
#include "formats/tflite.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu {
namespace {

bool HasWeights(Op op) {
  return op == Op::kConv2d || op == Op::kDepthwiseConv2d || op == Op::kTransposeConv ||
         op == Op::kFullyConnected;
}

struct Outcome {
  std::string word = "refused";
  std::string detail;
};

Status Try(const std::string& folder, bool keep_nchw, Outcome& outcome) {
  OnnxImportOptions options;
  options.keep_nchw = keep_nchw;
  std::vector<NpyArray> arrays;
  for (int i = 0; std::filesystem::exists(fmt::format("{}/in_{}.npy", folder, i)); ++i) {
    const std::string path = fmt::format("{}/in_{}.npy", folder, i);
    DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(path));
    DLPU_TRY(NpyArray array, ReadNpy(bytes, path));
    arrays.push_back(std::move(array));
  }
  // names.txt: the name of each input, one a line.
  DLPU_TRY(std::string names, ReadTextFile(folder + "/names.txt"));
  size_t at = 0;
  for (const NpyArray& array : arrays) {
    const size_t end = names.find('\n', at);
    options.shapes[names.substr(at, end - at)] = array.shape;
    at = end + 1;
  }
  DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(folder + "/model.onnx"));
  DLPU_TRY(ImportedOnnx imported, ImportOnnx(bytes, folder + "/model.onnx", options));
  outcome.word = "failed";
  int transposes = 0;
  for (const Node& node : imported.graph.nodes) transposes += node.op == Op::kTranspose;
  int in_float = 0;
  for (const Node& node : imported.graph.nodes) {
    in_float +=
        HasWeights(node.op) && imported.graph.tensors[node.outputs[0]].type == DataType::kFloat32;
  }
  outcome.detail =
      fmt::format("{}\t{}\t{}\t{}", transposes, TransposesBetweenConvolutions(imported.graph),
                  imported.graph.nodes.size(), in_float);
  DLPU_TRY(const std::vector<uint8_t> tflite, WriteTflite(imported.graph));
  DLPU_RETURN_IF_ERROR(WriteFile(folder + "/model.tflite", tflite));
  DLPU_TRY(Program program, Compile(imported.graph, {}));
  DLPU_TRY(const std::unique_ptr<Runner> runner, Runner::Load(std::move(program), {.threads = 1}));
  if (runner->input_count() != arrays.size()) {
    return InvalidError(fmt::format("{} inputs, {} given", runner->input_count(), arrays.size()));
  }
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (runner->input(i).size() != arrays[i].data.size()) {
      return InvalidError(fmt::format("input {} has {} bytes, {} are given", i,
                                      runner->input(i).size(), arrays[i].data.size()));
    }
    if (!arrays[i].data.empty()) {
      std::memcpy(runner->input(i).data(), arrays[i].data.data(), arrays[i].data.size());
    }
  }
  DLPU_RETURN_IF_ERROR(runner->Run());
  for (size_t i = 0; i < runner->output_count(); ++i) {
    const Tensor& tensor = runner->output_tensor(i);
    DLPU_RETURN_IF_ERROR(WriteFile(fmt::format("{}/out_{}.npy", folder, i),
                                   WriteNpy(tensor.type, tensor.shape, runner->output(i))));
  }
  outcome.word = "ok";
  return OkStatus();
}

}  // namespace
}  // namespace dlpu

int main(int argc, char** argv) {
  const bool nhwc = argc > 1 && std::string(argv[1]) == "--nhwc";
  for (std::string folder; std::getline(std::cin, folder);) {
    dlpu::Outcome outcome;
    const dlpu::Status status = dlpu::Try(folder, !nhwc, outcome);
    const std::string detail = status.ok() ? outcome.detail : status.error().message;
    std::cout << folder << '\t' << outcome.word << '\t' << detail << std::endl;
  }
  return 0;
}
