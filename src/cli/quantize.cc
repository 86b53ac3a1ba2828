// SPDX-License-Identifier: Apache-2.0
// dlpu quantize: a float model as the integer model that a target wants.
#include "app/quantize.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/choose_scheme.h"
#include "app/predict.h"
#include "app/recipe.h"
#include "base/file.h"
#include "base/sha256.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "formats/tflite.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  InputOptions input;
  std::string output, json, scheme, target, calibration;
  std::string ranges, weights, rounding, bias, input_type, output_type, recipe, choose;
  int pictures = 100;
  double percentile = 99.99, min_sqnr = NAN, max_ms_more = NAN;  // NaN: not given
  double wide_below = -1;                                        // the target's
  std::string product;
  bool equalize = false, no_equalize = false, fast = false, no_fix = false, keep_outputs = false,
       cut_post_processing = false;
  std::vector<std::string> nodes, replace;
};

Result<std::optional<DataType>> BorderType(const std::string& name, const char* option) {
  if (name.empty()) return std::optional<DataType>();
  const std::string full = name == "float" ? "float32" : name;
  const auto type = DataTypeFromName(full);
  const bool known = type && (*type == DataType::kFloat32 || *type == DataType::kInt8 ||
                              *type == DataType::kUInt8 || *type == DataType::kInt16);
  if (known) return std::optional(*type);
  return InvalidError(fmt::format("{} {}: give uint8, int8, int16 or float", option, name));
}

Result<QuantizeSettings> Defaults(const Arguments& arguments) {
  if (!arguments.scheme.empty()) {
    if (const auto scheme = SchemeFromName(arguments.scheme)) return SettingsFor(*scheme);
    return InvalidError(fmt::format(
        "--scheme {}: give int8-per-channel, int8-per-tensor, uint8-per-tensor, int16x8 or "
        "power-of-two",
        arguments.scheme));
  }
  if (!arguments.product.empty()) {
    DLPU_TRY(const ChosenProduct chosen, ChooseProduct(arguments.product));
    return SettingsFor(chosen.target);
  }
  if (arguments.target.empty()) {
    return InvalidError("give --target, which knows what its camera wants, or --scheme");
  }
  DLPU_TRY(const Target target, FindTarget(arguments.target));
  return SettingsFor(target);
}

// "NAME=int16" or "NAME=float".
Status AddNodeTypes(const std::vector<std::string>& entries, QuantizeSettings& settings) {
  for (const std::string& entry : entries) {
    const size_t equals = entry.rfind('=');
    const std::string type = equals == std::string::npos ? "" : entry.substr(equals + 1);
    if (type != "int16" && type != "float") {
      return InvalidError(fmt::format("--keep {}: write LAYER=int16 or LAYER=float", entry));
    }
    settings.node_types[entry.substr(0, equals)] =
        type == "int16" ? DataType::kInt16 : DataType::kFloat32;
  }
  return OkStatus();
}

Status SetWideBelow(const Arguments& arguments, QuantizeSettings& settings) {
  if (arguments.wide_below < 0) return OkStatus();
  if (settings.scheme != QuantScheme::kPowerOfTwo) {
    return InvalidError(fmt::format("--wide-below {}: is for power-of-two; {} takes --keep",
                                    arguments.wide_below, SchemeName(settings.scheme)));
  }
  settings.wide_below_db = arguments.wide_below;
  return OkStatus();
}

