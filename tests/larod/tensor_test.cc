// SPDX-License-Identifier: Apache-2.0
// What tensors say, and what may be said of them.
#include <sys/stat.h>

#include <cerrno>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

std::vector<size_t> Dims(larodTensor* tensor) {
  const larodTensorDims* dims = larodGetTensorDims(tensor, nullptr);
  return {dims->dims, dims->dims + dims->len};
}
std::vector<size_t> Pitches(larodTensor* tensor) {
  const larodTensorPitches* pitches = larodGetTensorPitches(tensor, nullptr);
  return {pitches->pitches, pitches->pitches + pitches->len};
}
using Sizes = std::vector<size_t>;

TEST(LarodTensor, OfAModelIsDescribed) {
  Camera camera("artpec8");
  larodModel* model = camera.Load(DigitsModel(), "axis-a8-dlpu-tflite");
  ASSERT_NE(model, nullptr);
  size_t count = 0;
  larodTensor** inputs = larodCreateModelInputs(model, &count, camera.error);
  ASSERT_EQ(count, 1u);
  larodTensor* tensor = inputs[0];
  EXPECT_STREQ(larodGetTensorName(tensor, nullptr), "image");
  EXPECT_EQ(larodGetTensorDataType(tensor, nullptr), LAROD_TENSOR_DATA_TYPE_INT8);
  EXPECT_EQ(larodGetTensorLayout(tensor, nullptr), LAROD_TENSOR_LAYOUT_NHWC);
  EXPECT_EQ(Dims(tensor), (Sizes{1, 28, 28, 1}));
  EXPECT_EQ(Pitches(tensor), (Sizes{784, 784, 28, 1}));
  size_t bytes = 0, fd_size = 99;
  EXPECT_TRUE(larodGetTensorByteSize(tensor, &bytes, nullptr));
  EXPECT_EQ(bytes, 784u);
  EXPECT_EQ(larodGetTensorFd(tensor, nullptr), -1);
  EXPECT_TRUE(larodGetTensorFdSize(tensor, &fd_size, nullptr));
  EXPECT_EQ(fd_size, 0u);
  EXPECT_EQ(larodGetTensorFdOffset(tensor, nullptr), 0);
  uint32_t props = 0;
  EXPECT_TRUE(larodGetTensorFdProps(tensor, &props, nullptr));
  EXPECT_EQ(props, LAROD_FD_PROP_READWRITE);
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &inputs, count, camera.error));
  EXPECT_EQ(inputs, nullptr);
  larodDestroyModel(&model);
}

TEST(LarodTensor, EmptyOnesAreFilled) {
  Error error;
  larodTensor** tensors = larodCreateTensors(2, error);
  ASSERT_NE(tensors, nullptr);
  larodTensor* t = tensors[1];
  EXPECT_EQ(larodGetTensorDataType(t, error), LAROD_TENSOR_DATA_TYPE_UNSPECIFIED);
  EXPECT_EQ(larodGetTensorLayout(t, error), LAROD_TENSOR_LAYOUT_UNSPECIFIED);
  EXPECT_STREQ(larodGetTensorName(t, error), "");
  EXPECT_EQ(Dims(t), Sizes());
  size_t bytes = 99;
  EXPECT_TRUE(larodGetTensorByteSize(t, &bytes, error));
  EXPECT_EQ(bytes, 0u);
  EXPECT_TRUE(larodBuildTensorDims(t, LAROD_TENSOR_LAYOUT_420SP, 300, 224, 3, error));
  EXPECT_EQ(Dims(t), (Sizes{3, 224, 300}));
  EXPECT_TRUE(larodBuildTensorPitches(t, LAROD_TENSOR_LAYOUT_420SP, 320, 224, 3, error));
  EXPECT_EQ(Pitches(t), (Sizes{107520, 71680, 320}));
  EXPECT_TRUE(larodGetTensorByteSize(t, &bytes, error));
  EXPECT_EQ(bytes, 107520u);
  EXPECT_TRUE(larodBuildTensorDims(t, LAROD_TENSOR_LAYOUT_NHWC, 300, 224, 3, error));
  EXPECT_EQ(Dims(t), (Sizes{1, 224, 300, 3}));
  EXPECT_TRUE(larodBuildTensorPitches(t, LAROD_TENSOR_LAYOUT_NHWC, 900, 224, 3, error));
  EXPECT_EQ(Pitches(t), (Sizes{201600, 201600, 900, 3}));
  EXPECT_TRUE(larodBuildTensorDims(t, LAROD_TENSOR_LAYOUT_NCHW, 250, 100, 3, error));
  EXPECT_EQ(Dims(t), (Sizes{1, 3, 100, 250}));
  EXPECT_TRUE(larodBuildTensorPitches(t, LAROD_TENSOR_LAYOUT_NCHW, 256, 100, 3, error));
  EXPECT_EQ(Pitches(t), (Sizes{76800, 76800, 25600, 256}));
  EXPECT_FALSE(larodBuildTensorDims(t, LAROD_TENSOR_LAYOUT_UNSPECIFIED, 1, 1, 1, error));
  EXPECT_FALSE(larodBuildTensorPitches(t, LAROD_TENSOR_LAYOUT_MAX, 1, 1, 1, error));
  EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 2, error));
}

