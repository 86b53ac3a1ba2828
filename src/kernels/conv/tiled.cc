// SPDX-License-Identifier: Apache-2.0
// Runs a convolution on a table of tiles: no im2col. Output pixels are taken in blocks; a pixel is
// a pointer to where its input begins, in the input itself when no tap leaves the picture, else in
// a copy of the rows with padding around them.
#include <algorithm>

#include "kernels/conv/panels.h"
#include "kernels/conv/rows.h"
#include "kernels/padded_rows.h"

namespace dlpu {
namespace {

// Pixels computed with one pass over the weights. Larger when the weights come from L3.
constexpr int64_t kBlockPixels = 96;
constexpr int64_t kLargeBlockPixels = 256;
constexpr int64_t kLargeWeights = 384 * 1024;
// Padded rows one thread holds at a time; stays in L2 beside the weights.
constexpr int64_t kCopyBytes = 192 * 1024;
// Products, or bytes of weights, that one task should have at least: about 2 us.
constexpr int64_t kTaskProducts = int64_t{1} << 19;
constexpr int64_t kTaskWeights = 64 * 1024;
// Tasks for each thread, and pixels of one, if there is enough work.
constexpr int64_t kTasksOfThread = 4;
constexpr int64_t kLeastPixels = 96;
constexpr int64_t kSlack = 64;
// How far in front of the weights in use a tile of few rows brings more.
constexpr int64_t kAhead = 4096;

bool NeedsPadding(const ConvSpec& s) {
  return LeavesPicture(s.out_h, s.stride_h, s.kernel_h, s.dilation_h, s.pad_top, s.in_h) ||
         LeavesPicture(s.out_w, s.stride_w, s.kernel_w, s.dilation_w, s.pad_left, s.in_w);
}

PaddedRows MakeRows(const ConvSpec& s, bool widened) {
  PaddedRows rows;
  rows.in_h = s.in_h;
  rows.in_w = s.in_w;
  rows.in_c = s.in_c;
  rows.pad_left = s.pad_left;
  rows.width = (s.out_w - 1) * int64_t{s.stride_w} + (s.kernel_w - 1) * int64_t{s.dilation_w} + 1;
  rows.zero = static_cast<uint8_t>(s.input_zero);
  rows.flip = s.input_signed ? 0x80 : 0;
  rows.widened = widened;
  return rows;
}

// Gives the source address of one output pixel after the other, without divisions.
class PixelWalk {
 public:
  // Pictures of height rows of width output pixels; steps are bytes of the source. Starts at pixel
  // x of row y of the picture at `picture`.
  PixelWalk(const uint8_t* picture, int64_t y, int64_t x, int64_t height, int64_t width,
            int64_t picture_step, int64_t row_step, int64_t pixel_step)
      : row_(picture + y * row_step),
        x_(x),
        y_(y),
        height_(height),
        width_(width),
        gap_(picture_step - height * row_step),
        row_step_(row_step),
        pixel_step_(pixel_step) {}

  // The next `count` pixels.
  void Fill(int64_t count, const uint8_t** pixels) {
    while (count > 0) {
      const int64_t run = std::min(count, width_ - x_);
      const uint8_t* at = row_ + x_ * pixel_step_;
      for (int64_t i = 0; i < run; ++i) pixels[i] = at + i * pixel_step_;
      pixels += run;
      count -= run;
      x_ += run;
      if (x_ < width_) return;
      x_ = 0;
      row_ += row_step_;
      if (++y_ < height_) continue;
      y_ = 0;
      row_ += gap_;
    }
  }

 private:
  const uint8_t* row_;
  int64_t x_, y_;
  const int64_t height_, width_, gap_, row_step_, pixel_step_;
};

class TiledConv : public PreparedConv {
 public:
  TiledConv(const ConvRow& row, const ConvTiles& tiles, const ConvSpec& spec,
            const uint8_t* weights, const int32_t* bias)
      : name_(row.name),
        tiles_(tiles),
        spec_(spec),
        copies_(tiles.widened || NeedsPadding(spec)),
        rows_(MakeRows(spec, tiles.widened)),
        source_(MakeSource()),
        panels_(spec, weights, bias, tiles, source_, row.needs) {
    spec_.requantization.clear();  // the panels hold what is needed of it
    large_ = panels_.weight_bytes() > kLargeWeights;
    block_ = large_ ? kLargeBlockPixels : kBlockPixels;
  }

