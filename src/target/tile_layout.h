// SPDX-License-Identifier: Apache-2.0
// TargetTiles: how a compiler for an array of tiles lays out weights and cuts feature maps, as data
// ([tiles] of data/targets/<name>.toml), and the bytes it makes of one layer's weights. What is
// planned for a whole model is in target/tiles.h; what streaming costs, in target/cost. Plain
// values; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "target/condition.h"

namespace dlpu {

// How the compiler for an array of tiles lays out weights and cuts feature maps; target/tiles.h has
// the forms that these numbers go into.
struct TargetTiles {
  int rows = 1, columns = 1;  // tiles that height and width are cut over
  int lanes = 1;              // weights' output channels are padded to a multiple of it
  int channel_group = 1;      // and their input channels to a multiple of this
  int bytes_per_channel = 0;  // beside each output channel's weights
  int bytes_per_op = 0;       // of a node without weights
  int64_t tile_bytes = 0;     // activation memory of a tile
  int64_t cache_bytes = 0;    // parameter memory that is free for sure in a small model
  int cycle_lanes = 1;        // output channels worked on at a time
  double conv_factor = 1, depthwise_factor = 1;
  std::string says;
  Fact fact;
};

// Bytes of a layer's weights in the compiled file: up(Cout, lanes) * (KH * KW * up(Cin,
// channel_group) + bytes_per_channel), where up(x, m) is x rounded up to a multiple of m;
// depthwise: up(C, lanes) * (KH * KW + bytes_per_channel).
int64_t LaidOutBytes(int64_t kernel_h, int64_t kernel_w, int64_t in_channels, int64_t out_channels,
                     bool depthwise, const TargetTiles& tiles);

}  // namespace dlpu
