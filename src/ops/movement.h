// SPDX-License-Identifier: Apache-2.0
// What the ops that only move elements share: which types they take, checked shapes, and steps
// made of strided copies. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernels/copy/strided_copy.h"
#include "ops/common.h"
#include "ops/op.h"

namespace dlpu {

// A set of element types, one bit each.
using TypeSet = uint32_t;
template <typename... T>
constexpr TypeSet Types(T... types) {
  return ((TypeSet{1} << static_cast<int>(types)) | ... | 0u);
}
inline constexpr TypeSet kCommonTypes = Types(DataType::kFloat32, DataType::kUInt8, DataType::kInt8,
                                              DataType::kInt16, DataType::kInt32, DataType::kInt64);
// Every type whose elements are whole bytes.
inline constexpr TypeSet kMovableTypes =
    kCommonTypes | Types(DataType::kBool, DataType::kFloat16, DataType::kFloat64, DataType::kUInt16,
                         DataType::kUInt32, DataType::kUInt64);

// Error unless the tensor's type is in the set.
Status ExpectTypeIn(const OpContext& context, const Tensor& tensor, TypeSet types);
// Error unless both tensors have one type.
Status ExpectSameType(const OpContext& context, const Tensor& a, const Tensor& b);
// Error unless both have one scale and zero point, or neither has any.
Status ExpectSameQuantization(const OpContext& context, const Tensor& a, const Tensor& b);

// Bytes of one element. REQUIRES: the type is in kMovableTypes.
int64_t ElementBytes(const Tensor& tensor);
std::vector<int64_t> Extents(const Shape& shape);
// Product of extents[begin..end); kMostElements + 1, which no tensor has, when it overflows.
int64_t ProductOf(const std::vector<int64_t>& extents, size_t begin, size_t end);
// The extents as a Shape; an error when one is negative or the tensor has over 2^31 elements.
Result<Shape> CheckedShape(const OpContext& context, const std::vector<int64_t>& extents);
// infer's answer for an op with one output.
Result<std::vector<OutputSpec>> OneOutput(const OpContext& context, DataType type,
                                          const std::vector<int64_t>& extents);

// The single value of a constant int32 or int64 input.
Result<int64_t> ConstantInt(const OpContext& context, size_t input);

// A copy from one input to one output of a step.
struct CopyJob {
  StridedCopy copy;
  size_t input = 0, output = 0;
};
PreparedOp CopyStep(std::vector<CopyJob> jobs);
// The step of an op whose output is input 0's bytes. Nothing to do when both share a buffer.
Result<PreparedOp> PrepareSameBytes(const PrepareContext& context);

// Work of an op that only moves bytes.
Work MovementWork(const OpContext& context);

}  // namespace dlpu
