// SPDX-License-Identifier: Apache-2.0
// What people ran into with larod on cameras: the camera's text, and in the log the true reason.
#include <cstring>
#include <functional>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

// What larod logs while `work` goes on.
std::string LogOf(const std::function<void()>& work) {
  const std::string path = ::testing::TempDir() + "larod_stories_log_" + std::to_string(getpid());
  unlink(path.c_str());
  setenv("DLPU_LAROD_LOG", path.c_str(), 1);
  work();
  setenv("DLPU_LAROD_LOG", "none", 1);
  const auto text = ReadTextFile(path);
  unlink(path.c_str());
  return text.ok() ? *text : "";
}

// out = op(in), float32 of that shape.
Bytes OneOp(Op op, Attrs attrs, int32_t version, Shape shape = {1, 4}) {
  Graph graph;
  for (const char* name : {"in", "out"}) {
    Tensor tensor;
    tensor.name = name;
    tensor.shape = shape;
    graph.tensors.push_back(tensor);
  }
  Node node;
  node.op = op;
  node.name = "out";
  node.inputs = {0};
  node.outputs = {1};
  node.attrs = std::move(attrs);
  node.version = version;
  graph.nodes = {node};
  graph.inputs = {0};
  graph.outputs = {1};
  const auto bytes = WriteTflite(graph);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return bytes.ok() ? *bytes : Bytes();
}

