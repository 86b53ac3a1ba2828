// SPDX-License-Identifier: Apache-2.0
// Orders of axes.
#include "ir/permute.h"

#include <cstring>
#include <numeric>

#include "base/check.h"

namespace dlpu {

Permutation IdentityPermutation(size_t rank) {
  Permutation perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  return perm;
}

bool IsIdentity(const Permutation& perm) { return perm == IdentityPermutation(perm.size()); }

Permutation InversePermutation(const Permutation& perm) {
  Permutation inverse(perm.size());
  for (size_t d = 0; d < perm.size(); ++d) inverse[perm[d]] = static_cast<int32_t>(d);
  return inverse;
}

Permutation Compose(const Permutation& first, const Permutation& second) {
  return Permuted(first, second);
}

Tensor PermutedConstant(const Tensor& constant, const Permutation& perm) {
  const size_t bytes = static_cast<size_t>(BitsOf(constant.type)) / 8;
  DLPU_CHECK(constant.is_constant && bytes > 0 && perm.size() == constant.shape.size());
  Tensor result = constant;
  result.shape = Permuted(constant.shape, perm);
  if (constant.quantization.per_channel()) {
    result.quantization.axis = InversePermutation(perm)[constant.quantization.axis];
  }
  std::vector<size_t> strides(perm.size(), bytes);  // of the source, in bytes
  for (size_t d = perm.size(); d-- > 1;) {
    strides[d - 1] = strides[d] * static_cast<size_t>(constant.shape[d]);
  }
  const std::vector<size_t> steps = Permuted(strides, perm);
  std::vector<int32_t> index(perm.size(), 0);
  size_t from = 0;
  for (size_t to = 0; to < result.data.size(); to += bytes) {
    std::memcpy(result.data.data() + to, constant.data.data() + from, bytes);
    for (size_t d = perm.size(); d-- > 0;) {
      from += steps[d];
      if (++index[d] < result.shape[d]) break;
      from -= steps[d] * static_cast<size_t>(result.shape[d]);
      index[d] = 0;
    }
  }
  return result;
}

}  // namespace dlpu
