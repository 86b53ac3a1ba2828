// SPDX-License-Identifier: Apache-2.0
// Shapes and data of generated elementwise cases.
#include "elementwise.h"

#include <cstring>
#include <limits>
#include <numeric>

namespace dlpu::peer {
namespace {

// Without leading extents: a tensor of lower rank that still broadcasts.
void DropLeading(Random& random, Shape& shape) {
  size_t ones = 0;
  while (ones < shape.size() && shape[ones] == 1) ++ones;
  const auto drop = random.Int(0, static_cast<int64_t>(ones));
  shape.erase(shape.begin(), shape.begin() + drop);
}

void AddSpecials(Random& random, Bytes& data) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i + sizeof(float) <= data.size(); i += sizeof(float)) {
    if (!random.Chance(0.3)) continue;
    const float value = random.Pick({kInfinity, -kInfinity, 3e38f, -3e38f, 1e-40f, -0.0f, 1e-30f,
                                     std::numeric_limits<float>::quiet_NaN()});
    std::memcpy(data.data() + i, &value, sizeof(value));
  }
}

// A graph input, or one time in four a constant (never both inputs of a node).
TensorId InputOrConstant(Random& random, CaseBuilder& builder, DataType type, const Shape& shape,
                         const Quantization& q, double limit, bool may_be_constant) {
  if (may_be_constant && random.Chance(0.25)) {
    return builder.RandomConstant(type, shape, q, limit);
  }
  return builder.Input(type, shape, q, limit);
}

}  // namespace

Activation RandomActivation(Random& random) {
  return random.Pick({Activation::kNone, Activation::kNone, Activation::kRelu, Activation::kRelu6,
                      Activation::kReluN1To1});
}

ShapePair RandomShapePair(Random& random, int max_rank) {
  const int max_extent = random.Chance(0.5) ? 3 : 6;
  Shape full = RandomShape(random, 1, max_rank, max_extent);
  if (random.Chance(0.02)) full[0] = 0;
  ShapePair pair{full, full};
  const double draw = random.Real(0, 1);
  if (draw < 0.25) return pair;
  if (draw < 0.35) {
    pair.b.clear();
    if (random.Chance(0.5)) pair.b.assign(full.size(), 1);
  } else if (draw < 0.5) {
    pair.b = {full.back()};
  } else {
    for (size_t i = 0; i < full.size(); ++i) {
      const double which = random.Real(0, 1);
      if (which < 0.3) pair.a[i] = 1;
      if (which > 0.7) pair.b[i] = 1;
    }
    if (random.Chance(0.5)) DropLeading(random, pair.a);
    if (random.Chance(0.5)) DropLeading(random, pair.b);
  }
  if (random.Chance(0.5)) std::swap(pair.a, pair.b);
  return pair;
}

std::vector<TensorId> CodePair(Random& random, CaseBuilder& builder, DataType type,
                               const Quantization& a, const Quantization& b) {
  if (BitsOf(type) == 8 && random.Chance(0.1)) {
    Bytes codes(256);
    std::iota(codes.begin(), codes.end(), uint8_t{0});
    const TensorId x = builder.InputData(type, {256, 1}, codes, a);
    return {x, builder.InputData(type, {1, 256}, codes, b)};
  }
  const ShapePair shapes = RandomShapePair(random);
  const TensorId x = InputOrConstant(random, builder, type, shapes.a, a, 4, true);
  const bool first_is_constant = builder.tensor(x).is_constant;
  const TensorId y = InputOrConstant(random, builder, type, shapes.b, b, 4, !first_is_constant);
  return {x, y};
}

std::vector<TensorId> ValuePair(Random& random, CaseBuilder& builder, DataType type, double limit,
                                double specials) {
  const ShapePair shapes = RandomShapePair(random);
  std::vector<TensorId> inputs;
  for (const Shape& shape : {shapes.a, shapes.b}) {
    Bytes data = RandomData(random, type, ElementCount(shape), limit);
    if (type == DataType::kFloat32 && random.Chance(specials)) AddSpecials(random, data);
    inputs.push_back(builder.InputData(type, shape, std::move(data)));
  }
  return inputs;
}

TensorId AllCodes(Random& random, CaseBuilder& builder, DataType type, const Quantization& q) {
  if (type == DataType::kInt16 && !random.Chance(0.125)) {
    return builder.Input(type, RandomShape(random, 1, 4, 7), q);
  }
  const int bytes = BitsOf(type) / 8;
  const int count = bytes == 1 ? 256 : 65536;
  Bytes codes(static_cast<size_t>(count) * bytes);
  for (int i = 0; i < count; ++i) {
    for (int k = 0; k < bytes; ++k) codes[i * bytes + k] = static_cast<uint8_t>(i >> (8 * k));
  }
  const int32_t rows = random.Pick({1, 2, 8, 256});
  return builder.InputData(type, {1, rows, count / rows, 1}, std::move(codes), q);
}

TensorId FloatInput(Random& random, CaseBuilder& builder, Shape shape, double limit,
                    double specials) {
  Bytes data = RandomData(random, DataType::kFloat32, ElementCount(shape), limit);
  if (random.Chance(specials)) AddSpecials(random, data);
  return builder.InputData(DataType::kFloat32, std::move(shape), std::move(data));
}

}  // namespace dlpu::peer
