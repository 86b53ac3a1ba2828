// SPDX-License-Identifier: Apache-2.0
// Recipes as text.
#include "app/recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/sha256.h"
#include "base/toml.h"

namespace dlpu {
namespace {

constexpr int kRecipeVersion = 1;

// A TOML basic string.
std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string Numbers(const std::vector<float>& values) {
  std::string text;
  for (const float v : values) text += fmt::format("{}{:.9g}", text.empty() ? "" : ", ", v);
  return "[" + text + "]";
}

std::vector<float> FloatsOf(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

const std::vector<std::string> kSchemeWords = {"int8-per-channel", "int8-per-tensor",
                                               "uint8-per-tensor", "int16x8", "power-of-two"};
const std::vector<std::string> kRangeWords = {"min-max", "percentile", "mse", "entropy", "average"};
const std::vector<std::string> kBiasWords = {"none", "analytic", "empirical"};
const std::vector<std::string> kBorderWords = {"float32", "uint8", "int8", "int16"};
const std::vector<std::string> kNodeWords = {"float32", "int16"};

void ReadInput(const TomlTable& table, InputOptions& input) {
  input.mean = FloatsOf(table.NumsOrNone("mean"));
  input.std = FloatsOf(table.NumsOrNone("std"));
  input.resize = table.Word("resize", {"stretch", "letterbox", "crop", ""}, "");
  input.bgr = table.Bool("bgr", false);
}

void ReadSettings(const TomlTable& root, QuantizeSettings& settings) {
  settings.scheme = SchemeFromName(root.Word("scheme", kSchemeWords)).value_or(settings.scheme);
  settings.range.method = RangeMethodFromName(root.Word("ranges", kRangeWords, "min-max"))
                              .value_or(settings.range.method);
  settings.range.percentile = root.Num("percentile", 99.99);
  settings.weight_range = root.Word("weights", {"min-max", "mse"}, "min-max") == "mse"
                              ? WeightRange::kMse
                              : WeightRange::kMinMax;
  settings.rounding = RoundingFromName(root.Word("rounding", {"nearest", "adaptive"}, "nearest"))
                          .value_or(settings.rounding);
  settings.equalize = root.Bool("equalize", false);
  settings.absorb = root.Bool("absorb_biases", false);
  settings.bias = BiasCorrectionFromName(root.Word("bias_correction", kBiasWords, "analytic"))
                      .value_or(settings.bias);
  settings.portable = root.Bool("portable", true);
  settings.most_pictures = static_cast<int>(root.Int("pictures", 1, 100000, 100));
  settings.fix = root.Bool("fix", true);
  settings.keep_outputs = root.Bool("keep_outputs", false);
  settings.cut_post_processing = root.Bool("cut_post_processing", false);
  settings.replace = root.StrsOrNone("replace");
  for (const std::string& text : settings.replace) {
    const auto known = ParseReplacement(text);
    if (!known.ok()) root.Fail("replace", known.error().message);
  }
  settings.cut_at = root.Str("cut_at", "");
  if (root.Has("input_type")) {
    settings.input_type = DataTypeFromName(root.Word("input_type", kBorderWords));
  }
  if (root.Has("output_type")) {
    settings.output_type = DataTypeFromName(root.Word("output_type", kBorderWords));
  }
  const auto shapes = ParseShapes(root.StrsOrNone("shapes"));
  if (shapes.ok()) {
    settings.shapes = *shapes;
  } else {
    root.Fail("shapes", shapes.error().message);
  }
  ReadInput(root.TableOrNone("input"), settings.input);
  for (const TomlTable& node : root.Tables("node")) {
    settings.node_types[node.Str("name")] =
        DataTypeFromName(node.Word("type", kNodeWords)).value_or(DataType::kFloat32);
  }
}

}  // namespace

Result<Recipe> RecipeOf(const LoadedModel& model, const QuantizeReport& report,
                        const std::string& output_sha256) {
  Recipe recipe;
  recipe.settings = report.settings;
  recipe.model_sha256 = model.sha256;
  recipe.calibration = report.calibration;
  recipe.output_sha256 = output_sha256;
  for (const std::string& path : report.used_files) {
    DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(path));
    recipe.files.push_back({path, Sha256Hex(bytes)});
  }
  return recipe;
}

std::string RecipeText(const Recipe& recipe) {
  const QuantizeSettings& settings = recipe.settings;
  std::string text = fmt::format(
      "# How a model was quantized: dlpu quantize MODEL --recipe THIS -o OUT makes it again.\n"
      "version = {}\nscheme = {}\nranges = {}\npercentile = {}\nweights = {}\nrounding = "
      "{}\nequalize = {}\n"
      "bias_correction = {}\nportable = {}\npictures = {}\nfix = {}\nkeep_outputs = {}\n"
      "cut_post_processing = {}\n",
      kRecipeVersion, Quoted(std::string(SchemeName(settings.scheme))),
      Quoted(std::string(RangeMethodName(settings.range.method))), settings.range.percentile,
      settings.weight_range == WeightRange::kMse ? "\"mse\"" : "\"min-max\"",
      Quoted(std::string(RoundingName(settings.rounding))), settings.equalize,
      Quoted(std::string(BiasCorrectionName(settings.bias))), settings.portable,
      settings.most_pictures, settings.fix, settings.keep_outputs, settings.cut_post_processing);
  if (settings.absorb) text += "absorb_biases = true\n";
  if (!settings.replace.empty()) {
    std::string list;
    for (const std::string& one : settings.replace) {
      list += (list.empty() ? "" : ", ") + Quoted(one);
    }
    text += "replace = [" + list + "]\n";
  }
  const auto type = [&](const char* key, const std::optional<DataType>& value) {
    if (value) text += fmt::format("{} = \"{}\"\n", key, DataTypeName(*value));
  };
  type("input_type", settings.input_type);
  type("output_type", settings.output_type);
  if (!settings.cut_at.empty()) text += fmt::format("cut_at = {}\n", Quoted(settings.cut_at));
  std::string shapes;
  for (const auto& [name, shape] : settings.shapes) {
    std::string extents;
    for (const int32_t e : shape) extents += fmt::format("{}{}", extents.empty() ? "" : ",", e);
    shapes += (shapes.empty() ? "" : ", ") + Quoted(name + "=" + extents);
  }
  if (!shapes.empty()) text += "shapes = [" + shapes + "]\n";
  const auto line = [&](const char* key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} = {}\n", key, Quoted(value));
  };
  line("model_sha256", recipe.model_sha256);
  line("output_sha256", recipe.output_sha256);
  line("calibration", recipe.calibration);
  text += "\n[input]\n";
  if (!settings.input.mean.empty()) text += "mean = " + Numbers(settings.input.mean) + "\n";
  if (!settings.input.std.empty()) text += "std = " + Numbers(settings.input.std) + "\n";
  line("resize", settings.input.resize);
  text += fmt::format("bgr = {}\n", settings.input.bgr);
  for (const auto& [name, node_type] : settings.node_types) {
    text += fmt::format("\n[[node]]\nname = {}\ntype = \"{}\"\n", Quoted(name),
                        DataTypeName(node_type));
  }
  for (const RecipeFile& file : recipe.files) {
    text += fmt::format("\n[[file]]\npath = {}\nsha256 = \"{}\"\n", Quoted(file.path), file.sha256);
  }
  return text;
}