TEST(LarodTensor, NonsenseIsRefused) {
  Error error;
  larodTensor** tensors = larodCreateTensors(1, error);
  larodTensor* t = tensors[0];
  EXPECT_EQ(larodCreateTensors(0, error), nullptr);
  EXPECT_EQ(larodCreateTensors(SIZE_MAX, error), nullptr);
  EXPECT_FALSE(larodSetTensorFd(t, -1, error));
  EXPECT_FALSE(larodSetTensorFdOffset(t, -1, error));
  EXPECT_EQ(error.code(), EINVAL);
  EXPECT_FALSE(larodSetTensorFdProps(t, 8, error));
  EXPECT_FALSE(larodSetTensorDataType(t, LAROD_TENSOR_DATA_TYPE_INVALID, error));
  EXPECT_FALSE(larodSetTensorDataType(t, LAROD_TENSOR_DATA_TYPE_MAX, error));
  EXPECT_FALSE(larodSetTensorLayout(t, LAROD_TENSOR_LAYOUT_INVALID, error));
  larodTensorDims dims = {};
  dims.len = 13;
  EXPECT_FALSE(larodSetTensorDims(t, &dims, error));
  EXPECT_FALSE(larodSetTensorDims(t, nullptr, error));
  larodTensorPitches pitches = {};
  pitches.len = 13;
  EXPECT_FALSE(larodSetTensorPitches(t, &pitches, error));
  EXPECT_FALSE(larodSetTensorPitches(t, nullptr, error));
  EXPECT_FALSE(larodGetTensorByteSize(t, nullptr, error));
  EXPECT_FALSE(larodGetTensorFdSize(t, nullptr, error));
  EXPECT_FALSE(larodGetTensorFdProps(t, nullptr, error));
  EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 1, error));
}

