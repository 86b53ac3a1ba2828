// SPDX-License-Identifier: Apache-2.0
// Loading and running a Program.
#include "run/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "run/taken_pad.h"

namespace dlpu {
namespace {

int64_t RoundUp(int64_t bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

}  // namespace

Runner::Runner(Program program, int threads) : program_(std::move(program)), pool_(threads) {}

Result<std::unique_ptr<Runner>> Runner::Load(Program program, const RunnerOptions& options) {
  const int threads = options.threads > 0 ? options.threads : PhysicalCores();
  std::unique_ptr<Runner> runner(new Runner(std::move(program), threads));
  DLPU_RETURN_IF_ERROR(runner->PrepareSteps(options.cpu));
  runner->JoinSteps();
  DLPU_TRY(runner->arena_, MakeMemory(runner->program_.arena_bytes, "the tensors"));
  DLPU_RETURN_IF_ERROR(runner->PlaceConstants());
  for (Chain& chain : runner->chains_) {
    chain.Bind([&runner](TensorId id) { return runner->Address(id); });
  }
  DLPU_TRY(runner->scratch_, MakeMemory(runner->scratch_bytes_, "scratch"));
  for (const Step& step : runner->program_.steps) {
    runner->first_input_.push_back(runner->input_addresses_.size());
    runner->first_output_.push_back(runner->output_addresses_.size());
    for (const TensorId id : step.node.inputs) {
      runner->input_addresses_.push_back(id == kNoTensor ? nullptr : runner->Address(id));
    }
    for (const TensorId id : step.node.outputs) {
      runner->output_addresses_.push_back(runner->Address(id));
    }
  }
  runner->first_input_.push_back(runner->input_addresses_.size());
  runner->first_output_.push_back(runner->output_addresses_.size());
  runner->ResetVariables();
  return runner;
}

// Steps do not depend on each other: all threads prepare them. The first error is that of the first
// step that has one. A constant that all its steps have packed is dropped at once, so that its
// memory serves the next.
Status Runner::PrepareSteps(CpuFlags cpu) {
  const size_t count = program_.steps.size();
  prepared_.resize(count);
  std::vector<std::optional<Error>> errors(count);
  std::vector<std::atomic<int>> readers(program_.tensors.size());
  const std::vector<TakenPad> pads = FindTakenPads(program_);
  std::vector<PictureBorder> borders(count);
  for (const TakenPad& pad : pads) borders[pad.reader] = pad.border;
  const auto for_constants = [&](const Node& node, const auto& body) {
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor && program_.tensors[id].is_constant) body(id);
    }
  };
  for (const Step& step : program_.steps) {
    for_constants(step.node, [&](TensorId id) { ++readers[id]; });
  }
  for (const TensorId id : program_.outputs) ++readers[id];
  pool_.ParallelFor(static_cast<int64_t>(count), 1, [&](int64_t begin, int64_t end, int) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const Node& node = program_.steps[i].node;
      PrepareContext context(program_.tensors, node, program_.steps[i].profile, cpu,
                             pool_.threads());
      context.border = borders[i];
      Result<PreparedOp> prepared = PrepareOp(context);
      if (!prepared.ok()) {
        errors[i] = prepared.error();
        continue;
      }
      prepared_[i] = *std::move(prepared);
      if (prepared_[i].reads_constants) continue;
      for_constants(node, [&](TensorId id) {
        if (--readers[id] == 0) program_.tensors[id].data.Drop();
      });
    }
  });
  for (const std::optional<Error>& error : errors) {
    if (error) return *error;
  }
  for (const TakenPad& pad : pads) {
    Node& node = program_.steps[pad.step].node;
    prepared_[pad.step].run = [](const RunArgs&) { return OkStatus(); };
    prepared_[pad.step].row = fmt::format("by step {}", pad.reader);
    program_.steps[pad.reader].node.inputs[0] = node.inputs[0];
    groups_.push_back({pad.step, pad.step, {node.outputs[0]}});
  }
  for (const PreparedOp& op : prepared_) {
    scratch_bytes_ = std::max(scratch_bytes_, op.scratch_bytes);
  }
  return OkStatus();
}

