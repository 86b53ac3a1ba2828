// SPDX-License-Identifier: Apache-2.0
// Jobs: results, the three ways to hand over buffers, and what is wrong with requests.
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

TEST(LarodJob, ComputesWhatTheRunnerComputes) {
  Camera camera("artpec8");
  const std::vector<Bytes> in = {Noise(784, 5)};
  for (const char* device : {"cpu-tflite", "axis-a8-dlpu-tflite"}) {
    const std::string target = device == std::string("cpu-tflite") ? "cpu" : "artpec8";
    const std::vector<Bytes> expected = RunPlainly(DigitsModel(), in, target);
    Job files(camera, camera.Load(DigitsModel(), device));
    files.UseFiles(in);
    EXPECT_TRUE(files.Run()) << camera.error.text();
    EXPECT_EQ(files.Outputs(), expected);
    // Again, without rewinding anything: the results lie where they lay.
    EXPECT_TRUE(files.Run());
    EXPECT_EQ(files.Outputs(), expected);
    Job tracked(camera, camera.Load(DigitsModel(), device));
    tracked.UseFiles(in);
    tracked.Track();
    EXPECT_TRUE(tracked.Run()) << camera.error.text();
    EXPECT_EQ(tracked.Outputs(), expected);
    Job allocated(camera, camera.Load(DigitsModel(), device));
    allocated.UseAllocated(in);
    EXPECT_TRUE(allocated.Run()) << camera.error.text();
    EXPECT_EQ(allocated.Outputs(), expected);
  }
}

TEST(LarodJob, SeveralInputsAndOutputs) {
  Camera camera("cpu");
  const float a[4] = {1, 2, 3, 4}, b[4] = {0.5f, 0.25f, -3, 1e6f};
  Bytes left(16), right(16);
  std::memcpy(left.data(), a, 16);
  std::memcpy(right.data(), b, 16);
  Job add(camera, camera.Load(AddModel(), "cpu-tflite"));
  add.UseFiles({left, right});
  EXPECT_TRUE(add.Run()) << camera.error.text();
  float sum[4];
  std::memcpy(sum, add.Outputs()[0].data(), 16);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(sum[i], a[i] + b[i]);

  const std::vector<Bytes> in = {Noise(120, 3)};
  Job two(camera, camera.Load(TwoOutputModel(), "cpu-tflite"));
  two.UseFiles(in);
  EXPECT_TRUE(two.Run()) << camera.error.text();
  EXPECT_EQ(two.num_outputs, 2u);
  EXPECT_STREQ(larodGetTensorName(two.outputs[1], nullptr), "mean");
  EXPECT_EQ(two.Outputs(), RunPlainly(TwoOutputModel(), in, "cpu"));
}

// $DLPU_WRITE_DETECTOR: also a file for others to test with.
TEST(LarodJob, DetectorHasFourOutputs) {
  Camera camera("artpec8");
  std::vector<float> values;
  for (int i = 0; i < 6; ++i) {
    values.insert(values.end(),
                  {0.1f, -0.2f, 0.3f, 0.1f, 0.05f, 0.1f * static_cast<float>(i + 4), 0.2f});
  }
  Bytes in(values.size() * sizeof(float));
  std::memcpy(in.data(), values.data(), in.size());
  Job job(camera, camera.Load(DetectorModel(), "axis-a8-dlpu-tflite"));
  job.UseAllocated({in});
  EXPECT_TRUE(job.Run()) << camera.error.text();
  EXPECT_EQ(job.num_outputs, 4u);
  const std::vector<Bytes> outputs = job.Outputs();
  EXPECT_EQ(outputs, RunPlainly(DetectorModel(), {in}, "artpec8"));
  float best = 0, count = 0;
  std::memcpy(&best, outputs[2].data(), sizeof best);
  std::memcpy(&count, outputs[3].data(), sizeof count);
  EXPECT_EQ(best, values[5 * 7 + 5]);
  EXPECT_EQ(count, 3);
  if (const char* path = std::getenv("DLPU_WRITE_DETECTOR")) {
    EXPECT_TRUE(WriteFile(path, DetectorModel()).ok());
  }
}

TEST(LarodJob, ShortInputIsTheCamerasTextWithAHint) {
  Camera camera("cpu");
  const std::string log = ::testing::TempDir() + "larod_job_log";
  unlink(log.c_str());
  setenv("DLPU_LAROD_LOG", log.c_str(), 1);
  Job job(camera, camera.Load(FloatPictureModel(), "cpu-tflite"));
  job.UseFiles({Bytes(196608)});  // 256 x 256 x 3 of uint8 for a float32 input
  EXPECT_FALSE(job.Run());
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_JOB);
  EXPECT_EQ(camera.error.text(),
            "Could not run job: Could only read 196608 out of 786432 bytes from file descriptor");
  setenv("DLPU_LAROD_LOG", "none", 1);
  const auto text = ReadTextFile(log);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("input 'picture' is float32 1x256x256x3"), std::string::npos) << *text;
  EXPECT_NE(text->find("would fit uint8"), std::string::npos) << *text;
  unlink(log.c_str());
}

