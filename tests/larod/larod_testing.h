// SPDX-License-Identifier: Apache-2.0
// What the tests of the larod API share: connections, files in memory, small models made here, and
// what the plain runner computes for them. The API is used as an application uses it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <larod.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/tflite.h"
#include "ir/graph.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu::larod_testing {

using Bytes = std::vector<uint8_t>;

// An error that frees itself: larodConnect(&conn, error).
class Error {
 public:
  ~Error() { larodClearError(&error_); }
  operator larodError**() {  // NOLINT: implicit on purpose
    larodClearError(&error_);
    return &error_;
  }
  int code() const { return error_ == nullptr ? 0 : error_->code; }
  std::string text() const { return error_ == nullptr ? "" : error_->msg; }

 private:
  larodError* error_ = nullptr;
};

// A file in memory.
class File {
 public:
  explicit File(const Bytes& bytes = {}) : fd_(memfd_create("test", MFD_CLOEXEC)) {
    EXPECT_EQ(pwrite(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  File(const File&) = delete;
  ~File() { close(fd_); }
  int fd() const { return fd_; }
  Bytes Read() const {
    Bytes bytes(static_cast<size_t>(lseek(fd_, 0, SEEK_END)));
    EXPECT_EQ(pread(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

 private:
  int fd_;
};

// With $DLPU_LAROD_TEST_DAEMON, the program dlpu, what follows connects to a `dlpu serve` of that
// product, with the variables as they are; otherwise to the service of this process.
void ChooseService(const char* product);

// A connection to the camera of a product or target; larod.h is for C, so nothing else does.
class Camera {
 public:
  // nullptr: one more of the camera there is; threads may do that, which must not set variables.
  explicit Camera(const char* product) {
    if (product != nullptr) {
      setenv("DLPU_PRODUCT", product, 1);
      setenv("DLPU_LAROD_LOG", "none", 1);
      ChooseService(product);
    }
    EXPECT_TRUE(larodConnect(&conn, error)) << error.text();
  }
  Camera(const Camera&) = delete;
  ~Camera() { larodDisconnect(&conn, nullptr); }

  const larodDevice* Device(const char* name) {
    const larodDevice* device = larodGetDevice(conn, name, 0, error);
    EXPECT_NE(device, nullptr) << error.text();
    return device;
  }
  // nullptr with `error`.
  larodModel* Load(const Bytes& file, const char* device,
                   larodAccess access = LAROD_ACCESS_PRIVATE) {
    const File fd(file);
    return larodLoadModel(conn, fd.fd(), Device(device), access, "model", nullptr, error);
  }

  larodConnection* conn = nullptr;
  Error error;
};

// One model with tensors of one kind and a request; everything is freed.
struct Job {
  Job(Camera& camera, larodModel* model);
  Job(const Job&) = delete;
  ~Job();
  // Files of the application for every tensor.
  void UseFiles(const std::vector<Bytes>& inputs);
  // Buffers of the service.
  void UseAllocated(const std::vector<Bytes>& inputs);
  void Track();
  bool MakeRequest();
  bool Run();
  std::vector<Bytes> Outputs();

  Camera& camera;
  larodModel* model;
  larodTensor **inputs = nullptr, **outputs = nullptr;
  size_t num_inputs = 0, num_outputs = 0;
  larodJobRequest* request = nullptr;
  std::vector<std::unique_ptr<File>> files;
};

// a + b, float32 [1, 4] each.
Bytes AddModel();
// float32 [1, 256, 256, 3] in and out.
Bytes FloatPictureModel();
// int8 [1, 6, 5, 4] with two outputs: itself rectified, and its [1, 4] mean over the picture.
Bytes TwoOutputModel();
// A detector without a network: float32 [1, 6, 7], for each of 6 anchors in a row a box and 3
// scores (nothing, class 0, class 1), to the four outputs of TFLite_Detection_PostProcess.
Bytes DetectorModel();
// The built-in classifier: int8 [1, 28, 28, 1] to [1, 10].
Bytes DigitsModel();

// Bytes that look random, the same every time.
Bytes Noise(size_t count, uint32_t seed);
// What the plain runner makes of the inputs; fails the test when it cannot.
std::vector<Bytes> RunPlainly(const Bytes& model, const std::vector<Bytes>& inputs,
                              const std::string& target);

}  // namespace dlpu::larod_testing
