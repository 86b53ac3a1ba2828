// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of the larod API.
#include "larod_testing.h"

#include <algorithm>

namespace dlpu::larod_testing {
namespace {

TensorId AddTensor(Graph& graph, const char* name, DataType type, Shape shape, float scale = 0) {
  Tensor tensor;
  tensor.name = name;
  tensor.type = type;
  tensor.shape = std::move(shape);
  if (scale != 0) tensor.quantization = {{scale}, {0}, 0};
  graph.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph.tensors.size() - 1);
}

void AddNode(Graph& graph, Op op, std::vector<TensorId> inputs, TensorId output) {
  Node node;
  node.op = op;
  node.name = graph.tensors[static_cast<size_t>(output)].name;
  node.inputs = std::move(inputs);
  node.outputs = {output};
  node.attrs = DefaultAttrs(op);
  graph.nodes.push_back(std::move(node));
}

Bytes Written(const Graph& graph) {
  auto bytes = WriteTflite(graph);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return bytes.ok() ? *bytes : Bytes();
}

}  // namespace

Job::Job(Camera& c, larodModel* m) : camera(c), model(m) {
  EXPECT_NE(model, nullptr) << camera.error.text();
}

Job::~Job() {
  larodDestroyJobRequest(&request);
  larodDestroyTensors(camera.conn, &inputs, num_inputs, nullptr);
  larodDestroyTensors(camera.conn, &outputs, num_outputs, nullptr);
  larodDestroyModel(&model);
}

void Job::UseFiles(const std::vector<Bytes>& values) {
  inputs = larodCreateModelInputs(model, &num_inputs, camera.error);
  outputs = larodCreateModelOutputs(model, &num_outputs, camera.error);
  ASSERT_EQ(num_inputs, values.size());
  for (size_t i = 0; i < num_inputs + num_outputs; ++i) {
    files.push_back(std::make_unique<File>(i < num_inputs ? values[i] : Bytes()));
    larodTensor* tensor = i < num_inputs ? inputs[i] : outputs[i - num_inputs];
    ASSERT_TRUE(larodSetTensorFd(tensor, files.back()->fd(), camera.error));
  }
}

void Job::UseAllocated(const std::vector<Bytes>& values) {
  inputs = larodAllocModelInputs(camera.conn, model, 0, &num_inputs, nullptr, camera.error);
  ASSERT_NE(inputs, nullptr) << camera.error.text();
  outputs = larodAllocModelOutputs(camera.conn, model, 0, &num_outputs, nullptr, camera.error);
  ASSERT_NE(outputs, nullptr) << camera.error.text();
  ASSERT_EQ(num_inputs, values.size());
  for (size_t i = 0; i < num_inputs; ++i) {
    size_t size = 0;
    ASSERT_TRUE(larodGetTensorFdSize(inputs[i], &size, camera.error));
    ASSERT_EQ(size, values[i].size());
    const int fd = larodGetTensorFd(inputs[i], camera.error);
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ASSERT_NE(memory, MAP_FAILED);
    std::copy(values[i].begin(), values[i].end(), static_cast<uint8_t*>(memory));
    munmap(memory, size);
  }
}

void Job::Track() {
  for (size_t i = 0; i < num_inputs; ++i) {
    ASSERT_TRUE(larodTrackTensor(camera.conn, inputs[i], camera.error)) << camera.error.text();
  }
  for (size_t i = 0; i < num_outputs; ++i) {
    ASSERT_TRUE(larodTrackTensor(camera.conn, outputs[i], camera.error)) << camera.error.text();
  }
}

bool Job::MakeRequest() {
  if (request != nullptr) larodDestroyJobRequest(&request);
  request =
      larodCreateJobRequest(model, inputs, num_inputs, outputs, num_outputs, nullptr, camera.error);
  return request != nullptr;
}

bool Job::Run() {
  return (request != nullptr || MakeRequest()) && larodRunJob(camera.conn, request, camera.error);
}

std::vector<Bytes> Job::Outputs() {
  std::vector<Bytes> values;
  for (size_t i = 0; i < num_outputs; ++i) {
    size_t size = 0;
    EXPECT_TRUE(larodGetTensorByteSize(outputs[i], &size, camera.error));
    Bytes bytes(size);
    const ssize_t n = pread(larodGetTensorFd(outputs[i], camera.error), bytes.data(), size,
                            larodGetTensorFdOffset(outputs[i], camera.error));
    EXPECT_EQ(n, static_cast<ssize_t>(size));
    values.push_back(std::move(bytes));
  }
  return values;
}

Bytes AddModel() {
  Graph graph;
  const TensorId a = AddTensor(graph, "a", DataType::kFloat32, {1, 4});
  const TensorId b = AddTensor(graph, "b", DataType::kFloat32, {1, 4});
  const TensorId sum = AddTensor(graph, "sum", DataType::kFloat32, {1, 4});
  AddNode(graph, Op::kAdd, {a, b}, sum);
  graph.inputs = {a, b};
  graph.outputs = {sum};
  return Written(graph);
}