// Every function of a tensor, once with NULL and once with a destroyed one.
TEST(LarodTensor, NullAndDestroyedAreErrors) {
  Error error;
  larodTensor** tensors = larodCreateTensors(1, error);
  larodTensor* const destroyed = tensors[0];
  EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 1, error));
  const larodTensorDims dims = {};
  const larodTensorPitches pitches = {};
  size_t size;
  uint32_t props;
  for (larodTensor* t : {static_cast<larodTensor*>(nullptr), destroyed}) {
    EXPECT_FALSE(larodSetTensorDims(t, &dims, error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(error.text(), t == nullptr ? "Tensor is null" : "Tensor does not exist");
    EXPECT_FALSE(larodBuildTensorDims(t, LAROD_TENSOR_LAYOUT_NHWC, 1, 1, 1, error));
    EXPECT_EQ(larodGetTensorDims(t, error), nullptr);
    EXPECT_FALSE(larodSetTensorPitches(t, &pitches, error));
    EXPECT_FALSE(larodBuildTensorPitches(t, LAROD_TENSOR_LAYOUT_NHWC, 1, 1, 1, error));
    EXPECT_EQ(larodGetTensorPitches(t, error), nullptr);
    EXPECT_FALSE(larodSetTensorDataType(t, LAROD_TENSOR_DATA_TYPE_INT8, error));
    EXPECT_EQ(larodGetTensorDataType(t, error), LAROD_TENSOR_DATA_TYPE_INVALID);
    EXPECT_FALSE(larodSetTensorLayout(t, LAROD_TENSOR_LAYOUT_NHWC, error));
    EXPECT_EQ(larodGetTensorLayout(t, error), LAROD_TENSOR_LAYOUT_INVALID);
    EXPECT_FALSE(larodSetTensorFd(t, 1, error));
    EXPECT_EQ(larodGetTensorFd(t, error), LAROD_INVALID_FD);
    EXPECT_FALSE(larodSetTensorFdSize(t, 1, error));
    EXPECT_FALSE(larodGetTensorFdSize(t, &size, error));
    EXPECT_FALSE(larodSetTensorFdOffset(t, 1, error));
    EXPECT_EQ(larodGetTensorFdOffset(t, error), -1);
    EXPECT_FALSE(larodSetTensorFdProps(t, 1, error));
    EXPECT_FALSE(larodGetTensorFdProps(t, &props, error));
    EXPECT_EQ(larodGetTensorName(t, error), nullptr);
    EXPECT_FALSE(larodGetTensorByteSize(t, &size, error));
  }
  Camera camera("cpu");
  EXPECT_FALSE(larodTrackTensor(camera.conn, nullptr, error));
  EXPECT_FALSE(larodTrackTensor(camera.conn, destroyed, error));
  EXPECT_EQ(larodCreateModelInputs(nullptr, nullptr, error), nullptr);
  EXPECT_EQ(larodAllocModelInputs(camera.conn, nullptr, 0, nullptr, nullptr, error), nullptr);
}

TEST(LarodTensor, WrongCountIsToldAndNothingLeaks) {
  Error error;
  larodTensor** tensors = larodCreateTensors(3, error);
  EXPECT_FALSE(larodDestroyTensors(nullptr, &tensors, 2, error));
  EXPECT_EQ(error.text(), "Tensor array has 3 tensors, not 2");
  EXPECT_EQ(tensors, nullptr);
  larodTensor* none[1] = {nullptr};
  larodTensor** foreign = none;
  EXPECT_FALSE(larodDestroyTensors(nullptr, &foreign, 1, error));
  EXPECT_TRUE(larodDestroyTensors(nullptr, nullptr, 0, error));
}

TEST(LarodTensor, AllocatedOnesCanBeMapped) {
  Camera camera("cv25");
  larodModel* model = camera.Load(AddModel(), "cpu-tflite");
  ASSERT_NE(model, nullptr);
  size_t count = 0;
  larodTensor** tensors =
      larodAllocModelOutputs(camera.conn, model, LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP,
                             &count, nullptr, camera.error);
  ASSERT_NE(tensors, nullptr) << camera.error.text();
  const int fd = larodGetTensorFd(tensors[0], nullptr);
  size_t size = 0;
  EXPECT_TRUE(larodGetTensorFdSize(tensors[0], &size, nullptr));
  EXPECT_EQ(size, 16u);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  EXPECT_NE(memory, MAP_FAILED);
  munmap(memory, size);
  uint32_t props = 0;
  EXPECT_TRUE(larodGetTensorFdProps(tensors[0], &props, nullptr));
  EXPECT_EQ(props, 3u);
  // Tracked: the descriptor is fixed, what it holds is not.
  EXPECT_FALSE(larodSetTensorFd(tensors[0], 1, camera.error));
  EXPECT_EQ(camera.error.text(), "Could not set file descriptor: tensor is tracked");
  EXPECT_FALSE(larodSetTensorFdSize(tensors[0], 1, nullptr));
  EXPECT_FALSE(larodSetTensorFdOffset(tensors[0], 1, nullptr));
  EXPECT_FALSE(larodSetTensorFdProps(tensors[0], 1, nullptr));
  EXPECT_FALSE(larodTrackTensor(camera.conn, tensors[0], nullptr));
  larodTensorPitches pitches = *larodGetTensorPitches(tensors[0], nullptr);
  EXPECT_TRUE(larodSetTensorPitches(tensors[0], &pitches, camera.error));
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &tensors, count, camera.error));
  struct stat status;
  EXPECT_NE(fstat(fd, &status), 0) << "the descriptor leaked";
  // No dma-buf from a device that has none.
  EXPECT_EQ(
      larodAllocModelInputs(camera.conn, model, LAROD_FD_TYPE_DMA, nullptr, nullptr, camera.error),
      nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_ALLOC);
  larodDestroyModel(&model);
}

