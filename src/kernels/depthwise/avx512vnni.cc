// SPDX-License-Identifier: Apache-2.0
// Depthwise kernels for AVX-512 VNNI: blocks of 64 channels, four taps a lane.
#include "kernels/depthwise/tile.h"

#if defined(__AVX512VNNI__)

#include "kernels/depthwise/tile_body.h"
#include "kernels/requant/avx512.h"

namespace dlpu {
namespace {

struct Vnni512 : Avx512 {
  static constexpr int kTaps = 4;

  static DLPU_INLINE void Interleave(Int a, Int b, Int c, Int d, Int* v) {
    const Int ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
    const Int cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
    v[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
    v[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
    v[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
    v[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
  }
  static DLPU_INLINE void Interleave(const uint8_t* const* p, Int flip, Int* v) {
    Interleave(_mm512_xor_si512(Load(p[0]), flip), _mm512_xor_si512(Load(p[1]), flip),
               _mm512_xor_si512(Load(p[2]), flip), _mm512_xor_si512(Load(p[3]), flip), v);
  }
  // Not the intrinsic: GCC 12 spills around it.
  static DLPU_INLINE void DotTaps(Int& acc, Int v, const int8_t* weights) {
    asm("vpdpbusd %2, %1, %0"
        : "+v"(acc)
        : "v"(v), "m"(*reinterpret_cast<const __m512i*>(weights)));
  }
  static DLPU_INLINE void Dot(Int& acc, Int v, Int weights) {
    asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(v), "v"(weights));
  }
};

using Int = Avx512::Int;

// The input rows of a call; a row outside the picture stays on bytes of the zero point.
template <int kBands>
struct Columns {
  const uint8_t* row[kBands][4];
  ptrdiff_t step[kBands][4];
  int32_t width;
  Int flip, zero;
};

template <int kBands>
DLPU_INLINE Int LoadRow(const Columns<kBands>& c, int r, ptrdiff_t x) {
  if (kBands == 1) return _mm512_xor_si512(Avx512::Load(c.row[0][r] + x * c.step[0][r]), c.flip);
  const __m256i low =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(c.row[0][r] + x * c.step[0][r]));
  const __m256i high = _mm256_loadu_si256(
      reinterpret_cast<const __m256i*>(c.row[kBands - 1][r] + x * c.step[kBands - 1][r]));
  return _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1), c.flip);
}

// The four vectors of column x: four rows (three with stride 2) interleaved.
template <int kBands, int kStride>
DLPU_INLINE void Column(const Columns<kBands>& c, int32_t x, Int* v) {
  if (static_cast<uint32_t>(x) >= static_cast<uint32_t>(c.width)) {
    DLPU_UNROLL
    for (int j = 0; j < kDepthwiseVectors; ++j) v[j] = c.zero;
    return;
  }
  Vnni512::Interleave(LoadRow(c, 0, x), LoadRow(c, 1, x), LoadRow(c, 2, x),
                      kStride == 1 ? LoadRow(c, 3, x) : _mm512_setzero_si512(), v);
}

// Stores one pixel's codes to each band.
template <int kBands>
DLPU_INLINE void StoreBands(uint8_t* const (&out)[kBands], ptrdiff_t at, const Int* codes,
                            const RequantPanel& panel) {
  const Int packed = Avx512::PackCodes(codes[0], codes[1], codes[2], codes[3], panel.store);
  if (kBands == 1) {
    if (out[0] != nullptr) _mm512_mask_storeu_epi8(out[0] + at, panel.mask, packed);
    return;
  }
  const auto mask = static_cast<__mmask32>(panel.mask);
  if (out[0] != nullptr) {
    _mm256_mask_storeu_epi8(out[0] + at, mask, _mm512_castsi512_si256(packed));
  }
  if (out[kBands - 1] != nullptr) {
    _mm256_mask_storeu_epi8(out[kBands - 1] + at, mask, _mm512_extracti64x4_epi64(packed, 1));
  }
}

template <int kStride, int kBands, bool kExcess>
void SlideBody(const DepthwiseSlideRows& rows, const DepthwiseSlideArgs& args) {
  constexpr int kRows = kStride == 1 ? 2 : 1;
  alignas(64) uint8_t zeros[64];
  Columns<kBands> columns;
  columns.width = args.in_w;
  columns.flip = Avx512::Set(static_cast<int32_t>(args.input_flip));
  const Int zero = _mm512_set1_epi8(static_cast<char>(args.input_zero));
  Avx512::Store(zeros, zero);
  columns.zero = _mm512_xor_si512(zero, columns.flip);
  uint8_t* out[kRows][kBands];
  for (int b = 0; b < kBands; ++b) {
    for (int r = 0; r < 4; ++r) {
      columns.row[b][r] = rows.input[b][r] != nullptr ? rows.input[b][r] : zeros;
      columns.step[b][r] = rows.input[b][r] != nullptr ? args.in_step : 0;
    }
    for (int r = 0; r < kRows; ++r) out[r][b] = rows.output[b][r];
  }
  // Two pixels at a time share every load of weights; one vector of channels after the other keeps
  // columns, accumulators and codes within 32 registers.
  constexpr int kPixels = 2;
  constexpr int kColumns = kStride * (kPixels - 1) + 3;
  constexpr int kKept = 3 - kStride;  // columns the next pixels see again
  const auto* blocks = static_cast<const RequantBlock<16>*>(args.requant.blocks);
  Int v[kColumns][kDepthwiseVectors];
  int32_t next = -args.pad_left;
  DLPU_UNROLL
  for (int c = 0; c < kKept; ++c) Column<kBands, kStride>(columns, next++, v[c]);
  for (int32_t x = 0; x < args.out_w; x += kPixels) {
    DLPU_UNROLL
    for (int c = kKept; c < kColumns; ++c) Column<kBands, kStride>(columns, next++, v[c]);
    Int codes[kPixels][kRows][kDepthwiseVectors];
    DLPU_UNROLL
    for (int j = 0; j < kDepthwiseVectors; ++j) {
      Int acc[kPixels * kRows];
      Int init = Avx512::Load(blocks[j].init);
      asm("" : "+v"(init));  // one load, then copies
      DLPU_UNROLL
      for (int i = 0; i < kPixels * kRows; ++i) acc[i] = init;
      DLPU_UNROLL
      for (int k = 0; k < 3; ++k) {
        DLPU_UNROLL
        for (int r = 0; r < kRows; ++r) {
          const int at = ((r * 3 + k) * kDepthwiseVectors + j) * 64;
          const Int w = Avx512::Load(args.weights + at);
          DLPU_UNROLL
          for (int p = 0; p < kPixels; ++p) {
            Vnni512::Dot(acc[p * kRows + r], v[p * kStride + k][j], w);
          }
        }
      }
      DLPU_UNROLL
      for (int k = 0; k < 3; ++k) {
        if (!kExcess || (args.excess_columns >> (3 * j + k) & 1) == 0) continue;
        DLPU_UNROLL
        for (int r = 0; r < kRows; ++r) {
          const Int rest = Avx512::Load(args.excess + ((r * 3 + k) * kDepthwiseVectors + j) * 64);
          DLPU_UNROLL
          for (int p = 0; p < kPixels; ++p) {
            Vnni512::Dot(acc[p * kRows + r], v[p * kStride + k][j], rest);
          }
        }
      }
      Requantize<Avx512>(acc, args.requant.forms[j], blocks[j]);
      DLPU_UNROLL
      for (int i = 0; i < kPixels * kRows; ++i) codes[i / kRows][i % kRows][j] = acc[i];
    }
    DLPU_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      if (p > 0 && x + p >= args.out_w) break;
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r) {
        StoreBands<kBands>(out[r], (x + p) * args.out_step, codes[p][r], args.requant);
      }
    }
    DLPU_UNROLL
    for (int c = 0; c < kKept; ++c) {
      DLPU_UNROLL
      for (int j = 0; j < kDepthwiseVectors; ++j) v[c][j] = v[kStride * kPixels + c][j];
    }
  }
}

template <int kStride, int kBands>
void Slide(const DepthwiseSlideRows& rows, const DepthwiseSlideArgs& args) {
  if (args.excess != nullptr) {
    SlideBody<kStride, kBands, true>(rows, args);
  } else {
    SlideBody<kStride, kBands, false>(rows, args);
  }
}

constexpr DepthwiseTiles kTiles{
    16, Vnni512::kTaps, TapRow<Vnni512>, {{Slide<1, 1>, Slide<1, 2>}, {Slide<2, 1>, Slide<2, 2>}}};

}  // namespace

const DepthwiseTiles* DepthwiseTilesAvx512Vnni() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const DepthwiseTiles* DepthwiseTilesAvx512Vnni() { return nullptr; }
}  // namespace dlpu

#endif
