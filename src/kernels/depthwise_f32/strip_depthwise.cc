// SPDX-License-Identifier: Apache-2.0
// Float depthwise convolution by strips: an output row, or some channels of one, at a time. With a
// multiplier above 1 (rare) the input's channels are first repeated in scratch.
#include "kernels/depthwise_f32/strip_depthwise.h"

#include <algorithm>
#include <vector>

#include "kernels/gemm_f32/gemm_f32.h"

namespace dlpu {
namespace {

// Channels whose weights and inputs stay in a level-1 cache while a row is done.
constexpr int64_t kChunk = 256;
// Inputs of at least this many bytes come from beyond the level-2 cache. Tiles of a few pixels
// read too many streams for the hardware to fetch them ahead; far away and with a stride, where
// little is shared between pixels, single pixels are faster (measured on Zen 4).
constexpr int64_t kFarBytes = 512 << 10, kVeryFarBytes = 4 << 20;

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

class StripDepthwiseF32 : public PreparedDepthwiseF32 {
 public:
  StripDepthwiseF32(const DepthwiseF32Kernel& kernel, const char* name,
                    const DepthwiseF32Spec& spec, const float* weights, const float* bias)
      : kernel_(kernel),
        name_(name),
        s_(spec),
        channels_(int64_t{spec.in_c} * spec.multiplier),
        weights_(MakeAlignedFloats(int64_t{spec.kernel_h} * spec.kernel_w * channels_)),
        bias_(static_cast<size_t>(channels_)) {
    std::copy(weights, weights + int64_t{spec.kernel_h} * spec.kernel_w * channels_,
              weights_.get());
    if (bias != nullptr) std::copy(bias, bias + channels_, bias_.begin());
    function_ = kernel.any;
    const int64_t bytes = int64_t{spec.in_h} * spec.in_w * channels_ * 4;
    if (bytes >= kFarBytes) fetch_ = spec.stride_h;
    stream_ = bytes >= kVeryFarBytes && spec.stride_w > 1;
    for (const DepthwiseF32Sliding& sliding : kernel.sliding) {
      if (sliding.function != nullptr && sliding.taps == spec.kernel_w &&
          sliding.stride == spec.stride_w && spec.dilation_w == 1) {
        function_ = sliding.function;
      }
    }
  }

  std::string_view row() const override { return name_; }
  int64_t ScratchBytes(int threads) const override {
    return threads * PointerBytes() +
           (s_.multiplier == 1 ? 0 : int64_t{s_.batch} * s_.in_h * s_.in_w * channels_ * 4);
  }
  void Run(const float* input, float* output, uint8_t* scratch, ThreadPool& pool) const override {
    RunTasks(input, output, scratch, pool, nullptr);
  }
  // A block is one output row.
  int64_t BlockElements(int threads) const override {
    return s_.multiplier == 1 && Chunks(threads) == 1 ? s_.out_w * channels_ : 0;
  }
  void RunBlocks(const float* input, float* output, uint8_t* scratch, ThreadPool& pool,
                 const BlockSink& sink) const override {
    RunTasks(input, output, scratch, pool, &sink);
  }

 private:
  void RunTasks(const float* input, float* output, uint8_t* scratch, ThreadPool& pool,
                const BlockSink* sink) const;
  int64_t Rows() const { return int64_t{s_.batch} * s_.out_h; }
  static int64_t Wanted(int threads) { return threads == 1 ? 1 : 4 * int64_t{threads}; }
  // Parts of the channels that are tasks of their own.
  int64_t Chunks(int threads) const {
    return std::min(DivideUp(channels_, kernel_.lanes),
                    std::max(DivideUp(channels_, kChunk),
                             DivideUp(Wanted(threads), std::max<int64_t>(Rows(), 1))));
  }
  // Two pointers for each kernel row and thread.
  int64_t PointerBytes() const {
    return (2 * static_cast<int64_t>(sizeof(float*)) * s_.kernel_h + 63) / 64 * 64;
  }
  const float* Repeat(const float* input, float* repeated, ThreadPool& pool) const;
  void Row(const float* input, int64_t n, int64_t oy, int64_t c, int64_t count,
           const float** pointers, float* output) const;

