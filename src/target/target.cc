// SPDX-License-Identifier: Apache-2.0
// Loading targets from TOML, and asking them about an op.
#include "target/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "base/data_path.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/toml.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kNeeds = {"none", "int8", "compiler"};
const std::vector<std::string> kUserFormats = {"tflite", "onnx"};
const std::vector<std::string> kDeviceFormats = {
    "tflite", "edgetpu-tflite", "vip-nb", "a9-native", "cvflow-bin", "cvflow2-bin", "cvflow3-bin"};

// A list of words, each of which must be one of `words`.
std::vector<std::string> ReadWords(const TomlTable& t, std::string_view key,
                                   const std::vector<std::string>& words) {
  std::vector<std::string> found = t.StrsOrNone(key);
  for (const std::string& word : found) {
    if (std::ranges::find(words, word) == words.end()) {
      t.Fail(key, fmt::format("'{}' holds \"{}\", allowed is {}{}", key, word,
                              fmt::join(words, ", "), DidYouMean(word, words)));
    }
  }
  return found;
}

TargetDevice ReadDevice(const TomlTable& t, const TomlTable& sources) {
  TargetDevice d;
  d.name = t.Str("name");
  d.runs = t.Word("runs", {"model", "preprocess"});
  d.engine = t.Word("engine", {"cpu", "dlpu", "gpu", "isp"});
  d.takes = ReadWords(t, "takes", kDeviceFormats);
  if (t.Has("chip")) d.chip = static_cast<int>(t.Int("chip", 0, 255));
  d.note = t.Str("note", "");
  d.fact = ReadFact(t, sources);
  return d;
}

TargetQuantization ReadQuantization(const TomlTable& t, const TomlTable& sources) {
  TargetQuantization q;
  q.need = t.Word("need", kNeeds);
  q.weights = t.Word("weights", {"any", "per-channel", "per-tensor"});
  q.types = ReadWords(t, "types", {"int8", "uint8", "int16", "float16", "float32"});
  q.says = t.Str("says");
  q.fact = ReadFact(t, sources);
  return q;
}

std::optional<TargetFixedPoint> ReadFixedPoint(const TomlTable& t, const TomlTable& sources) {
  if (!t.present()) return std::nullopt;
  TargetFixedPoint f;
  f.wide_below_db = t.Num("wide_below_db");
  if (!(f.wide_below_db >= 0 && f.wide_below_db <= 200)) {
    t.Fail("wide_below_db", "'wide_below_db' must be between 0 and 200");
  }
  f.says = t.Str("says");
  f.fact = ReadFact(t, sources);
  return f;
}

std::optional<TargetCompiler> ReadCompiler(const TomlTable& t, const TomlTable& sources) {
  if (!t.present()) return std::nullopt;
  TargetCompiler c;
  c.name = t.Str("name");
  c.program = t.Str("program", "");
  c.takes = ReadWords(t, "takes", kUserFormats);
  c.makes = t.Word("makes", kDeviceFormats);
  c.available = t.Bool("available");
  c.arguments = t.StrsOrNone("arguments");
  c.runtime_arguments = t.StrsOrNone("runtime_arguments");
  c.several_arguments = t.StrsOrNone("several_arguments");
  c.output = t.Str("output", "");
  c.log = t.Str("log", "");
  c.mapped = t.Str("mapped", "");
  c.behind = t.Str("behind", "");
  c.unlisted = t.Str("unlisted", "");
  c.limited = t.Str("limited", "");
  c.tflite_steps = t.StrsOrNone("tflite_steps");
  c.onnx_steps = t.StrsOrNone("onnx_steps");
  c.input_argument = t.Str("input_argument", "");
  c.output_argument = t.Str("output_argument", "");
  c.says = t.Str("says");
  c.fact = ReadFact(t, sources);
  return c;
}

TargetPartition ReadPartition(const TomlTable& t, const TomlTable& sources) {
  TargetPartition p;
  p.rest = t.Word("rest", {"cpu", "refuse"});
  p.order = t.Word("order", {"any", "prefix"});
  if (t.Has("most")) {
    p.most = static_cast<int>(t.Int("most", 1, 1 << 20));
    p.error = t.Str("error");
  }
  p.fallback_log = t.Str("fallback_log", "");
  p.says = t.Str("says");
  p.fact = ReadFact(t, sources);
  return p;
}

