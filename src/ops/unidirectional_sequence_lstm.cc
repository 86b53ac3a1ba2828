// SPDX-License-Identifier: Apache-2.0
// UNIDIRECTIONAL_SEQUENCE_LSTM: input batch x time x inputs (or time-major, or batch x inputs for
// one step); optional input gate (without it: coupled gates), peepholes, layer normalization and
// projection. Input 18 is the output state, 19 the cell state: variables that live between runs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "kernels/lstm/lstm.h"
#include "ops/common.h"
#include "ops/conv.h"

namespace dlpu {
namespace {

// Inputs of the op; a gate's own is the first of its kind plus its LstmGate.
constexpr size_t kInputWeights = 1, kRecurrentWeights = 5, kBias = 12, kNorm = 20;
constexpr size_t kProjection = 16, kProjectionBias = 17, kOutputState = 18, kCellState = 19;

std::vector<float> CopyOf(std::span<const float> values) { return {values.begin(), values.end()}; }

// Peephole weights of a gate; the cell gate has none.
constexpr size_t PeepholeInput(int gate) { return gate == kOutputGate ? 11 : 9 + gate; }

bool HasPeephole(const OpContext& context, int gate) {
  return gate != kCellGate && context.has_input(PeepholeInput(gate));
}
bool HasNorm(const OpContext& context) { return context.has_input(kNorm + kForgetGate); }
bool IsCoupled(const OpContext& context) { return !context.has_input(kInputWeights + kInputGate); }

// A constant of that type and shape.
Status ExpectWeights(const OpContext& context, size_t i, DataType type, const Shape& shape) {
  if (!context.has_input(i)) return context.Invalid(fmt::format("input {} is missing", i));
  const Tensor& tensor = context.input(i);
  if (tensor.type != type) return context.UnsupportedType(tensor, DataTypeName(type));
  if (tensor.shape != shape) {
    return context.Invalid(fmt::format("tensor '{}' is {}, must be {}", tensor.name,
                                       ShapeText(tensor.shape), ShapeText(shape)));
  }
  return ExpectConstant(context, tensor);
}

Result<LstmShape> ComputeShape(const OpContext& context) {
  const Shape& input = context.input(0).shape;
  const size_t output_weights = kRecurrentWeights + kOutputGate;
  if (input.size() < 2 || input.size() > 3 || ElementCount(input) == 0) {
    return context.Invalid(fmt::format("input {} must be batch x time x inputs", ShapeText(input)));
  }
  if (!context.has_input(output_weights) || context.input(output_weights).shape.size() != 2) {
    return context.Invalid("the recurrent weights of the output gate must be cells x outputs");
  }
  const Shape& recurrent = context.input(output_weights).shape;
  LstmShape shape;
  shape.time_major = context.attrs<LstmAttrs>().time_major;
  shape.inputs = input.back();
  shape.cells = recurrent[0];
  shape.outputs = recurrent[1];
  shape.batch = input.size() == 2 || !shape.time_major ? input[0] : input[1];
  if (input.size() == 3) shape.time = shape.time_major ? input[0] : input[1];
  if (shape.cells < 1 || shape.outputs < 1) return context.Invalid("the weights are empty");
  return shape;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const LstmShape shape, ComputeShape(context));
  const Tensor& input = context.input(0);
  Shape output = input.shape;
  output.back() = shape.outputs;
  return std::vector<OutputSpec>{{input.type, output}};
}

Work CountWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 8);
  const auto shape = ComputeShape(context);
  if (!shape.ok()) return work;
  const LstmShape& s = *shape;
  const int64_t gates = IsCoupled(context) ? 3 : 4;
  const int64_t step =
      gates * s.cells * (static_cast<int64_t>(s.inputs) + s.outputs) +
      (context.has_input(kProjection) ? static_cast<int64_t>(s.outputs) * s.cells : 0);
  work.macs = step * s.batch * s.time;
  return work;
}

