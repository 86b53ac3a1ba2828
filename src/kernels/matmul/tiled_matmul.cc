// SPDX-License-Identifier: Apache-2.0
// Batch matrix multiplication by tiles. Every distinct right matrix is packed into panels, and
// every distinct left one that is stored transposed is copied to rows, both in scratch by all
// threads; then the tiles run. A part of one output matrix (some rows, some panels) is one task.
#include "kernels/matmul/tiled_matmul.h"

#include <algorithm>
#include <limits>

namespace dlpu {
namespace {

constexpr int64_t kBlock = 96;  // rows of one task

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t RoundUp64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

class TiledMatMul : public PreparedMatMul {
 public:
  TiledMatMul(const GemmF32Row& gemm, const char* name, const MatMulSpec& spec)
      : name_(name), s_(spec), layout_(MakeGemmF32Layout(gemm, spec.depth, spec.cols)) {
    for (const int32_t i : spec.lhs_index) lhs_count_ = std::max<int64_t>(lhs_count_, i + 1);
    for (const int32_t i : spec.rhs_index) rhs_count_ = std::max<int64_t>(rhs_count_, i + 1);
    zero_bias_.resize(static_cast<size_t>(layout_.padded_columns));
  }
  std::string_view row() const override { return name_; }
  int64_t ScratchBytes(int threads) const override {
    return PackedBytes() + RowsBytes() + threads * PointerBytes();
  }
  void Run(const float* lhs, const float* rhs, float* output, uint8_t* scratch,
           ThreadPool& pool) const override;

 private:
  // The packed rhs, then lhs by rows if it is transposed, then pointers for each thread.
  int64_t PackedBytes() const { return RoundUp64(rhs_count_ * layout_.packed_floats * 4); }
  int64_t RowsBytes() const {
    return s_.lhs_transposed ? RoundUp64(lhs_count_ * s_.rows * s_.depth * 4) : 0;
  }
  static int64_t PointerBytes() { return RoundUp64(kBlock * static_cast<int64_t>(sizeof(float*))); }
  void Pack(const float* rhs, float* packed, ThreadPool& pool) const;
  void Transpose(const float* lhs, float* rows, ThreadPool& pool) const;

  const char* const name_;
  const MatMulSpec s_;
  const GemmF32Layout layout_;
  int64_t lhs_count_ = 0, rhs_count_ = 0;  // distinct matrices, counting gaps
  std::vector<float> zero_bias_;
};

void TiledMatMul::Pack(const float* rhs, float* packed, ThreadPool& pool) const {
  const int64_t panels = static_cast<int64_t>(layout_.panels.size());
  const int64_t k_stride = s_.rhs_transposed ? 1 : s_.cols;
  const int64_t c_stride = s_.rhs_transposed ? s_.depth : 1;
  pool.ParallelFor(rhs_count_ * panels, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t matrix = i / panels;
      PackGemmF32Panel(layout_, layout_.panels[static_cast<size_t>(i % panels)],
                       rhs + matrix * s_.depth * s_.cols, k_stride, c_stride,
                       packed + matrix * layout_.packed_floats);
    }
  });
}

void TiledMatMul::Transpose(const float* lhs, float* rows, ThreadPool& pool) const {
  constexpr int64_t kLine = 16;  // rows that share the cache lines of a column
  const int64_t height = s_.rows, depth = s_.depth, strips = DivideUp(height, kLine);
  pool.ParallelFor(lhs_count_ * strips, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const float* from = lhs + i / strips * height * depth;
      float* to = rows + i / strips * height * depth;
      const int64_t first = i % strips * kLine, last = std::min(first + kLine, height);
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t r = first; r < last; ++r) to[r * depth + k] = from[k * height + r];
      }
    }
  });
}

void TiledMatMul::Run(const float* lhs, const float* rhs, float* output, uint8_t* scratch,
                      ThreadPool& pool) const {
  const int64_t matrices = static_cast<int64_t>(s_.lhs_index.size());
  if (matrices == 0 || s_.rows == 0 || s_.cols == 0) return;
  float* packed = reinterpret_cast<float*>(scratch);
  Pack(rhs, packed, pool);
  if (s_.lhs_transposed) {
    float* rows = reinterpret_cast<float*>(scratch + PackedBytes());
    Transpose(lhs, rows, pool);
    lhs = rows;
  }
  uint8_t* pointers = scratch + PackedBytes() + RowsBytes();
  const int64_t blocks = DivideUp(s_.rows, kBlock);
  const int64_t panels = static_cast<int64_t>(layout_.panels.size());
  const int64_t wanted = pool.threads() == 1 ? 1 : 4 * int64_t{pool.threads()};
  const int64_t chunks = std::min(panels, DivideUp(wanted, matrices * blocks));
  pool.ParallelFor(matrices * blocks * chunks, 1, [&](int64_t begin, int64_t end, int thread) {
    const float** inputs = reinterpret_cast<const float**>(pointers + thread * PointerBytes());
    for (int64_t task = begin; task < end; ++task) {
      const int64_t chunk = task % chunks, block = task / chunks % blocks;
      const size_t i = static_cast<size_t>(task / chunks / blocks);
      const int64_t first = s_.rows * block / blocks, last = s_.rows * (block + 1) / blocks;
      const float* a = lhs + int64_t{s_.lhs_index[i]} * s_.rows * s_.depth;
      for (int64_t r = first; r < last; ++r) inputs[r - first] = a + r * s_.depth;
      GemmF32Tile tile = {};
      tile.inputs = inputs;
      tile.inputs_stride = kBlock;
      tile.segments = 1;
      tile.segment = s_.depth;
      tile.weights = packed + s_.rhs_index[i] * layout_.packed_floats;
      tile.bias = zero_bias_.data();
      tile.low = -std::numeric_limits<float>::infinity();
      tile.high = std::numeric_limits<float>::infinity();
      tile.output = output + (static_cast<int64_t>(i) * s_.rows + first) * s_.cols;
      tile.output_stride = s_.cols;
      for (int64_t p = panels * chunk / chunks; p < panels * (chunk + 1) / chunks; ++p) {
        RunGemmF32Panel(layout_.panels[static_cast<size_t>(p)], tile, last - first);
      }
    }
  });
}

}  // namespace

std::unique_ptr<PreparedMatMul> PrepareTiledMatMul(const GemmF32Row& gemm, const char* name,
                                                   const MatMulSpec& spec) {
  return std::make_unique<TiledMatMul>(gemm, name, spec);
}

}  // namespace dlpu
