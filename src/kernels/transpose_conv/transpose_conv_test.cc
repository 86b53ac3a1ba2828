// SPDX-License-Identifier: Apache-2.0
// Gathering equals scattering, for every stride, kernel and padding around the edges.
#include "kernels/transpose_conv/transpose_conv.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <vector>

namespace dlpu {
namespace {

// The definition: every input adds to the outputs it reaches.
std::vector<float> Scatter(const TransposeConvSpec& s, const std::vector<float>& input,
                           const std::vector<float>& weights) {
  std::vector<float> output(static_cast<size_t>(s.out_w) * s.out_c, 0.0f);
  for (int x = 0; x < s.in_w; ++x) {
    for (int c = 0; c < s.in_c; ++c) {
      for (int k = 0; k < s.kernel_w; ++k) {
        const int ox = x * s.stride_w - s.pad_left + k;
        if (ox < 0 || ox >= s.out_w) continue;
        for (int o = 0; o < s.out_c; ++o) {
          output[ox * s.out_c + o] +=
              input[x * s.in_c + c] * weights[(o * s.kernel_w + k) * s.in_c + c];
        }
      }
    }
  }
  return output;
}

TEST(TransposeConv, GatherEqualsScatter) {
  ThreadPool pool(2);
  int compared = 0;
  for (int stride = 1; stride <= 4; ++stride) {
    for (int kernel = 1; kernel <= 5; ++kernel) {
      for (int pad = 0; pad < kernel; ++pad) {
        TransposeConvSpec s;
        s.in_w = 5;
        s.in_c = 3;
        s.out_c = 2;
        s.kernel_w = kernel;
        s.stride_w = stride;
        s.pad_left = pad;
        s.out_w = 5 * stride + 2;
        std::vector<float> input(15), weights(static_cast<size_t>(6 * kernel));
        for (size_t i = 0; i < input.size(); ++i) input[i] = 0.1f * static_cast<float>(i * 7 % 11);
        for (size_t i = 0; i < weights.size(); ++i) {
          weights[i] = 0.3f * static_cast<float>(i * 5 % 13) - 1;
        }
        const std::vector<float> packed = PackTransposeConv(s, weights.data());
        std::vector<uint8_t> scratch(static_cast<size_t>(TransposeConvScratchBytes(s, 2)));
        std::vector<float> output(static_cast<size_t>(s.out_w) * s.out_c);
        TransposeConv(s, {false, -FLT_MAX, FLT_MAX}, input.data(), packed.data(), nullptr,
                      output.data(), scratch.data(), pool);
        EXPECT_EQ(output, Scatter(s, input, weights)) << stride << " " << kernel << " " << pad;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 60);
}

}  // namespace
}  // namespace dlpu
