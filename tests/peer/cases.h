// SPDX-License-Identifier: Apache-2.0
// Generated cases: small graphs, mostly of one op, with inputs, that dlpu and LiteRT both run and
// whose outputs must be the same bytes. A generator is a function that draws one case from a
// Random; each file cases_<family>.cc registers the generators of one family (see README.md). The
// registry is filled before main and only read afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "random.h"

namespace dlpu::peer {

using Bytes = std::vector<uint8_t>;

struct Case {
  std::string name;  // "family/generator/index"
  Graph graph;
  std::vector<Bytes> inputs;  // parallel to graph.inputs; packed, row-major
};

// --- Random tensors --------------------------------------------------------------------------

// A scale between 2^-9 and 1: often a power of two, so that requantization meets exact ties.
float RandomScale(Random& random);
// A zero point for a quantized type: often the lowest or the highest code; 0 for int16.
int64_t RandomZeroPoint(Random& random, DataType type);
// One random scale and zero point.
Quantization RandomQuantization(Random& random, DataType type);
Quantization PerTensor(float scale, int64_t zero_point);
// `count` scales around `scale` (some a power of two times it), zero points 0.
Quantization PerChannel(Random& random, float scale, int count, int axis);
// Quantization of an output whose real values reach about +-`range`: half of the time `base` times
// a power of two (base: the scale of the accumulator, for ties), else free, with values that
// saturate now and then.
Quantization OutputQuantization(Random& random, DataType type, double range, double base);

// Codes of the whole range, or extremes only, or all alike, or near `zero`. float32: values up to
// +-`limit`, sometimes whole numbers, sometimes exact zeros. bool: 0 and 1. Integers of 32 and 64
// bits: up to +-`limit`.
Bytes RandomData(Random& random, DataType type, int64_t count, double limit = 4, int64_t zero = 0);
// The bytes of a list of values.
template <typename T>
Bytes BytesOf(const std::vector<T>& values) {
  const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
  return Bytes(begin, begin + values.size() * sizeof(T));
}
// Rank between low and high, each extent between 1 and max_extent.
Shape RandomShape(Random& random, int low_rank, int high_rank, int max_extent);

// --- Building a case -------------------------------------------------------------------------

// Adds tensors and nodes to a graph. Outputs of a node get their shape from the op's own shape
// rule, so a generator states types and quantization only; a case whose shapes the rule refuses
// stays as it is, because LiteRT must refuse it too.
class CaseBuilder {
 public:
  explicit CaseBuilder(Random& random) : random_(random) {}

  // A graph input with random data over the whole range of its type.
  TensorId Input(DataType type, Shape shape, Quantization quantization = {}, double limit = 4);
  // A graph input with given data. REQUIRES: data has the bytes of type and shape.
  TensorId InputData(DataType type, Shape shape, Bytes data, Quantization quantization = {});
  TensorId Constant(DataType type, Shape shape, Bytes data, Quantization quantization = {});
  // A constant with random data over the whole range of its type.
  TensorId RandomConstant(DataType type, Shape shape, Quantization quantization = {},
                          double limit = 4);
  // A one-dimensional int32 constant, such as a list of axes or a shape.
  TensorId Ints(const std::vector<int32_t>& values);
  // An int32 or float scalar constant.
  TensorId Scalar(int32_t value);
  TensorId ScalarFloat(float value);
  // A tensor that a node will write.
  TensorId Computed(DataType type, Quantization quantization = {});
  // A node whose outputs exist already (made with Computed).
  void Add(Op op, std::vector<TensorId> inputs, std::vector<TensorId> outputs, Attrs attrs);
  // The usual end: one node with one output, which becomes the output of the graph.
  Case Finish(Op op, std::vector<TensorId> inputs, DataType output, Quantization quantization,
              Attrs attrs);
  // The end of a case with several outputs.
  Case Finish(std::vector<TensorId> outputs);

  Graph& graph() { return graph_; }
  const Tensor& tensor(TensorId id) const { return graph_.tensors[id]; }

 private:
  TensorId AddTensor(const char* kind, DataType type, Shape shape, Quantization quantization);

  Random& random_;
  Graph graph_;
  std::vector<Bytes> inputs_;
};

// --- The registry ----------------------------------------------------------------------------

struct Generator {
  std::string_view family;  // of the file: "conv" for cases_conv.cc
  std::string_view name;    // the op in lower case and the types: "conv_2d_int8"
  Case (*make)(Random&);
};

// Sorted by family and name.
const std::vector<Generator>& Generators();
// Case `index` of a generator; the same on every machine.
Case MakeCase(const Generator& generator, uint64_t seed, uint64_t index);

struct Registration {
  Registration(std::string_view family, std::string_view name, Case (*make)(Random&));
};

// DLPU_PEER_CASE(conv, conv_2d_int8) { ... return builder.Finish(...); }
// defines and registers a generator; its parameter is `Random& random`.
#define DLPU_PEER_CASE(family, name)                                                        \
  static ::dlpu::peer::Case Make_##name(::dlpu::peer::Random& random);                      \
  static const ::dlpu::peer::Registration registration_##name(#family, #name, Make_##name); \
  static ::dlpu::peer::Case Make_##name([[maybe_unused]] ::dlpu::peer::Random& random)

}  // namespace dlpu::peer
