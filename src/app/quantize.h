// SPDX-License-Identifier: Apache-2.0
// dlpu quantize: a float model and calibration inputs become the integer model that a target wants,
// with what that costs measured on the way. Plain values; any thread.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/calibration_set.h"
#include "app/choose_bits.h"
#include "app/mixed_precision.h"
#include "app/model.h"
#include "app/observations.h"
#include "app/observe.h"
#include "app/structure.h"
#include "app/tensor_input.h"
#include "base/result.h"
#include "passes/absorb_bias.h"
#include "passes/quantize.h"
#include "target/target.h"

namespace dlpu {

// How biases are changed so that the mean outputs of layers stay what they were (arXiv:1906.04721,
// section 4.2).
enum class BiasCorrection : uint8_t {
  kNone,
  kAnalytic,  // for the rounding of the layer's own weights, from the calibrated means of its input
  kEmpirical,  // by running the quantized network: for all that happened before the layer as well
};
std::string_view BiasCorrectionName(BiasCorrection how);  // "none", "analytic", "empirical"
std::optional<BiasCorrection> BiasCorrectionFromName(std::string_view name);

// To which code a weight goes.
enum class Rounding : uint8_t {
  kNearest,
  kAdaptive,  // so that the layer's sums on calibration inputs change least (adaptive_rounding.h)
};
std::string_view RoundingName(Rounding rounding);  // "nearest", "adaptive"
std::optional<Rounding> RoundingFromName(std::string_view name);

// Everything the result depends on besides the model and the calibration inputs.
struct QuantizeSettings {
  QuantScheme scheme = QuantScheme::kInt8PerChannel;
  RangeOptions range;
  WeightRange weight_range = WeightRange::kMinMax;
  Rounding rounding = Rounding::kNearest;
  bool equalize = false;
  BiasCorrection bias = BiasCorrection::kAnalytic;
  // Other ranges, weights or biases are tried as well, and what comes nearest to the float model on
  // some of the calibration inputs is taken; the report's settings say what that was.
  bool try_ranges = false, try_weights = false, try_bias = false, try_equalize = false;
  bool try_rounding = false;
  // Biases move behind RELU (passes/absorb_bias.h) where ranges shrink by it; tried: where outputs
  // gain as well.
  bool absorb = false, try_absorb = false;
  // Element types at the borders; absent: the scheme's own.
  std::optional<DataType> input_type, output_type;
  // Nodes (by name) that compute in another type than the scheme's: int16 or float32.
  std::map<std::string, DataType> node_types;
  // For power-of-two: layers at tensors whose signal to noise ratio in 8 bits is below this, in dB,
  // become int16 entries of node_types. Absent: none do.
  std::optional<double> wide_below_db;
  // Calibrate with the kernels that give the same bits on every CPU; else with the fastest here.
  bool portable = true;
  InputOptions input;       // how pictures are prepared; files stay empty
  int most_pictures = 100;  // of the calibration set that are used
  // Structural changes: heads with conflicting ranges are split, as are channels that are sliced
  // apart, and post-processing that has no integer form is cut off (without a decoder for the rest
  // only when `cut_post_processing` says so). `keep_outputs`: only what leaves the outputs alone.
  bool fix = true, keep_outputs = false, cut_post_processing = false;
  std::vector<std::string> replace;  // as ParseReplacement takes them, in this order
  // Chooses node types beyond those given; what it chose is in node_types then.
  std::optional<MixedRequest> mixed;
  std::string cut_at;
  std::map<std::string, Shape> shapes;  // of inputs that the model leaves open
};

// The scheme that a target's data asks for; an error says which targets take float models.
Result<QuantScheme> SchemeFor(const Target& target);
// DefaultSettings of that scheme, with what the target's data adds.
Result<QuantizeSettings> SettingsFor(const Target& target);

// What nothing needs to be said for: equalization where weights have one scale, everything tried.
QuantizeSettings DefaultSettings(QuantScheme scheme);
// The same; power-of-two takes its numbers from the first target whose data has some.
Result<QuantizeSettings> SettingsFor(QuantScheme scheme);

// A layer whose channels one scale cannot serve: the largest channel range is more than kFlattening
// times the smallest, which keeps fewer than 4 of 127 codes.
inline constexpr double kFlattening = 32;
struct FlattenedLayer {
  std::string name, op;
  double ratio = 1;            // of channel ranges, in the model as it came
  double ratio_equalized = 1;  // the same after equalization; `ratio` without one
};

// What one output lost, over all inputs that were looked at.
struct OutputLoss {
  std::string name;
  std::string read;    // ReadingName: values are compared as what comes after the model reads them
  double sqnr_db = 0;  // 10 log10(sum float^2 / sum (float - quantized)^2)
  double worst = 0;    // largest difference, as a part of the float output's range
  bool constant = false;  // hardly depends on the input any more, though the float output does
};

struct QuantizeReport {
  Graph graph;  // to be written with WriteTflite
  QuantizeSettings settings;
  std::string calibration;
  std::vector<std::string> used;        // names of the inputs
  std::vector<std::string> used_files;  // the files that hold them, each once
  std::vector<SkippedInput> skipped;
  StructureReport structure;
  Equalization equalization;              // layers 0: none was done
  Absorption absorption;                  // the same
  std::vector<FlattenedLayer> flattened;  // in the order of the graph
  double float_change = 0;  // of the outputs by what was done in float, as a part of their range
  std::vector<OutputLoss> losses;
  int loss_inputs = 0;  // inputs that losses were measured on, of the calibration set
  std::optional<double> wide_below_db;  // as asked; `settings` have what came of it
  std::optional<BitChoice> bits;        // with it
  std::optional<MixedReport> mixed;
  std::vector<std::string> float_nodes;
  std::vector<std::string> warnings, notes;
  int nodes = 0;
  bool dead() const;  // some output is constant
};

// `progress` is told (done, total, what) now and then; may be empty.
using QuantizeProgress = std::function<void(int, int, const std::string&)>;

// Inputs of the set that cannot be read are skipped and named. Errors: none is left, a weight is
// not finite, the model is quantized already (unless its weights have a scale each and the scheme
// wants one for all). `shared`: what was seen of the same model and set before is not looked at
// again, and what is new is added.
Result<QuantizeReport> Quantize(const LoadedModel& model, const QuantizeSettings& settings,
                                const CalibrationSet& set, int threads,
                                const QuantizeProgress& progress, Observations* shared = nullptr);

std::string QuantizeText(const QuantizeReport& report);
nlohmann::ordered_json QuantizeJson(const QuantizeReport& report);

}  // namespace dlpu
