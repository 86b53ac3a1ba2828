// SPDX-License-Identifier: Apache-2.0
// What depends on the kind of camera: models that it refuses although a PC could run them, and
// CVflow's own form of tensors.
#include <cstring>

#include "ir/program_file.h"
#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

// b = a + constant, the constant stored as float16.
Bytes Float16Model() {
  Graph graph;
  const auto add = [&](const char* name, DataType type) {
    Tensor tensor;
    tensor.name = name;
    tensor.type = type;
    tensor.shape = {1, 4};
    graph.tensors.push_back(tensor);
    return static_cast<TensorId>(graph.tensors.size() - 1);
  };
  const TensorId in = add("in", DataType::kFloat32), half = add("half", DataType::kFloat16);
  const TensorId full = add("full", DataType::kFloat32), out = add("out", DataType::kFloat32);
  graph.tensors[static_cast<size_t>(half)].is_constant = true;
  graph.tensors[static_cast<size_t>(half)].data = {0, 0x3c, 0, 0x3c, 0, 0x3c, 0, 0x3c};  // ones
  for (const bool dequantize : {true, false}) {
    Node node;
    node.op = dequantize ? Op::kDequantize : Op::kAdd;
    node.name = dequantize ? "full" : "out";
    node.attrs = DefaultAttrs(node.op);
    if (dequantize) {
      node.inputs = {half};
    } else {
      node.inputs = {in, full};
    }
    node.outputs = {dequantize ? full : out};
    graph.nodes.push_back(node);
  }
  graph.inputs = {in};
  graph.outputs = {out};
  auto bytes = WriteTflite(graph);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return bytes.ok() ? *bytes : Bytes();
}

TEST(LarodTarget, Float16CrashesTheLoadOnArtpec8) {
  Camera camera("artpec8");
  const std::string log = ::testing::TempDir() + "larod_target_log";
  unlink(log.c_str());
  setenv("DLPU_LAROD_LOG", log.c_str(), 1);
  EXPECT_EQ(camera.Load(Float16Model(), "axis-a8-dlpu-tflite"), nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_CONNECTION);
  EXPECT_EQ(camera.error.text(), "Could not load model: Asynchronous connection has been closed");
  setenv("DLPU_LAROD_LOG", "none", 1);
  const auto text = ReadTextFile(log);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("it needs int8 or uint8; this file has float16 weights"), std::string::npos)
      << *text;
  unlink(log.c_str());
  // The CPU takes it.
  Job job(camera, camera.Load(Float16Model(), "cpu-tflite"));
  job.UseFiles({Bytes(16)});
  EXPECT_TRUE(job.Run()) << camera.error.text();
  const float one = 1;
  EXPECT_EQ(std::memcmp(job.Outputs()[0].data(), &one, sizeof one), 0);
}

Bytes Compiled(const Bytes& model, const char* target) {
  const auto found = FindTarget(target);
  EXPECT_TRUE(found.ok());
  auto graph = ReadTflite(model, "model");
  EXPECT_TRUE(graph.ok());
  auto program = Compile(*std::move(graph), OptionsFor(*found));
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program.ok() ? WriteProgram(*program) : Bytes();
}

TEST(LarodTarget, CvflowIsPlanarWithRowsOf32BytesAndFloatOutputs) {
  Camera camera("cv25");
  Job job(camera, camera.Load(Compiled(DigitsModel(), "cv25"), "ambarella-cvflow"));
  ASSERT_NE(job.model, nullptr);
  const Bytes picture = Noise(784, 4);
  Bytes padded(28 * 32);
  for (size_t row = 0; row < 28; ++row) {
    std::memcpy(&padded[row * 32], &picture[row * 28], 28);
  }
  job.UseAllocated({padded});
  const auto sizes = [](const auto* list) { return std::vector<size_t>(list, list + 4); };
  using Sizes = std::vector<size_t>;
  EXPECT_EQ(sizes(larodGetTensorDims(job.inputs[0], nullptr)->dims), (Sizes{1, 1, 28, 28}));
  EXPECT_EQ(sizes(larodGetTensorPitches(job.inputs[0], nullptr)->pitches),
            (Sizes{896, 896, 896, 32}));
  EXPECT_EQ(larodGetTensorLayout(job.inputs[0], nullptr), LAROD_TENSOR_LAYOUT_NCHW);
  EXPECT_EQ(sizes(larodGetTensorDims(job.outputs[0], nullptr)->dims), (Sizes{1, 10, 1, 1}));
  EXPECT_EQ(sizes(larodGetTensorPitches(job.outputs[0], nullptr)->pitches),
            (Sizes{320, 320, 32, 32}));
  EXPECT_EQ(larodGetTensorDataType(job.outputs[0], nullptr), LAROD_TENSOR_DATA_TYPE_FLOAT32);
  ASSERT_TRUE(job.Run()) << camera.error.text();
  const Bytes output = job.Outputs()[0];
  const Bytes codes = RunPlainly(DigitsModel(), {picture}, "cv25")[0];
  for (size_t i = 0; i < 10; ++i) {
    float value;
    std::memcpy(&value, &output[i * 32], sizeof value);
    // The classifier's output has the scale of all softmax outputs.
    EXPECT_EQ(value, (static_cast<int8_t>(codes[i]) + 128) / 256.0f);
  }
  // Mapping alone is not enough for this device.
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &job.inputs, job.num_inputs, camera.error));
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &job.outputs, job.num_outputs, camera.error));
  job.UseFiles({padded});
  EXPECT_TRUE(larodSetTensorFdProps(job.inputs[0], LAROD_FD_PROP_MAP, camera.error));
  EXPECT_TRUE(job.MakeRequest());
  EXPECT_FALSE(job.Run());
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_FD);
}

TEST(LarodTarget, ProgramsAreForOneTarget) {
  Camera camera("cv25");
  EXPECT_EQ(camera.Load(Compiled(DigitsModel(), "artpec8"), "ambarella-cvflow"), nullptr);
  EXPECT_EQ(camera.error.text(), "Could not load model: Incorrect model format");
  EXPECT_EQ(camera.Load(Compiled(DigitsModel(), "cv25"), "cpu-tflite"), nullptr);
  Bytes damaged = Compiled(DigitsModel(), "cv25");
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_EQ(camera.Load(damaged, "ambarella-cvflow"), nullptr);
  // Two outputs, four extents: the channels are outermost.
  Job job(camera, camera.Load(Compiled(TwoOutputModel(), "cv25"), "ambarella-cvflow"));
  ASSERT_NE(job.model, nullptr);
  job.UseFiles({Bytes(4 * 6 * 32, 2)});
  ASSERT_TRUE(job.Run()) << camera.error.text();
  float value;
  std::memcpy(&value, job.Outputs()[0].data(), sizeof value);
  EXPECT_EQ(value, 1.0f);
  std::memcpy(&value, &job.Outputs()[1][3 * 32], sizeof value);
  EXPECT_EQ(value, 1.0f);
}

}  // namespace
}  // namespace dlpu::larod_testing
