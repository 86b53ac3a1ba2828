// SPDX-License-Identifier: Apache-2.0
// peer_cases: makes generated cases, runs them and writes them to a folder, where compare.py runs
// LiteRT over them. index.jsonl has a line for each case; each case has a folder of its own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cases.h"
#include "run_model.h"

namespace dlpu::peer {
namespace {

struct Options {
  bool list = false;
  std::string folder, family, generator, profile = "tflite-reference";
  uint64_t count = 10, seed = 1;
};

// Writes one case below `folder` and returns its line of the index.
Result<nlohmann::json> WriteCase(const std::string& folder, const Generator& generator,
                                 const Case& c, const RunModelOptions& options) {
  const CaseResult result = RunCase(c, options);
  std::string name = c.name;
  std::replace(name.begin(), name.end(), '/', '_');
  const std::string directory = folder + "/" + name;
  DLPU_RETURN_IF_ERROR(MakeDirectory(directory));
  nlohmann::json line = {{"name", c.name},
                         {"generator", generator.name},
                         {"folder", name},
                         {"inputs", nlohmann::json::array()},
                         {"outputs", nlohmann::json::array()},
                         {"error", result.error}};
  DLPU_RETURN_IF_ERROR(WriteFile(directory + "/model.tflite", result.model));
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const std::string file = fmt::format("input{}.raw", i);
    DLPU_RETURN_IF_ERROR(WriteFile(directory + "/" + file, c.inputs[i]));
    line["inputs"].push_back(file);
  }
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    const ModelOutput& output = result.outputs[i];
    const std::string file = fmt::format("output{}.raw", i);
    DLPU_RETURN_IF_ERROR(WriteFile(directory + "/" + file, output.data));
    line["outputs"].push_back(
        {{"file", file}, {"type", DataTypeName(output.type)}, {"shape", output.shape}});
  }
  return line;
}

Status WriteCases(const Options& options) {
  RunModelOptions run;
  bool found = false;
  for (const Profile profile :
       {Profile::kTfliteReference, Profile::kTfliteBuiltin, Profile::kXnnpack}) {
    if (ProfileName(profile) == options.profile) {
      run.profile = profile;
      found = true;
    }
  }
  if (!found) return NotFoundError(fmt::format("there is no profile '{}'", options.profile));
  DLPU_RETURN_IF_ERROR(MakeDirectory(options.folder));
  std::string index;
  uint64_t written = 0, refused = 0;
  for (const Generator& generator : Generators()) {
    if (!options.family.empty() && generator.family != options.family) continue;
    if (!options.generator.empty() && generator.name != options.generator) continue;
    for (uint64_t i = 0; i < options.count; ++i) {
      const Case c = MakeCase(generator, options.seed, i);
      DLPU_TRY(const nlohmann::json line, WriteCase(options.folder, generator, c, run));
      index += line.dump() + "\n";
      ++written;
      refused += line["error"].get<std::string>().empty() ? 0 : 1;
    }
  }
  if (written == 0) return NotFoundError("no generator has that name; see --list");
  DLPU_RETURN_IF_ERROR(WriteTextFile(options.folder + "/index.jsonl", index));
  fmt::print("{} cases written to {}, {} of them refused by dlpu\n", written, options.folder,
             refused);
  return OkStatus();
}

void List() {
  for (const Generator& generator : Generators()) {
    fmt::print("{}/{}\n", generator.family, generator.name);
  }
}

}  // namespace
}  // namespace dlpu::peer

int main(int argc, char** argv) {
  dlpu::peer::Options options;
  CLI::App app("Generated cases for the comparison with LiteRT");
  app.add_flag("--list", options.list, "Print the generators");
  app.add_option("--write", options.folder, "Folder to write the cases to");
  app.add_option("--family", options.family, "Only this family");
  app.add_option("--generator", options.generator, "Only this generator");
  app.add_option("--count", options.count, "Cases of each generator");
  app.add_option("--seed", options.seed, "Seed of the cases");
  app.add_option("--profile", options.profile,
                 "Arithmetic: tflite-reference, tflite-builtin, "
                 "xnnpack");
  CLI11_PARSE(app, argc, argv);
  if (options.list) {
    dlpu::peer::List();
    return 0;
  }
  if (options.folder.empty()) {
    fmt::print(stderr, "peer_cases: --list or --write FOLDER is needed\n");
    return 2;
  }
  const dlpu::Status status = dlpu::peer::WriteCases(options);
  if (!status.ok()) {
    fmt::print(stderr, "peer_cases: {}\n", status.error().message);
    return 1;
  }
  return 0;
}
