// SPDX-License-Identifier: Apache-2.0
// Float convolution by tiles of a matrix product. The rows of the product are output pixels, its
// depth is kernel_h x kernel_w x channels. In NHWC the taps of one kernel row are contiguous, so
// a pixel's inputs are a few pieces of memory: with few channels one piece for each kernel row
// (pieces that reach over the border are copied together with their zeros), otherwise one piece
// for each tap (a tap outside reads zeros kept for that). A 1x1 layer is a plain product. Groups of
// channels and the rows of a split have packed weights each; they are called parts.
#include "kernels/conv_f32/gemm_conv.h"

#include <algorithm>
#include <vector>

namespace dlpu {
namespace {

// Taps with at least this many channels are pieces of their own.
constexpr int32_t kWideTap = 16;
// Output pixels that one pass over the weights serves: their inputs fit a level-2 cache, and
// weights that do not fit it are read for more pixels at a time.
constexpr int64_t kBlock = 96, kLargeBlock = 384;
constexpr int64_t kLargeWeights = 192 << 10;  // floats
// The largest block for a sink: beyond the level-2 cache it would gain nothing.
constexpr int64_t kMostElements = 64 << 10;

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t RoundUp64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// A 1x1 convolution that keeps every pixel is one long row of pixels.
ConvF32Spec Flattened(ConvF32Spec s) {
  if (s.row_split == 1 && s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 &&
      s.stride_w == 1 && s.pad_top == 0 && s.pad_left == 0 && s.in_h == s.out_h &&
      s.in_w == s.out_w && int64_t{s.batch} * s.in_h * s.in_w <= INT32_MAX) {
    s.in_w = s.out_w = s.batch * s.in_h * s.in_w;
    s.batch = s.in_h = s.out_h = 1;
  }
  return s;
}

class GemmConvF32 : public PreparedConvF32 {
 public:
  GemmConvF32(const GemmF32Row& gemm, const char* name, const ConvF32Spec& spec,
              const float* weights, const float* bias);

  std::string_view row() const override { return name_; }
  int64_t ScratchBytes(int threads) const override { return threads * ThreadScratchBytes(); }
  void Run(const float* input, float* output, uint8_t* scratch, ThreadPool& pool) const override {
    RunTasks(input, output, scratch, pool, nullptr);
  }
  int64_t BlockElements(int threads) const override;
  void RunBlocks(const float* input, float* output, uint8_t* scratch, ThreadPool& pool,
                 const BlockSink& sink) const override {
    RunTasks(input, output, scratch, pool, &sink);
  }

 private:
  // The part of an output row whose piece number `column` of a kernel row is inside the picture.
  struct Column {
    int64_t first_tap = 0;       // x of the piece for output x = 0
    int64_t begin = 0, end = 0;  // output x
  };
  void RunTasks(const float* input, float* output, uint8_t* scratch, ThreadPool& pool,
                const BlockSink* sink) const;
  int64_t ThreadScratchBytes() const {
    return RoundUp64(pieces_ * block_ * sizeof(float*)) +
           (taps_ > 1 ? RoundUp64(pieces_ * block_ * piece_ * sizeof(float)) : 0);
  }
  int64_t parts() const { return int64_t{spec_.groups} * spec_.row_split; }
  void Block(const float* input, int64_t group, int64_t first, int64_t count, size_t first_panel,
             size_t end_panel, uint8_t* scratch, float* output) const;
  void Pieces(const float* input, int64_t first, int64_t count, const float** pieces,
              float* copies) const;
  void RunOfPieces(const float* row, const Column& column, int64_t ox, int64_t run,
                   const float** pieces, float* copies) const;