TEST(LarodJob, OffsetAndSizeAreKept) {
  Camera camera("cpu");
  const std::vector<Bytes> in = {Noise(784, 8)};
  const Bytes expected = RunPlainly(DigitsModel(), in, "cpu")[0];
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  Bytes shifted(100, 7);
  shifted.insert(shifted.end(), in[0].begin(), in[0].end());
  job.UseFiles({shifted});
  EXPECT_TRUE(larodSetTensorFdOffset(job.inputs[0], 100, camera.error));
  EXPECT_TRUE(larodSetTensorFdOffset(job.outputs[0], 5, camera.error));
  EXPECT_TRUE(larodSetTensorFdSize(job.outputs[0], 10, camera.error));
  lseek(job.files[1]->fd(), 3, SEEK_SET);
  EXPECT_TRUE(job.Run()) << camera.error.text();
  EXPECT_EQ(lseek(job.files[1]->fd(), 0, SEEK_CUR), 15);
  EXPECT_EQ(job.Outputs()[0], expected);
  EXPECT_EQ(job.files[1]->Read().size(), 15u);
  // Too little room for either.
  EXPECT_TRUE(larodSetTensorFdSize(job.outputs[0], 9, camera.error));
  EXPECT_TRUE(job.MakeRequest());
  EXPECT_FALSE(job.Run());
  EXPECT_EQ(camera.error.text(),
            "Could not run job: Could only write 9 out of 10 bytes to file descriptor");
  EXPECT_TRUE(larodSetTensorFdSize(job.outputs[0], 0, camera.error));
  EXPECT_TRUE(larodSetTensorFdSize(job.inputs[0], 700, camera.error));
  EXPECT_TRUE(job.MakeRequest());
  EXPECT_FALSE(job.Run());
  EXPECT_EQ(camera.error.text(),
            "Could not run job: Could only read 700 out of 784 bytes from file descriptor");
}

TEST(LarodJob, MapOrDmaBufferOnAnOrdinaryFileIsFine) {
  Camera camera("cpu");
  for (const uint32_t props : {LAROD_FD_PROP_MAP, LAROD_FD_TYPE_DMA, LAROD_FD_TYPE_DISK}) {
    Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
    job.UseFiles({Noise(784, 8)});
    EXPECT_TRUE(larodSetTensorFdProps(job.inputs[0], props, camera.error));
    EXPECT_TRUE(larodSetTensorFdProps(job.outputs[0], props, camera.error));
    EXPECT_TRUE(job.Run()) << camera.error.text();
    EXPECT_EQ(job.Outputs(), RunPlainly(DigitsModel(), {Noise(784, 8)}, "cpu"));
  }
}

TEST(LarodJob, RequestIsACopy) {
  Camera camera("cpu");
  const std::vector<Bytes> in = {Noise(784, 2)};
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles(in);
  ASSERT_TRUE(job.MakeRequest());
  const File other(Noise(784, 99));
  EXPECT_TRUE(larodSetTensorFd(job.inputs[0], other.fd(), camera.error));
  EXPECT_TRUE(larodRunJob(camera.conn, job.request, camera.error));
  const Bytes first = job.files[1]->Read();
  EXPECT_EQ(first, RunPlainly(DigitsModel(), in, "cpu")[0]);
  EXPECT_TRUE(larodSetJobRequestInputs(job.request, job.inputs, 1, camera.error));
  EXPECT_TRUE(larodRunJob(camera.conn, job.request, camera.error));
  EXPECT_EQ(job.files[1]->Read(), RunPlainly(DigitsModel(), {Noise(784, 99)}, "cpu")[0]);
  // The request needs no tensors.
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &job.inputs, 1, camera.error));
  EXPECT_TRUE(larodRunJob(camera.conn, job.request, camera.error));
}

