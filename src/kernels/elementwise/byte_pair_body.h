// SPDX-License-Identifier: Apache-2.0
// Functions of two codes, written once over a vector type V: as kernels/requant/avx512.h has it,
// and V::Real with
//   V::Codes<is_signed>(p)   kLanes codes as reals      V::Fixed(v)    one real in every lane
//   V::Sum, V::Product, V::Prelu   the forms, to 32-bit codes
//   V::Order(codes)          undoes the lane order of PackCodes for vectors of consecutive codes
// Included by files with instruction-set flags only, each with a copy of its own.
#pragma once

#include "kernels/elementwise/byte_pair_row.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

template <class V, BytePairForm form, bool is_signed>
void RunPairs(const BytePairArgs& args, const uint8_t* x, bool x_advances, const uint8_t* y,
              bool y_advances, uint8_t* out, int64_t n) {
  using Real = typename V::Real;
  constexpr int kStep = 4 * V::kLanes;
  const auto one = [](uint8_t byte) {
    return V::Fixed(is_signed ? static_cast<float>(static_cast<int8_t>(byte))
                              : static_cast<float>(byte));
  };
  const Real fixed_x = one(*x), fixed_y = one(*y);
  alignas(64) uint8_t tail_x[kStep] = {}, tail_y[kStep] = {}, tail_out[kStep];
  for (int64_t i = 0; i < n; i += kStep) {
    const bool whole = n - i >= kStep;
    const uint8_t *from_x = x + i, *from_y = y + i;
    if (!whole) {
      if (x_advances) __builtin_memcpy(tail_x, from_x, static_cast<size_t>(n - i));
      if (y_advances) __builtin_memcpy(tail_y, from_y, static_cast<size_t>(n - i));
      from_x = tail_x;
      from_y = tail_y;
    }
    typename V::Int codes[4];
    DLPU_UNROLL
    for (int j = 0; j < 4; ++j) {
      const Real a = x_advances ? V::template Codes<is_signed>(from_x + j * V::kLanes) : fixed_x;
      const Real b = y_advances ? V::template Codes<is_signed>(from_y + j * V::kLanes) : fixed_y;
      if constexpr (form == BytePairForm::kSum) codes[j] = V::Sum(a, b, args);
      if constexpr (form == BytePairForm::kProduct) codes[j] = V::Product(a, b, args);
      if constexpr (form == BytePairForm::kPrelu) codes[j] = V::Prelu(a, b, args);
    }
    const auto packed = V::Order(V::PackCodes(codes[0], codes[1], codes[2], codes[3], args.store));
    if (whole) {
      V::Store(out + i, packed);
    } else {
      V::Store(tail_out, packed);
      __builtin_memcpy(out + i, tail_out, static_cast<size_t>(n - i));
    }
  }
}

template <class V, BytePairForm form>
void RunForm(const BytePairArgs& args, const uint8_t* x, bool x_advances, const uint8_t* y,
             bool y_advances, uint8_t* out, int64_t n) {
  if (args.input_signed) {
    RunPairs<V, form, true>(args, x, x_advances, y, y_advances, out, n);
  } else {
    RunPairs<V, form, false>(args, x, x_advances, y, y_advances, out, n);
  }
}

template <class V>
void RunBytePairs(const BytePairArgs& args, const uint8_t* x, bool x_advances, const uint8_t* y,
                  bool y_advances, uint8_t* out, int64_t n) {
  switch (args.form) {
    case BytePairForm::kSum:
      return RunForm<V, BytePairForm::kSum>(args, x, x_advances, y, y_advances, out, n);
    case BytePairForm::kProduct:
      return RunForm<V, BytePairForm::kProduct>(args, x, x_advances, y, y_advances, out, n);
    case BytePairForm::kPrelu:
      return RunForm<V, BytePairForm::kPrelu>(args, x, x_advances, y, y_advances, out, n);
  }
}

}  // namespace
}  // namespace dlpu
