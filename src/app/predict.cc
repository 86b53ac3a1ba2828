// SPDX-License-Identifier: Apache-2.0
// Prices programs.
#include "app/predict.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/user_times.h"
#include "ir/quantization_style.h"
#include "passes/compile.h"

namespace dlpu {
namespace {

bool HasFloatSide(const Program& program, const Node& node) {
  const auto is_float = [&](TensorId id) {
    return id != kNoTensor && IsFloat(program.tensors[id].type);
  };
  return std::ranges::any_of(node.inputs, is_float) || std::ranges::any_of(node.outputs, is_float);
}

// A quantized model's steps that no accelerator runs.
bool IsCpuStep(const Program& program, const Step& step, bool float_model) {
  if (step.node.op == Op::kDetectionPostProcess) return true;
  const bool converts = step.node.op == Op::kQuantize || step.node.op == Op::kDequantize;
  return converts && !float_model && HasFloatSide(program, step.node);
}

// Nothing of it is quantized, on a target that wants it to be.
bool IsToBeQuantized(const Graph& graph, const Target& target) {
  if (target.quantization.need != "int8") return false;
  const QuantizationStyle style = SummariseQuantization(graph).style;
  return style == QuantizationStyle::kFloat32 || style == QuantizationStyle::kFloat16Weights ||
         style == QuantizationStyle::kDynamicRange || style == QuantizationStyle::kNoWeights;
}

}  // namespace

FallbackPricing PricingOf(const Target& target) {
  if (!target.cost.has_value()) return {};
  return {target.cost->silu_falls_back, target.cost->tail_in_output};
}

Result<Program> ProgramToPrice(const LoadedModel& model, const ModelOptions& options,
                               const Target& target) {
  if (model.program.has_value()) return *model.program;
  CompileOptions compile = OptionsFor(target);
  if (IsToBeQuantized(model.graph, target)) compile.target = nullptr;
  compile.shapes = options.shapes;
  compile.cut_at = options.cut_at;
  compile.source_sha256 = model.sha256;
  Result<Program> program = Compile(model.graph, compile);
  if (program.ok() || program.error().code != ErrorCode::kUnsupported) return program;
  // The target refuses it: the time it would have on the DLPU.
  compile.target = nullptr;
  return Compile(model.graph, compile);
}

Result<Workload> WorkloadFor(const Program& program, const Target& target) {
  for (const Step& step : program.steps) {
    if (NodeOpName(step.node) != "edgetpu-custom-op") continue;
    return UnsupportedError(
        "the file is compiled for the Edge TPU: its layers cannot be seen; predict the .tflite it "
        "was made from");
  }
  const FallbackPricing pricing = PricingOf(target);
  if (program.target == target.name) return WorkloadOf(program, {}, pricing);
  const bool float_model = std::ranges::any_of(program.steps, [&](const Step& step) {
    return step.node.op == Op::kConv2d && HasFloatSide(program, step.node);
  });
  const bool has_dlpu = target.cost.has_value() && !target.cost->cpu_only;
  std::vector<Engine> engines;
  for (const Step& step : program.steps) {
    const bool cpu = !has_dlpu || IsCpuStep(program, step, float_model);
    engines.push_back(cpu ? Engine::kCpu : Engine::kDlpu);
  }
  return WorkloadOf(program, engines, pricing);
}

Result<PredictOptions> WithUserFactor(const Target& target, PredictOptions options) {
  if (options.product.has_value() && !options.user.has_value() && options.speed_class.empty()) {
    DLPU_TRY(options.user, LoadUserFactor(options.product->name, target.name));
  }
  return options;
}

Result<Prediction> Predict(const Program& program, const Target& target,
                           const PredictOptions& options) {
  DLPU_TRY(const Workload workload, WorkloadFor(program, target));
  DLPU_TRY(const PredictOptions own, WithUserFactor(target, options));
  return PredictWorkload(workload, target, own);
}

Result<double> FormulaMs(const Graph& graph, const LoadedModel& model, const Target& target,
                         const PredictOptions& options) {
  LoadedModel other;
  other.path = model.path;
  other.graph = graph;
  PredictOptions formula = options;
  formula.formula_only = true;
  DLPU_TRY(const Program program, ProgramToPrice(other, {}, target));
  DLPU_TRY(const Prediction prediction, Predict(program, target, formula));
  return prediction.total_ms;
}

std::vector<UnknownTime> UnknownTimes(const Target& target, const std::vector<Target>& targets,
                                      const Product* product) {
  std::vector<UnknownTime> unknown;
  for (const Target& t : targets) {
    const bool own = t.name == target.name;
    if (!own && (product == nullptr || t.title != product->soc)) continue;
    for (const TargetDevice& device : t.devices) {
      const bool takes_models = std::ranges::find(device.takes, "tflite") != device.takes.end();
      const bool other = takes_models && device.runs == "model" && device.name != target.device &&
                         (device.engine == "gpu" || device.name.starts_with("armnn"));
      if (!other) continue;
      unknown.push_back({device.name, "not available: nobody has published a time on this device"});
    }
  }
  return unknown;
}

}  // namespace dlpu
