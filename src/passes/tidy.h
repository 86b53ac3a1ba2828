// SPDX-License-Identifier: Apache-2.0
// Passes that make a graph smaller without changing what it computes (float sums may round
// differently): what an import leaves behind. Each is one file. Any thread.
#pragma once

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

// MUL, DIV, ADD and SUB with one constant for each channel (a batch normalization) go into the
// float32 convolution or fully connected layer before them.
void FoldAffine(Graph& graph);

// RELU, RELU6 and RELU_N1_TO_1 go into the op before them when it can carry an activation.
void FuseActivations(Graph& graph);

// DEQUANTIZE, an op in float32 and QUANTIZE become the op on codes, where LiteRT's integer op means
// the same; uint8 codes become int8 codes inside the model when its weights allow that.
void FuseQdq(Graph& graph);

// All of them, then what became unused is dropped and the graph verified.
Status Tidy(Graph& graph);

}  // namespace dlpu