// What both forms ask of the weights: types and shapes of everything that is there.
struct WeightTypes {
  DataType weights, peephole, norm, bias;
};
Status ExpectAllWeights(const OpContext& context, const LstmShape& s, const WeightTypes& types) {
  for (int g = IsCoupled(context) ? kForgetGate : kInputGate; g < kLstmGates; ++g) {
    const size_t i = static_cast<size_t>(g);
    DLPU_RETURN_IF_ERROR(
        ExpectWeights(context, kInputWeights + i, types.weights, {s.cells, s.inputs}));
    DLPU_RETURN_IF_ERROR(
        ExpectWeights(context, kRecurrentWeights + i, types.weights, {s.cells, s.outputs}));
    DLPU_RETURN_IF_ERROR(ExpectWeights(context, kBias + i, types.bias, {s.cells}));
    if (HasPeephole(context, g)) {
      DLPU_RETURN_IF_ERROR(ExpectWeights(context, PeepholeInput(g), types.peephole, {s.cells}));
    }
    if (HasNorm(context)) {
      DLPU_RETURN_IF_ERROR(ExpectWeights(context, kNorm + i, types.norm, {s.cells}));
    }
  }
  if (context.has_input(kProjection)) {
    DLPU_RETURN_IF_ERROR(ExpectWeights(context, kProjection, types.weights, {s.outputs, s.cells}));
    if (context.has_input(kProjectionBias)) {
      DLPU_RETURN_IF_ERROR(ExpectWeights(context, kProjectionBias, types.bias, {s.outputs}));
    }
  } else if (s.outputs != s.cells) {
    return context.Invalid(
        fmt::format("{} outputs of {} cells need a projection", s.outputs, s.cells));
  }
  return OkStatus();
}

Status ExpectState(const OpContext& context, size_t i, DataType type, int64_t count) {
  if (!context.has_input(i)) return context.Invalid(fmt::format("input {} is missing", i));
  const Tensor& tensor = context.input(i);
  if (tensor.type != type) return context.UnsupportedType(tensor, DataTypeName(type));
  if (ElementCount(tensor.shape) != count || !tensor.is_variable) {
    return context.Invalid(
        fmt::format("state '{}' must be a variable of {} elements", tensor.name, count));
  }
  return OkStatus();
}

Status ExpectStates(const OpContext& context, const LstmShape& s, DataType output, DataType cell) {
  DLPU_RETURN_IF_ERROR(
      ExpectState(context, kOutputState, output, static_cast<int64_t>(s.batch) * s.outputs));
  return ExpectState(context, kCellState, cell, static_cast<int64_t>(s.batch) * s.cells);
}

