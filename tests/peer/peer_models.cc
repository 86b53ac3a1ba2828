// SPDX-License-Identifier: Apache-2.0
// peer_models: dlpu's side of the comparison of whole models (models.py).
//   peer_models rewrite MODEL OUT [--cut-at OP]       reads a model and writes it again
//   peer_models run MODEL FOLDER COUNT [--cut-at OP]  runs FOLDER/in_<n>_<i>.raw for n < COUNT and
//                                                     writes FOLDER/out_<n>_<i>.raw
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "formats/tflite.h"
#include "passes/compile.h"
#include "run_model.h"

namespace dlpu::peer {
namespace {

struct Options {
  std::string model, out, folder, cut_at;
  int count = 1, threads = 1;
};

Status Rewrite(const Options& options) {
  DLPU_TRY(const Bytes bytes, ReadFile(options.model));
  DLPU_TRY(Graph graph, ReadTflite(bytes, options.model));
  if (!options.cut_at.empty()) DLPU_RETURN_IF_ERROR(CutAt(graph, options.cut_at));
  DLPU_TRY(const Bytes written, WriteTflite(graph));
  return WriteFile(options.out, written);
}

Status Run(const Options& options) {
  DLPU_TRY(const Bytes bytes, ReadFile(options.model));
  RunModelOptions run;
  run.threads = options.threads;
  run.cut_at = options.cut_at;
  DLPU_TRY(const std::unique_ptr<Runner> runner, LoadModel(bytes, options.model, run));
  for (int n = 0; n < options.count; ++n) {
    std::vector<Bytes> inputs;
    for (size_t i = 0; i < runner->input_count(); ++i) {
      DLPU_TRY(Bytes data, ReadFile(fmt::format("{}/in_{}_{}.raw", options.folder, n, i)));
      inputs.push_back(std::move(data));
    }
    DLPU_TRY(const std::vector<ModelOutput> outputs, RunOnce(*runner, inputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      DLPU_RETURN_IF_ERROR(
          WriteFile(fmt::format("{}/out_{}_{}.raw", options.folder, n, i), outputs[i].data));
    }
  }
  return OkStatus();
}

}  // namespace
}  // namespace dlpu::peer

int main(int argc, char** argv) {
  dlpu::peer::Options options;
  CLI::App app("Whole models for the comparison with LiteRT");
  app.require_subcommand(1);
  CLI::App* rewrite = app.add_subcommand("rewrite", "Read a model and write it again");
  rewrite->add_option("model", options.model)->required();
  rewrite->add_option("out", options.out)->required();
  CLI::App* run = app.add_subcommand("run", "Run a model on the inputs in a folder");
  run->add_option("model", options.model)->required();
  run->add_option("folder", options.folder)->required();
  run->add_option("count", options.count)->required();
  run->add_option("--threads", options.threads);
  for (CLI::App* command : {rewrite, run}) command->add_option("--cut-at", options.cut_at);
  CLI11_PARSE(app, argc, argv);
  const dlpu::Status status =
      rewrite->parsed() ? dlpu::peer::Rewrite(options) : dlpu::peer::Run(options);
  if (!status.ok()) {
    fmt::print(stderr, "{}\n", status.error().message);
    return 1;
  }
  return 0;
}