Result<QuantizeSettings> Settings(const Arguments& arguments) {
  DLPU_TRY(QuantizeSettings settings, Defaults(arguments));
  DLPU_RETURN_IF_ERROR(SetWideBelow(arguments, settings));
  DLPU_RETURN_IF_ERROR(AddNodeTypes(arguments.nodes, settings));
  settings.portable = !arguments.fast;
  settings.try_equalize = settings.try_equalize && !arguments.no_equalize;
  settings.try_absorb = settings.try_absorb && !arguments.no_equalize;
  settings.try_ranges = arguments.ranges.empty();
  settings.try_weights = arguments.weights.empty();
  settings.try_bias = arguments.bias.empty();
  settings.try_rounding = settings.try_rounding && arguments.rounding.empty();
  if (!arguments.ranges.empty()) {
    const auto method = RangeMethodFromName(arguments.ranges);
    if (!method) {
      return InvalidError(fmt::format(
          "--ranges {}: give min-max, percentile, mse, average or entropy", arguments.ranges));
    }
    settings.range.method = *method;
  }
  settings.range.percentile = arguments.percentile;
  settings.equalize = (settings.equalize || arguments.equalize) && !arguments.no_equalize;
  if (arguments.weights == "mse") {
    settings.weight_range = WeightRange::kMse;
  } else if (!arguments.weights.empty() && arguments.weights != "min-max") {
    return InvalidError(fmt::format("--weights {}: give min-max or mse", arguments.weights));
  }
  if (!arguments.rounding.empty()) {
    const auto rounding = RoundingFromName(arguments.rounding);
    if (!rounding) {
      return InvalidError(
          fmt::format("--rounding {}: give nearest or adaptive", arguments.rounding));
    }
    settings.rounding = *rounding;
  }
  if (!arguments.bias.empty()) {
    const auto how = BiasCorrectionFromName(arguments.bias);
    if (!how) {
      return InvalidError(
          fmt::format("--bias-correction {}: give none, analytic or empirical", arguments.bias));
    }
    settings.bias = *how;
  }
  DLPU_TRY(settings.input_type, BorderType(arguments.input_type, "--input-type"));
  DLPU_TRY(settings.output_type, BorderType(arguments.output_type, "--output-type"));
  settings.input = arguments.input;
  settings.most_pictures = arguments.pictures;
  settings.cut_at = arguments.model.options.cut_at;
  settings.fix = settings.fix && !arguments.no_fix;
  settings.keep_outputs = arguments.keep_outputs;
  settings.cut_post_processing = arguments.cut_post_processing;
  for (const std::string& text : arguments.replace) {
    DLPU_TRY(const Replacement replacement, ParseReplacement(text));
    settings.replace.push_back(ReplacementText(replacement));
  }
  return settings;
}

// --min-sqnr and --max-ms-more: with times of the product or target named.
Status AddMixed(const Arguments& arguments, const LoadedModel& model, QuantizeSettings& settings) {
  if (std::isnan(arguments.min_sqnr) && std::isnan(arguments.max_ms_more)) return OkStatus();
  MixedRequest mixed;
  if (!std::isnan(arguments.min_sqnr)) mixed.min_sqnr_db = arguments.min_sqnr;
  if (!std::isnan(arguments.max_ms_more)) mixed.max_ms_more = arguments.max_ms_more;
  PredictOptions options;
  Target target;
  if (!arguments.product.empty()) {
    DLPU_TRY(const ChosenProduct chosen, ChooseProduct(arguments.product));
    options.product = chosen.product;
    target = chosen.target;
    mixed.priced_for = chosen.product.name;
  } else if (!arguments.target.empty()) {
    DLPU_TRY(target, FindTarget(arguments.target));
    mixed.priced_for = target.title;
  } else {
    return InvalidError(
        "--min-sqnr and --max-ms-more weigh accuracy against time: give --product or --target");
  }
  mixed.price = [&model, target, options](const Graph& graph) {
    return FormulaMs(graph, model, target, options);
  };
  settings.mixed = std::move(mixed);
  return OkStatus();
}

// What the user asks for: a recipe as it stands, or one made of options.
Result<Recipe> WantedRecipe(const Arguments& arguments) {
  Recipe recipe;
  if (arguments.recipe.empty()) {
    DLPU_TRY(recipe.settings, Settings(arguments));
    recipe.calibration = arguments.calibration;
    return recipe;
  }
  DLPU_TRY(const std::string text, ReadTextFile(arguments.recipe));
  DLPU_TRY(recipe, ParseRecipe(text, arguments.recipe));
  if (!arguments.calibration.empty()) {
    recipe.calibration = arguments.calibration;
    recipe.files.clear();
    recipe.output_sha256.clear();
  }
  return recipe;
}

QuantizeProgress Progress() {
  return [stages = StageProgress()](int done, int total, const std::string& what) mutable {
    stages.Show(done, total, what);
  };
}