Bytes FloatPictureModel() {
  Graph graph;
  const TensorId in = AddTensor(graph, "picture", DataType::kFloat32, {1, 256, 256, 3});
  const TensorId out = AddTensor(graph, "rectified", DataType::kFloat32, {1, 256, 256, 3});
  AddNode(graph, Op::kRelu, {in}, out);
  graph.inputs = {in};
  graph.outputs = {out};
  return Written(graph);
}

Bytes TwoOutputModel() {
  Graph graph;
  const TensorId in = AddTensor(graph, "in", DataType::kInt8, {1, 6, 5, 4}, 0.5f);
  const TensorId relu = AddTensor(graph, "rectified", DataType::kInt8, {1, 6, 5, 4}, 0.5f);
  const TensorId axes = AddTensor(graph, "axes", DataType::kInt32, {2});
  Tensor& constant = graph.tensors[static_cast<size_t>(axes)];
  constant.is_constant = true;
  constant.data = {1, 0, 0, 0, 2, 0, 0, 0};
  const TensorId mean = AddTensor(graph, "mean", DataType::kInt8, {1, 4}, 0.5f);
  AddNode(graph, Op::kRelu, {in}, relu);
  AddNode(graph, Op::kMean, {in, axes}, mean);
  graph.inputs = {in};
  graph.outputs = {relu, mean};
  return Written(graph);
}

Bytes DetectorModel() {
  Graph graph;
  const auto constant = [&](const char* name, DataType type, Shape shape, const auto& values) {
    const TensorId id = AddTensor(graph, name, type, std::move(shape));
    Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
    tensor.is_constant = true;
    const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
    tensor.data.assign(begin, begin + values.size() * sizeof(values[0]));
    return id;
  };
  const TensorId in = AddTensor(graph, "in", DataType::kFloat32, {1, 6, 7});
  const auto slice = [&](const char* name, int32_t first, int32_t count) {
    const std::vector<int32_t> begin = {0, 0, first}, size = {1, 6, count};
    const TensorId from = constant("begin", DataType::kInt32, {3}, begin);
    const TensorId extents = constant("size", DataType::kInt32, {3}, size);
    const TensorId out = AddTensor(graph, name, DataType::kFloat32, {1, 6, count});
    AddNode(graph, Op::kSlice, {in, from, extents}, out);
    return out;
  };
  const TensorId boxes = slice("boxes", 0, 4), scores = slice("scores", 4, 3);
  std::vector<float> anchors;
  for (int i = 0; i < 6; ++i) {
    anchors.insert(anchors.end(), {0.5f, (static_cast<float>(i) + 0.5f) / 6, 0.2f, 0.1f});
  }
  const TensorId anchor = constant("anchors", DataType::kFloat32, {6, 4}, anchors);
  DetectionAttrs attrs;
  attrs.max_detections = 3;
  attrs.num_classes = 2;
  attrs.use_regular_nms = true;
  attrs.nms_score_threshold = 0.25f;
  attrs.nms_iou_threshold = 0.5f;
  attrs.y_scale = attrs.x_scale = 10;
  attrs.h_scale = attrs.w_scale = 5;
  Node node;
  node.op = Op::kDetectionPostProcess;
  node.name = "detections";
  node.inputs = {boxes, scores, anchor};
  node.attrs = attrs;
  const std::pair<const char*, Shape> outputs[] = {
      {"boxes_found", {1, 3, 4}}, {"classes", {1, 3}}, {"best", {1, 3}}, {"count", {1}}};
  for (const auto& [name, shape] : outputs) {
    node.outputs.push_back(AddTensor(graph, name, DataType::kFloat32, shape));
  }
  graph.nodes.push_back(node);
  graph.inputs = {in};
  graph.outputs = node.outputs;
  return Written(graph);
}

Bytes DigitsModel() {
  auto bytes = ReadFile("data/models/digits_int8.tflite");
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return bytes.ok() ? *bytes : Bytes();
}

Bytes Noise(size_t count, uint32_t seed) {
  Bytes bytes(count);
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  return bytes;
}

std::vector<Bytes> RunPlainly(const Bytes& model, const std::vector<Bytes>& inputs,
                              const std::string& target) {
  auto graph = ReadTflite(model, "model");
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  if (!graph.ok()) return {};
  CompileOptions options;
  Result<Target> found = FindTarget(target);
  if (found.ok()) options = OptionsFor(*found);
  auto program = Compile(*std::move(graph), options);
  EXPECT_TRUE(program.ok()) << program.error().message;
  if (!program.ok()) return {};
  auto runner = Runner::Load(*std::move(program), {.threads = 1});
  EXPECT_TRUE(runner.ok()) << runner.error().message;
  if (!runner.ok()) return {};
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ((*runner)->input(i).size(), inputs[i].size());
    std::copy(inputs[i].begin(), inputs[i].end(), (*runner)->input(i).begin());
  }
  EXPECT_TRUE((*runner)->Run().ok());
  std::vector<Bytes> outputs;
  for (size_t i = 0; i < (*runner)->output_count(); ++i) {
    const auto output = (*runner)->output(i);
    outputs.emplace_back(output.begin(), output.end());
  }
  return outputs;
}

}  // namespace dlpu::larod_testing
