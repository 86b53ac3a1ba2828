// SPDX-License-Identifier: Apache-2.0
// Fixed-point programs on the CVflow devices: planar bytes in, floats out, and the very values that
// the plain runner gives.
#include <cstring>
#include <utility>
#include <vector>

#include "ir/program_file.h"
#include "larod_testing.h"
#include "passes/quantize.h"

namespace dlpu::larod_testing {
namespace {

constexpr int kHeight = 6, kWidth = 5, kChannels = 3, kFilters = 4;

TensorId Add(Graph& graph, TensorFacts& facts, const char* name, Shape shape, RealRange range) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = std::move(shape);
  graph.tensors.push_back(tensor);
  facts.ranges.push_back(range);
  return static_cast<TensorId>(graph.tensors.size() - 1);
}

TensorId Constant(Graph& graph, TensorFacts& facts, const char* name, const Shape& shape) {
  const TensorId id = Add(graph, facts, name, shape, {});
  facts.ranges.back().reset();
  Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
  tensor.is_constant = true;
  const Bytes noise = Noise(static_cast<size_t>(ElementCount(shape)), static_cast<uint32_t>(id));
  std::vector<uint8_t> data;
  for (const uint8_t byte : noise) {
    const float value = (static_cast<float>(byte) - 127) / 300;
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    data.insert(data.end(), bytes, bytes + sizeof value);
  }
  tensor.data = std::move(data);
  return id;
}

// Two 3x3 convolutions over a picture scaled to -1..1, the second one with 16-bit activations.
Bytes FixedPointModel() {
  Graph graph;
  TensorFacts facts;
  TensorId x = Add(graph, facts, "picture", {1, kHeight, kWidth, kChannels}, {-1, 1});
  graph.inputs = {x};
  for (const char* name : {"first", "second"}) {
    const int32_t in = graph.tensors[static_cast<size_t>(x)].shape[3];
    Node node;
    node.op = Op::kConv2d;
    node.name = name;
    ConvAttrs attrs;
    attrs.activation = name[0] == 'f' ? Activation::kRelu6 : Activation::kNone;
    node.attrs = attrs;
    const TensorId weights = Constant(graph, facts, "w", {kFilters, 3, 3, in});
    const TensorId bias = Constant(graph, facts, "b", {kFilters});
    const RealRange range = name[0] == 'f' ? RealRange{0, 5} : RealRange{-7, 6};
    const TensorId y = Add(graph, facts, name, {1, kHeight, kWidth, kFilters}, range);
    node.inputs = {x, weights, bias};
    node.outputs = {y};
    graph.nodes.push_back(node);
    x = y;
  }
  graph.outputs = {x};
  facts.means.resize(graph.tensors.size());
  facts.lows = facts.highs = facts.means;
  QuantizeOptions options;
  options.scheme = QuantScheme::kPowerOfTwo;
  options.node_types["second"] = DataType::kInt16;
  options.input_type = DataType::kUInt8;
  options.output_type = DataType::kFloat32;
  auto quantized = QuantizeGraph(graph, facts, options);
  EXPECT_TRUE(quantized.ok()) << quantized.error().message;
  auto bytes = WriteTflite(quantized->graph);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return bytes.ok() ? *bytes : Bytes();
}

Bytes ProgramOf(const Bytes& model, const char* name) {
  const auto target = FindTarget(name);
  EXPECT_TRUE(target.ok());
  auto graph = ReadTflite(model, "model");
  EXPECT_TRUE(graph.ok());
  auto program = Compile(*std::move(graph), OptionsFor(*target));
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program.ok() ? WriteProgram(*program) : Bytes();
}

void ExpectWhatTheRunnerGives(const char* target, const char* device, size_t row) {
  SCOPED_TRACE(target);
  const Bytes model = FixedPointModel();
  Camera camera(target);
  Job job(camera, camera.Load(ProgramOf(model, target), device));
  ASSERT_NE(job.model, nullptr) << camera.error.text();
  const Bytes picture = Noise(kHeight * kWidth * kChannels, 11);
  Bytes planes(kChannels * kHeight * row);
  for (size_t h = 0; h < kHeight; ++h) {
    for (size_t w = 0; w < kWidth; ++w) {
      for (size_t c = 0; c < kChannels; ++c) {
        planes[(c * kHeight + h) * row + w] = picture[(h * kWidth + w) * kChannels + c];
      }
    }
  }
  job.UseAllocated({planes});
  EXPECT_EQ(larodGetTensorDataType(job.inputs[0], nullptr), LAROD_TENSOR_DATA_TYPE_UINT8);
  EXPECT_EQ(larodGetTensorPitches(job.inputs[0], nullptr)->pitches[3], row);
  EXPECT_EQ(larodGetTensorDataType(job.outputs[0], nullptr), LAROD_TENSOR_DATA_TYPE_FLOAT32);
  EXPECT_EQ(larodGetTensorPitches(job.outputs[0], nullptr)->pitches[3], row);
  ASSERT_TRUE(job.Run()) << camera.error.text();
  const Bytes output = job.Outputs()[0], expected = RunPlainly(model, {picture}, target)[0];
  ASSERT_EQ(expected.size(), size_t{kHeight * kWidth * kFilters * 4});
  ASSERT_EQ(output.size(), kFilters * kHeight * row);
  int differing = 0, nonzero = 0;
  for (size_t h = 0; h < kHeight; ++h) {
    for (size_t w = 0; w < kWidth; ++w) {
      for (size_t c = 0; c < kFilters; ++c) {
        float found, wanted;
        std::memcpy(&found, &output[(c * kHeight + h) * row + w * 4], 4);
        std::memcpy(&wanted, &expected[((h * kWidth + w) * kFilters + c) * 4], 4);
        differing += found != wanted;
        nonzero += wanted != 0;
      }
    }
  }
  EXPECT_EQ(differing, 0);
  EXPECT_GT(nonzero, kHeight * kWidth);
}

TEST(LarodFixedPoint, CvflowGivesWhatTheRunnerGives) {
  ExpectWhatTheRunnerGives("cv25", "ambarella-cvflow", 32);
  ExpectWhatTheRunnerGives("cv75", "cv75-dlpu-native", 128);
}

}  // namespace
}  // namespace dlpu::larod_testing