// Says which scheme suits which target; writes no model.
CommandResult Choose(Arguments arguments) {
  arguments.scheme =
      SchemeName(QuantScheme::kInt8PerChannel);  // both are made; what else was said counts
  DLPU_TRY(QuantizeSettings settings, Settings(arguments));
  DLPU_TRY(ModelOptions options, Parse(arguments.model));
  DLPU_TRY(const LoadedModel model, LoadModel(options));
  settings.shapes = options.shapes;
  DLPU_TRY(const CalibrationSet set,
           FindCalibration(arguments.calibration, settings.most_pictures));
  DLPU_TRY(const std::vector<Target> targets, ChooseTargets(arguments.choose));
  DLPU_TRY(const std::vector<SchemeChoice> choices,
           ChooseSchemes(model, targets, settings, set, options.threads, Progress()));
  PrintText(arguments.json, ChoicesText(choices));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, {{"schema_version", kJsonSchemaVersion},
                                                  {"model", model.path},
                                                  {"sha256", model.sha256},
                                                  {"choices", ChoicesJson(choices)}}));
  return static_cast<int>(kExitOk);
}

CommandResult Run(const Arguments& arguments) {
  if (!arguments.choose.empty()) return Choose(arguments);
  if (arguments.output.size() < 8 ||
      arguments.output.compare(arguments.output.size() - 7, 7, ".tflite") != 0) {
    return InvalidError(fmt::format("-o {}: give a name that ends in .tflite", arguments.output));
  }
  DLPU_TRY(Recipe wanted, WantedRecipe(arguments));
  DLPU_TRY(ModelOptions options, Parse(arguments.model));
  if (options.shapes.empty()) options.shapes = wanted.settings.shapes;
  const std::map<std::string, Shape> shapes = options.shapes;
  DLPU_TRY(const LoadedModel model, LoadModel(options));
  wanted.settings.shapes = options.shapes;  // those that reading the model did not use up
  if (!wanted.model_sha256.empty() && wanted.model_sha256 != model.sha256) {
    PrintNote(
        fmt::format("warning: the recipe was made for a model with SHA-256 {}; this one has {}",
                    wanted.model_sha256, model.sha256));
  }
  DLPU_RETURN_IF_ERROR(AddMixed(arguments, model, wanted.settings));
  DLPU_TRY(const CalibrationSet set, CalibrationOf(wanted));
  DLPU_TRY(const QuantizeReport report,
           Quantize(model, wanted.settings, set, options.threads, Progress()));
  DLPU_TRY(const std::vector<uint8_t> bytes, WriteTflite(report.graph));
  DLPU_RETURN_IF_ERROR(WriteFile(arguments.output, bytes));
  const std::string sha256 = Sha256Hex(bytes);
  DLPU_TRY(Recipe recipe, RecipeOf(model, report, sha256));
  recipe.settings.shapes = shapes;
  const std::string recipe_path =
      arguments.output.substr(0, arguments.output.size() - 7) + ".recipe.toml";
  DLPU_RETURN_IF_ERROR(WriteTextFile(recipe_path, RecipeText(recipe)));
  if (!wanted.output_sha256.empty() && wanted.model_sha256 == model.sha256 &&
      wanted.output_sha256 != sha256) {
    PrintNote(fmt::format("warning: the recipe gave a model with SHA-256 {} before, now {}",
                          wanted.output_sha256, sha256));
  }
  for (const std::string& warning : report.warnings) PrintNote("warning: " + warning);
  PrintText(arguments.json,
            QuantizeText(report) + fmt::format("{}: {} nodes, {} bytes\n", arguments.output,
                                               report.nodes, bytes.size()));
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"model", model.path},
                                 {"sha256", model.sha256},
                                 {"output", arguments.output},
                                 {"output_sha256", sha256},
                                 {"recipe", recipe_path},
                                 {"bytes", bytes.size()}};
  json.update(QuantizeJson(report));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  if (!report.dead()) {
    return static_cast<int>(report.mixed && !report.mixed->reached ? kExitGate : kExitOk);
  }
  for (const OutputLoss& loss : report.losses) {
    if (!loss.constant) continue;
    PrintNote(fmt::format(
        "'{}': output nearly constant over the calibration set, the model is dead", loss.name));
  }
  return static_cast<int>(kExitGate);
}

}  // namespace

void AddQuantizeCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "quantize", "Make the integer model that a target wants from a float model",
                  [arguments] { return Run(*arguments); });
  AddModelOptions(command, &arguments->model);
  command.Option("-o,--output", "FILE", &arguments->output, "The .tflite file to write");
  command.Option("--calibration", "DIR|FILE", &arguments->calibration,
                 "Pictures like those the camera will see: a folder, an .npz file or a list");
  command.Option("--target", "T", &arguments->target, "Quantize as this target wants it", IsTarget);
  command.Option("--product", "P", &arguments->product, "The same for this product's target",
                 IsProduct);
  command.Option("--scheme", "SCHEME", &arguments->scheme,
                 "int8-per-channel, int8-per-tensor, uint8-per-tensor, int16x8 or power-of-two");
  command.Option("--choose", "T[,T]", &arguments->choose,
                 "Write nothing; say for each target what per-tensor and per-channel lose and take",
                 AreTargets);
  command.Option(
      "--ranges", "HOW", &arguments->ranges,
      "Of activations: min-max, percentile, mse, average (of the inputs' extremes) or entropy "
      "(the best of the first four)");
  command.Option("--percentile", "P", &arguments->percentile, 50, 100,
                 "Share of values inside the range, for --ranges percentile (99.99)");
  command.Option("--weights", "HOW", &arguments->weights,
                 "Ranges of weights: min-max or mse (the better)");
  command.Option("--rounding", "HOW", &arguments->rounding,
                 "Of weights: nearest, or adaptive, so that sums of layers change least (with one "
                 "scale: what is better; else nearest)");
  command.Flag("--equalize", &arguments->equalize,
               "Equalize channel ranges between layers (per-tensor: always; else where it helps)");
  command.Flag("--no-equalize", &arguments->no_equalize, "Leave channel ranges as they are");
  command.Option("--bias-correction", "HOW", &arguments->bias,
                 "Of the layers' mean outputs: none, analytic (for rounded weights) or empirical "
                 "(measured layer by layer); the best of them without this option");
  command.Option("--pictures", "N", &arguments->pictures, 1, 100000,
                 "Calibration inputs to use at most (100)");
  command.Option("--input-type", "TYPE", &arguments->input_type, "uint8, int8, int16 or float");
  command.Option("--output-type", "TYPE", &arguments->output_type, "uint8, int8, int16 or float");
  AddPictureOptions(command, &arguments->input);
  command.Option("--keep", "LAYER=TYPE", &arguments->nodes,
                 "Compute a layer in int16 or float instead");
  command.Option(
      "--min-sqnr", "DB", &arguments->min_sqnr, -60, 60,
      "Compute the worst layers in int16 or float until the outputs are this near to the "
      "float model's, most dB per predicted ms first; else exit code 4");
  command.Option("--max-ms-more", "MS", &arguments->max_ms_more, 0, 100000,
                 "The same as long as the predicted time grows by no more than this");
  command.Option("--replace", "OP[=FORM]", &arguments->replace,
                 "Replace ops that the target cannot run well, and measure the error: hard-swish, "
                 "leaky-relu, prelu, silu, gelu, logistic");
  command.Flag("--cut-post-processing", &arguments->cut_post_processing,
               "Cut off post-processing without an integer form, even without a decoder for the "
               "rest");
  command.Flag("--no-fix", &arguments->no_fix, "Change nothing of the model's structure");
  command.Flag("--keep-outputs", &arguments->keep_outputs,
               "Change the structure only where the model's outputs stay the same ones");
  command.Option("--wide-below", "DB", &arguments->wide_below, 0, 200,
                 "power-of-two: 16 bits for tensors that 8 bits represent worse (the target's)");
  command.Option("--recipe", "FILE", &arguments->recipe,
                 "Settings and inputs of an earlier run, instead of the options above");
  command.Flag("--fast", &arguments->fast,
               "Calibrate with this CPU's fastest kernels: another CPU may give other bytes");
  command.Json(&arguments->json);
}

}  // namespace dlpu
