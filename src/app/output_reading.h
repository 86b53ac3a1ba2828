// SPDX-License-Identifier: Apache-2.0
// How what comes after a model reads its outputs: a detector's decoder takes the sigmoid of scores,
// and looks at a box only where a score is high. Errors that are weighed so are those that a user
// will see. Pure functions; any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "app/model.h"
#include "app/observe.h"
#include "ir/graph.h"

namespace dlpu {

struct OutputReading {
  // Values are logits, and what counts is 1 / (1 + exp(-x)).
  bool sigmoid = false;
  // Output whose best score in a row says how much the same row of this output counts; -1: all rows
  // count alike. A row has `classes` scores, those of `background` are no object's (-1: none is).
  int scores = -1;
  int classes = 1, background = -1;
  bool scores_are_logits = false;
  // The graph itself ends in LOGISTIC or SOFTMAX: a value that never moves by 0.1 tells nothing.
  bool probability = false;

  bool plain() const { return !sigmoid && scores < 0; }
};
// "sigmoid", "rows by score", or empty for plain values.
std::string_view ReadingName(const OutputReading& reading);

// Parallel to graph.outputs: by the zoo's description of the model where its names fit, else by the
// head that RecogniseHead sees. `observer` saw the graph's values.
std::vector<OutputReading> ReadingsOf(const Graph& graph, const LoadedModel& model,
                                      const Observer& observer);

// How much each row of an output counts, from a row's scores: the best of them, at least 0.02 so
// that rows without an object are not free.
std::vector<float> RowWeights(const OutputReading& reading, std::span<const float> scores);

// Sigmoids are flat beyond this: 0.0003 from their end, a tenth of what 8 bits resolve.
inline constexpr float kSigmoidFlat = 8;
// Parallel to graph.tensors: whether nothing but sigmoids, in the graph or after it, reads the
// tensor's values, perhaps after they were moved (reshaped, joined, transposed, cut).
std::vector<bool> ReadBySigmoids(const Graph& graph, const std::vector<OutputReading>& readings);

// Ranges of such tensors end where sigmoids are flat.
void ClipSigmoids(const std::vector<bool>& read_by_sigmoids, TensorFacts& facts);

}  // namespace dlpu