TargetArithmetic ReadArithmetic(const TomlTable& t, const TomlTable& sources) {
  const std::vector<std::string> profiles = {"tflite-reference", "tflite-builtin", "xnnpack"};
  return {t.Word("profile", profiles), t.Word("cpu_profile", profiles, "tflite-reference"),
          t.Str("winograd", ""), t.Str("says"), ReadFact(t, sources)};
}

TargetInput ReadInput(const TomlTable& t, const TomlTable& sources) {
  return {t.Word("layout", {"any", "rgb-interleaved", "rgb-planar"}),
          static_cast<int>(t.Int("pitch_multiple", 1, 4096, 1)), t.Str("says"),
          ReadFact(t, sources)};
}

std::optional<double> PositiveOrNone(const TomlTable& t, std::string_view key) {
  if (!t.Has(key)) return std::nullopt;
  const double value = t.Num(key);
  if (!(value > 0)) t.Fail(key, fmt::format("'{}' must be positive", key));
  return value;
}

TargetEngine ReadEngine(const TomlTable& t, const TomlTable& sources) {
  TargetEngine e;
  e.name = t.Word("name", {"dlpu", "cpu"});
  e.title = t.Str("title");
  if (t.Has("cores")) e.cores = static_cast<int>(t.Int("cores", 1, 1024));
  e.macs_per_cycle = PositiveOrNone(t, "macs_per_cycle");
  e.clock_mhz = PositiveOrNone(t, "clock_mhz");
  e.says = t.Str("says", "");
  e.fact = ReadFact(t, sources);
  return e;
}

TargetMemory ReadMemory(const TomlTable& t, const TomlTable& sources) {
  return {t.Str("name"), static_cast<uint64_t>(t.Int("bytes", 1, int64_t{1} << 50)),
          t.Str("says", ""), ReadFact(t, sources)};
}

std::optional<TargetTiles> ReadTiles(const TomlTable& t, const TomlTable& sources) {
  if (!t.present()) return std::nullopt;
  TargetTiles tiles;
  const auto count = [&](std::string_view key) { return static_cast<int>(t.Int(key, 1, 1 << 20)); };
  tiles.rows = count("rows");
  tiles.columns = count("columns");
  tiles.lanes = count("lanes");
  tiles.channel_group = count("channel_group");
  tiles.bytes_per_channel = count("bytes_per_channel");
  tiles.bytes_per_op = count("bytes_per_op");
  tiles.tile_bytes = t.Int("tile_bytes", 1, int64_t{1} << 50);
  tiles.cache_bytes = t.Int("cache_bytes", 1, int64_t{1} << 50);
  tiles.cycle_lanes = count("cycle_lanes");
  tiles.conv_factor = t.Num("conv_factor");
  tiles.depthwise_factor = t.Num("depthwise_factor");
  tiles.says = t.Str("says");
  tiles.fact = ReadFact(t, sources);
  return tiles;
}

TargetOp ReadOp(const TomlTable& t, const TomlTable& sources) {
  TargetOp op;
  op.name = t.Str("name");
  op.note = t.Str("note", "");
  op.fact = ReadFact(t, sources);
  const ConditionDefaults defaults = {Effect::kCpu, &op.fact, t.Str("fix", "")};
  for (const TomlTable& c : t.Tables("condition")) {
    op.conditions.push_back(ReadCondition(c, sources, defaults));
  }
  return op;
}

void AddRule(Condition rule, Target& target) {
  (rule.about == About::kNode ? target.node_rules : target.rules).push_back(std::move(rule));
}

// Each condition's id and each op may occur once.
void CheckUnique(const TomlTable& root, const Target& target) {
  std::set<std::string> seen;
  auto once = [&](const std::string& what) {
    if (!seen.insert(what).second) root.Fail("", fmt::format("'{}' occurs twice", what));
  };
  for (const TargetOp& op : target.ops) once(op.name);
  for (const Condition* c : AllConditions(target)) once(c->id);
  for (const TargetDevice& d : target.devices) once(d.name);
  if (std::ranges::none_of(target.devices,
                           [&](const TargetDevice& d) { return d.name == target.device; })) {
    root.Fail("device", fmt::format("'device' is {}, which is none of [[devices]]", target.device));
  }
  if ((target.coverage == "listed") == target.ops.empty()) {
    root.Fail("coverage", "coverage = \"listed\" goes with [[op]] tables, and they with it");
  }
}