// Constants that kernels read while they run move to memory with slack behind it; those that were
// packed are dropped.
Status Runner::PlaceConstants() {
  constant_offsets_.assign(program_.tensors.size(), -1);
  std::vector<bool> wanted(program_.tensors.size(), false);
  for (size_t i = 0; i < program_.steps.size(); ++i) {
    if (!prepared_[i].reads_constants) continue;
    for (const TensorId id : program_.steps[i].node.inputs) {
      if (id != kNoTensor && program_.tensors[id].is_constant) wanted[id] = true;
    }
  }
  for (const TensorId id : program_.outputs) {
    if (program_.tensors[id].is_constant) wanted[id] = true;
  }
  int64_t bytes = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    constant_offsets_[i] = bytes;
    // Slack between them too, so that reading past one stays inside the block.
    bytes += RoundUp(static_cast<int64_t>(program_.tensors[i].data.size()));
  }
  DLPU_TRY(constants_, MakeMemory(bytes, "constants"));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const ConstantBytes& data = program_.tensors[i].data;
    if (wanted[i] && !data.empty()) {
      std::memcpy(constants_.get() + constant_offsets_[i], data.data(), data.size());
    }
    program_.tensors[i].data.Drop();
  }
  return OkStatus();
}

uint8_t* Runner::Address(TensorId id) {
  if (constant_offsets_[id] >= 0) return constants_.get() + constant_offsets_[id];
  if (program_.offsets[id] >= 0) return arena_.get() + program_.offsets[id];
  return nullptr;
}

std::span<uint8_t> Runner::input(size_t i) {
  const TensorId id = program_.inputs[i];
  const Tensor& tensor = program_.tensors[id];
  return {Address(id), static_cast<size_t>(ByteCount(tensor.type, tensor.shape))};
}

std::span<const uint8_t> Runner::output(size_t i) const {
  const TensorId id = program_.outputs[i];
  const Tensor& tensor = program_.tensors[id];
  return {const_cast<Runner*>(this)->Address(id),
          static_cast<size_t>(ByteCount(tensor.type, tensor.shape))};
}

RunArgs Runner::ArgsOf(size_t i) {
  return {{input_addresses_.data() + first_input_[i], first_input_[i + 1] - first_input_[i]},
          {output_addresses_.data() + first_output_[i], first_output_[i + 1] - first_output_[i]},
          scratch_.get(),
          pool_};
}

// Where steps run together, the memory is planned again: their lives overlap then.
void Runner::JoinSteps() {
  chains_ = FindChains(program_, prepared_);
  for (const Chain& chain : chains_) {
    groups_.push_back(chain.group());
    scratch_bytes_ = std::max(scratch_bytes_, chain.scratch_bytes(pool_.threads()));
    for (size_t i = chain.group().first + 1; i <= chain.group().last; ++i) {
      prepared_[i].row += fmt::format(", with step {}", chain.group().first);
    }
  }
  if (groups_.empty()) return;
  std::sort(groups_.begin(), groups_.end(),
            [](const StepGroup& a, const StepGroup& b) { return a.first < b.first; });
  program_.offsets.assign(program_.tensors.size(), -1);
  program_.arena_bytes = 0;
  Allocate(program_, groups_);
}

template <typename Body>
Status Runner::RunAll(const Body& body) {
  const ThreadPool::Awake awake(pool_);
  auto chain = chains_.begin();
  for (size_t i = 0; i < prepared_.size();) {
    size_t count = 1;
    if (chain != chains_.end() && chain->group().first == i) {
      chain->Run(prepared_, ArgsOf(i));
      count = chain->count();
      ++chain;
    } else {
      DLPU_RETURN_IF_ERROR(prepared_[i].run(ArgsOf(i)));
    }
    body(i, count);
    i += count;
  }
  return OkStatus();
}

Status Runner::Run() {
  return RunAll([](size_t, size_t) {});
}

Status Runner::RunProfiled(std::span<int64_t> nanoseconds) {
  DLPU_CHECK(nanoseconds.size() == prepared_.size());
  using Clock = std::chrono::steady_clock;
  Clock::time_point before = Clock::now();
  return RunAll([&](size_t first, size_t count) {
    const Clock::time_point after = Clock::now();
    std::fill_n(nanoseconds.begin() + static_cast<ptrdiff_t>(first), count, 0);
    nanoseconds[first] =
        std::chrono::duration_cast<std::chrono::nanoseconds>(after - before).count();
    before = after;
  });
}

void Runner::ResetVariables() {
  for (size_t i = 0; i < program_.tensors.size(); ++i) {
    const Tensor& tensor = program_.tensors[i];
    if (!tensor.is_variable || program_.offsets[i] < 0) continue;
    // Zero means the zero point for 8-bit codes, as in LiteRT.
    int fill = 0;
    if (BitsOf(tensor.type) == 8 && tensor.quantization.present()) {
      fill = tensor.quantization.zero0();
    }
    std::memset(arena_.get() + program_.offsets[i], fill,
                static_cast<size_t>(ByteCount(tensor.type, tensor.shape)));
  }
}

}  // namespace dlpu