// The order of the SDK's examples: disconnect, close the descriptors, destroy without a connection.
TEST(LarodTensor, OutlivesItsConnection) {
  Camera camera("cpu");
  larodModel* model = camera.Load(AddModel(), "cpu-tflite");
  size_t count = 0;
  larodTensor** tensors =
      larodAllocModelInputs(camera.conn, model, 0, &count, nullptr, camera.error);
  ASSERT_EQ(count, 2u);
  EXPECT_TRUE(larodDisconnect(&camera.conn, camera.error));
  EXPECT_EQ(close(larodGetTensorFd(tensors[0], nullptr)), 0);
  // The number may be another file's by now, which must stay open.
  const File other;
  EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, count, camera.error));
  struct stat status;
  EXPECT_EQ(fstat(other.fd(), &status), 0);
  larodDestroyModel(&model);
}

TEST(LarodTensor, AConnectionTracks32) {
  Camera camera("cpu");
  const File file(Bytes(16));
  larodTensor** tensors = larodCreateTensors(33, camera.error);
  EXPECT_FALSE(larodTrackTensor(camera.conn, tensors[0], camera.error));
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_FD);
  for (size_t i = 0; i < 33; ++i) {
    EXPECT_TRUE(larodSetTensorFd(tensors[i], file.fd(), camera.error));
    EXPECT_EQ(larodTrackTensor(camera.conn, tensors[i], camera.error), i < 32) << i;
  }
  EXPECT_EQ(camera.error.text(), "Could not track tensor: 32 tensors are tracked already");
  larodModel* model = camera.Load(AddModel(), "cpu-tflite");
  EXPECT_EQ(larodAllocModelInputs(camera.conn, model, 0, nullptr, nullptr, camera.error), nullptr);
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &tensors, 33, camera.error));
  size_t count = 0;
  larodTensor** inputs = larodAllocModelInputs(camera.conn, model, 0, &count, nullptr, nullptr);
  EXPECT_NE(inputs, nullptr);
  EXPECT_TRUE(larodDestroyTensors(camera.conn, &inputs, count, camera.error));
  larodDestroyModel(&model);
}

TEST(LarodTensor, VideoMemoryIsDuplicated) {
  Error error;
  const File file(Bytes(16));
  const int copy = larodConvertVmemFdToDmabuf(file.fd(), 0, error);
  EXPECT_GE(copy, 0);
  EXPECT_NE(copy, file.fd());
  close(copy);
  EXPECT_EQ(larodConvertVmemFdToDmabuf(file.fd(), 4096, error), LAROD_INVALID_FD);
  EXPECT_EQ(larodConvertVmemFdToDmabuf(file.fd(), -1, error), LAROD_INVALID_FD);
  EXPECT_EQ(larodConvertVmemFdToDmabuf(-1, 0, error), LAROD_INVALID_FD);
  EXPECT_EQ(error.code(), LAROD_ERROR_FD);
}

}  // namespace
}  // namespace dlpu::larod_testing