// A name as people write it: lower case, without '-', '_' and spaces.
std::string Plain(std::string_view name) {
  std::string plain;
  for (char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return plain;
}

// The fitted numbers of data/cost/<target>.toml; without that file the priors stand.
Status LoadCostFits(Target* target) {
  if (!target->cost.has_value()) return OkStatus();
  const Result<std::string> path = DataPath("cost/" + target->name + ".toml");
  if (!path.ok()) return OkStatus();
  DLPU_TRY(const std::string text, ReadTextFile(*path));
  return ReadCostFits(text, *path, &*target->cost);
}

}  // namespace

Result<Target> ParseTarget(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  const TomlTable root = file.Root();
  const TomlTable sources = root.Table("sources");
  for (const std::string& key : sources.Keys()) sources.Str(key);
  Target target;
  target.name = root.Str("name");
  target.title = root.Str("title");
  target.dlpu = root.Str("dlpu");
  target.device = root.Str("device");
  target.summary = root.Str("summary");
  target.formats = ReadWords(root, "formats", kUserFormats);
  target.camera_format = root.Word("camera_format", kDeviceFormats);
  for (const TomlTable& t : root.Tables("devices")) {
    target.devices.push_back(ReadDevice(t, sources));
  }
  target.quantization = ReadQuantization(root.Table("quantization"), sources);
  target.fixed_point = ReadFixedPoint(root.TableOrNone("fixed_point"), sources);
  target.compiler = ReadCompiler(root.TableOrNone("compiler"), sources);
  target.partition = ReadPartition(root.Table("partition"), sources);
  target.arithmetic = ReadArithmetic(root.Table("arithmetic"), sources);
  target.input = ReadInput(root.Table("input"), sources);
  for (const TomlTable& t : root.Tables("engine")) {
    target.engines.push_back(ReadEngine(t, sources));
  }
  for (const TomlTable& t : root.Tables("memory")) {
    target.memories.push_back(ReadMemory(t, sources));
  }
  target.tiles = ReadTiles(root.TableOrNone("tiles"), sources);
  target.coverage = root.Word("coverage", {"all", "listed", "unknown"});
  for (const TomlTable& t : root.Tables("op")) target.ops.push_back(ReadOp(t, sources));
  for (const TomlTable& t : root.Tables("plain_ops")) {
    const TargetOp common{"", {}, t.Str("note", ""), ReadFact(t, sources)};
    for (const std::string& op : t.Strs("names")) {
      target.ops.push_back(common);
      target.ops.back().name = op;
    }
  }
  std::ranges::sort(target.ops, {}, &TargetOp::name);
  for (const TomlTable& t : root.Tables("rule")) AddRule(ReadRule(t, sources), target);
  if (const TomlTable cost = root.TableOrNone("cost"); cost.present()) {
    target.cost = ReadCost(cost);
    target.cost->engine.tiles = target.tiles;
    if (target.cost->engine.form == EngineForm::kTiles && !target.tiles.has_value()) {
      cost.Fail("engine", "form = \"tiles\" needs the [tiles] of the target");
    }
  }
  CheckUnique(root, target);
  DLPU_RETURN_IF_ERROR(file.Finish());
  return target;
}

Result<std::vector<CommonRule>> ParseCommonRules(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  const TomlTable root = file.Root();
  const TomlTable sources = root.Table("sources");
  for (const std::string& key : sources.Keys()) sources.Str(key);
  std::vector<CommonRule> rules;
  for (const TomlTable& t : root.Tables("rule")) {
    rules.push_back({ReadWords(t, "need", kNeeds), ReadRule(t, sources)});
    if (rules.back().need.empty()) t.Fail("need", "'need' names no kind of target");
  }
  DLPU_RETURN_IF_ERROR(file.Finish());
  return rules;
}