Result<Recipe> ParseRecipe(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  const TomlTable root = file.Root();
  Recipe recipe;
  root.Int("version", 1, kRecipeVersion);
  ReadSettings(root, recipe.settings);
  recipe.model_sha256 = root.Str("model_sha256", "");
  recipe.output_sha256 = root.Str("output_sha256", "");
  recipe.calibration = root.Str("calibration", "");
  for (const TomlTable& one : root.Tables("file")) {
    recipe.files.push_back({one.Str("path"), one.Str("sha256")});
  }
  DLPU_RETURN_IF_ERROR(file.Finish());
  return recipe;
}

Result<CalibrationSet> CalibrationOf(const Recipe& recipe) {
  if (recipe.files.empty()) {
    return FindCalibration(recipe.calibration, recipe.settings.most_pictures);
  }
  for (const RecipeFile& file : recipe.files) {
    DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(file.path));
    const std::string found = Sha256Hex(bytes);
    if (found == file.sha256) continue;
    return InvalidError(fmt::format(
        "{}: has SHA-256 {}, the recipe was made with {}; give --calibration to take other inputs",
        file.path, found, file.sha256));
  }
  // An .npz file holds all inputs.
  if (recipe.files.size() == 1) return FindCalibration(recipe.files[0].path, 1 << 30);
  CalibrationSet set;
  set.source = recipe.calibration;
  for (const RecipeFile& file : recipe.files) set.files.push_back(file.path);
  return set;
}

}  // namespace dlpu