  std::string_view row() const override { return name_; }

  int64_t ScratchBytes(int threads) const override {
    return copies_ ? threads * ThreadScratch() : 0;
  }

  void Run(const uint8_t* input, uint8_t* output, uint8_t* scratch,
           ThreadPool& pool) const override {
    // Tasks are ranges of pixels times ranges of panels.
    const int64_t units = Pixels(), panels = std::ssize(panels_.panels());
    const Split split = SplitFor(pool.threads());
    pool.ParallelFor(split.ranges * split.parts, 1, [&](int64_t begin, int64_t end, int thread) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t range = task % split.ranges, part = task / split.ranges;
        const Range units_here{units * range / split.ranges, units * (range + 1) / split.ranges};
        const Range panels_here{panels * part / split.parts, panels * (part + 1) / split.parts};
        if (copies_) {
          RunRows(input, output, scratch + thread * ThreadScratch(), units_here, panels_here);
        } else {
          RunPixels(input, output, units_here, panels_here);
        }
      }
    });
  }

 private:
  struct Range {
    int64_t begin, end;
  };

  ConvSource MakeSource() const {
    ConvSource s;
    s.element_bytes = tiles_.widened ? 2 : 1;
    s.pixel_bytes = rows_.pixel_bytes();
    s.row_bytes = copies_ ? rows_.row_bytes() : s.pixel_bytes * spec_.in_w;
    return s;
  }

  int64_t Pixels() const { return int64_t{spec_.batch} * spec_.out_h * spec_.out_w; }

  struct Split {
    int64_t ranges = 1, parts = 1;  // of the pixels and of the panels
  };
  // As many tasks for each thread, all of about the same work. Pixels are split rather than
  // panels: then a thread reads what it wrote in the layer before. But where all pixels are few and
  // weights come from L3, each thread had better read weights of its own.
  Split SplitFor(int threads) const {
    const int64_t pixels = Pixels(), panels = std::ssize(panels_.panels());
    if (threads == 1) return {};
    int64_t tasks = std::max(pixels * panels_.weight_bytes() / kTaskProducts,
                             panels_.weight_bytes() / kTaskWeights);
    tasks = std::min(tasks / threads, kTasksOfThread) * threads;
    if (tasks == 0) return {};
    const bool by_panels = pixels < kMaxTileRows || (large_ && pixels <= kLargeBlockPixels / 2);
    const int64_t least = large_ ? kLargeBlockPixels / 2 : kLeastPixels;
    // Evenly cut, or at least one range or part for each thread.
    const auto fits = [&](int64_t count, int64_t size) {
      return count % threads == 0 && count <= size && (size % count == 0 || size >= 4 * count);
    };
    for (int64_t count = tasks; count > 0; count -= threads) {
      if (by_panels && fits(count, panels)) return {1, count};
      if (!by_panels && fits(count, pixels) && (pixels >= count * least || count == threads)) {
        return {count, 1};
      }
    }
    if (pixels >= 8 * threads) return {threads, 1};
    return {1, std::min<int64_t>(threads, panels)};
  }

  // Source rows that `rows` output rows of one picture read.
  int64_t SourceRows(int64_t rows) const {
    return (rows - 1) * spec_.stride_h + (spec_.kernel_h - 1) * int64_t{spec_.dilation_h} + 1;
  }
  // Output rows for which a copy is made at a time.
  int64_t CopyRows() const {
    const int64_t fit = kCopyBytes / std::max<int64_t>(source_.row_bytes, 1);
    return std::clamp((fit - SourceRows(1)) / spec_.stride_h + 1, int64_t{1}, int64_t{spec_.out_h});
  }
  int64_t ThreadScratch() const {
    return (SourceRows(CopyRows()) * source_.row_bytes + kSlack + 63) / 64 * 64;
  }

