// SPDX-License-Identifier: Apache-2.0
// Runs and comparisons of a proof.
#include "app/fix_proof.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <random>

#include "passes/compile.h"

namespace dlpu {
namespace {

enum class Fill { kLowest, kZero, kHighest, kRandom };

template <typename T, typename Next>
std::vector<uint8_t> Elements(int64_t count, const Next& next) {
  std::vector<uint8_t> bytes(static_cast<size_t>(count) * sizeof(T));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const T value = static_cast<T>(next());
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

template <typename T>
std::vector<uint8_t> Codes(const Tensor& tensor, int64_t count, Fill fill, std::mt19937& random) {
  const int32_t low = LowestCode(tensor.type), high = HighestCode(tensor.type);
  std::uniform_int_distribution<int32_t> any(low, high);
  const int32_t zero =
      tensor.quantization.present() ? static_cast<int32_t>(tensor.quantization.zero0()) : 0;
  return Elements<T>(count, [&] {
    if (fill == Fill::kRandom) return any(random);
    return fill == Fill::kLowest ? low : fill == Fill::kHighest ? high : zero;
  });
}

std::vector<uint8_t> Values(const Tensor& tensor, Fill fill, std::mt19937& random) {
  const int64_t count = ElementCount(tensor.shape);
  switch (tensor.type) {
    case DataType::kFloat32: {
      std::uniform_real_distribution<float> any(-1, 1);
      return Elements<float>(count, [&] {
        if (fill == Fill::kRandom) return any(random);
        return fill == Fill::kLowest ? -1.0f : fill == Fill::kHighest ? 1.0f : 0.0f;
      });
    }
    case DataType::kInt8:
      return Codes<int8_t>(tensor, count, fill, random);
    case DataType::kUInt8:
      return Codes<uint8_t>(tensor, count, fill, random);
    case DataType::kInt16:
      return Codes<int16_t>(tensor, count, fill, random);
    default:
      return std::vector<uint8_t>(static_cast<size_t>(ByteCount(tensor.type, tensor.shape)));
  }
}

}  // namespace

std::vector<TensorBytes> ProofInputs(const Graph& graph, int random, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<Fill> fills = {Fill::kLowest, Fill::kZero, Fill::kHighest};
  fills.insert(fills.end(), static_cast<size_t>(random), Fill::kRandom);
  std::vector<TensorBytes> all;
  for (const Fill fill : fills) {
    TensorBytes inputs;
    for (const TensorId id : graph.inputs) {
      inputs.push_back(Values(graph.tensors[static_cast<size_t>(id)], fill, generator));
    }
    all.push_back(std::move(inputs));
  }
  return all;
}

Result<std::vector<TensorBytes>> RunAll(const Graph& graph, const std::vector<TensorBytes>& inputs,
                                        const RunSettings& settings) {
  CompileOptions options;
  options.profile = settings.profile;
  DLPU_TRY(Program program, Compile(graph, options));
  DLPU_TRY(const std::unique_ptr<Runner> runner,
           Runner::Load(std::move(program), {.threads = settings.threads}));
  std::vector<TensorBytes> all;
  for (const TensorBytes& one : inputs) {
    for (size_t i = 0; i < runner->input_count(); ++i) {
      const std::span<uint8_t> to = runner->input(i);
      if (i >= one.size() || one[i].size() != to.size()) {
        return InternalError(fmt::format("input {} takes {} bytes", i, to.size()));
      }
      std::copy(one[i].begin(), one[i].end(), to.begin());
    }
    runner->ResetVariables();
    DLPU_RETURN_IF_ERROR(runner->Run());
    TensorBytes outputs;
    for (size_t i = 0; i < runner->output_count(); ++i) {
      const std::span<const uint8_t> from = runner->output(i);
      outputs.emplace_back(from.begin(), from.end());
    }
    all.push_back(std::move(outputs));
  }
  return all;
}

Result<std::vector<TensorBytes>> OldOutputs(const Detached& detached,
                                            const std::vector<TensorBytes>& inputs,
                                            const std::vector<TensorBytes>& outputs,
                                            const RunSettings& settings) {
  if (detached.tail.nodes.empty()) return outputs;
  std::vector<TensorBytes> tail_inputs;
  for (size_t run = 0; run < outputs.size(); ++run) {
    TensorBytes one;
    for (const int from : detached.tail_inputs) {
      one.push_back(from >= 0 ? outputs[run][static_cast<size_t>(from)]
                              : inputs[run][static_cast<size_t>(-1 - from)]);
    }
    tail_inputs.push_back(std::move(one));
  }
  DLPU_TRY(const std::vector<TensorBytes> tail, RunAll(detached.tail, tail_inputs, settings));
  std::vector<TensorBytes> old;
  for (size_t run = 0; run < outputs.size(); ++run) {
    TensorBytes one;
    for (const int from : detached.old_outputs) {
      one.push_back(from >= 0 ? outputs[run][static_cast<size_t>(from)]
                              : tail[run][static_cast<size_t>(-1 - from)]);
    }
    old.push_back(std::move(one));
  }
  return old;
}

std::string FirstDifference(const std::vector<TensorBytes>& a, const std::vector<TensorBytes>& b) {
  if (a.size() != b.size()) return fmt::format("{} runs against {}", a.size(), b.size());
  for (size_t run = 0; run < a.size(); ++run) {
    if (a[run].size() != b[run].size()) {
      return fmt::format("{} outputs against {}", a[run].size(), b[run].size());
    }
    for (size_t i = 0; i < a[run].size(); ++i) {
      const auto &x = a[run][i], &y = b[run][i];
      if (x.size() != y.size()) {
        return fmt::format("output {} has {} bytes, then {}", i, x.size(), y.size());
      }
      const auto at = std::mismatch(x.begin(), x.end(), y.begin()).first;
      if (at != x.end()) {
        return fmt::format("output {} differs in byte {} of run {}", i, at - x.begin(), run);
      }
    }
  }
  return "";
}

}  // namespace dlpu
