// SPDX-License-Identifier: Apache-2.0
// Predictions: price, interval, and what they rest on.
#include "target/cost/predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "target/cost/fit.h"

namespace dlpu {
namespace {

constexpr double kNinety = 1.645;          // standard deviations of a two-sided 90 % interval
constexpr double kStreamInterval = 2;      // least factor where weights are streamed
constexpr double kCutInterval = 2;         // the same where the CPU's layers cut the model in parts
constexpr double kCpuShare = 0.1;          // of the time on layers that fell back: worth a warning
constexpr double kMeasuredInterval = 1.1;  // for a network measured on the very product
constexpr double kOutsideWidening = 1.5;   // of the least interval, outside the measured range

// All that one price needs.
struct Setting {
  CostModel model;  // with what-if applied
  const CostEra* era = nullptr;
  CostFit fit;
  PriceFactors factors;
  std::optional<UserFactor> user;
  const KnownTime* known = nullptr;  // of this network
  bool measured_here = false;        // and it was this product and era
};

std::string OsText(OsVersion os) { return fmt::format("{}.{}", os.major, os.minor); }

Status ApplyWhatIf(const WhatIf& what_if, const Target& target, Setting* s) {
  EngineConstants& e = s->model.engine;
  if (what_if.clock_factor.has_value()) s->factors.clock = *what_if.clock_factor;
  if (what_if.clock_mhz.has_value()) {
    if (e.clock_mhz <= 0) {
      return UnsupportedError(fmt::format(
          "--what-if clock: the clock of {} is not public; give a factor such as clock=1.2x",
          target.title));
    }
    s->factors.clock = *what_if.clock_mhz / e.clock_mhz;
  }
  if (s->model.cpu_only && s->factors.clock != 1) {
    s->factors.cpu /= s->factors.clock;
    s->factors.clock = 1;
  }
  if (what_if.bandwidth_factor.has_value()) {
    if (e.form == EngineForm::kRates || e.form == EngineForm::kNone) {
      return UnsupportedError(fmt::format(
          "--what-if dlpu_bandwidth: the model of {} has no memory bandwidth", target.title));
    }
    s->factors.bandwidth = *what_if.bandwidth_factor;
    e.bytes_per_cycle *= *what_if.bandwidth_factor;
  }
  if (what_if.sram_bytes.has_value() || what_if.sram_factor.has_value()) {
    const bool cache = e.form == EngineForm::kTiles;
    if (!cache && e.form != EngineForm::kCycles) {
      return UnsupportedError(
          fmt::format("--what-if sram: the model of {} has no on-chip memory", target.title));
    }
    const double size = cache ? static_cast<double>(e.tiles->cache_bytes) : e.sram_bytes;
    const double asked = what_if.sram_bytes.value_or(size * what_if.sram_factor.value_or(1));
    if (cache) e.tiles->cache_bytes = static_cast<int64_t>(asked);
    if (!cache) e.sram_bytes = asked;
  }
  return OkStatus();
}

// Total and interval factor.
struct Interval {
  Priced priced;
  double factor = 1;
};

Interval PriceWith(const Workload& workload, const Setting& s, bool outside) {
  Interval result;
  const CostValues values(s.model, s.fit.log_values);
  result.priced = Price(workload, s.model, values, s.factors);
  const std::vector<double> slopes = Sensitivity(workload, s.model, s.fit.log_values, s.factors);
  double sigma = LogSigma(slopes, s.fit.covariance, s.model.discrepancy);
  if (s.user.has_value() && result.priced.total_ms > 0) {
    double cpu = 0;
    for (const LayerTime& t : result.priced.layers) cpu += t.bound == Bound::kCpu ? t.ms : 0;
    const double share = s.model.cpu_only ? 1 : 1 - cpu / result.priced.total_ms;
    sigma = std::hypot(sigma, share * std::log(s.user->factor));
  }
  result.factor = std::max(std::exp(kNinety * sigma), 1 + s.model.least_interval);
  if (outside) {
    result.factor = std::max(result.factor, 1 + kOutsideWidening * s.model.least_interval);
  }
  if (result.priced.stream_ms > 0) result.factor = std::max(result.factor, kStreamInterval);
  if (workload.dlpu_parts > 1) result.factor = std::max(result.factor, kCutInterval);
  if (s.measured_here) result.factor = kMeasuredInterval;
  return result;
}

bool Near(int64_t a, int64_t b, double slack) {
  const auto x = static_cast<double>(a), y = static_cast<double>(b);
  return std::abs(x - y) <= slack * std::max(x, y);
}

// The published time of the same network, of the class if there is one, else of any. It is the same
// when its list of layers is, and so is what crosses the accelerator's border (there is none
// without an accelerator). The times are of 8 bit models.
const KnownTime* FindKnown(const Workload& workload, const CostModel& model, const CostFit& fit,
                           const std::string& speed_class) {
  const bool other_type = std::ranges::any_of(workload.layers, [&](const Layer& l) {
    return l.element_bytes != 1 || (l.is_float && !model.compiler_quantizes);
  });
  if (other_type) return nullptr;
  const KnownTime counts = CountsOf(workload);
  const KnownTime* found = nullptr;
  for (const KnownTime& k : fit.known) {
    const bool borders =
        model.cpu_only || (workload.dlpu_parts == 1 && workload.border_bytes == 0 &&
                           Near(k.input_bytes, counts.input_bytes, 0.001) &&
                           Near(k.output_bytes, counts.output_bytes, 0.01));
    const bool same = borders && k.layers == counts.layers && k.macs == counts.macs &&
                      k.weights == counts.weights && k.scores == counts.scores;
    if (same && (found == nullptr || k.speed_class == speed_class)) found = &k;
    if (same && k.speed_class == speed_class) break;
  }
  return found;
}

// What the formula misses of a known network, as a factor on the accelerator's part (without one:
// on all), carries over to other products and eras.
void ApplyKnown(const Workload& workload, const Target& target, const CostClass& speed_class,
                const PredictOptions& options, Setting* s) {
  s->known = nullptr;
  s->measured_here = false;
  const bool slow =
      s->model.per_channel_is_slow &&
      std::ranges::any_of(workload.layers, [](const Layer& l) { return l.per_channel; });
  if (slow || options.formula_only) return;  // the published times are of models without
  s->known = FindKnown(workload, s->model, s->fit, speed_class.name);
  if (s->known == nullptr) return;
  PriceFactors there;
  there.speed_class = s->model.FindClass(s->known->speed_class);
  const Priced priced =
      Price(workload, *target.cost, CostValues(*target.cost, s->fit.log_values), there);
  double cpu = 0;
  for (const LayerTime& t : priced.layers) cpu += t.bound == Bound::kCpu ? t.ms : 0;
  const double fixed = s->model.cpu_only ? 0 : cpu;
  const double factor = (s->known->measured_ms - fixed) / (priced.total_ms - fixed);
  if (!(factor > 0.5 && factor < 2)) {
    s->known = nullptr;
    return;
  }
  (s->model.cpu_only ? s->factors.cpu : s->factors.dlpu) *= factor;
  const std::string full = "AXIS " + s->known->product;
  const auto& products = speed_class.products;
  const bool here = options.product.has_value()
                        ? options.product->name == full
                        : std::ranges::find(products, full) != products.end();
  s->measured_here =
      here && s->era->name == s->era->fit && !options.user.has_value() && options.what_if.empty();
}

void AddSteps(const Workload& workload, const CostModel& model, const Priced& priced,
              Prediction* p) {
  for (size_t i = 0; i < workload.layers.size(); ++i) {
    const Layer& l = workload.layers[i];
    PredictedStep step;
    step.op = l.op;
    step.name = l.name;
    const bool silu_on_cpu = model.silu_falls_back && l.silu && l.op == "MUL";
    step.engine = model.cpu_only || silu_on_cpu ? Engine::kCpu : l.engine;
    step.macs = l.macs;
    step.input_bytes = l.input_elements * l.element_bytes;
    step.weight_bytes = l.weights;
    step.output_bytes = l.output_elements * l.element_bytes;
    step.ms = priced.layers[i].ms;
    step.bound = priced.layers[i].bound;
    (step.engine == Engine::kCpu ? p->cpu_ms : p->dlpu_ms) += step.ms;
    p->steps.push_back(std::move(step));
  }
  const auto part = [&](const char* name, std::string says, double ms, Bound bound) {
    if (model.cpu_only) return;
    p->parts.push_back({name, std::move(says), ms, bound});
    p->dlpu_ms += ms;
  };
  part("fixed", "starting a job on the accelerator", priced.fixed_ms, Bound::kFixed);
  part("input", fmt::format("{} bytes into the accelerator", workload.input_bytes), priced.input_ms,
       Bound::kTransfer);
  part("output", fmt::format("{} bytes out of the accelerator", workload.output_bytes),
       priced.output_ms, Bound::kTransfer);
  if (priced.border_ms > 0) {
    part("borders",
         fmt::format("{} more start(s), {} bytes between the accelerator's parts and the CPU",
                     workload.dlpu_parts - 1, workload.border_bytes),
         priced.border_ms, Bound::kTransfer);
  }
  if (priced.stream_ms > 0) {
    part("streaming",
         fmt::format("{:.0f} bytes of weights beyond the cache, read in every run",
                     priced.streamed_bytes),
         priced.stream_ms, Bound::kWeights);
  }
}

void AddParameters(const Setting& s, Prediction* p) {
  const CostValues values(s.model, s.fit.log_values);
  const size_t n = s.fit.names.size();
  for (const CostParameter& parameter : s.model.parameters) {
    UsedParameter used{parameter.name,
                       parameter.unit,
                       parameter.fact.source,
                       values(parameter.name),
                       1,
                       0,
                       parameter.fact.confidence};
    const std::string& base = parameter.tied_to.empty() ? parameter.name : parameter.tied_to;
    const CostParameter* prior = s.model.Find(base);
    for (size_t i = 0; i < n && prior != nullptr; ++i) {
      if (s.fit.names[i] != base) continue;
      const double variance = s.fit.covariance[i * n + i];
      const double before = std::pow(std::log(prior->factor), 2);
      used.factor = std::exp(std::sqrt(variance));
      used.informed = std::clamp(1 - variance / before, 0.0, 1.0);
    }
    if (used.informed > 0.5) {
      used.confidence = Confidence::kMeasured;
      used.source = fmt::format("fit to {} measured times in data/latency.csv", s.fit.rows);
    }
    p->parameters.push_back(std::move(used));
  }
}

void AddStart(const CostModel& model, const Workload& workload, Prediction* p) {
  const CostStart& start = model.start;
  const auto ops = static_cast<double>(workload.layers.size());
  if (start.load_ms_per_op.has_value()) {
    p->first_load_ms = *start.load_ms_per_op * ops;
    const double factor = start.load_factor.value_or(2);
    p->first_load_low_ms = *p->first_load_ms / factor;
    p->first_load_high_ms = *p->first_load_ms * factor;
  }
  p->cached_load_ms = start.cached_load_ms;
  if (start.first_run_ms.has_value()) {
    p->first_run_ms = p->total_ms + *start.first_run_ms +
                      start.first_run_ms_per_mb.value_or(0) * 1e-6 *
                          static_cast<double>(SumsOf(workload).weight_bytes);
  } else if (start.first_run_ratio.has_value()) {
    p->first_run_ms = p->total_ms * *start.first_run_ratio;
  }
  if (p->first_load_ms.has_value() || p->first_run_ms.has_value()) {
    p->assumptions.push_back({start.says, start.fact.source, start.fact.confidence});
  }
}

void AddMemory(const CostModel& model, const Workload& workload, const Priced& priced,
               Prediction* p) {
  for (const Layer& l : workload.layers) p->memory.weight_bytes += l.weights;
  if (workload.activation_bytes > 0) {
    p->memory.activation_bytes = workload.activation_bytes;
    p->memory.peak_bytes = workload.activation_bytes + p->memory.weight_bytes;
  }
  if (model.engine.tiles.has_value()) {
    const auto streamed = static_cast<int64_t>(priced.streamed_bytes);
    p->memory.cache_bytes = model.engine.tiles->cache_bytes;
    p->memory.parameter_bytes = static_cast<int64_t>(priced.parameter_bytes);
    p->memory.streamed_bytes = streamed;
    p->memory.cached_bytes = *p->memory.parameter_bytes - streamed;
  }
}

// What lies beyond the models that were measured. A target without an accelerator runs all layers
// on its CPU, and no tensor crosses a border.
std::vector<std::string> Outside(const CostModel& model, Workload workload, const CostFit& fit) {
  constexpr double kSlack = 1.05;
  if (model.cpu_only) {
    for (Layer& layer : workload.layers) layer.engine = Engine::kDlpu;
  }
  std::vector<std::string> outside;
  for (const auto& [name, value] : FeaturesOf(workload)) {
    const auto at = fit.ranges.find(name);
    const bool border = name == "input_mb" || name == "output_mb";
    if (at == fit.ranges.end() || (border && model.cpu_only)) continue;
    if (value <= at->second[1] * kSlack && value * kSlack >= at->second[0]) continue;
    outside.push_back(fmt::format("{} {:.4g} (measured models: {:.4g} to {:.4g})", name, value,
                                  at->second[0], at->second[1]));
  }
  return outside;
}

void AddWarnings(const Workload& workload, const Setting& s, const Priced& priced,
                 const std::vector<std::string>& outside, Prediction* p) {
  const auto warn = [&](std::string says, std::string source, Confidence confidence) {
    p->warnings.push_back({std::move(says), std::move(source), confidence});
    p->confidence = Confidence::kAssumed;
  };
  const auto of_parameter = [&](const char* name, std::string says) {
    const CostParameter* parameter = s.model.Find(name);
    if (parameter == nullptr) return;
    warn(std::move(says), parameter->fact.source, parameter->fact.confidence);
  };
  if (!outside.empty()) {
    warn(fmt::format("extrapolated: {}", fmt::join(outside, ", ")),
         "range of the fitted rows of data/latency.csv", Confidence::kDerived);
  }
  if (priced.stream_ms > 0) {
    of_parameter("stream_mb_s",
                 "weights beyond the parameter cache are read in every run, at a speed that nobody "
                 "measured on this camera: the interval is at least a factor of 2");
  }
  double silu_ms = 0, slow_ms = 0, fallback_ms = 0;
  int fallbacks = 0;
  for (size_t i = 0; i < workload.layers.size(); ++i) {
    const Layer& l = workload.layers[i];
    const double ms = priced.layers[i].ms;
    const bool silu = s.model.silu_falls_back && l.silu && l.op == "MUL";
    if (silu) silu_ms += ms;
    if (l.per_channel && l.engine == Engine::kDlpu) slow_ms += ms;
    if (silu || l.engine == Engine::kDlpu || l.scores > 0 || ms == 0) continue;
    fallback_ms += ms;
    ++fallbacks;
  }
  if (silu_ms > 0) {
    of_parameter("silu_ns", fmt::format("the multiplications of SiLU activations run on the CPU; "
                                        "their {:.1f} ms rest on two reports of third parties "
                                        "that hardly agree: use ReLU6 instead",
                                        silu_ms));
  }
  if (!s.model.cpu_only && fallback_ms > kCpuShare * priced.total_ms) {
    of_parameter(
        "cpu_other_ms_per_melement",
        fmt::format("{} layer(s) fall back to the CPU, {:.0f} % of the time; how fast this "
                    "camera's CPU runs them was not measured",
                    fallbacks, 100 * fallback_ms / priced.total_ms));
  }
  if (!s.model.cpu_only && workload.dlpu_parts > 1) {
    of_parameter(
        s.model.Find("border_ms") != nullptr ? "border_ms" : "fixed_ms",
        fmt::format("layers on the CPU cut the model into {} parts for the DLPU; what each "
                    "border costs was not measured by itself: the interval is at least a "
                    "factor of 2",
                    workload.dlpu_parts));
  }
  if (s.model.per_channel_is_slow && slow_ms > 0) {
    of_parameter("per_channel_factor",
                 "weights have one scale per channel, which is slow here; how slow is only known "
                 "from reports that contradict each other: quantize per tensor");
  }
  const bool is_float =
      std::ranges::any_of(workload.layers, [](const Layer& l) { return l.is_float; });
  if (is_float && s.model.compiler_quantizes) {
    p->assumptions.push_back({"the target's compiler quantizes this float model to 8 bit",
                              "vendor documentation", Confidence::kDerived});
  } else if (is_float) {
    warn("the model is not (fully) quantized: predicted as if it were 8 bit", "dlpu",
         Confidence::kAssumed);
  }
}

// Which published time a network has, and how it was recognised.
std::string PublishedText(const MeasuredHere& m) {
  const std::string where = m.product.empty() ? "a product not named" : "the AXIS " + m.product;
  const std::string of = m.measurements == 1
                             ? "one published time"
                             : fmt::format("from {} published times", m.measurements);
  return fmt::format(
      "{} takes {:.4g} ms on {} ({}, {}); this model, whatever its weights, has the same list of "
      "layers ({}){}",
      m.model, m.ms, where, of, m.when, m.layers,
      m.same_product ? "" : "; what the formula misses there is carried over");
}

// Which classes to price: the named one, the product's, or all that are reported.
Result<std::vector<const CostClass*>> ClassesFor(const CostModel& model, const Target& target,
                                                 const PredictOptions& options) {
  std::vector<const CostClass*> classes;
  if (!options.speed_class.empty()) {
    classes.push_back(model.FindClass(options.speed_class));
    if (classes[0] == nullptr) {
      return NotFoundError(
          fmt::format("{} has no speed class '{}'", target.title, options.speed_class));
    }
    return classes;
  }
  // A product's own factor replaces the classes': it is relative to the first of them.
  if (options.user.has_value()) return std::vector<const CostClass*>{&model.classes.front()};
  const CostClass* known = options.product ? ClassOf(model, *options.product) : nullptr;
  if (known != nullptr) return std::vector<const CostClass*>{known};
  for (const CostClass& c : model.classes) {
    if (c.shown) classes.push_back(&c);
  }
  return classes;
}

Status FindEra(const Target& target, const std::string& os_text, Setting* s, Prediction* p) {
  DLPU_TRY(const OsVersion newest, ParseOs(s->model.newest));
  OsVersion os = newest;
  if (!os_text.empty()) {
    DLPU_TRY(os, ParseOs(os_text));
  }
  const std::string speed_class = s->factors.speed_class ? s->factors.speed_class->name : "";
  s->era = s->model.EraOf(os, speed_class);
  if (s->era == nullptr) {
    return NotFoundError(fmt::format("nothing is known of {} on AXIS OS {}; known is {} to {}",
                                     target.title, OsText(os), OsText(s->model.eras.front().from),
                                     OsText(newest)));
  }
  p->os = OsText(os);
  p->era = s->era->name;
  if (os > newest) {
    p->warnings.push_back({fmt::format("AXIS OS {} is newer than {}, the newest with measured "
                                       "times: predicted as that",
                                       OsText(os), OsText(newest)),
                           "data/latency.csv", Confidence::kAssumed});
  }
  return OkStatus();
}

}  // namespace

std::map<std::string, double> FeaturesOf(const Workload& workload) {
  const WorkloadSums sums = SumsOf(workload);
  std::map<std::string, double> features = {
      {"gmacs", 1e-9 * static_cast<double>(sums.macs)},
      {"depthwise_share",
       sums.macs > 0 ? static_cast<double>(sums.depthwise_macs) / static_cast<double>(sums.macs)
                     : 0},
      {"input_mb", 1e-6 * static_cast<double>(workload.input_bytes)},
      {"output_mb", 1e-6 * static_cast<double>(workload.output_bytes)},
      {"weight_mb", 1e-6 * static_cast<double>(sums.weight_bytes)}};
  return features;
}

KnownTime CountsOf(const Workload& workload) {
  KnownTime known;
  for (const Layer& l : workload.layers) {
    known.macs += l.macs;
    known.weights += l.weights;
    known.scores += l.scores;
  }
  known.input_bytes = workload.input_bytes;
  known.output_bytes = workload.output_bytes;
  known.layers = LayersHash(workload);
  return known;
}

CostFit FitFor(const CostModel& model, const CostEra& era) {
  for (const std::string& name : {era.fit, era.name}) {
    const CostFit* fit = model.FindFit(name);
    if (fit != nullptr && fit->names == model.FreeNames()) return *fit;
  }
  CostFit prior;
  prior.name = era.fit;
  prior.names = model.FreeNames();
  prior.covariance.assign(prior.names.size() * prior.names.size(), 0.0);
  for (size_t i = 0; i < prior.names.size(); ++i) {
    const CostParameter* p = model.Find(prior.names[i]);
    prior.log_values.push_back(std::log(p->centre));
    prior.covariance[i * prior.names.size() + i] = std::pow(std::log(p->factor), 2);
  }
  return prior;
}

const CostClass* ClassOf(const CostModel& model, const Product& product) {
  const auto has = [](const std::vector<std::string>& list, const std::string& value) {
    return !value.empty() && std::ranges::find(list, value) != list.end();
  };
  const CostClass* found = model.classes.size() == 1 ? &model.classes[0] : nullptr;
  for (const CostClass& c : model.classes) {
    if (has(c.products, product.name)) return &c;
    if (has(c.configurations, product.configuration) || has(c.archs, product.arch)) found = &c;
    if (c.rest && found == nullptr) found = &c;
  }
  return found;
}

Result<Prediction> PredictWorkload(const Workload& workload, const Target& target,
                                   const PredictOptions& options) {
  if (!target.cost.has_value()) {
    return UnsupportedError(fmt::format("{} has no cost model", target.title));
  }
  DLPU_TRY(const std::vector<const CostClass*> classes, ClassesFor(*target.cost, target, options));
  Prediction p;
  p.target = target.name;
  if (options.product.has_value()) p.product = options.product->name;
  Setting s;
  s.model = *target.cost;
  s.user = options.user;
  // The first class is the one the parts are shown for.
  for (const CostClass* c : classes) {
    s.factors = {};
    if (!s.user.has_value()) s.factors.speed_class = s.model.FindClass(c->name);
    s.model.engine = target.cost->engine;
    Prediction scratch;
    const bool first = c == classes.front();
    DLPU_RETURN_IF_ERROR(FindEra(target, options.os, &s, first ? &p : &scratch));
    s.fit = FitFor(s.model, *s.era);
    s.factors.dlpu = s.era->dlpu;
    s.factors.cpu = s.era->cpu;
    ApplyKnown(workload, target, *c, options, &s);
    if (s.user.has_value()) (s.model.cpu_only ? s.factors.cpu : s.factors.dlpu) *= s.user->value;
    DLPU_RETURN_IF_ERROR(ApplyWhatIf(options.what_if, target, &s));
    const std::vector<std::string> outside = Outside(s.model, workload, s.fit);
    const Interval priced = PriceWith(workload, s, !outside.empty());
    const double total = priced.priced.total_ms;
    if (classes.size() > 1) {
      p.classes.push_back({c->name, c->says, total, total / priced.factor, total * priced.factor});
    }
    if (!first) continue;
    p.speed_class = s.user.has_value() ? "own" : c->name;
    p.total_ms = total;
    p.low_ms = total / priced.factor;
    p.high_ms = total * priced.factor;
    p.assumptions.push_back({s.model.reference, "data/latency.csv", Confidence::kMeasured});
    if (!s.user.has_value()) {
      p.assumptions.push_back({c->says, c->fact.source, c->fact.confidence});
    }
    if (!s.era->says.empty()) {
      p.assumptions.push_back({s.era->says, s.era->fact.source, s.era->fact.confidence});
    }
    p.assumptions.push_back({"engine times by the target's form and constants",
                             s.model.engine.fact.source, s.model.engine.fact.confidence});
    if (s.known != nullptr) {
      p.measured = MeasuredHere{s.known->model,  s.known->product,     s.known->measured_ms,
                                s.measured_here, s.known->layers,      s.known->when,
                                s.known->source, s.known->measurements};
      p.assumptions.push_back({PublishedText(*p.measured), s.known->source + "; data/latency.csv",
                               Confidence::kMeasured});
      if (s.measured_here) p.confidence = Confidence::kMeasured;
    }
    if (s.user.has_value()) {
      p.assumptions.push_back({s.user->says, "the user's own measurements", Confidence::kMeasured});
    }
    if (!options.what_if.empty()) {
      p.assumptions.push_back(
          {"what-if: changed as asked, nobody measured it", "the user", Confidence::kAssumed});
      p.confidence = Confidence::kAssumed;
    }
    AddSteps(workload, s.model, priced.priced, &p);
    AddParameters(s, &p);
    AddStart(s.model, workload, &p);
    AddMemory(s.model, workload, priced.priced, &p);
    AddWarnings(workload, s, priced.priced, outside, &p);
  }
  if (p.classes.size() > 1) {
    // One interval that holds for whichever class the product is of.
    for (const ClassTime& c : p.classes) {
      p.low_ms = std::min(p.low_ms, c.low_ms);
      p.high_ms = std::max(p.high_ms, c.high_ms);
    }
    p.warnings.push_back(
        {"the product's speed class is not known: the interval spans all classes, "
         "the steps are of the first",
         "data/products.toml", Confidence::kAssumed});
  }
  return p;
}

}  // namespace dlpu