template <typename T>
std::vector<T> ValuesOf(const Tensor& tensor) {
  std::vector<T> values(tensor.data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

// A state is an input that the step also writes.
template <typename T>
T* StateOf(const RunArgs& args, size_t i) {
  return const_cast<T*>(args.in<T>(i));
}

// --- Integer ---------------------------------------------------------------------------------

// bias + zero * sum of each row of weights.
std::vector<int32_t> FoldZero(std::vector<int32_t> bias, const std::vector<int8_t>& weights,
                              int32_t zero) {
  const size_t depth = weights.size() / bias.size();
  for (size_t i = 0; i < weights.size(); ++i) {
    bias[i / depth] = AddWrap(bias[i / depth], zero * weights[i]);
  }
  return bias;
}

// Scales that the gates share; all products are binary32.
struct GateScales {
  float input, state;
  int32_t input_zero, state_zero;
  double cell;  // 2^cell_exponent
};

Result<LstmGateInt8> MakeGate(const OpContext& context, int which, const LstmShape& s,
                              const GateScales& scales) {
  const size_t i = static_cast<size_t>(which);
  const Tensor& weights = context.input(kInputWeights + i);
  const Tensor& recurrent = context.input(kRecurrentWeights + i);
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, weights));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, recurrent));
  const bool norm = HasNorm(context);
  float gate_scale = 1.0f / 4096;  // Q3.12
  if (norm) {
    const Tensor* carrier = context.intermediate(i);
    if (carrier == nullptr || !carrier->quantization.present()) {
      return context.Invalid("layer normalization needs the scales of its intermediate tensors");
    }
    gate_scale = carrier->quantization.scale0();
  }
  LstmGateInt8 gate;
  gate.input_weights = ValuesOf<int8_t>(weights);
  gate.recurrent_weights = ValuesOf<int8_t>(recurrent);
  const std::vector<int32_t> zeros(static_cast<size_t>(s.cells), 0);
  const std::vector<int32_t> bias = ValuesOf<int32_t>(context.input(kBias + i));
  gate.input_bias = FoldZero(norm ? zeros : bias, gate.input_weights, -scales.input_zero);
  gate.recurrent_bias = FoldZero(zeros, gate.recurrent_weights, -scales.state_zero);
  const auto effective = [&](float weight_scale, float scale) {
    return QuantizeMultiplier(static_cast<double>(weight_scale * scale / gate_scale));
  };
  gate.input_scale = effective(weights.quantization.scale0(), scales.input);
  gate.recurrent_scale = effective(recurrent.quantization.scale0(), scales.state);
  if (HasPeephole(context, which)) {
    const Tensor& peephole = context.input(PeepholeInput(which));
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, peephole));
    gate.peephole = ValuesOf<int16_t>(peephole);
    const auto scale =
        static_cast<float>(scales.cell * static_cast<double>(peephole.quantization.scale0()) /
                           static_cast<double>(gate_scale));
    gate.peephole_scale = QuantizeMultiplier(static_cast<double>(scale));
  }
  if (norm) {
    const Tensor& coefficients = context.input(kNorm + i);
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, coefficients));
    const float scale = coefficients.quantization.scale0();
    gate.norm = ValuesOf<int16_t>(coefficients);
    gate.norm_bias = bias;
    gate.norm_scale = QuantizeMultiplier(static_cast<double>(scale));
    gate.variance_guard = std::max(1, RoundToInt32(std::trunc(10000.0f * scale)));
  }
  return gate;
}

// The exponent of a scale that is a power of two within LiteRT's tolerance.
Result<int> CellExponent(const OpContext& context) {
  const Tensor& cell = context.input(kCellState);
  const float log = std::log2(cell.quantization.scale0());
  const float rounded = std::round(log);
  if (std::abs(log - rounded) >= 1e-3f || rounded < -15 || rounded > -9) {
    return context.Unsupported(
        fmt::format("cell state '{}' has scale {}; it must be a power of two from 2^-15 to 2^-9",
                    cell.name, cell.quantization.scale0()));
  }
  return static_cast<int>(rounded);
}

void SetProjection(const OpContext& context, float hidden_scale, LstmInt8& lstm) {
  const Tensor& weights = context.input(kProjection);
  std::vector<int32_t> bias(static_cast<size_t>(lstm.shape.outputs), 0);
  if (context.has_input(kProjectionBias)) {
    bias = ValuesOf<int32_t>(context.input(kProjectionBias));
  }
  lstm.projection = ValuesOf<int8_t>(weights);
  lstm.projection_bias = FoldZero(std::move(bias), lstm.projection, lstm.hidden_zero);
  const float scale = weights.quantization.scale0() * hidden_scale /
                      context.input(kOutputState).quantization.scale0();
  lstm.projection_scale = QuantizeMultiplier(static_cast<double>(scale));
}

