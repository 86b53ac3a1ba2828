// SPDX-License-Identifier: Apache-2.0
// The rows of bilinear resizing, the scalar one, and the choice among them.
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "kernels/resize/row.h"

namespace dlpu {
namespace {

template <typename T>
void Scalar(const BilinearRowArgs& args, T* out) {
  constexpr float kHalf = std::is_floating_point_v<T> ? 0.0f : 0.5f;
  const int64_t c = args.channels;
  for (int64_t x = 0; x < args.pixels; ++x, out += c) {
    const BilinearTap<float>& tap = args.taps[x];
    const float dx = tap.weight, rest_x = 1 - tap.weight;
    const float *a = args.upper + tap.low * c, *b = args.lower + tap.low * c;
    const float *d = args.upper + tap.high * c, *e = args.lower + tap.high * c;
    T* __restrict to = out;
    for (int64_t i = 0; i < c; ++i) {
      to[i] = static_cast<T>(a[i] * rest_x + b[i] * rest_x + d[i] * dx + e[i] * dx + kHalf);
    }
  }
}

constexpr BilinearRow kScalar = {"reference", kCpuNone, Scalar<uint8_t>, Scalar<float>};

}  // namespace

BilinearRowList BilinearRows() {
  static const std::vector<BilinearRow> rows = [] {
    std::vector<BilinearRow> all;
    for (const BilinearRowList& list : {BilinearAvx512(), BilinearAvx2()}) {
      all.insert(all.end(), list.rows, list.rows + list.count);
    }
    all.push_back(kScalar);
    return all;
  }();
  return {rows.data(), static_cast<int32_t>(rows.size())};
}

const BilinearRow& ChooseBilinear(CpuFlags cpu) {
  const BilinearRowList list = BilinearRows();
  for (int32_t i = 0; i < list.count; ++i) {
    if ((list.rows[i].cpu & ~cpu) == 0) return list.rows[i];
  }
  DLPU_CHECK(false);
}

}  // namespace dlpu
