// SPDX-License-Identifier: Apache-2.0
// dlpu port: what every target does with a model.
#include "app/port.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/port_folder.h"
#include "app/port_text.h"
#include "base/file.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "cli/progress.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  PortOptions port;
  std::string to, product, image, json, out;
  bool findings = false;
};

// The product's own target when one is named, else the targets.
Result<std::vector<Target>> TargetsFor(Arguments& arguments) {
  if (arguments.product.empty()) return ChooseTargets(arguments.to.empty() ? "all" : arguments.to);
  DLPU_TRY(ChosenProduct chosen, ChooseProduct(arguments.product));
  arguments.port.product = chosen.product;
  return std::vector<Target>{std::move(chosen.target)};
}

CommandResult RunPort(Arguments arguments) {
  if (!arguments.product.empty() && !arguments.to.empty()) {
    return Misused("port", "--product names the target already: leave out --to");
  }
  DLPU_TRY(arguments.port.model, Parse(arguments.model));
  DLPU_TRY(const std::vector<Target> targets, TargetsFor(arguments));
  DLPU_TRY(const LoadedModel model, LoadModel(arguments.port.model));
  if (!arguments.image.empty()) arguments.port.input.files = {arguments.image};
  if (!arguments.out.empty()) {
    DLPU_RETURN_IF_ERROR(MakeDirectory(arguments.out));
    if (!arguments.image.empty() && arguments.port.draw.empty()) {
      arguments.port.draw = arguments.out + "/found.png";
    }
  }
  StageProgress stages;
  arguments.port.progress = [&](int done, int total, const std::string& what) {
    stages.Show(done, total, what);
  };
  DLPU_TRY(const PortReport report, Port(model, targets, arguments.port));
  PrintText(arguments.json, PortText(report, model, arguments.findings));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, PortJson(report, model)));
  if (!arguments.out.empty()) {
    DLPU_TRY(const std::vector<std::string> files,
             WritePortFolder(model, report, targets, arguments.port, arguments.out));
    PrintNote(fmt::format("{} files written to {}; {}/README.txt says what to do with them",
                          files.size(), arguments.out, arguments.out));
  }
  // One target asked for by name: the exit code is its verdict.
  if (report.rows.size() == 1 && !TakenAsItIs(report.rows[0])) {
    return static_cast<int>(kExitNotLoadable);
  }
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddPortCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "port", "Show what every target does with a model",
                  [arguments] { return RunPort(*arguments); });
  AddModelOptions(command, &arguments->model);
  command.Option("--to,--target", "T[,T..]|all", &arguments->to, "Targets (default: all)",
                 AreTargets);
  command.Option("--product", "P", &arguments->product, "One camera instead: its target, its time",
                 IsProduct);
  command.Option("--os", "V", &arguments->port.os,
                 "Its AXIS OS version (default: the newest known)");
  command.Option("--out", "DIR", &arguments->out,
                 "Write what goes to each camera, the report and a README.txt with the next steps");
  command.Option("--calibration", "DIR|FILE", &arguments->port.calibration,
                 "Quantize for the targets that want it, with these pictures (see quantize)");
  command.Option("--image", "FILE", &arguments->image, "A picture to run the model on");
  command.Option("--draw", "OUT.png", &arguments->port.draw,
                 "Write the picture with what was found");
  command.Option("--mean", "X[,X,X]", &arguments->port.input.mean, "Pixel value that becomes 0");
  command.Option("--std", "X[,X,X]", &arguments->port.input.std, "Pixel values that become 1");
  command.Option("--resize", "HOW", &arguments->port.input.resize, "stretch, letterbox or crop");
  command.Flag("--findings", &arguments->findings, "Every finding, with its source");
  command.Json(&arguments->json);
}

}  // namespace dlpu
