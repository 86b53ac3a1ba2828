// SPDX-License-Identifier: Apache-2.0
// What QUANTIZE and DEQUANTIZE share: walking a tensor whose scale changes along one axis. Any
// thread.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/threads.h"
#include "kernels/elementwise/broadcast.h"
#include "ops/common.h"
#include "ops/op.h"

namespace dlpu {

// A tensor seen as [outer][channels][inner], channels being the extent of the quantized axis.
struct ChannelLayout {
  int64_t outer = 1, channels = 1, inner = 1;
};
// Error unless the tensor has one positive scale for each index of its quantized axis, and zero
// points that are codes of its type.
Result<ChannelLayout> ExpectPerChannel(const OpContext& context, const Tensor& tensor);

// Zero point of channel c; one entry serves all channels.
inline int32_t ChannelZero(const Quantization& q, size_t c) {
  if (q.zero_point.empty()) return 0;
  return static_cast<int32_t>(q.zero_point[q.zero_point.size() == q.scale.size() ? c : 0]);
}

// out[i] = f[channel of i](in[i]).
template <typename In, typename Out, typename F>
void MapChannels(const In* in, Out* out, ChannelLayout layout, std::span<const F> f,
                 ThreadPool& pool) {
  const int64_t rows = layout.outer * layout.channels;
  const int64_t grain =
      std::max<int64_t>(1, kElementwiseGrain / std::max<int64_t>(1, layout.inner));
  pool.ParallelFor(rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const F& g = f[row % layout.channels];
      const int64_t first = row * layout.inner;
      for (int64_t i = first; i < first + layout.inner; ++i) out[i] = static_cast<Out>(g(in[i]));
    }
  });
}

}  // namespace dlpu
