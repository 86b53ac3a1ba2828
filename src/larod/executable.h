// SPDX-License-Identifier: Apache-2.0
// Executable: a model loaded on a virtual device, ready to compute jobs. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "larod/catalogue.h"
#include "larod/outcome.h"
#include "larod/types.h"

namespace dlpu::larod {

class Executable {
 public:
  virtual ~Executable() = default;
  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }
  // REQUIRES: the job's tensors fit inputs() and outputs(); see CheckTensors.
  virtual Outcome<Nothing> Run(const Job& job) = 0;
  // What the job would take on the camera, in milliseconds; nothing when that is not known.
  virtual std::optional<double> CameraTime(const Job& job) const = 0;
  // What loading would take there: the first time, and when it is in the camera's cache.
  virtual std::optional<double> CameraLoadTime(bool cached) const = 0;
  // Weights and activations.
  virtual size_t MemoryBytes() const = 0;

 protected:
  std::vector<TensorSpec> inputs_, outputs_;
};

// A network for a device that runs models. `path` is where the file may lie, for messages and to
// find what belongs to it; may be empty. `realtime`: times on the camera are wanted. Failures are
// -2 with the camera's text.
Outcome<std::unique_ptr<Executable>> LoadNetwork(const Catalogue& catalogue,
                                                 const VirtualDevice& device,
                                                 std::vector<uint8_t> file, const std::string& path,
                                                 const Params& params, bool realtime);
// What a device would run of a model, as a .dlpu file: the devices of this camera that take
// compiled models load it. ENOTSUP for a device that compiles nothing.
Outcome<std::vector<uint8_t>> ExportNetwork(const Catalogue& catalogue, const VirtualDevice& device,
                                            const std::vector<uint8_t>& file,
                                            const std::string& path);
// A picture conversion for a preprocessing device.
Outcome<std::unique_ptr<Executable>> LoadPicture(const VirtualDevice& device, const Params& params);

// Whether a job's tensors fit a model: their number, and of each what the application said of it
// (-12), that it has a descriptor (-3) whose properties the device can use.
Outcome<Nothing> CheckTensors(const Job& job, const ModelInfo& model, const DeviceInfo& device);

}  // namespace dlpu::larod
