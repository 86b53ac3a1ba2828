// SPDX-License-Identifier: Apache-2.0
// The [cost] table of a target's file.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "target/cost/model.h"

namespace dlpu {
namespace {

double Positive(const TomlTable& t, std::string_view key) {
  const double value = t.Num(key);
  if (!(value > 0)) t.Fail(key, fmt::format("'{}' must be positive", key));
  return value;
}

double Positive(const TomlTable& t, std::string_view key, double absent) {
  return t.Has(key) ? Positive(t, key) : absent;
}

std::optional<double> PositiveOrNone(const TomlTable& t, std::string_view key) {
  if (!t.Has(key)) return std::nullopt;
  return Positive(t, key);
}

// What each form needs from the parameters.
const std::map<EngineForm, std::vector<std::string>>& Needed() {
  static const std::map<EngineForm, std::vector<std::string>> needed = {
      {EngineForm::kNone, {}},
      {EngineForm::kTiles, {"engine_scale"}},
      {EngineForm::kRoofline,
       {"dense_tmacs", "pointwise_tmacs", "depthwise_tmacs", "bandwidth_gbs"}},
      {EngineForm::kCycles, {"engine_scale"}},
      {EngineForm::kRates, {"dense_ms_per_gmac", "pointwise_ms_per_gmac", "depthwise_ms_per_gmac"}},
  };
  return needed;
}

EngineConstants ReadEngine(const TomlTable& t, const TomlTable& sources) {
  EngineConstants e;
  const std::string form = t.Word("form", {"none", "tiles", "roofline", "cycles", "rates"});
  e.form = form == "tiles"      ? EngineForm::kTiles
           : form == "roofline" ? EngineForm::kRoofline
           : form == "cycles"   ? EngineForm::kCycles
           : form == "rates"    ? EngineForm::kRates
                                : EngineForm::kNone;
  e.fact = ReadFact(t, sources);
  e.clock_mhz = Positive(t, "clock_mhz", 0);
  if (e.form == EngineForm::kRoofline) e.channel_multiple = Positive(t, "channel_multiple");
  if (e.form == EngineForm::kTiles) {
    if (e.clock_mhz == 0) t.Fail("clock_mhz", "form = \"tiles\" needs 'clock_mhz'");
    e.dense_weight = Positive(t, "dense_weight");
    e.pointwise_weight = Positive(t, "pointwise_weight");
    e.depthwise_weight = Positive(t, "depthwise_weight");
  }
  if (e.form == EngineForm::kCycles) {
    if (e.clock_mhz == 0) t.Fail("clock_mhz", "form = \"cycles\" needs 'clock_mhz'");
    e.macs_per_cycle = Positive(t, "macs_per_cycle");
    e.brick = static_cast<double>(t.Int("brick", 1, 1024));
    e.group = static_cast<double>(t.Int("group", 1, 1024));
    e.sram_bytes = Positive(t, "sram_bytes");
    e.bytes_per_cycle = Positive(t, "bytes_per_cycle");
    e.stripe_cycles = Positive(t, "stripe_cycles");
    e.winograd = Positive(t, "winograd");
    e.weight_compression = Positive(t, "weight_compression");
    e.patch_cycles = Positive(t, "patch_cycles");
    const TomlTable patches = t.Table("patches");
    for (const std::string& op : patches.Keys()) e.patches[op] = Positive(patches, op);
    for (const std::string& op : t.Strs("placed")) e.placed.insert(op);
  }
  return e;
}

CostParameter ReadParameter(const TomlTable& t, const TomlTable& sources) {
  CostParameter p;
  p.name = t.Str("name");
  p.unit = t.Str("unit");
  p.says = t.Str("says", "");
  p.fact = ReadFact(t, sources);
  p.tied_to = t.Str("tied_to", "");
  if (!p.tied_to.empty()) {
    p.ratio = Positive(t, "ratio");
    return p;
  }
  p.centre = Positive(t, "centre");
  p.factor = t.Num("factor");
  if (!(p.factor >= 1)) t.Fail("factor", "'factor' is at least 1 (1: a constant)");
  return p;
}

OsVersion ReadOs(const TomlTable& t, std::string_view key) {
  const Result<OsVersion> os = ParseOs(t.Str(key));
  if (os.ok()) return *os;
  t.Fail(key, os.error().message);
  return {};
}

CostEra ReadEra(const TomlTable& t, const TomlTable& sources) {
  CostEra e;
  e.name = t.Str("name");
  e.from = ReadOs(t, "from");
  if (t.Has("to")) e.to = ReadOs(t, "to");
  e.speed_class = t.Str("class", "");
  e.dlpu = Positive(t, "dlpu", 1);
  e.cpu = Positive(t, "cpu", 1);
  e.fit = t.Str("fit", e.name);
  e.says = t.Str("says", "");
  e.fact = ReadFact(t, sources);
  return e;
}

CostClass ReadClass(const TomlTable& t, const TomlTable& sources) {
  CostClass c;
  c.name = t.Str("name");
  c.dlpu_parameter = t.Str("dlpu_parameter", "");
  c.cpu_parameter = t.Str("cpu_parameter", "");
  c.configurations = t.StrsOrNone("configurations");
  c.archs = t.StrsOrNone("archs");
  c.products = t.StrsOrNone("products");
  c.rest = t.Bool("rest", false);
  c.shown = t.Bool("shown", true);
  c.says = t.Str("says");
  c.fact = ReadFact(t, sources);
  return c;
}

CostStart ReadStart(const TomlTable& t, const TomlTable& sources) {
  CostStart s;
  if (!t.present()) return s;
  s.load_ms_per_op = PositiveOrNone(t, "load_ms_per_op");
  s.load_factor = PositiveOrNone(t, "load_factor");
  s.cached_load_ms = PositiveOrNone(t, "cached_load_ms");
  s.first_run_ms = PositiveOrNone(t, "first_run_ms");
  s.first_run_ms_per_mb = PositiveOrNone(t, "first_run_ms_per_mb");
  s.first_run_ratio = PositiveOrNone(t, "first_run_ratio");
  s.says = t.Str("says");
  s.fact = ReadFact(t, sources);
  return s;
}

CostReason ReadReason(const TomlTable& t, const TomlTable& sources) {
  return {t.Word("kind", {"times", "engine", "add", "decode"}), Positive(t, "low"),
          Positive(t, "high"), t.Str("says"), ReadFact(t, sources)};
}

// Names are unique, and those that refer to others exist.
void CheckNames(const TomlTable& t, const CostModel& model) {
  std::set<std::string> seen;
  const auto need = [&](const std::string& name, const char* why) {
    if (!name.empty() && model.Find(name) == nullptr) {
      t.Fail("", fmt::format("[cost] has no parameter '{}', which {}", name, why));
    }
  };
  for (const CostParameter& p : model.parameters) {
    if (!seen.insert(p.name).second) t.Fail("", fmt::format("'{}' occurs twice", p.name));
    need(p.tied_to, "another is tied to");
  }
  for (const std::string& name : Needed().at(model.engine.form)) need(name, "the engine needs");
  for (const CostClass& c : model.classes) {
    need(c.dlpu_parameter, "a class names");
    need(c.cpu_parameter, "a class names");
  }
  for (const CostEra& e : model.eras) {
    if (!e.speed_class.empty() && model.FindClass(e.speed_class) == nullptr) {
      t.Fail("", fmt::format("era {} is for an unknown class '{}'", e.name, e.speed_class));
    }
  }
  if (model.classes.empty() || model.eras.empty()) t.Fail("", "[cost] needs a class and an era");
}

}  // namespace

CostModel ReadCost(const TomlTable& t) {
  CostModel model;
  const TomlTable sources = t.Table("sources");
  for (const std::string& key : sources.Keys()) sources.Str(key);
  model.engine = ReadEngine(t.Table("engine"), sources);
  for (const TomlTable& p : t.Tables("parameter")) {
    model.parameters.push_back(ReadParameter(p, sources));
  }
  for (const TomlTable& c : t.Tables("class")) model.classes.push_back(ReadClass(c, sources));
  for (const TomlTable& e : t.Tables("era")) model.eras.push_back(ReadEra(e, sources));
  model.newest = t.Str("newest");
  model.discrepancy = Positive(t, "discrepancy");
  model.least_interval = Positive(t, "least_interval");
  model.reference = t.Str("reference");
  model.start = ReadStart(t.TableOrNone("start"), sources);
  for (const TomlTable& r : t.Tables("reason")) model.reasons.push_back(ReadReason(r, sources));
  model.silu_falls_back = t.Bool("silu_falls_back", false);
  model.tail_in_output = t.Bool("tail_in_output", false);
  model.per_channel_is_slow = t.Bool("per_channel_is_slow", false);
  model.cpu_only = model.engine.form == EngineForm::kNone;
  model.compiler_quantizes = t.Bool("compiler_quantizes", false);
  CheckNames(t, model);
  return model;
}

}  // namespace dlpu
