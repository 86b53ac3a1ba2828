// SPDX-License-Identifier: Apache-2.0
// A transposed convolution as an ordinary one, for its rows: the outputs of a block of stride_h x
// stride_w pixels see the same inputs, so they become channels of one output pixel of a convolution
// with stride 1, whose result is then laid out as the picture. 8-bit codes equal the reference bit
// for bit; float sums are within ConvF32Bound of it. Read-only once made: several threads may run
// one at once with scratch of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "kernels/conv/conv.h"
#include "kernels/conv_f32/conv_f32.h"
#include "kernels/copy/strided_copy.h"
#include "kernels/transpose_conv/transpose_conv.h"

namespace dlpu {

// The convolution that computes blocks of outputs.
struct TransposePhases {
  int32_t kernel_h = 1, kernel_w = 1, pad_top = 0, pad_left = 0;
  int32_t blocks_h = 1, blocks_w = 1;
  int32_t channels = 1;  // (row in the block, column in the block, output channel)
};

class PhasedTransposeConv {
 public:
  // Null where blocks would multiply with far more zeros than weights, or with empty extents: the
  // reference is for those. Weights O,kernel_h,kernel_w,C; bias has out_c values or, for floats, is
  // null.
  static std::unique_ptr<PhasedTransposeConv> Make(const TransposeConvSpec& spec,
                                                   const TransposeConvFloatOutput& out,
                                                   const float* weights, const float* bias,
                                                   CpuFlags cpu);
  // Codes: `weights` of the input's type with zero point `weights_zero`; uses what is said of 8-bit
  // codes in `out`.
  static std::unique_ptr<PhasedTransposeConv> Make(const TransposeConvSpec& spec,
                                                   const TransposeConvOutput& out,
                                                   const uint8_t* weights, int32_t weights_zero,
                                                   const int32_t* bias, CpuFlags cpu);

  // The row of the convolution.
  std::string_view row() const;
  int64_t ScratchBytes(int threads) const;
  // Bytes of tensors; the input is readable 256 bytes past its end, scratch is 64-byte aligned.
  void Run(const uint8_t* input, uint8_t* output, uint8_t* scratch, ThreadPool& pool) const;
  // As those of PreparedConvF32; 0 for codes and where blocks are laid out afterwards.
  int64_t BlockElements(int threads) const;
  void RunBlocks(const float* input, float* output, uint8_t* scratch, ThreadPool& pool,
                 const BlockSink& sink) const;

 private:
  PhasedTransposeConv(const TransposeConvSpec& spec, const TransposePhases& phases,
                      int64_t element_bytes);

  std::unique_ptr<PreparedConvF32> float_conv_;
  std::unique_ptr<PreparedConv> byte_conv_;
  int64_t block_bytes_ = 0;  // of all blocks
  bool in_place_ = false;    // what the convolution writes is the picture
  int32_t row_split_ = 1;    // of the convolution
  std::vector<StridedCopy> copies_;
};

}  // namespace dlpu
