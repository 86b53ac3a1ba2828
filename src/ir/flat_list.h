// SPDX-License-Identifier: Apache-2.0
// Lists of numbers out of a flatbuffer whose verifier has passed. Any thread.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <vector>

namespace dlpu {

// A copy; empty when the file has no such list. The bytes may lie at any address: the verifier of
// flatbuffers checks where a list begins, but not that 64-bit elements are aligned.
template <typename T>
std::vector<T> FlatList(const flatbuffers::Vector<T>* list) {
  if (list == nullptr || list->size() == 0) return {};
  std::vector<T> copy(list->size());
  std::memcpy(copy.data(), list->Data(), copy.size() * sizeof(T));
  return copy;
}

}  // namespace dlpu
