// SPDX-License-Identifier: Apache-2.0
// Runs a depthwise convolution on a table of kernels, a range of output rows at a time.
#include <algorithm>

#include "kernels/depthwise/blocks.h"
#include "kernels/depthwise/rows.h"
#include "kernels/padded_rows.h"

namespace dlpu {
namespace {

// Input of one task: small enough to stay in L2 while all blocks of channels pass over it.
constexpr int64_t kTaskBytes = 128 * 1024;
// The least work worth a task of its own, in outputs times taps: a fraction of 1 us, as long as it
// takes to get the input from another thread's cache.
constexpr int64_t kTaskProducts = 1 << 14;
constexpr int64_t kTaskRows = 8;
// A kernel reads whole vectors from the last pixel on.
constexpr int64_t kSlack = 64;

bool NeedsPadding(const DepthwiseSpec& s) {
  return LeavesPicture(s.out_h, s.stride_h, s.kernel_h, s.dilation_h, s.pad_top, s.in_h) ||
         LeavesPicture(s.out_w, s.stride_w, s.kernel_w, s.dilation_w, s.pad_left, s.in_w);
}

PaddedRows MakeRows(const DepthwiseSpec& s) {
  PaddedRows rows;
  rows.in_h = s.in_h;
  rows.in_w = s.in_w;
  rows.in_c = s.in_c;
  rows.pad_left = s.pad_left;
  rows.width = (s.out_w - 1) * int64_t{s.stride_w} + (s.kernel_w - 1) * int64_t{s.dilation_w} + 1;
  rows.zero = static_cast<uint8_t>(s.input_zero);
  return rows;
}

class TiledDepthwise : public PreparedDepthwise {
 public:
  TiledDepthwise(const DepthwiseRow& row, const DepthwiseTiles& tiles, const DepthwiseSpec& spec,
                 const uint8_t* weights, const int32_t* bias)
      : name_(row.name),
        tiles_(tiles),
        spec_(spec),
        padded_(NeedsPadding(spec)),
        rows_(MakeRows(spec)),
        row_bytes_(padded_ ? rows_.row_bytes() : int64_t{spec.in_w} * spec.in_c),
        blocks_(spec, weights, bias, tiles, row_bytes_, spec.in_c, row.needs),
        copies_(padded_ && blocks_.uses_taps()) {
    spec_.requantization.clear();  // the blocks hold what is needed of it
  }

  std::string_view row() const override { return name_; }
  int64_t ScratchBytes(int threads) const override {
    return copies_ ? threads * ThreadScratch() : 0;
  }

  void Run(const uint8_t* input, uint8_t* output, uint8_t* scratch,
           ThreadPool& pool) const override {
    const int64_t total = int64_t{spec_.batch} * spec_.out_h;
    const int64_t products = total * spec_.out_w * spec_.in_c * spec_.kernel_h * spec_.kernel_w;
    const int threads = pool.threads();
    int64_t tasks = 1;
    if (threads > 1) {
      // As many for each thread; no more than one of few rows.
      tasks = std::min({products / kTaskProducts, std::max<int64_t>(total / kTaskRows, threads),
                        int64_t{4} * threads});
      tasks = std::max<int64_t>(tasks / threads * threads, 1);
    }
    // Sliding windows make rows in twos.
    const int64_t unit = total >= tasks * kTaskRows ? 2 : 1;
    const auto first_row = [&](int64_t task) {
      return task == tasks ? total : total * task / tasks / unit * unit;
    };
    pool.ParallelFor(tasks, 1, [&](int64_t begin, int64_t end, int thread) {
      const int64_t last = first_row(end);
      for (int64_t at = first_row(begin); at < last;) {
        const int64_t n = at / spec_.out_h, y = at % spec_.out_h;
        const int64_t stop = y + std::min({last - at, TaskRows(), spec_.out_h - y});
        RunRows(input + n * spec_.in_h * spec_.in_w * spec_.in_c,
                output + n * spec_.out_h * OutputRow(), y, stop,
                scratch + (copies_ ? thread * ThreadScratch() : 0));
        at += stop - y;
      }
    });
  }

 private:
  int64_t OutputRow() const { return int64_t{spec_.out_w} * spec_.in_c; }
  int64_t SourceRows(int64_t rows) const {
    return (rows - 1) * spec_.stride_h + (spec_.kernel_h - 1) * int64_t{spec_.dilation_h} + 1;
  }
  // Output rows of a task: a multiple of what two bands of a sliding window make, or all.
  int64_t TaskRows() const {
    const int64_t fit = kTaskBytes / std::max<int64_t>(row_bytes_, 1);
    const int64_t rows = (fit - SourceRows(1)) / spec_.stride_h + 1;
    return std::clamp(rows / 4 * 4, int64_t{4}, std::max<int64_t>(spec_.out_h, 4));
  }
  int64_t ThreadScratch() const {
    return (SourceRows(TaskRows()) * row_bytes_ + kSlack + 63) / 64 * 64;
  }

  // Output rows [begin, end) of one picture.
  void RunRows(const uint8_t* picture, uint8_t* output, int64_t begin, int64_t end,
               uint8_t* copy) const {
    const int64_t first = begin * spec_.stride_h - spec_.pad_top;
    const uint8_t* source = picture + first * row_bytes_;
    if (copies_) {
      CopyPaddedRows(rows_, picture, first, SourceRows(end - begin), copy);
      source = copy;
    }
    for (const DepthwiseBlock& block : blocks_.blocks()) {
      if (block.slide != nullptr) {
        SlideRows(block, picture + block.channel, output + block.channel, begin, end);
        continue;
      }
      for (int64_t y = begin; y < end; ++y) {
        tiles_.tap_row(source + (y - begin) * spec_.stride_h * row_bytes_ + block.channel,
                       int64_t{spec_.stride_w} * spec_.in_c, spec_.out_w,
                       output + y * OutputRow() + block.channel, spec_.in_c, block.tap_args);
      }
    }
  }

  void SlideRows(const DepthwiseBlock& block, const uint8_t* picture, uint8_t* output,
                 int64_t begin, int64_t end) const {
    const int64_t band_rows = spec_.stride_h == 1 ? 2 : 1;
    for (int64_t y = begin; y < end; y += band_rows * block.bands) {
      DepthwiseSlideRows rows{};
      for (int b = 0; b < block.bands; ++b) {
        const int64_t top = y + b * band_rows;
        for (int r = 0; r < 4; ++r) {
          const int64_t iy = top * spec_.stride_h - spec_.pad_top + r;
          if (iy >= 0 && iy < spec_.in_h) rows.input[b][r] = picture + iy * spec_.in_w * spec_.in_c;
        }
        for (int64_t r = 0; r < band_rows; ++r) {
          if (top + r < end) rows.output[b][r] = output + (top + r) * OutputRow();
        }
      }
      block.slide(rows, block.slide_args);
    }
  }

  const char* name_;
  const DepthwiseTiles& tiles_;
  DepthwiseSpec spec_;
  const bool padded_;
  const PaddedRows rows_;
  const int64_t row_bytes_;  // of what taps read
  const DepthwiseBlocks blocks_;
  const bool copies_;
};

}  // namespace

std::unique_ptr<PreparedDepthwise> PrepareTiledDepthwise(const DepthwiseRow& row,
                                                         const DepthwiseTiles& tiles,
                                                         const DepthwiseSpec& spec,
                                                         const uint8_t* weights,
                                                         const int32_t* bias) {
  return std::make_unique<TiledDepthwise>(row, tiles, spec, weights, bias);
}

}  // namespace dlpu
