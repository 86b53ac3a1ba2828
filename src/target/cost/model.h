// SPDX-License-Identifier: Apache-2.0
// CostModel: the numbers of one target's cost model, as data/targets/<t>.toml states them in [cost]
// and data/cost/<t>.toml (written by `dlpu calibrate --write`) fits them. The form is the same for
// all targets; docs/cost-model.md has the formulas. Plain values; any thread.
//
//   T = era_dlpu * class_dlpu * (fixed + input + output + borders + engine(layers) + streaming)
//     + era_cpu * class_cpu * (layers on the CPU)
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/toml.h"
#include "target/condition.h"
#include "target/tile_layout.h"

namespace dlpu {

// How an accelerator's time for a layer is computed; see engine.h.
enum class EngineForm { kNone, kTiles, kRoofline, kCycles, kRates };

struct EngineConstants {
  EngineForm form = EngineForm::kNone;
  // kRoofline: output channels are rounded up to a multiple of it.
  double channel_multiple = 1;
  double clock_mhz = 0;
  // kTiles: the target's own [tiles], whose parameter cache compile plans too.
  std::optional<TargetTiles> tiles;
  double dense_weight = 1, pointwise_weight = 1, depthwise_weight = 1;
  // kCycles.
  double macs_per_cycle = 0, brick = 8, group = 16, sram_bytes = 0, bytes_per_cycle = 0;
  double stripe_cycles = 0, winograd = 1, weight_compression = 1;
  double patch_cycles = 6;                // of an op not in `patches`
  std::map<std::string, double> patches;  // cycles of the post-processing engine by op
  std::set<std::string> placed;           // ops whose inputs are written in place: nothing moves
  Fact fact;
};

// One positive number of the model. Its logarithm has a normal prior: `centre`, and ln(factor) as
// standard deviation; factor 1 is a constant. A tied one is `ratio` times another.
struct CostParameter {
  std::string name;
  std::string unit;
  double centre = 0, factor = 1;
  std::string tied_to;
  double ratio = 1;
  std::string says;
  Fact fact;
};

struct OsVersion {
  int major = 0, minor = 0;
  auto operator<=>(const OsVersion&) const = default;
};
// "12.10", "AXIS OS 12.10.68" (what follows the minor number does not matter).
Result<OsVersion> ParseOs(std::string_view text);

// AXIS OS releases that behave alike. Later rows of the data win over earlier ones.
struct CostEra {
  std::string name;         // "12.3-12.4"
  OsVersion from, to;       // inclusive; `to` 0.0: no end
  std::string speed_class;  // only for it; empty: all
  double dlpu = 1, cpu = 1;
  std::string fit;  // name of the fit it uses: its own, or the newest
  std::string says;
  Fact fact;
};

// Products of a target that differ by factors.
struct CostClass {
  std::string name;                         // "limited"
  std::string dlpu_parameter;               // name of its factor; empty: 1
  std::string cpu_parameter;                // the same for the CPU part
  std::vector<std::string> configurations;  // of products.toml, that belong to it
  std::vector<std::string> archs;           // the same
  std::vector<std::string> products;        // by name, before all else
  bool rest = false;                        // of products that no class claims
  bool shown = true;                        // reported when a product's class is not known
  std::string says;
  Fact fact;
};

// A measured time that a fit saw. The network it stands for is recognised by its list of layers.
struct KnownTime {
  std::string model, product, speed_class;
  double measured_ms = 0;
  int measurements = 0;      // published rows it is the median (or least) of
  std::string when, source;  // of those rows: releases or dates, and who published them
  std::string layers;        // LayersHash of the network
  int64_t macs = 0, weights = 0, input_bytes = 0, output_bytes = 0, scores = 0;
};

// The result of a fit: logarithms of all parameters that are neither constant nor tied, and their
// covariance (row-major).
struct CostFit {
  std::string name;  // era
  std::vector<std::string> names;
  std::vector<double> log_values;
  std::vector<double> covariance;
  int rows = 0, models = 0, covered = 0;
  double in_sample = 0, leave_one_out = 0, worst = 0;  // fractions
  // Smallest and largest of what the fitted rows have, by feature; outside is extrapolation.
  std::map<std::string, std::array<double, 2>> ranges;
  std::vector<KnownTime> known;
};

// A reason why a camera may take another time than predicted, for explanations.
struct CostReason {
  std::string kind;  // times (of the DLPU's part), engine (of its layers), add (milliseconds)
  double low = 0, high = 0;
  std::string says;
  Fact fact;
};

// What is known of times other than the steady state. Absent: not known.
struct CostStart {
  std::optional<double> load_ms_per_op, load_factor;  // first load compiles on the camera
  std::optional<double> cached_load_ms;
  std::optional<double> first_run_ms, first_run_ms_per_mb, first_run_ratio;
  std::string says;
  Fact fact;
};

struct CostModel {
  EngineConstants engine;
  std::vector<CostParameter> parameters;
  std::vector<CostClass> classes;
  std::vector<CostEra> eras;
  std::string newest;           // AXIS OS that is predicted when none is named
  double discrepancy = 0.1;     // standard deviation of ln(measured / model)
  double least_interval = 0.2;  // an interval is at least +-this
  std::string reference;        // how the fitted times were taken
  CostStart start;
  std::vector<CostReason> reasons;
  // Warnings the data asks for.
  bool silu_falls_back = false;      // two-tensor multiplications run on the CPU
  bool tail_in_output = false;       // what decodes a head is part of what output bytes cost
  bool per_channel_is_slow = false;  // weights with a scale for each channel
  bool cpu_only = false;             // there is no accelerator
  bool compiler_quantizes = false;   // float models become 8 bit
  std::vector<CostFit> fits;

  const CostParameter* Find(std::string_view name) const;
  const CostFit* FindFit(std::string_view name) const;
  const CostClass* FindClass(std::string_view name) const;
  // The era a version of AXIS OS falls in; null when none does.
  const CostEra* EraOf(OsVersion os, std::string_view speed_class) const;
  // Parameters that can be fitted, in the order of the data.
  std::vector<std::string> FreeNames() const;
};

// Reads the [cost] table of a target.
CostModel ReadCost(const TomlTable& table);
// Reads the text of a data/cost/<t>.toml into model->fits.
Status ReadCostFits(const std::string& text, const std::string& name, CostModel* model);
// Writes that text: the same fits, the same bytes.
std::string CostFitsText(const std::vector<CostFit>& fits);

// Values of all parameters, tied ones included.
class CostValues {
 public:
  // REQUIRES: `log_values` belong to model.FreeNames(). Refers to the model.
  CostValues(const CostModel& model, const std::vector<double>& log_values);
  // 0 when the model has no such parameter.
  double operator()(std::string_view name) const;

 private:
  std::map<std::string, double, std::less<>> values_;
};

}  // namespace dlpu