Result<LstmInt8> MakeInt8(const OpContext& context, const LstmShape& shape) {
  const auto& attrs = context.attrs<LstmAttrs>();
  const Tensor &input = context.input(0), &state = context.input(kOutputState),
               &cell = context.input(kCellState), &output = context.output(0);
  for (const Tensor* tensor : {&input, &state, &cell, &output}) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
  }
  const Tensor* hidden = context.intermediate(4);
  if (hidden == nullptr || !hidden->quantization.present()) {
    return context.Invalid("the intermediate tensor of the hidden state has no scale");
  }
  LstmInt8 lstm;
  lstm.shape = shape;
  lstm.coupled = IsCoupled(context);
  DLPU_TRY(lstm.cell_exponent, CellExponent(context));
  const GateScales scales{input.quantization.scale0(), state.quantization.scale0(),
                          input.quantization.zero0(), state.quantization.zero0(),
                          std::ldexp(1.0, lstm.cell_exponent)};
  for (int g = lstm.coupled ? kForgetGate : kInputGate; g < kLstmGates; ++g) {
    DLPU_TRY(lstm.gates[g], MakeGate(context, g, shape, scales));
  }
  const float hidden_scale = hidden->quantization.scale0();
  const auto effective =
      static_cast<float>(std::ldexp(std::ldexp(1.0, -15) / static_cast<double>(hidden_scale), -15));
  lstm.hidden_scale = QuantizeMultiplier(static_cast<double>(effective));
  lstm.hidden_zero = hidden->quantization.zero0();
  lstm.output_zero = state.quantization.zero0();
  if (attrs.cell_clip > 0) {
    lstm.cell_clip = static_cast<int16_t>(
        std::min(std::max(attrs.cell_clip / cell.quantization.scale0(), -32768.0f), 32767.0f));
  }
  if (attrs.projection_clip > 0) {
    lstm.projection_clip = static_cast<int8_t>(
        std::min(std::max(attrs.projection_clip / output.quantization.scale0(), -128.0f), 127.0f));
  }
  if (context.has_input(kProjection)) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, context.input(kProjection)));
    SetProjection(context, hidden_scale, lstm);
  }
  return lstm;
}

Result<PreparedOp> PrepareInt8(const PrepareContext& context, const LstmShape& shape) {
  DLPU_RETURN_IF_ERROR(ExpectAllWeights(
      context, shape, {DataType::kInt8, DataType::kInt16, DataType::kInt16, DataType::kInt32}));
  DLPU_RETURN_IF_ERROR(ExpectStates(context, shape, DataType::kInt8, DataType::kInt16));
  if (context.output(0).type != DataType::kInt8) {
    return context.UnsupportedType(context.output(0), "int8");
  }
  DLPU_TRY(LstmInt8 lstm, MakeInt8(context, shape));
  PreparedOp op;
  op.row = "lstm_int8_reference";
  op.scratch_bytes = LstmInt8ScratchBytes(lstm);
  op.run = [lstm = std::make_shared<const LstmInt8>(std::move(lstm))](const RunArgs& args) {
    RunLstmInt8(*lstm, args.in<int8_t>(0), StateOf<int8_t>(args, kOutputState),
                StateOf<int16_t>(args, kCellState), args.out<int8_t>(0), args.scratch);
    return OkStatus();
  };
  return op;
}

// --- float32 ---------------------------------------------------------------------------------

Result<LstmActivation> ActivationOf(const OpContext& context) {
  switch (context.attrs<LstmAttrs>().activation) {
    case Activation::kNone:
      return LstmActivation::kNone;
    case Activation::kRelu:
      return LstmActivation::kRelu;
    case Activation::kRelu6:
      return LstmActivation::kRelu6;
    case Activation::kReluN1To1:
      return LstmActivation::kReluN1To1;
    case Activation::kTanh:
      return LstmActivation::kTanh;
    case Activation::kSignBit:
      break;
  }
  return context.Unsupported("a SIGN_BIT activation is not supported");
}

// Float weights, or int8 weights of the dynamic-range form.
LstmMatrix MatrixOf(const Tensor& weights) {
  LstmMatrix matrix;
  if (weights.type == DataType::kFloat32) {
    matrix.values = CopyOf(FloatsOf(weights));
  } else {
    matrix.codes = ValuesOf<int8_t>(weights);
    matrix.scale = weights.quantization.scale0();
  }
  return matrix;
}