TEST(LarodStories, WhyItCannotAllocate) {
  const struct {
    const char* what;
    Bytes model;
    const char* reason;
  } kModels[] = {
      {"custom op", OneOp(Op::kUnknown, UnknownAttrs{"MyOwnOp", true, {}}, 1), "MyOwnOp"},
      {"op version", OneOp(Op::kRelu6, DefaultAttrs(Op::kRelu6), 99),
       "Didn't find op for builtin opcode 'RELU6' version '99'"},
      {"dynamic shape", OneOp(Op::kRelu6, DefaultAttrs(Op::kRelu6), 1, {1, -1}),
       "input 'in' is dynamic"},
      {"Edge TPU package", OneOp(Op::kUnknown, UnknownAttrs{"edgetpu-custom-op", true, {}}, 1),
       "was compiled for the Edge TPU"},
  };
  Camera camera("artpec8");
  for (const auto& model : kModels) {
    SCOPED_TRACE(model.what);
    const std::string log =
        LogOf([&] { EXPECT_EQ(camera.Load(model.model, "cpu-tflite"), nullptr); });
    EXPECT_EQ(camera.error.text(), "Could not load model: Could not allocate tensors");
    EXPECT_EQ(camera.error.code(), LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(log.find(model.reason), std::string::npos) << log;
    // The others' reasons are not given.
    for (const auto& other : kModels) {
      EXPECT_EQ(log.find(other.reason) != std::string::npos, &other == &model) << log;
    }
  }
  // The newest version that is known is taken.
  larodModel* model = camera.Load(OneOp(Op::kRelu6, DefaultAttrs(Op::kRelu6), 2), "cpu-tflite");
  EXPECT_NE(model, nullptr) << camera.error.text();
  larodDestroyModel(&model);
}

TEST(LarodStories, AnotherCamerasDeviceNameSaysWhichThereAre) {
  Camera camera("AXIS Q1728");
  const std::string log = LogOf([&] {
    EXPECT_EQ(larodGetDevice(camera.conn, "axis-a8-dlpu-tflite", 0, camera.error), nullptr);
  });
  EXPECT_EQ(camera.error.text(),
            "Could not find device name \"axis-a8-dlpu-tflite\" and instance 0");
  EXPECT_NE(log.find("this camera has cpu-tflite, a9-dlpu-native, armnn-cpu-tflite, cpu-proc, "
                     "a9-dlpu-tflite, a9-gpu-proc"),
            std::string::npos)
      << log;
}

// The mean colour of an RGB picture: uint8 [1, 32, 48, 3] to [1, 3].
Bytes MeanColourModel() {
  Graph graph;
  const auto add = [&](const char* name, DataType type, Shape shape) {
    Tensor tensor;
    tensor.name = name;
    tensor.type = type;
    tensor.shape = std::move(shape);
    if (type == DataType::kUInt8) tensor.quantization = {{1.0f}, {0}, 0};
    graph.tensors.push_back(tensor);
    return static_cast<TensorId>(graph.tensors.size() - 1);
  };
  const TensorId in = add("picture", DataType::kUInt8, {1, 32, 48, 3});
  const TensorId axes = add("axes", DataType::kInt32, {2});
  graph.tensors[static_cast<size_t>(axes)].is_constant = true;
  graph.tensors[static_cast<size_t>(axes)].data = {1, 0, 0, 0, 2, 0, 0, 0};
  const TensorId out = add("colour", DataType::kUInt8, {1, 3});
  Node node;
  node.op = Op::kMean;
  node.name = "colour";
  node.inputs = {in, axes};
  node.outputs = {out};
  node.attrs = DefaultAttrs(Op::kMean);
  graph.nodes = {node};
  graph.inputs = {in};
  graph.outputs = {out};
  const auto bytes = WriteTflite(graph);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return bytes.ok() ? *bytes : Bytes();
}

// Written as the SDK's object detection is: buffers of the video are tracked, one preprocessing and
// one network job a frame, everything taken down in the order of that example.
TEST(LarodStories, AnApplicationWithoutACamera) {
  constexpr size_t kWidth = 96, kHeight = 64, kBuffers = 3, kFrames = 10;
  Camera camera("artpec8");
  larodError* error = nullptr;
  larodConnection*& conn = camera.conn;
  size_t count = 0;
  ASSERT_NE(larodListDevices(conn, &count, &error), nullptr);
  larodModel* network = camera.Load(MeanColourModel(), "axis-a8-dlpu-tflite");
  ASSERT_NE(network, nullptr) << camera.error.text();
  // Inputs only to see what the network wants.
  larodTensor** wanted = larodAllocModelInputs(conn, network, 0, &count, nullptr, &error);
  ASSERT_NE(wanted, nullptr);
  const larodTensorDims dims = *larodGetTensorDims(wanted[0], &error);
  const larodTensorPitches pitches = *larodGetTensorPitches(wanted[0], &error);
  EXPECT_EQ(dims.len, 4u);
  ASSERT_TRUE(larodDestroyTensors(conn, &wanted, count, &error));
  size_t num_outputs = 0;
  larodTensor** outputs = larodAllocModelOutputs(
      conn, network, LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP, &num_outputs, nullptr, &error);
  ASSERT_NE(outputs, nullptr);
  size_t output_size = 0;
  ASSERT_TRUE(larodGetTensorFdSize(outputs[0], &output_size, &error));
  const int output_fd = larodGetTensorFd(outputs[0], &error);
  const auto* values =
      static_cast<const uint8_t*>(mmap(nullptr, output_size, PROT_READ, MAP_SHARED, output_fd, 0));
  ASSERT_NE(values, MAP_FAILED);

  larodMap* map = larodCreateMap(&error);
  ASSERT_TRUE(larodMapSetStr(map, "image.input.format", "nv12", &error));
  ASSERT_TRUE(larodMapSetIntArr2(map, "image.input.size", kWidth, kHeight, &error));
  ASSERT_TRUE(larodMapSetInt(map, "image.input.row-pitch", kWidth, &error));
  ASSERT_TRUE(larodMapSetStr(map, "image.output.format", "rgb-interleaved", &error));
  ASSERT_TRUE(larodMapSetIntArr2(map, "image.output.size", static_cast<int64_t>(dims.dims[2]),
                                 static_cast<int64_t>(dims.dims[1]), &error));
  ASSERT_TRUE(larodMapSetInt(map, "image.output.row-pitch",
                             static_cast<int64_t>(pitches.pitches[2]), &error));
  larodModel* prepare =
      larodLoadModel(conn, -1, camera.Device("cpu-proc"), LAROD_ACCESS_PRIVATE, "", map, &error);
  ASSERT_NE(prepare, nullptr);
  size_t num_prepared = 0;
  larodTensor** prepared = larodAllocModelOutputs(
      conn, prepare, LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP, &num_prepared, nullptr, &error);
  ASSERT_EQ(num_prepared, 1u);
  size_t bytes = 0;
  ASSERT_TRUE(larodGetTensorByteSize(prepared[0], &bytes, &error));
  EXPECT_EQ(bytes, 3 * dims.dims[1] * dims.dims[2]);

  // The video's buffers: dma-bufs to larod, files in memory here.
  std::vector<std::unique_ptr<File>> video;
  std::vector<larodTensor**> frames;
  std::vector<int> copies;
  for (size_t i = 0; i < kBuffers; ++i) {
    video.push_back(std::make_unique<File>(Bytes(kWidth * kHeight * 3 / 2, 128)));
    larodTensor** frame = larodCreateTensors(1, &error);
    ASSERT_TRUE(larodSetTensorDataType(frame[0], LAROD_TENSOR_DATA_TYPE_UINT8, &error));
    ASSERT_TRUE(larodSetTensorLayout(frame[0], LAROD_TENSOR_LAYOUT_420SP, &error));
    ASSERT_TRUE(
        larodBuildTensorDims(frame[0], LAROD_TENSOR_LAYOUT_420SP, kWidth, kHeight, 3, &error));
    ASSERT_TRUE(
        larodBuildTensorPitches(frame[0], LAROD_TENSOR_LAYOUT_420SP, kWidth, kHeight, 3, &error));
    ASSERT_TRUE(larodSetTensorFdProps(frame[0], LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF, &error));
    copies.push_back(dup(video.back()->fd()));
    ASSERT_TRUE(larodSetTensorFd(frame[0], copies.back(), &error));
    ASSERT_TRUE(larodSetTensorFdOffset(frame[0], 0, &error));
    ASSERT_TRUE(larodSetTensorFdSize(frame[0], kWidth * kHeight * 3 / 2, &error));
    ASSERT_TRUE(larodTrackTensor(conn, frame[0], &error));
    frames.push_back(frame);
  }
  larodJobRequest* prepare_job =
      larodCreateJobRequest(prepare, frames[0], 1, prepared, 1, nullptr, &error);
  larodJobRequest* network_job =
      larodCreateJobRequest(network, prepared, 1, outputs, num_outputs, nullptr, &error);
  ASSERT_TRUE(prepare_job != nullptr && network_job != nullptr);
  for (size_t i = 0; i < kFrames; ++i) {
    const auto luma = static_cast<uint8_t>(20 + 20 * i);  // of grey, in limited range
    const Bytes picture(kWidth * kHeight, luma);
    ASSERT_EQ(pwrite(video[i % kBuffers]->fd(), picture.data(), picture.size(), 0),
              static_cast<ssize_t>(picture.size()));
    ASSERT_TRUE(larodSetJobRequestInputs(prepare_job, frames[i % kBuffers], 1, &error));
    ASSERT_TRUE(larodRunJob(conn, prepare_job, &error)) << error->msg;
    ASSERT_TRUE(larodRunJob(conn, network_job, &error)) << error->msg;
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(values[c], (luma - 16) * 255 / 219.0, 2);
  }
  // The misuse that crashed somebody's application.
  larodTensor* two[2] = {prepared[0], nullptr};
  EXPECT_FALSE(larodSetJobRequestInputs(network_job, two, 2, &error));
  ASSERT_NE(error, nullptr);
  EXPECT_STREQ(error->msg, "Input tensors are invalid: Tensor 1 is null");
  larodClearError(&error);

  munmap(const_cast<uint8_t*>(values), output_size);
  larodDestroyMap(&map);
  larodDestroyModel(&prepare);
  larodDestroyModel(&network);
  EXPECT_TRUE(larodDisconnect(&conn, &error));
  for (const int fd : copies) close(fd);
  close(output_fd);
  EXPECT_TRUE(larodDestroyTensors(nullptr, &outputs, num_outputs, &error));
  EXPECT_TRUE(larodDestroyTensors(nullptr, &prepared, num_prepared, &error));
  for (larodTensor**& frame : frames) EXPECT_TRUE(larodDestroyTensors(nullptr, &frame, 1, &error));
  larodDestroyJobRequest(&prepare_job);
  larodDestroyJobRequest(&network_job);
  EXPECT_EQ(error, nullptr);
}

}  // namespace
}  // namespace dlpu::larod_testing