TEST(LarodJob, RequestIsChecked) {
  Camera camera("cpu");
  Job job(camera, camera.Load(AddModel(), "cpu-tflite"));
  job.UseFiles({Bytes(16), Bytes(16)});
  const auto create = [&](larodTensor** in, size_t n, larodTensor** out, size_t m) {
    larodJobRequest* request =
        larodCreateJobRequest(job.model, in, n, out, m, nullptr, camera.error);
    EXPECT_EQ(request, nullptr);
    EXPECT_EQ(camera.error.code(), EINVAL);
    return camera.error.text();
  };
  larodTensor* holes[2] = {job.inputs[0], nullptr};
  EXPECT_EQ(create(holes, 2, job.outputs, 1), "Input tensors are invalid: Tensor 1 is null");
  larodTensor* none[1] = {nullptr};
  EXPECT_EQ(create(job.inputs, 2, none, 1), "Output tensors are invalid: Tensor 0 is null");
  EXPECT_EQ(create(nullptr, 2, job.outputs, 1), "Input tensors are invalid: Tensor array is null");
  EXPECT_EQ(create(job.inputs, 3, job.outputs, 1),
            "Input tensors are invalid: Tensor array has 2 tensors, not 3");
  larodTensorPitches pitches = {{16}, 1};
  EXPECT_TRUE(larodSetTensorPitches(job.inputs[1], &pitches, camera.error));
  EXPECT_EQ(create(job.inputs, 2, job.outputs, 1),
            "Input tensors are invalid: Tensor 1 has 2 dimensions but 1 pitches");
  EXPECT_EQ(larodCreateJobRequest(nullptr, job.inputs, 2, job.outputs, 1, nullptr, camera.error),
            nullptr);
  EXPECT_EQ(camera.error.text(), "Model is null");
}

TEST(LarodJob, TensorsMustBeTheModels) {
  Camera camera("cpu");
  Job job(camera, camera.Load(AddModel(), "cpu-tflite"));
  job.UseFiles({Bytes(16), Bytes(16)});
  const auto fails = [&](int code) {
    EXPECT_TRUE(job.MakeRequest()) << camera.error.text();
    EXPECT_FALSE(job.Run());
    EXPECT_EQ(camera.error.code(), code) << camera.error.text();
  };
  larodTensor* t = job.inputs[1];
  EXPECT_TRUE(larodSetTensorDataType(t, LAROD_TENSOR_DATA_TYPE_UINT8, camera.error));
  fails(LAROD_ERROR_TENSOR_MISMATCH);
  EXPECT_EQ(camera.error.text(),
            "Could not run job: Input tensor 1 has data type uint8 but the model has float32");
  EXPECT_TRUE(larodSetTensorDataType(t, LAROD_TENSOR_DATA_TYPE_UNSPECIFIED, camera.error));
  larodTensorDims dims = {{1, 5}, 2};
  EXPECT_TRUE(larodSetTensorDims(t, &dims, camera.error));
  fails(LAROD_ERROR_TENSOR_MISMATCH);
  dims = {};
  EXPECT_TRUE(larodSetTensorDims(t, &dims, camera.error));
  larodTensorPitches pitches = {{32, 32}, 2};
  EXPECT_TRUE(larodSetTensorPitches(t, &pitches, camera.error));
  fails(LAROD_ERROR_TENSOR_MISMATCH);
  pitches = {};
  EXPECT_TRUE(larodSetTensorPitches(t, &pitches, camera.error));
  EXPECT_TRUE(larodSetTensorFdProps(t, 0, camera.error));
  fails(LAROD_ERROR_FD);
  EXPECT_TRUE(larodSetTensorFdProps(t, LAROD_FD_PROP_DMABUF, camera.error));
  fails(LAROD_ERROR_FD);
  EXPECT_TRUE(larodSetTensorFdProps(t, LAROD_FD_PROP_MAP, camera.error));
  EXPECT_TRUE(job.MakeRequest());
  EXPECT_TRUE(job.Run()) << camera.error.text();
  // One tensor too few.
  EXPECT_TRUE(larodSetJobRequestInputs(job.request, job.inputs, 1, camera.error));
  EXPECT_FALSE(larodRunJob(camera.conn, job.request, camera.error));
  EXPECT_EQ(camera.error.text(), "Could not run job: Model has 2 input tensors but job has 1");
  EXPECT_TRUE(larodSetJobRequestInputs(job.request, job.inputs, 2, camera.error));
  EXPECT_TRUE(larodSetJobRequestOutputs(job.request, job.outputs, 0, camera.error));
  EXPECT_FALSE(larodRunJob(camera.conn, job.request, camera.error));
  EXPECT_EQ(camera.error.text(), "Could not run job: Model has 1 output tensor but job has 0");
}

