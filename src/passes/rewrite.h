// SPDX-License-Identifier: Apache-2.0
// Exact rewrites of a graph that is to be written as a model again: what they leave computes the
// same bytes as before. One file for each; app/fix.cc runs them and proves it. Unlike the passes
// of compile.h they keep the graph as its file has it (names, constants, metadata). Any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "passes/quantize.h"
#include "target/target.h"

namespace dlpu {

// One change, or one that was looked at and not made.
struct Rewrite {
  std::string node;  // the layer it is about
  std::string what;  // a sentence part: "PAD folded into CONV_2D 'b' as padding SAME"
};

struct Rewrites {
  std::vector<Rewrite> done;
  std::vector<Rewrite> left;  // with the reason
};

// Each takes a graph that Verify accepts and whose known ops have their inputs and outputs
// (CheckArity), and leaves one of that kind.

// A convolution that follows a PAD with zeros takes over its padding where SAME pads exactly so; a
// maximum pooling as well where the padded value cannot win. PADs of nothing go.
Rewrites FoldPads(Graph& graph);

// Pairs of TRANSPOSE that undo each other go, directly after each other or with elementwise ops
// between; two in a row become one.
Rewrites FoldTransposes(Graph& graph);

// RESHAPE after RESHAPE becomes one; a RESHAPE to the same shape goes.
Rewrites FoldReshapes(Graph& graph);

// DIV by a float32 constant becomes MUL by its inverse, which rounds once more.
Rewrites MultiplyByInverses(Graph& graph);

// MediaPipe's custom op Convolution2DTransposeBias becomes TRANSPOSE_CONV with a bias, which
// runtimes know: the same sums, with the bias added last instead of first, so that floats may round
// differently. Shapes must be inferred.
Rewrites StandardizeOps(Graph& graph);

// A rewrite that moves work out of the model. The old outputs are those of `tail`, run on the new
// outputs of the graph.
struct Detached {
  Rewrites rewrites;
  // What was taken off: its inputs are new outputs of the graph. No nodes when nothing was done.
  Graph tail;
  // For each input of `tail` the new output of the graph it takes, or -1 - i for its input i.
  std::vector<int> tail_inputs;
  // For each old output: the new output of the graph (from 0) that it still is, or -1 - i when it
  // is output i of `tail`.
  std::vector<int> old_outputs;
};

// A concatenation that is an output of the model and joins parts under one scale so coarse that
// some part keeps fewer than kFewestCodes codes (boxes in pixels and scores of 0 to 1): the parts
// become outputs instead, each with the scale it had before it was brought to the common one.
inline constexpr int kFewestCodes = 16;
Detached SplitHeads(Graph& graph);

// What the target runs on its CPU after everything that its DLPU runs, if that is post-processing:
// no op with weights, and no node of it in front of a DLPU node.
Detached CutPostProcessing(Graph& graph, const Target& target);

// The same in a float32 model that is to be quantized: with these ranges of its tensors (by name) a
// part would keep fewer than kFewestCodes of 256 codes.
Detached SplitHeads(Graph& graph, const std::map<std::string, RealRange>& ranges);

// A convolution of a float32 model whose channels, perhaps after resizing, only SLICEs read becomes
// a convolution for each slice where one of them would keep fewer than kFewestPartCodes of 256
// codes under the common scale (centre scores beside displacements in pixels); channels that no
// slice takes are gone. Every sum stays as it was. `ranges`: of tensors, by name.
inline constexpr int kFewestPartCodes = 64;
Rewrites SplitChannels(Graph& graph, const std::map<std::string, RealRange>& ranges);

// Post-processing of a float32 model that has no integer form in the scheme (TFLite's detection
// post-processing, ...) and all that depends on it. What stands in front of a layer with weights
// stays.
Detached CutFloatTail(Graph& graph, QuantScheme scheme);

// --- For the rewrites themselves -------------------------------------------------------------

struct Uses {
  std::vector<std::vector<int>> readers;  // nodes that read a tensor, each once
  std::vector<int> writer;                // the node that writes it; -1: none
  std::vector<bool> is_input, is_output;  // of the graph
};
Uses FindUses(const Graph& graph);

// Makes `to` disappear in favour of `from`, which has the same value, type and shape: who read `to`
// reads `from`. An output of the graph keeps its name: then the node that wrote `from` writes `to`.
// The node that wrote `to`, which has no other output, loses its inputs and outputs, and DropUnused
// takes it away. False, and nothing changed, when `to` is an output and `from` cannot take its
// name.
bool ReplaceTensor(Graph& graph, TensorId to, TensorId from);

// Drops nodes that contribute to no output and tensors that nothing refers to; ids change.
void DropUnused(Graph& graph);

// Takes the given nodes (indices, ascending) off the graph. Their results that were outputs are
// gone; what they read and others still make becomes an output: tensors of `order` in that order,
// in place of the first output that is gone, then others.
Detached Detach(Graph& graph, const std::vector<int>& nodes,
                const std::vector<TensorId>& order = {});

}  // namespace dlpu
