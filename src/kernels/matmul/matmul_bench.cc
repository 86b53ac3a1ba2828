// SPDX-License-Identifier: Apache-2.0
// Float batch matrix multiplication, one thread: each row of this CPU, in GFMA/s. The time
// includes packing, for both sides are known only at run time.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/matmul/rows.h"

namespace dlpu {
namespace {

struct BenchProduct {
  const char* name;
  int32_t batch, rows, depth, cols;
  bool rhs_transposed;
};

constexpr BenchProduct kProducts[] = {{"784x512x512", 1, 784, 512, 512, false},
                                      {"784x512x512_adj_y", 1, 784, 512, 512, true},
                                      {"attention_8x197x64x197", 8, 197, 64, 197, true},
                                      {"attention_8x197x197x64", 8, 197, 197, 64, false}};

void Run(benchmark::State& state, const MatMulRow& row, const BenchProduct& p) {
  MatMulSpec s;
  s.rows = p.rows;
  s.depth = p.depth;
  s.cols = p.cols;
  s.rhs_transposed = p.rhs_transposed;
  s.lhs_index.clear();
  for (int32_t i = 0; i < p.batch; ++i) s.lhs_index.push_back(i);
  s.rhs_index = s.lhs_index;
  const int64_t batch = p.batch;
  const std::vector<float> lhs(static_cast<size_t>(batch * p.rows * p.depth), 0.5f);
  const std::vector<float> rhs(static_cast<size_t>(batch * p.depth * p.cols), 0.5f);
  const AlignedFloats output = MakeAlignedFloats(batch * p.rows * p.cols);
  const auto matmul = row.prepare(row, s);
  ThreadPool pool(1);
  const AlignedFloats scratch = MakeAlignedFloats(matmul->ScratchBytes(1) / 4 + 1);
  for (auto _ : state) {
    matmul->Run(lhs.data(), rhs.data(), output.get(), reinterpret_cast<uint8_t*>(scratch.get()),
                pool);
    benchmark::ClobberMemory();
  }
  const double products = static_cast<double>(batch * p.rows * p.depth) * p.cols;
  state.counters["GFMA/s"] = benchmark::Counter(
      products * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const MatMulRow& row : MatMulRows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    for (const BenchProduct& p : kProducts) {
      benchmark::RegisterBenchmark((std::string(row.name) + "/" + p.name).c_str(),
                                   [&row, &p](auto& state) { Run(state, row, p); })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace dlpu