  const DepthwiseF32Kernel& kernel_;
  const char* const name_;
  const DepthwiseF32Spec s_;
  const int64_t channels_;  // of the output
  const AlignedFloats weights_;
  std::vector<float> bias_;
  DepthwiseF32Function function_ = nullptr;
  int64_t fetch_ = 0;
  bool stream_ = false;
};

const float* StripDepthwiseF32::Repeat(const float* input, float* repeated,
                                       ThreadPool& pool) const {
  const int64_t pixels = int64_t{s_.batch} * s_.in_h * s_.in_w;
  pool.ParallelFor(pixels, 1024, [&](int64_t begin, int64_t end, int) {
    float* to = repeated + begin * channels_;
    for (int64_t i = begin * s_.in_c; i < end * s_.in_c; ++i) {
      to = std::fill_n(to, s_.multiplier, input[i]);
    }
  });
  return repeated;
}

// Channels c .. c + count of one output row, which goes to `output`.
void StripDepthwiseF32::Row(const float* input, int64_t n, int64_t oy, int64_t c, int64_t count,
                            const float** pointers, float* output) const {
  const float** inputs = pointers;
  const float** weights = pointers + s_.kernel_h;
  DepthwiseF32Strip strip = {};
  strip.inputs = inputs;
  strip.weights = weights;
  for (int64_t ky = 0; ky < s_.kernel_h; ++ky) {
    const int64_t iy = oy * s_.stride_h - s_.pad_top + ky * s_.dilation_h;
    if (iy < 0 || iy >= s_.in_h) continue;
    inputs[strip.rows] = input + (n * s_.in_h + iy) * s_.in_w * channels_ + c;
    weights[strip.rows++] = weights_.get() + ky * s_.kernel_w * channels_ + c;
  }
  strip.taps = s_.kernel_w;
  strip.stride = s_.stride_w;
  strip.dilation = s_.dilation_w;
  strip.pad = s_.pad_left;
  strip.width = s_.in_w;
  strip.step = channels_;
  strip.pixels = s_.out_w;
  strip.channels = count;
  strip.fetch = fetch_;
  strip.stream = stream_;
  strip.bias = bias_.data() + c;
  strip.low = s_.low;
  strip.high = s_.high;
  strip.output = output + c;
  function_(strip);
}

void StripDepthwiseF32::RunTasks(const float* input, float* output, uint8_t* scratch,
                                 ThreadPool& pool, const BlockSink* sink) const {
  if (s_.multiplier != 1) {
    input =
        Repeat(input, reinterpret_cast<float*>(scratch + pool.threads() * PointerBytes()), pool);
  }
  const int64_t rows = Rows(), lanes = kernel_.lanes, wanted = Wanted(pool.threads());
  const int64_t vectors = DivideUp(channels_, lanes), chunks = Chunks(pool.threads());
  // About 16k products in each task, so that claiming one costs little.
  const int64_t products =
      s_.out_w * channels_ / std::max<int64_t>(chunks, 1) * s_.kernel_h * s_.kernel_w;
  const int64_t grain = std::clamp<int64_t>(16384 / std::max<int64_t>(products, 1), 1,
                                            std::max<int64_t>(rows * chunks / wanted, 1));
  pool.ParallelFor(rows * chunks, grain, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t chunk = task / rows, row = task % rows;
      const int64_t c = vectors * chunk / chunks * lanes;
      const int64_t c_end = std::min(vectors * (chunk + 1) / chunks * lanes, channels_);
      const int64_t elements = s_.out_w * channels_, at = row * elements;
      float* to = sink != nullptr ? sink->Place(output, at, thread) : output + at;
      Row(input, row / s_.out_h, row % s_.out_h, c, c_end - c,
          reinterpret_cast<const float**>(scratch + thread * PointerBytes()), to);
      if (sink != nullptr) sink->done(to, at, elements, thread);
    }
  });
}

}  // namespace

std::unique_ptr<PreparedDepthwiseF32> PrepareStripDepthwiseF32(const DepthwiseF32Kernel& kernel,
                                                               const char* name,
                                                               const DepthwiseF32Spec& spec,
                                                               const float* weights,
                                                               const float* bias) {
  return std::make_unique<StripDepthwiseF32>(kernel, name, spec, weights, bias);
}

}  // namespace dlpu
