// SPDX-License-Identifier: Apache-2.0
// Who reads scores and boxes.
#include "app/output_reading.h"

#include <algorithm>
#include <cmath>

#include "passes/uses.h"
#include "vision/head.h"

namespace dlpu {
namespace {

constexpr float kLeastWeight = 0.02f;

int OutputNamed(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    if (graph.tensors[graph.outputs[i]].name == name) return static_cast<int>(i);
  }
  return -1;
}

void PairUp(int boxes, int scores, const OutputReading& how, std::vector<OutputReading>& readings) {
  readings[static_cast<size_t>(scores)].sigmoid = how.scores_are_logits;
  OutputReading& reading = readings[static_cast<size_t>(boxes)];
  const bool probability = reading.probability;
  reading = how;
  reading.probability = probability;
  reading.scores = scores;
}

// False when the decoder's names are not those of the graph's outputs.
bool ReadByDecoder(const Graph& graph, const ZooDecoder& decoder,
                   std::vector<OutputReading>& readings) {
  std::vector<OutputReading> found = readings;
  for (const std::vector<std::string>* names : {&decoder.scores, &decoder.presence}) {
    for (const std::string& name : *names) {
      const int output = OutputNamed(graph, name);
      if (output < 0) return false;
      found[static_cast<size_t>(output)].sigmoid = decoder.sigmoid;
    }
  }
  OutputReading how;
  how.classes = std::max(1, decoder.classes);
  how.background = decoder.background.value_or(-1);
  how.scores_are_logits = decoder.sigmoid;
  for (size_t i = 0; i < decoder.boxes.size() && decoder.boxes.size() == decoder.scores.size();
       ++i) {
    const int boxes = OutputNamed(graph, decoder.boxes[i]);
    if (boxes < 0) return false;
    PairUp(boxes, OutputNamed(graph, decoder.scores[i]), how, found);
  }
  readings = std::move(found);
  return true;
}

void ReadByHead(const Graph& graph, const Observer& observer,
                std::vector<OutputReading>& readings) {
  std::vector<OutputInfo> outputs;
  for (const TensorId id : graph.outputs) {
    const Tensor& tensor = graph.tensors[id];
    outputs.push_back({tensor.name,
                       {tensor.shape.begin(), tensor.shape.end()},
                       IsFloat(tensor.type) ? OutputType::kFloat : OutputType::kInteger});
  }
  const Head head = RecogniseHead(outputs);
  if (head.kind != HeadKind::kBlaze && head.kind != HeadKind::kSsd) return;
  const int boxes = head.outputs[0], scores = head.outputs[1];
  const TensorId id = graph.outputs[static_cast<size_t>(scores)];
  const auto& seen = observer.statistics()[static_cast<size_t>(id)];
  OutputReading how;
  how.classes = graph.tensors[id].shape.back();
  if (head.kind == HeadKind::kSsd) how.background = 0;
  // As the decoder does: scores that leave 0..1 are logits.
  how.scores_are_logits = seen && (seen->low < 0 || seen->high > 1);
  PairUp(boxes, scores, how, readings);
}

// Ops whose output values are input values, each seen with no other mixed in.
bool MovesValues(Op op) {
  switch (op) {
    case Op::kReshape:
    case Op::kSqueeze:
    case Op::kExpandDims:
    case Op::kTranspose:
    case Op::kConcatenation:
    case Op::kSlice:
    case Op::kStridedSlice:
    case Op::kSplit:
    case Op::kSplitV:
    case Op::kPack:
    case Op::kUnpack:
    case Op::kGather:
      return true;
    default:
      return false;
  }
}

// Whether LOGISTIC or SOFTMAX writes the tensor, but for moves.
bool IsProbability(const Graph& graph, const TensorUses& uses, TensorId id) {
  while (uses.writer[static_cast<size_t>(id)] != TensorUses::kNone) {
    const Node& node = graph.nodes[static_cast<size_t>(uses.writer[static_cast<size_t>(id)])];
    if (node.op == Op::kLogistic || node.op == Op::kSoftmax) return true;
    if (!MovesValues(node.op)) return false;
    id = node.inputs[node.op == Op::kSplit ? 1 : 0];
  }
  return false;
}

}  // namespace

std::string_view ReadingName(const OutputReading& reading) {
  if (reading.sigmoid) return "sigmoid";
  return reading.scores >= 0 ? "rows by score" : "";
}

std::vector<OutputReading> ReadingsOf(const Graph& graph, const LoadedModel& model,
                                      const Observer& observer) {
  std::vector<OutputReading> readings(graph.outputs.size());
  const TensorUses uses(graph);
  for (size_t i = 0; i < readings.size(); ++i) {
    readings[i].probability = IsProbability(graph, uses, graph.outputs[i]);
  }
  if (!model.zoo || !ReadByDecoder(graph, model.zoo->decoder, readings)) {
    ReadByHead(graph, observer, readings);
  }
  return readings;
}

std::vector<float> RowWeights(const OutputReading& reading, std::span<const float> scores) {
  const auto classes = static_cast<size_t>(std::max(1, reading.classes));
  std::vector<float> weights;
  for (size_t row = 0; row + classes <= scores.size(); row += classes) {
    float best = reading.scores_are_logits ? -100.0f : 0.0f;
    for (size_t c = 0; c < classes; ++c) {
      if (static_cast<int>(c) != reading.background) best = std::max(best, scores[row + c]);
    }
    const float score = reading.scores_are_logits ? 1 / (1 + std::exp(-best)) : best;
    weights.push_back(std::clamp(score, kLeastWeight, 1.0f));
  }
  return weights;
}

std::vector<bool> ReadBySigmoids(const Graph& graph, const std::vector<OutputReading>& readings) {
  const TensorUses uses(graph);
  std::vector<bool> read(graph.tensors.size(), false);
  std::vector<bool> other(graph.tensors.size(), false);  // an output that is read otherwise
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    (readings[i].sigmoid ? read : other)[graph.outputs[i]] = true;
  }
  // From the end: what a node writes is settled before what it reads.
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    for (const TensorId id : graph.nodes[i].inputs) {
      if (id == kNoTensor || graph.tensors[id].is_constant || other[id]) continue;
      const auto& readers = uses.readers[id];
      read[id] = std::all_of(readers.begin(), readers.end(), [&](int reader) {
        const Node& node = graph.nodes[static_cast<size_t>(reader)];
        if (node.op == Op::kLogistic) return true;
        return MovesValues(node.op) && std::all_of(node.outputs.begin(), node.outputs.end(),
                                                   [&](TensorId out) { return read[out]; });
      });
    }
  }
  return read;
}

void ClipSigmoids(const std::vector<bool>& read_by_sigmoids, TensorFacts& facts) {
  for (size_t t = 0; t < facts.ranges.size(); ++t) {
    std::optional<RealRange>& range = facts.ranges[t];
    if (!range || !read_by_sigmoids[t]) continue;
    if (!std::isfinite(range->low) || !std::isfinite(range->high)) continue;
    range->low = std::clamp(range->low, -kSigmoidFlat, kSigmoidFlat);
    range->high = std::clamp(range->high, -kSigmoidFlat, kSigmoidFlat);
  }
}

}  // namespace dlpu
