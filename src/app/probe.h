// SPDX-License-Identifier: Apache-2.0
// Probe: a program loaded so that every tensor its steps write can be read after a run, and parts
// of it cut out to run alone. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "ir/program.h"
#include "run/runner.h"

namespace dlpu {

class Probe {
 public:
  // Errors: those of Runner::Load.
  static Result<Probe> Load(Program program, const RunnerOptions& options);

  Runner& runner() { return *runner_; }
  const Runner& runner() const { return *runner_; }
  // As it was given: outputs are the model's own; constants are whole.
  const Program& program() const { return program_; }
  const Tensor& tensor(TensorId id) const { return program_.tensors[id]; }
  // Step that writes the tensor; -1: none.
  int writer(TensorId id) const { return writer_[id]; }
  // Whether its value can be read after a run: inputs and what steps write.
  bool has(TensorId id) const { return place_[id] != kNone; }
  // REQUIRES: has(id), and a run before. Valid until the next run.
  std::span<const uint8_t> bytes(TensorId id) const;

 private:
  static constexpr int kNone = INT32_MIN;

  Program program_;
  std::unique_ptr<Runner> runner_;
  std::vector<int> writer_;
  std::vector<int> place_;  // output i of the runner: i; its input i: -1 - i
};

// The steps that compute `output` from `given` (tensors whose values will be stated) as a program
// with these inputs. Absent when a step keeps a state, or needs a model input that is not given.
std::optional<Program> CutOut(const Program& program, const std::vector<TensorId>& given,
                              TensorId output);

// Codes (or floats) of the tensor's type for real values: halves away from zero, clamped.
// REQUIRES: as many values as the tensor has elements; int8, uint8, int16, int32, int64, bool or
// float32.
std::vector<uint8_t> ToBytes(const Tensor& tensor, std::span<const float> values);

}  // namespace dlpu
