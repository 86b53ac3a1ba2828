// SPDX-License-Identifier: Apache-2.0
// Orders of axes. A permutation is a list of axes as TRANSPOSE takes it: axis d of the output is
// axis perm[d] of the input. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace dlpu {

using Permutation = std::vector<int32_t>;

inline const Permutation kNchwToNhwc = {0, 2, 3, 1};
inline const Permutation kNhwcToNchw = {0, 3, 1, 2};

Permutation IdentityPermutation(size_t rank);
bool IsIdentity(const Permutation& perm);
Permutation InversePermutation(const Permutation& perm);
// The one permutation that does `first`, then `second`. REQUIRES: equal ranks.
Permutation Compose(const Permutation& first, const Permutation& second);

// list[perm[d]] at d. REQUIRES: list has the permutation's length.
template <typename T>
std::vector<T> Permuted(const std::vector<T>& list, const Permutation& perm) {
  std::vector<T> result;
  for (const int32_t axis : perm) result.push_back(list[static_cast<size_t>(axis)]);
  return result;
}

// The constant with its axes in the new order, its data moved and the axis of its scales renamed.
// REQUIRES: it is a constant of whole bytes and the permutation has its rank.
Tensor PermutedConstant(const Tensor& constant, const Permutation& perm);

}  // namespace dlpu
