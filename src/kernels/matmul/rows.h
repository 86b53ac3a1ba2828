// SPDX-License-Identifier: Apache-2.0
// The rows of float batch matrix multiplication as data, for selection, tests and benchmarks.
// Constant; any thread.
#pragma once

#include <memory>
#include <span>

#include "kernels/matmul/matmul.h"

namespace dlpu {

struct MatMulRow {
  const char* name;
  CpuFlags cpu;                  // flags it needs
  int32_t lanes, rows, vectors;  // its largest tile; 0 for the reference
  std::unique_ptr<PreparedMatMul> (*prepare)(const MatMulRow& row, const MatMulSpec& spec);
};

// Best first; the reference, which needs no flag, is last. Every row takes every product.
std::span<const MatMulRow> MatMulRows();

}  // namespace dlpu
