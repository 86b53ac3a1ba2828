// SPDX-License-Identifier: Apache-2.0
// Walks the levels of a sparse tensor: each level is a dimension (or a block within one) in
// traversal order, dense or compressed (CSR: segments into a list of indices).
#include "formats/sparse.h"

#include <fmt/format.h>

#include <cstring>

namespace dlpu {
namespace {

namespace tfl = ::dlpu::tflite;

struct Level {
  int dimension = 0;   // of the dense tensor
  int64_t stride = 1;  // dense coordinate = sum of level index * stride over its levels
  bool compressed = false;
  int64_t size = 0;  // dense levels: number of entries
  std::vector<int32_t> segments, indices;
};

std::vector<int32_t> Vector(tfl::SparseIndexVector type, const void* table) {
  std::vector<int32_t> out;
  if (table == nullptr) return out;
  const auto copy = [&](const auto* values) {
    if (values != nullptr) out.assign(values->begin(), values->end());
  };
  switch (type) {
    case tfl::SparseIndexVector::Int32Vector:
      copy(static_cast<const tfl::Int32Vector*>(table)->values());
      break;
    case tfl::SparseIndexVector::Uint16Vector:
      copy(static_cast<const tfl::Uint16Vector*>(table)->values());
      break;
    case tfl::SparseIndexVector::Uint8Vector:
      copy(static_cast<const tfl::Uint8Vector*>(table)->values());
      break;
    default:
      break;
  }
  return out;
}

class Expander {
 public:
  Expander(const Tensor& tensor, std::span<const uint8_t> values)
      : tensor_(tensor), values_(values), element_(BitsOf(tensor.type) / 8) {}

  // False when the description contradicts itself.
  bool Build(const tfl::SparsityParameters& sparsity) {
    const auto* order = sparsity.traversal_order();
    const auto* metadata = sparsity.dim_metadata();
    const auto* blocks = sparsity.block_map();
    const int rank = static_cast<int>(tensor_.shape.size());
    if (order == nullptr || metadata == nullptr || metadata->size() != order->size()) return false;
    const int levels = static_cast<int>(order->size());
    const int block_count = blocks == nullptr ? 0 : static_cast<int>(blocks->size());
    if (element_ == 0 || levels != rank + block_count) return false;
    std::vector<int64_t> block_size(rank, 1);
    std::vector<bool> seen(levels, false);
    for (int i = 0; i < levels; ++i) {
      const int position = order->Get(i);
      if (position < 0 || position >= levels || seen[position]) return false;
      seen[position] = true;
      const tfl::DimensionMetadata& source = *metadata->Get(i);
      Level level;
      level.dimension = position < rank ? position : blocks->Get(position - rank);
      if (level.dimension < 0 || level.dimension >= rank) return false;
      level.compressed = source.format() == tfl::DimensionType::SPARSE_CSR;
      level.size = source.dense_size();
      if (level.compressed) {
        level.segments = Vector(source.array_segments_type(), source.array_segments());
        level.indices = Vector(source.array_indices_type(), source.array_indices());
      } else if (level.size <= 0) {
        return false;
      }
      if (position >= rank) {
        if (level.compressed) return false;  // blocks are dense
        block_size[level.dimension] = level.size;
      }
      levels_.push_back(std::move(level));
    }
    for (int i = 0; i < levels; ++i) {
      if (order->Get(i) < rank) levels_[i].stride = block_size[levels_[i].dimension];
    }
    coordinate_.assign(rank, 0);
    dense_.assign(static_cast<size_t>(ByteCount(tensor_.type, tensor_.shape)), 0);
    return true;
  }

  // Visits the entries below `parent`, which is the index of an entry of the level above.
  bool Walk(size_t depth, int64_t parent) {
    if (depth == levels_.size()) return Store(parent);
    const Level& level = levels_[depth];
    int64_t begin = parent * level.size, end = begin + level.size;
    if (level.compressed) {
      if (parent + 1 >= static_cast<int64_t>(level.segments.size())) return false;
      begin = level.segments[parent];
      end = level.segments[parent + 1];
      if (begin < 0 || end < begin || end > static_cast<int64_t>(level.indices.size())) {
        return false;
      }
    }
    for (int64_t i = begin; i < end; ++i) {
      const int64_t index = level.compressed ? level.indices[i] : i - begin;
      coordinate_[level.dimension] += index * level.stride;
      const bool ok = Walk(depth + 1, i);
      coordinate_[level.dimension] -= index * level.stride;
      if (!ok) return false;
    }
    return true;
  }

  std::vector<uint8_t> TakeDense() { return std::move(dense_); }

 private:
  bool Store(int64_t value) {
    int64_t offset = 0;
    for (size_t d = 0; d < coordinate_.size(); ++d) {
      if (coordinate_[d] < 0 || coordinate_[d] >= tensor_.shape[d]) return false;
      offset = offset * tensor_.shape[d] + coordinate_[d];
    }
    if (value < 0 || (value + 1) * element_ > static_cast<int64_t>(values_.size())) return false;
    std::memcpy(dense_.data() + offset * element_, values_.data() + value * element_, element_);
    return true;
  }

  const Tensor& tensor_;
  const std::span<const uint8_t> values_;
  const int element_;
  std::vector<Level> levels_;
  std::vector<int64_t> coordinate_;
  std::vector<uint8_t> dense_;
};

}  // namespace

Result<std::vector<uint8_t>> ExpandSparse(const tfl::SparsityParameters& sparsity,
                                          const Tensor& tensor, std::span<const uint8_t> values,
                                          const std::string& model) {
  // A sparse constant is stored because it saves space; a claim of a thousandfold is damage.
  if (ByteCount(tensor.type, tensor.shape) > static_cast<int64_t>(values.size()) * 1024 + 4096) {
    return InvalidError(fmt::format("{}: tensor '{}': {} stored bytes cannot be a sparse {}", model,
                                    tensor.name, values.size(), ShapeText(tensor.shape)));
  }
  Expander expander(tensor, values);
  if (!expander.Build(sparsity) || !expander.Walk(0, 0)) {
    return InvalidError(
        fmt::format("{}: tensor '{}': its sparse description is damaged; convert the model again",
                    model, tensor.name));
  }
  return expander.TakeDense();
}

}  // namespace dlpu