std::vector<const Condition*> AllConditions(const Target& target) {
  std::vector<const Condition*> all;
  for (const TargetOp& op : target.ops) {
    for (const Condition& c : op.conditions) all.push_back(&c);
  }
  for (const Condition& c : target.node_rules) all.push_back(&c);
  for (const Condition& c : target.rules) all.push_back(&c);
  return all;
}

Result<std::vector<Target>> LoadTargets() {
  DLPU_TRY(const std::string common_path, DataPath("rules.toml"));
  DLPU_TRY(const std::string common_text, ReadTextFile(common_path));
  DLPU_TRY(const std::vector<CommonRule> common, ParseCommonRules(common_text, common_path));
  DLPU_TRY(const std::string folder, DataPath("targets"));
  std::vector<fs::path> paths;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path());
  }
  if (error) return IoError(fmt::format("{}: cannot be read: {}", folder, error.message()));
  if (paths.empty()) return NotFoundError(fmt::format("{} holds no .toml file", folder));
  std::ranges::sort(paths);
  std::vector<Target> targets;
  for (const fs::path& path : paths) {
    DLPU_TRY(const std::string text, ReadTextFile(path.string()));
    DLPU_TRY(Target target, ParseTarget(text, path.string()));
    if (target.name != path.stem().string()) {
      return InvalidError(
          fmt::format("{}: 'name' is {}, it must be the file's name", path.string(), target.name));
    }
    for (const CommonRule& rule : common) {
      if (std::ranges::find(rule.need, target.quantization.need) == rule.need.end()) continue;
      for (const Condition* own : AllConditions(target)) {
        if (own->id != rule.condition.id) continue;
        return InvalidError(fmt::format("{}: the id '{}' is that of a rule in {}", path.string(),
                                        own->id, common_path));
      }
      AddRule(rule.condition, target);
    }
    DLPU_RETURN_IF_ERROR(LoadCostFits(&target));
    targets.push_back(std::move(target));
  }
  return targets;
}

Result<Target> FindTarget(const std::vector<Target>& targets, std::string_view name) {
  std::vector<std::string> names;
  for (const Target& target : targets) {
    for (const std::string& alias : {target.name, target.title, target.device}) {
      if (Plain(alias) == Plain(name)) return target;
    }
    names.push_back(target.name);
  }
  return NotFoundError(fmt::format("there is no target '{}'{}; the targets are {}", name,
                                   DidYouMean(name, names), fmt::join(names, ", ")));
}

Result<Target> FindTarget(std::string_view name) {
  DLPU_TRY(const std::vector<Target> targets, LoadTargets());
  return FindTarget(targets, name);
}

const TargetOp* FindOp(const Target& target, std::string_view op) {
  const auto at = std::ranges::lower_bound(target.ops, op, {}, &TargetOp::name);
  return at != target.ops.end() && at->name == op ? &*at : nullptr;
}

Support SupportOf(const Target& target, std::string_view op, const ValueLookup& lookup) {
  Support support;
  const TargetOp* row = FindOp(target, op);
  const Support::Where otherwise =
      target.partition.rest == "cpu" ? Support::Where::kCpu : Support::Where::kRefused;
  if (target.coverage == "unknown") {
    support.where = Support::Where::kUnknown;
  } else {
    support.where = target.coverage == "all" || row ? Support::Where::kDlpu : otherwise;
  }
  // Severity grows from dlpu over cpu to refused. A rule about all nodes is not about those that
  // have no such value (weights of an addition).
  auto apply = [&](const std::vector<Condition>& conditions, bool every_node) {
    for (const Condition& c : conditions) {
      const Verdict verdict = Check(c, lookup);
      if (verdict == Verdict::kHolds) continue;
      if (verdict == Verdict::kUnknown && every_node && c.test) continue;
      support.findings.push_back({&c, Found(c, lookup), verdict});
      if (verdict != Verdict::kBroken) continue;
      if (c.effect == Effect::kRefuse) support.where = Support::Where::kRefused;
      if (c.effect == Effect::kCpu && support.where == Support::Where::kDlpu) {
        support.where = otherwise;
      }
    }
  };
  // What a node on the CPU anyway does not fulfil does not matter.
  if (row) apply(row->conditions, false);
  if (support.where != Support::Where::kCpu) apply(target.node_rules, true);
  return support;
}

}  // namespace dlpu
