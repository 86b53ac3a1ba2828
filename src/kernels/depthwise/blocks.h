// SPDX-License-Identifier: Apache-2.0
// Packs the weights and constants of a depthwise convolution for a table of kernels. Runs when a
// layer is prepared; the result is read-only and may be shared by threads.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/aligned.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/tile.h"
#include "kernels/requant/requant.h"

namespace dlpu {

// Up to four vectors of channels, computed by a sliding window or by taps.
struct DepthwiseBlock {
  int32_t channel = 0;   // the first
  int32_t channels = 0;  // how many exist
  int bands = 1;
  DepthwiseSlide slide = nullptr;  // null: by taps
  DepthwiseSlideArgs slide_args{};
  DepthwiseTapArgs tap_args{};
};

class DepthwiseBlocks {
 public:
  // row_bytes and pixel_bytes: distances in what the tap kernel reads.
  DepthwiseBlocks(const DepthwiseSpec& spec, const uint8_t* weights, const int32_t* bias,
                  const DepthwiseTiles& tiles, int64_t row_bytes, int64_t pixel_bytes,
                  CpuFlags cpu);
  DepthwiseBlocks(const DepthwiseBlocks&) = delete;
  DepthwiseBlocks& operator=(const DepthwiseBlocks&) = delete;

  const std::vector<DepthwiseBlock>& blocks() const { return blocks_; }
  bool uses_taps() const { return uses_taps_; }

 private:
  struct Lanes;
  void AddBlock(RequantPlanner& planner, int32_t channel, int32_t channels);
  Lanes MakeLanes(RequantPlanner& planner, int32_t channel, int32_t channels, int bands) const;
  RequantPanel MakePanel(const RequantPlanner& planner, const Lanes& lanes);
  bool PackSlide(const Lanes& lanes, int stride, DepthwiseBlock& block);
  void PackTaps(const Lanes& lanes, DepthwiseBlock& block);
  int32_t Weight(int32_t channel, int ky, int kx) const;

  // Inputs, valid while the constructor runs.
  const DepthwiseSpec& spec_;
  const uint8_t* source_weights_;
  const int32_t* bias_;
  const DepthwiseTiles& tiles_;
  const int64_t row_bytes_, pixel_bytes_;

  std::vector<DepthwiseBlock> blocks_;
  std::vector<AlignedBytes> bytes_;  // packed weights and constants
  std::vector<std::vector<int32_t>> offsets_;
  bool uses_taps_ = false;
};

}  // namespace dlpu