  const char* const name_;
  const ConvF32Spec spec_;
  const int64_t group_in_, part_out_;
  const int64_t taps_;        // taps in one piece
  const int64_t piece_;       // floats in one piece
  const int64_t row_pieces_;  // pieces in one kernel row
  const int64_t pieces_;      // pieces in all
  const int64_t pixels_;
  int64_t block_ = 0;     // most pixels in a block
  GemmF32Layout layout_;  // of one group
  AlignedFloats weights_, bias_;
  std::vector<float> zeros_;
  std::vector<Column> columns_;  // row_pieces_ of them
};

GemmConvF32::GemmConvF32(const GemmF32Row& gemm, const char* name, const ConvF32Spec& spec,
                         const float* weights, const float* bias)
    : name_(name),
      spec_(Flattened(spec)),
      group_in_(spec.in_c / spec.groups),
      part_out_(spec.out_c / spec.groups / spec.row_split),
      taps_(spec.groups == 1 && spec.in_c < kWideTap && spec.dilation_w == 1 ? spec.kernel_w : 1),
      piece_(taps_ * group_in_),
      row_pieces_(spec.kernel_w / taps_),
      pieces_(spec.kernel_h * row_pieces_),
      pixels_(int64_t{spec.batch} * spec.out_h * spec.out_w),
      layout_(MakeGemmF32Layout(gemm, pieces_ * piece_, static_cast<int32_t>(part_out_))),
      zeros_(piece_) {
  block_ = std::min(layout_.packed_floats > kLargeWeights ? kLargeBlock : kBlock, pixels_);
  if (spec.row_split > 1) block_ = spec.out_w;  // a whole row
  weights_ = MakeAlignedFloats(layout_.packed_floats * parts());
  bias_ = MakeAlignedFloats(int64_t{layout_.padded_columns} * parts());
  std::fill(bias_.get(), bias_.get() + int64_t{layout_.padded_columns} * parts(), 0.0f);
  for (int64_t g = 0; g < parts(); ++g) {
    for (const GemmF32Panel& panel : layout_.panels) {
      PackGemmF32Panel(layout_, panel, weights + g * part_out_ * layout_.depth, 1, layout_.depth,
                       weights_.get() + g * layout_.packed_floats);
    }
    if (bias != nullptr) {
      std::copy(bias + g * part_out_, bias + (g + 1) * part_out_,
                bias_.get() + g * layout_.padded_columns);
    }
  }
  for (int64_t i = 0; i < row_pieces_; ++i) {
    Column column;
    column.first_tap = i * spec_.dilation_w - spec_.pad_left;
    // Inside: 0 <= x * stride + first_tap and x * stride + first_tap + taps <= in_w.
    const int64_t last = spec_.in_w - taps_ - column.first_tap;
    column.begin = column.first_tap >= 0 ? 0 : DivideUp(-column.first_tap, spec_.stride_w);
    column.end = last < 0 ? 0 : last / spec_.stride_w + 1;
    columns_.push_back(column);
  }
}

// Pointers to one piece of the output pixels ox .. ox+run of one picture row.
void GemmConvF32::RunOfPieces(const float* row, const Column& column, int64_t ox, int64_t run,
                              const float** pieces, float* copies) const {
  const int64_t step = int64_t{spec_.stride_w} * spec_.in_c;
  const int64_t begin = std::clamp(column.begin - ox, int64_t{0}, run);
  const int64_t end = std::clamp(column.end - ox, begin, run);
  const auto border = [&](int64_t i) {
    if (taps_ == 1) {
      pieces[i] = zeros_.data();
      return;
    }
    float* copy = copies + i * piece_;
    const int64_t x = (ox + i) * spec_.stride_w + column.first_tap;
    for (int64_t tap = 0; tap < taps_; ++tap) {
      const bool inside = x + tap >= 0 && x + tap < spec_.in_w;
      const float* from = inside ? row + (x + tap) * spec_.in_c : zeros_.data();
      std::copy(from, from + spec_.in_c, copy + tap * spec_.in_c);
    }
    pieces[i] = copy;
  };
  for (int64_t i = 0; i < begin; ++i) border(i);
  const float* x = row + ox * step + column.first_tap * spec_.in_c;
  for (int64_t i = begin; i < end; ++i) pieces[i] = x + i * step;
  for (int64_t i = end; i < run; ++i) border(i);
}

// pieces[p * block_ + i]: piece p of pixel first + i. `input` starts at the group's channel.
void GemmConvF32::Pieces(const float* input, int64_t first, int64_t count, const float** pieces,
                         float* copies) const {
  const int64_t image = int64_t{spec_.in_h} * spec_.in_w * spec_.in_c;
  for (int64_t i = 0; i < count;) {
    const int64_t ox = (first + i) % spec_.out_w, line = (first + i) / spec_.out_w;
    const int64_t oy = line % spec_.out_h, n = line / spec_.out_h;
    const int64_t run = std::min(count - i, spec_.out_w - ox);
    for (int64_t ky = 0; ky < spec_.kernel_h; ++ky) {
      const int64_t iy = oy * spec_.stride_h - spec_.pad_top + ky * spec_.dilation_h;
      for (int64_t j = 0; j < row_pieces_; ++j) {
        const int64_t at = (ky * row_pieces_ + j) * block_ + i;
        if (iy < 0 || iy >= spec_.in_h) {
          std::fill(pieces + at, pieces + at + run, zeros_.data());
        } else {
          RunOfPieces(input + n * image + iy * spec_.in_w * spec_.in_c, columns_[j], ox, run,
                      pieces + at, copies + (taps_ > 1 ? at * piece_ : 0));
        }
      }
    }
    i += run;
  }
}

// `output` is where the block's first pixel goes.
void GemmConvF32::Block(const float* input, int64_t group, int64_t first, int64_t count,
                        size_t first_panel, size_t end_panel, uint8_t* scratch,
                        float* output) const {
  const float** pieces = reinterpret_cast<const float**>(scratch);
  float* copies = reinterpret_cast<float*>(scratch + RoundUp64(pieces_ * block_ * sizeof(float*)));
  Pieces(input + group * group_in_, first, count, pieces, copies);
  GemmF32Tile tile = {};
  tile.inputs = pieces;
  tile.inputs_stride = block_;
  tile.segments = pieces_;
  tile.segment = piece_;
  tile.low = spec_.low;
  tile.high = spec_.high;
  tile.output_stride = spec_.out_c / spec_.row_split;
  for (int64_t row = 0; row < spec_.row_split; ++row) {
    const int64_t part = group * spec_.row_split + row;
    tile.weights = weights_.get() + part * layout_.packed_floats;
    tile.bias = bias_.get() + part * layout_.padded_columns;
    tile.output = output + group * part_out_ + row * count * part_out_;
    for (size_t p = first_panel; p < end_panel; ++p) {
      RunGemmF32Panel(layout_.panels[p], tile, count);
    }
  }
}

// Blocks have all channels, so pixels alone must give the threads enough to do.
int64_t GemmConvF32::BlockElements(int threads) const {
  const int64_t elements = block_ * spec_.out_c;
  const bool divides = threads == 1 || pixels_ >= int64_t{8} * kGemmF32MaxRows * threads;
  return spec_.groups == 1 && divides && elements <= kMostElements ? elements : 0;
}

// With a sink one block is one task.
void GemmConvF32::RunTasks(const float* input, float* output, uint8_t* scratch, ThreadPool& pool,
                           const BlockSink* sink) const {
  if (pixels_ == 0 || part_out_ == 0) return;
  // Enough tasks to balance the threads: first by pixels, then by panels, which cost nothing but
  // the pointers, and last by smaller blocks. How work is cut never changes a sum.
  const int64_t threads = pool.threads(), wanted = threads == 1 ? 1 : 4 * threads;
  const int64_t panels = static_cast<int64_t>(layout_.panels.size());
  int64_t blocks = DivideUp(pixels_, block_);
  const int64_t chunks =
      sink != nullptr ? 1 : std::min(panels, DivideUp(wanted, blocks * spec_.groups));
  if (blocks * chunks * spec_.groups < wanted && spec_.row_split == 1) {
    blocks = std::clamp(DivideUp(wanted, chunks * spec_.groups), blocks,
                        std::max(blocks, DivideUp(pixels_, 2 * kGemmF32MaxRows)));
  }
  pool.ParallelFor(spec_.groups * blocks * chunks, 1, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t chunk = task % chunks, block = task / chunks % blocks;
      const int64_t first = pixels_ * block / blocks, last = pixels_ * (block + 1) / blocks;
      const int64_t at = first * spec_.out_c;
      float* to = sink != nullptr ? sink->Place(output, at, thread) : output + at;
      Block(input, task / chunks / blocks, first, last - first,
            static_cast<size_t>(panels * chunk / chunks),
            static_cast<size_t>(panels * (chunk + 1) / chunks),
            scratch + thread * ThreadScratchBytes(), to);
      if (sink != nullptr) sink->done(to, at, (last - first) * spec_.out_c, thread);
    }
  });
}

}  // namespace

std::unique_ptr<PreparedConvF32> PrepareGemmConvF32(const GemmF32Row& gemm, const char* name,
                                                    const ConvF32Spec& spec, const float* weights,
                                                    const float* bias) {
  return std::make_unique<GemmConvF32>(gemm, name, spec, weights, bias);
}

}  // namespace dlpu