// A vector of weights as floats.
std::vector<float> RealsOf(const Tensor& tensor) {
  if (tensor.type == DataType::kFloat32) return CopyOf(FloatsOf(tensor));
  std::vector<float> reals;
  for (const int8_t code : ValuesOf<int8_t>(tensor)) {
    reals.push_back(tensor.quantization.scale0() * static_cast<float>(code));
  }
  return reals;
}

// Types and scales of all weights. Those of the dynamic-range form are int8, biases and the
// coefficients of the layer normalization stay float.
Status ExpectFloatWeights(const OpContext& context, const LstmShape& shape, DataType weights) {
  const DataType real = DataType::kFloat32;
  DLPU_RETURN_IF_ERROR(ExpectAllWeights(context, shape, {weights, weights, real, real}));
  for (size_t i = kInputWeights; i <= kProjection && weights == DataType::kInt8; ++i) {
    if (!context.has_input(i) || context.input(i).type != weights) continue;
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, context.input(i)));
  }
  return ExpectStates(context, shape, real, real);
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context, const LstmShape& shape) {
  const bool hybrid = context.has_input(kInputWeights + kOutputGate) &&
                      context.input(kInputWeights + kOutputGate).type == DataType::kInt8;
  DLPU_RETURN_IF_ERROR(
      ExpectFloatWeights(context, shape, hybrid ? DataType::kInt8 : DataType::kFloat32));
  const auto& attrs = context.attrs<LstmAttrs>();
  LstmFloat lstm;
  lstm.shape = shape;
  lstm.coupled = IsCoupled(context);
  DLPU_TRY(lstm.activation, ActivationOf(context));
  lstm.cell_clip = attrs.cell_clip;
  lstm.projection_clip = attrs.projection_clip;
  lstm.asymmetric = attrs.asymmetric_quantize_inputs;
  for (int g = lstm.coupled ? kForgetGate : kInputGate; g < kLstmGates; ++g) {
    const size_t i = static_cast<size_t>(g);
    LstmGateFloat& gate = lstm.gates[g];
    gate.input_weights = MatrixOf(context.input(kInputWeights + i));
    gate.recurrent_weights = MatrixOf(context.input(kRecurrentWeights + i));
    gate.bias = RealsOf(context.input(kBias + i));
    if (HasPeephole(context, g)) gate.peephole = RealsOf(context.input(PeepholeInput(g)));
    if (HasNorm(context)) gate.norm = RealsOf(context.input(kNorm + i));
  }
  if (context.has_input(kProjection)) {
    lstm.projection = MatrixOf(context.input(kProjection));
    lstm.projection_bias = CopyOf(FloatBias(context, kProjectionBias));
  }
  PreparedOp op;
  op.row = hybrid ? "lstm_hybrid_reference" : "lstm_float_reference";
  op.scratch_bytes = LstmFloatScratchBytes(lstm);
  op.run = [lstm = std::make_shared<const LstmFloat>(std::move(lstm))](const RunArgs& args) {
    RunLstmFloat(*lstm, args.in<float>(0), StateOf<float>(args, kOutputState),
                 StateOf<float>(args, kCellState), args.out<float>(0), args.scratch);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const LstmShape shape, ComputeShape(context));
  switch (context.input(0).type) {
    case DataType::kInt8:
      return PrepareInt8(context, shape);
    case DataType::kFloat32:
      return PrepareFloat(context, shape);
    default:
      return context.UnsupportedType(context.input(0), "float32 or int8");
  }
}

}  // namespace

const OpDef kUnidirectionalSequenceLstmOp = {
    .op = Op::kUnidirectionalSequenceLstm,
    .arity = Arity{20, 24, 1, 1, true},
    .infer = Infer,
    .quantize = QuantizeRule{},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
