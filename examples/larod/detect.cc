// SPDX-License-Identifier: Apache-2.0
// detect DEVICE MODEL INPUT: runs a detector whose four outputs are boxes (top, left, bottom,
// right), classes, scores and their number, as TFLite_Detection_PostProcess makes them, on a raw
// picture.
#include <fcntl.h>
#include <larod.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// Throws what larod says.
class Error {
 public:
  ~Error() { larodClearError(&error_); }
  larodError** operator&() { return &error_; }
  template <typename T>
  T Check(T result, const char* what) {
    if (!result) throw std::runtime_error(std::string(what) + ": " + (error_ ? error_->msg : ""));
    return result;
  }

 private:
  larodError* error_ = nullptr;
};

struct Connection {
  Connection() {
    Error error;
    error.Check(larodConnect(&conn, &error), "connect");
  }
  ~Connection() { larodDisconnect(&conn, nullptr); }
  larodConnection* conn = nullptr;
};

// The values of a float output.
std::vector<float> Floats(larodTensor* tensor) {
  Error error;
  size_t bytes = 0;
  error.Check(larodGetTensorByteSize(tensor, &bytes, &error), "size");
  std::vector<float> values(bytes / sizeof(float));
  const ssize_t count = pread(larodGetTensorFd(tensor, nullptr), values.data(), bytes, 0);
  if (count != static_cast<ssize_t>(bytes)) throw std::runtime_error("an output is too short");
  return values;
}

void Run(const char* device_name, const char* model_file, const char* input_file) {
  Error error;
  Connection camera;
  const larodDevice* device =
      error.Check(larodGetDevice(camera.conn, device_name, 0, &error), "device");
  const int file = open(model_file, O_RDONLY);
  larodModel* model = error.Check(
      larodLoadModel(camera.conn, file, device, LAROD_ACCESS_PRIVATE, "", nullptr, &error), "load");
  close(file);
  size_t inputs_count = 0, outputs_count = 0;
  larodTensor** inputs = larodCreateModelInputs(model, &inputs_count, &error);
  larodTensor** outputs = larodAllocModelOutputs(camera.conn, model, LAROD_FD_TYPE_DISK,
                                                 &outputs_count, nullptr, &error);
  error.Check(inputs != nullptr && outputs != nullptr, "tensors");
  if (inputs_count != 1 || outputs_count != 4) throw std::runtime_error("this is no such detector");
  const int picture = open(input_file, O_RDONLY);
  error.Check(larodSetTensorFd(inputs[0], picture, &error), "input");
  larodJobRequest* request = error.Check(
      larodCreateJobRequest(model, inputs, 1, outputs, outputs_count, nullptr, &error), "request");
  error.Check(larodRunJob(camera.conn, request, &error), "run");
  const std::vector<float> boxes = Floats(outputs[0]), classes = Floats(outputs[1]),
                           scores = Floats(outputs[2]), number = Floats(outputs[3]);
  const auto count = static_cast<size_t>(number.at(0));
  for (size_t i = 0; i < count && i < scores.size(); ++i) {
    std::printf("class %d score %.3f box %.3f %.3f %.3f %.3f\n", static_cast<int>(classes[i]),
                static_cast<double>(scores[i]), static_cast<double>(boxes[4 * i]),
                static_cast<double>(boxes[4 * i + 1]), static_cast<double>(boxes[4 * i + 2]),
                static_cast<double>(boxes[4 * i + 3]));
  }
  std::printf("%zu objects\n", count);
  close(picture);
  larodDestroyJobRequest(&request);
  larodDestroyTensors(camera.conn, &inputs, inputs_count, nullptr);
  larodDestroyTensors(camera.conn, &outputs, outputs_count, nullptr);
  larodDestroyModel(&model);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: detect DEVICE MODEL INPUT\n");
    return 2;
  }
  try {
    Run(argv[1], argv[2], argv[3]);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