  // Copies what a few rows read at a time, cut at picture borders, and as evenly as possible.
  void RunRows(const uint8_t* input, uint8_t* output, uint8_t* copy, Range pixels,
               Range panels) const {
    while (pixels.begin < pixels.end) {
      const int64_t row = pixels.begin / spec_.out_w, x = pixels.begin % spec_.out_w;
      const int64_t n = row / spec_.out_h, y = row % spec_.out_h;
      const int64_t rows =
          std::min((pixels.end - 1) / spec_.out_w + 1 - row, int64_t{spec_.out_h} - y);
      const int64_t copies = (rows + CopyRows() - 1) / CopyRows();
      const int64_t take = (rows + copies - 1) / copies;
      const int64_t count = std::min(pixels.end - pixels.begin, take * spec_.out_w - x);
      CopyPaddedRows(rows_, input + n * spec_.in_h * spec_.in_w * spec_.in_c,
                     y * spec_.stride_h - spec_.pad_top, SourceRows(take), copy);
      RunBlocks(output + pixels.begin * spec_.out_c, count, panels,
                PixelWalk(copy, 0, x, take, spec_.out_w, 0, spec_.stride_h * source_.row_bytes,
                          spec_.stride_w * source_.pixel_bytes));
      pixels.begin += count;
    }
  }

  void RunPixels(const uint8_t* input, uint8_t* output, Range pixels, Range panels) const {
    const int64_t row = pixels.begin / spec_.out_w, n = row / spec_.out_h;
    const int64_t picture = spec_.in_h * source_.row_bytes;
    RunBlocks(output + pixels.begin * spec_.out_c, pixels.end - pixels.begin, panels,
              PixelWalk(input + n * picture, row % spec_.out_h, pixels.begin % spec_.out_w,
                        spec_.out_h, spec_.out_w, picture, spec_.stride_h * source_.row_bytes,
                        spec_.stride_w * source_.pixel_bytes));
  }

  // Panels outside, tiles inside, block after block; rows are spread evenly over tiles.
  void RunBlocks(uint8_t* output, int64_t count, Range panels, PixelWalk walk) const {
    const uint8_t* pixels[kLargeBlockPixels];
    const int64_t blocks = (count + block_ - 1) / block_;
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t begin = count * block / blocks, end = count * (block + 1) / blocks;
      walk.Fill(end - begin, pixels);
      for (int64_t p = panels.begin; p < panels.end; ++p) {
        const int64_t following = p + 1 < panels.end ? p + 1 : panels.begin;
        // Small weights stay in L2 after the first block.
        const bool fetches = large_ || block == 0;
        RunPanel(panels_.panels()[static_cast<size_t>(p)],
                 fetches ? &panels_.panels()[static_cast<size_t>(following)] : nullptr, pixels,
                 end - begin, output + begin * spec_.out_c);
      }
    }
  }

  // One panel over a block of pixels. Weights of the panel that follows, if there is one, are
  // brought to L2 meanwhile, a part with every tile; too few tiles for that bring their own.
  void RunPanel(const ConvPanel& panel, const ConvPanel* following, const uint8_t* const* pixels,
                int64_t rows, uint8_t* output) const {
    const auto vectors = static_cast<size_t>(panel.vectors) - 1;
    const int64_t most = tiles_.max_rows[vectors];
    const int64_t cuts = (rows + most - 1) / most;
    const int64_t least_rows = rows / cuts, larger = rows % cuts;
    const int64_t part = panel.weight_bytes / panel.vectors;
    int64_t parts = following != nullptr ? (following->weight_bytes + part - 1) / part : 0;
    const int8_t* fetch = following != nullptr ? following->args.weights : panel.args.weights;
    ConvTileArgs args = panel.args;
    if (following != nullptr && rows <= 2) {
      parts = 1;
      fetch = panel.args.weights + kAhead;
    }
    const ConvTile* tiles = panel.half ? tiles_.half_tiles[vectors] : tiles_.tiles[vectors];
    output += panel.channel;
    for (int64_t cut = 0; cut < cuts; ++cut) {
      const int64_t take = least_rows + (cut < larger ? 1 : 0);
      args.fetch = cut < parts ? fetch : args.weights;
      tiles[take - 1](pixels, output, args);
      fetch += part;
      pixels += take;
      output += take * spec_.out_c;
    }
  }

  const char* name_;
  const ConvTiles& tiles_;
  ConvSpec spec_;
  const bool copies_;
  const PaddedRows rows_;  // of the copy
  const ConvSource source_;
  const ConvPanels panels_;
  int64_t block_;
  bool large_;  // the weights come from L3
};

}  // namespace

std::unique_ptr<PreparedConv> PrepareTiledConv(const ConvRow& row, const ConvTiles& tiles,
                                               const ConvSpec& spec, const uint8_t* weights,
                                               const int32_t* bias) {
  return std::make_unique<TiledConv>(row, tiles, spec, weights, bias);
}

}  // namespace dlpu