TEST(LarodJob, DescriptorsThatDoNotWork) {
  Camera camera("cpu");
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles({Bytes(784)});
  const auto fails = [&](larodTensor* tensor, int fd) {
    const int before = larodGetTensorFd(tensor, nullptr);
    EXPECT_TRUE(larodSetTensorFd(tensor, fd, camera.error));
    EXPECT_TRUE(job.MakeRequest());
    EXPECT_FALSE(job.Run());
    EXPECT_EQ(camera.error.code(), LAROD_ERROR_FD) << camera.error.text();
    EXPECT_TRUE(larodSetTensorFd(tensor, before, camera.error));
  };
  const int write_only = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  fails(job.inputs[0], write_only);
  fails(job.inputs[0], 9999);
  fails(job.inputs[0], pipe_ends[0]);
  fails(job.outputs[0], read_only);
  fails(job.outputs[0], 9999);
  for (const int fd : {write_only, read_only, pipe_ends[0], pipe_ends[1]}) close(fd);
  // A tensor that was given none.
  size_t count = 0;
  larodTensor** bare = larodCreateModelInputs(job.model, &count, camera.error);
  larodJobRequest* request =
      larodCreateJobRequest(job.model, bare, count, job.outputs, 1, nullptr, camera.error);
  EXPECT_FALSE(larodRunJob(camera.conn, request, camera.error));
  EXPECT_EQ(camera.error.text(), "Could not run job: Input tensor 0 has no file descriptor");
  larodDestroyJobRequest(&request);
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &bare, count, camera.error));
}

TEST(LarodJob, NullAndDestroyedAreErrors) {
  Camera camera("cpu");
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles({Bytes(784)});
  ASSERT_TRUE(job.MakeRequest());
  EXPECT_FALSE(larodSetJobRequestPriority(job.request, 101, camera.error));
  EXPECT_TRUE(larodSetJobRequestPriority(job.request, 100, camera.error));
  EXPECT_TRUE(larodSetJobRequestParams(job.request, nullptr, camera.error));
  EXPECT_TRUE(larodSetJobRequestModel(job.request, job.model, camera.error));
  EXPECT_FALSE(larodSetJobRequestModel(job.request, nullptr, camera.error));
  EXPECT_FALSE(larodRunJob(nullptr, job.request, camera.error));
  EXPECT_FALSE(larodRunJob(camera.conn, nullptr, camera.error));
  EXPECT_EQ(camera.error.text(), "Job request is null");
  larodJobRequest* const old = job.request;
  larodDestroyJobRequest(&job.request);
  EXPECT_EQ(job.request, nullptr);
  larodDestroyJobRequest(&job.request);
  larodDestroyJobRequest(nullptr);
  EXPECT_FALSE(larodRunJob(camera.conn, old, camera.error));
  EXPECT_EQ(camera.error.text(), "Job request does not exist");
  // A deleted model.
  ASSERT_TRUE(job.MakeRequest());
  EXPECT_TRUE(larodDeleteModel(camera.conn, job.model, camera.error));
  EXPECT_FALSE(job.Run());
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_MODEL_NOT_FOUND);
}

// What the compiling device would run is a file for the device that takes compiled models.
TEST(LarodExport, IsWhatTheNativeDeviceLoads) {
  Camera camera("artpec8");
  const File model(DigitsModel()), output;
  const auto exported = [&](int from, int to, const char* device) {
    return larodExportModel(camera.conn, from, to, camera.Device(device), nullptr, camera.error);
  };
  ASSERT_TRUE(exported(model.fd(), output.fd(), "axis-a8-dlpu-tflite")) << camera.error.text();
  const std::vector<Bytes> in = {Noise(784, 5)};
  Job job(camera, camera.Load(output.Read(), "axis-a8-dlpu-native"));
  ASSERT_NE(job.model, nullptr) << camera.error.text();
  job.UseFiles(in);
  EXPECT_TRUE(job.Run()) << camera.error.text();
  EXPECT_EQ(job.Outputs(), RunPlainly(DigitsModel(), in, "artpec8"));
  const File text({'n', 'o'});
  EXPECT_FALSE(exported(text.fd(), output.fd(), "axis-a8-dlpu-tflite"));
  EXPECT_EQ(camera.error.text(), "Could not export model: Incorrect model format");
  EXPECT_FALSE(exported(model.fd(), output.fd(), "cpu-tflite"));
  EXPECT_EQ(camera.error.code(), ENOTSUP);
  EXPECT_FALSE(exported(model.fd(), output.fd(), "axis-a8-gpu-proc"));
  EXPECT_EQ(camera.error.code(), ENOTSUP);
  EXPECT_FALSE(exported(-1, output.fd(), "axis-a8-dlpu-tflite"));
  EXPECT_EQ(camera.error.code(), EINVAL);
  EXPECT_FALSE(exported(9999, output.fd(), "axis-a8-dlpu-tflite"));
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_FD);
  const int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_FALSE(exported(model.fd(), read_only, "axis-a8-dlpu-tflite"));
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_FD);
  close(read_only);
}

}  // namespace
}  // namespace dlpu::larod_testing
