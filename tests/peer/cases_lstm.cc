// SPDX-License-Identifier: Apache-2.0
// Generated cases of UNIDIRECTIONAL_SEQUENCE_LSTM: float32, dynamic-range and int8, coupled gates,
// peepholes, layer normalization, projection, clipping, several steps and sequences.
#include <cmath>

#include "cases.h"

namespace dlpu::peer {
namespace {

enum class Kind { kFloat, kHybrid, kInt8 };

struct Form {
  bool coupled, peephole, norm, projection;
};

// The inputs in order: kNoTensor where one is left out.
class LstmBuilder {
 public:
  LstmBuilder(Random& random, Kind kind)
      : random_(random),
        builder_(random),
        quantized_(kind == Kind::kInt8),
        hybrid_(kind == Kind::kHybrid) {}

  Case Build() {
    Draw();
    const Quantization in =
        quantized_ ? RandomQuantization(random_, DataType::kInt8) : Quantization{};
    const Quantization out =
        quantized_ ? PerTensor(1.0f / 128, random_.Pick({0, 0, -3, 17})) : Quantization{};
    std::vector<TensorId> inputs = {builder_.Input(Type(), input_, in, 1)};
    const auto gates = [&](const Shape& shape, auto make) {
      for (int g = 0; g < 4; ++g) {
        inputs.push_back(g == 0 && form_.coupled ? kNoTensor : make(shape));
      }
    };
    gates({cells_, input_.back()}, [&](const Shape& s) { return Weights(s); });
    gates({cells_, outputs_}, [&](const Shape& s) { return Weights(s); });
    for (int g = 0; g < 3; ++g) {  // input, forget, output
      const bool there = form_.peephole && !(g == 0 && form_.coupled);
      inputs.push_back(there ? Peephole() : kNoTensor);
    }
    gates({cells_}, [&](const Shape& s) { return Bias(s); });
    inputs.push_back(form_.projection ? Weights({outputs_, cells_}) : kNoTensor);
    inputs.push_back(form_.projection && random_.Chance(0.5) ? Bias({outputs_}) : kNoTensor);
    inputs.push_back(State({batch_, outputs_}, Type(), out));
    const int exponent = static_cast<int>(random_.Int(-15, -9));
    inputs.push_back(State({batch_, cells_}, quantized_ ? DataType::kInt16 : DataType::kFloat32,
                           quantized_ ? PerTensor(std::ldexp(1.0f, exponent), 0) : out));
    if (form_.norm) {
      gates({cells_}, [&](const Shape&) { return Norm(); });
    }
    const TensorId output = builder_.Computed(Type(), out);
    builder_.Add(Op::kUnidirectionalSequenceLstm, inputs, {output}, attrs_);
    if (quantized_) AddIntermediates();
    return builder_.Finish({output});
  }

 private:
  DataType Type() const { return quantized_ ? DataType::kInt8 : DataType::kFloat32; }

  void Draw() {
    form_.coupled = random_.Chance(0.3);
    form_.peephole = random_.Chance(0.3);
    form_.norm = random_.Chance(0.3);
    form_.projection = random_.Chance(0.3);
    batch_ = random_.Pick({1, 1, 2, 3});
    cells_ = random_.Pick({1, 3, 4, 8, 17});
    outputs_ = form_.projection ? random_.Pick({1, 4, 5}) : cells_;
    // LiteRT's integer peephole reads as many weights as there are outputs.
    if (form_.peephole && quantized_) outputs_ = cells_;
    attrs_.time_major = random_.Chance(0.5);
    const int32_t time = random_.Pick({1, 2, 5});
    const int32_t width = random_.Pick({1, 3, 8, 20});
    input_ = attrs_.time_major ? Shape{time, batch_, width} : Shape{batch_, time, width};
    if (random_.Chance(0.3)) attrs_.cell_clip = random_.Pick({0.5f, 1.0f, 3.0f});
    if (random_.Chance(0.3)) attrs_.projection_clip = random_.Pick({0.25f, 0.5f});
    if (hybrid_) attrs_.asymmetric_quantize_inputs = random_.Chance(0.5);
    if (!quantized_) attrs_.activation = random_.Pick({Activation::kTanh, Activation::kRelu});
  }

  TensorId Weights(const Shape& shape) {
    if (hybrid_) {  // without the lowest code, which symmetric quantization leaves out
      const TensorId id = builder_.RandomConstant(DataType::kInt8, shape, PerTensor(0.5f / 127, 0));
      for (uint8_t& code : builder_.graph().tensors[id].data) code = code == 0x80 ? 0x81 : code;
      return id;
    }
    if (!quantized_) return builder_.RandomConstant(DataType::kFloat32, shape, {}, 0.5);
    return builder_.RandomConstant(DataType::kInt8, shape, PerTensor(RandomScale(random_) / 16, 0));
  }
  TensorId Bias(const Shape& shape) {
    if (!quantized_) return builder_.RandomConstant(DataType::kFloat32, shape, {}, 0.5);
    return builder_.RandomConstant(DataType::kInt32, shape, PerTensor(1.0f / 4096, 0), 3000);
  }
  TensorId Peephole() {
    if (hybrid_) return Weights({cells_});
    return Vector(1.0f / 16384);
  }
  TensorId Norm() { return Vector(1.0f / 8192); }
  TensorId Vector(float scale) {
    if (!quantized_) return builder_.RandomConstant(DataType::kFloat32, {cells_}, {}, 0.5);
    return builder_.RandomConstant(DataType::kInt16, {cells_}, PerTensor(scale, 0));
  }
  TensorId State(const Shape& shape, DataType type, const Quantization& quantization) {
    const TensorId id = builder_.Computed(type, quantization);
    builder_.graph().tensors[id].shape = shape;
    builder_.graph().tensors[id].is_variable = true;
    return id;
  }
  void AddIntermediates() {
    std::vector<TensorId> ids;
    for (int i = 0; i < 5; ++i) {
      const bool hidden = i == 4;
      const int64_t zero = hidden && form_.projection ? random_.Int(-20, 20) : 0;
      const Quantization& out =
          builder_.graph().tensors[builder_.graph().nodes.back().outputs[0]].quantization;
      // Without a projection the hidden state is the output.
      const Quantization q =
          hidden ? (form_.projection ? PerTensor(1.0f / 120, zero) : out) : PerTensor(0.002f, 0);
      const TensorId id = builder_.Computed(hidden ? DataType::kInt8 : DataType::kInt16, q);
      builder_.graph().tensors[id].shape = {};
      ids.push_back(id);
    }
    builder_.graph().nodes.back().intermediates = ids;
  }

  Random& random_;
  CaseBuilder builder_;
  const bool quantized_, hybrid_;
  Form form_{};
  int32_t batch_ = 1, cells_ = 1, outputs_ = 1;
  Shape input_;
  LstmAttrs attrs_;
};

}  // namespace

DLPU_PEER_CASE(lstm, unidirectional_sequence_lstm_float32) {
  return LstmBuilder(random, Kind::kFloat).Build();
}
DLPU_PEER_CASE(lstm, unidirectional_sequence_lstm_hybrid) {
  return LstmBuilder(random, Kind::kHybrid).Build();
}
DLPU_PEER_CASE(lstm, unidirectional_sequence_lstm_int8) {
  return LstmBuilder(random, Kind::kInt8).Build();
}

}  // namespace dlpu::peer
