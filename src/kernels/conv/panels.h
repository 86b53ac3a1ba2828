// SPDX-License-Identifier: Apache-2.0
// Packs the weights and constants of a convolution for a table of tiles. Runs when a layer is
// prepared; the result is read-only and may be shared by threads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/aligned.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/tile.h"

namespace dlpu {

// Where a pixel's bytes lie in what tiles read: the input itself or a padded copy of its rows.
struct ConvSource {
  int64_t row_bytes = 0;    // between rows
  int64_t pixel_bytes = 0;  // between pixels
  int element_bytes = 1;    // 2 when activations are widened to 16 bits
};

// Up to 4 vectors of consecutive output channels of one group.
struct ConvPanel {
  int32_t channel = 0;   // first output channel
  int32_t channels = 0;  // how many exist
  int32_t vectors = 0;
  bool half = false;  // of the last vector only the lower half has channels
  int64_t weight_bytes = 0;
  ConvTileArgs args{};  // output_stride is the layer's; all pointers are set
};

class ConvPanels {
 public:
  ConvPanels(const ConvSpec& spec, const uint8_t* weights, const int32_t* bias,
             const ConvTiles& tiles, const ConvSource& source, CpuFlags cpu);
  ConvPanels(const ConvPanels&) = delete;
  ConvPanels& operator=(const ConvPanels&) = delete;

  const std::vector<ConvPanel>& panels() const { return panels_; }
  // Bytes of packed weights.
  int64_t weight_bytes() const { return weight_bytes_; }

 private:
  std::vector<ConvPanel> panels_;
  int64_t weight_bytes_ = 0;
  AlignedBytes weights_, blocks_;
  std::vector<AlignedBytes> apart_;  // weights of panels with extra steps
  std::vector<int32_t> offsets_;
};

}  // namespace dlpu
