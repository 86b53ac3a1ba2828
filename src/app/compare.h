// SPDX-License-Identifier: Apache-2.0
// What `dlpu compare` does: two computations of one network - a float model, a quantized one, a
// virtual target, the outputs a camera wrote - layer by layer on the same inputs. The first is the
// reference. Plain values; one thread at a time.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/error_stats.h"
#include "app/model.h"
#include "app/probe.h"
#include "app/tensor_input.h"
#include "base/result.h"

namespace dlpu {

// One side: a model, on this PC or on a virtual target.
struct CompareSide {
  std::string label;  // as the user named it
  LoadedModel model;
  ModelOptions options;
};
// "MODEL" or "MODEL@TARGET". The rest of `options` is kept.
Result<CompareSide> LoadCompareSide(const std::string& name, ModelOptions options);

struct CompareOptions {
  InputOptions input;  // files: of one sample
  // Each is the first input of a sample of its own (pictures, .npy, raw); instead of input.files.
  std::vector<std::string> samples;
  int noise = 1;  // samples of noise when there are no files
  // The other side's channels have been scaled (cross-layer equalization): the factor of each is
  // fitted on the first sample and undone.
  bool equalized = false;
  int threads = 0;
};

struct ComparedLayer {
  std::string name, op;                // the other side's layer
  std::string reference;               // the tensor it was compared with
  bool by_order = false;               // the two were paired by their place, not by their names
  ErrorStats accumulated;              // with the errors of all layers before it
  std::optional<ErrorStats> isolated;  // both sides' layer on the same inputs
  std::string reason;                  // why the isolated error is what it is; empty when not known
  bool bad = false;                    // its isolated error stands out from the other layers'
};

struct ComparedOutput {
  std::string name, reference;
  ErrorStats stats;
};

struct CompareReport {
  std::string reference, other;  // labels
  std::vector<std::string> samples;
  std::vector<ComparedLayer> layers;  // worst isolated error first; those without one at the end
  std::vector<ComparedOutput> outputs;
  int unmatched = 0;  // layers of the other side without a counterpart
  std::vector<std::string> notes;
};

// Errors: a model that does not run, inputs that do not fit, networks that have nothing in common.
Result<CompareReport> Compare(const CompareSide& reference, const CompareSide& other,
                              const CompareOptions& options);

// Tensors of one network and of another that hold the same values: by name, or when hardly any name
// is the same by what their weights are, or by the order of layers with weights.
// app/compare_match.cc.
struct TensorPair {
  TensorId reference = kNoTensor, other = kNoTensor;
  bool by_order = false;
};
struct TensorMatch {
  std::vector<TensorPair> pairs;  // of tensors that steps write, in the order of the other's steps
  std::vector<TensorPair> inputs;
  int unmatched = 0;  // steps of `other` without a pair that compute something
};
Result<TensorMatch> MatchTensors(const Program& reference, const Program& other);

// What the errors of one layer could come from; app/compare_reason.cc.
struct LayerNoise {
  double output_rounding = 0;  // error of the nearest code, as ErrorStats::error
  double output_clipping = 0;  // error of values beyond the codes
  int64_t clipped = 0, values = 0, saturated = 0;
  double input_ratio = 0;      // noise / signal that storing its inputs brings, the largest
  double weight_ratio = 0;     // the same of its weights
  bool other_weights = false;  // they differ by more than rounding
  double channel_spread = 1;   // largest range of a channel's weights / smallest, of one scale
  std::string input_name;
  std::string rules;  // the two sides' rounding rules where they differ
};
// How the profile rounds accumulators to codes: "tflite-reference rounds twice, ..."; the rules'
// short names are those of docs/arithmetic.md.
std::string RoundingRule(Profile profile);
// A constant as real numbers, scales of each channel included.
std::vector<float> RealConstant(const Tensor& constant);
// `reference_weights`: the same layer's in the other network; null when not known.
void AddWeightNoise(const Tensor& weights, const Tensor* reference_weights, LayerNoise& noise);
std::string ReasonOf(const Tensor& output, const ErrorStats& isolated, const LayerNoise& noise);

std::string CompareText(const CompareReport& report, int most_layers);
nlohmann::ordered_json CompareJson(const CompareReport& report);
// {"sqnr_db", "cosine", "max_abs", "differing", ...}; sqnr_db is null when nothing differs.
nlohmann::ordered_json ErrorJson(const ErrorStats& stats);
std::string DecibelText(const ErrorStats& stats);

}  // namespace dlpu
