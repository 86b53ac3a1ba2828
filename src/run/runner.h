// SPDX-License-Identifier: Apache-2.0
// Runner: a Program loaded on this machine. Loading chooses kernels for the CPU and packs the
// weights; running allocates nothing. A Runner owns its arena and its threads; one thread uses it
// at a time, and several Runners may live in one process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/result.h"
#include "ir/arena.h"
#include "ir/program.h"
#include "ops/op.h"
#include "run/chain.h"

namespace dlpu {

struct RunnerOptions {
  int threads = 0;  // 0: one for each physical core
  CpuFlags cpu = EnabledCpuFlags();
};

class Runner {
 public:
  // An error names the step that has no kernel or the memory that is missing.
  static Result<std::unique_ptr<Runner>> Load(Program program, const RunnerOptions& options);

  const Program& program() const { return program_; }
  int threads() const { return pool_.threads(); }

  size_t input_count() const { return program_.inputs.size(); }
  size_t output_count() const { return program_.outputs.size(); }
  // Type, shape, quantization and name.
  const Tensor& input_tensor(size_t i) const { return program_.tensors[program_.inputs[i]]; }
  const Tensor& output_tensor(size_t i) const { return program_.tensors[program_.outputs[i]]; }
  // The memory of an input, to be filled before Run; it keeps its value. Valid while the Runner
  // lives.
  std::span<uint8_t> input(size_t i);
  // The memory of an output; valid until the next Run.
  std::span<const uint8_t> output(size_t i) const;

  // Computes the outputs. An error comes from values (an index out of range, a division by zero).
  Status Run();
  // The same; nanoseconds[i] is the time of step i. Steps that run together have it at the first of
  // them. REQUIRES: one element for each step.
  Status RunProfiled(std::span<int64_t> nanoseconds);
  // Sets variables (the state of an LSTM) to zero, as after loading.
  void ResetVariables();

  // Kernel row chosen for each step.
  const std::string& row(size_t step) const { return prepared_[step].row; }
  int64_t scratch_bytes() const { return scratch_bytes_; }

 private:
  Runner(Program program, int threads);
  Status PrepareSteps(CpuFlags cpu);
  Status PlaceConstants();
  void JoinSteps();
  uint8_t* Address(TensorId id);
  RunArgs ArgsOf(size_t step);
  // Calls body(first, count) after each step, or group of steps that run together.
  template <typename Body>
  Status RunAll(const Body& body);

  Program program_;
  ThreadPool pool_;
  Memory arena_, constants_, scratch_;
  int64_t scratch_bytes_ = 0;
  std::vector<int64_t> constant_offsets_;  // of each tensor in constants_; -1: none
  std::vector<PreparedOp> prepared_;
  std::vector<Chain> chains_;      // in the order of their steps
  std::vector<StepGroup> groups_;  // that change the memory plan
  // Addresses of every step's inputs and outputs, one after another.
  std::vector<const uint8_t*> input_addresses_;
  std::vector<uint8_t*> output_addresses_;
  std::vector<size_t> first_input_, first_output_;
};

}  // namespace dlpu
