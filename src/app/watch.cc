// SPDX-License-Identifier: Apache-2.0
// Watched tensors become outputs, so that the memory plan keeps them.
#include "app/watch.h"

#include <algorithm>
#include <utility>

#include "passes/compile.h"

namespace dlpu {

Result<Watch> Watch::Load(const Graph& graph, const std::vector<TensorId>& tensors,
                          const RunnerOptions& options) {
  Watch watch;
  Graph watched = graph;
  watched.signature_outputs.clear();
  watched.signature.clear();
  const auto index_of = [](const std::vector<TensorId>& ids, TensorId id) {
    return static_cast<size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
  };
  for (const TensorId id : tensors) {
    const size_t input = index_of(graph.inputs, id);
    if (input < graph.inputs.size()) {
      watch.places_.push_back({true, input});
      continue;
    }
    const size_t output = index_of(watched.outputs, id);
    if (output == watched.outputs.size()) watched.outputs.push_back(id);
    watch.places_.push_back({false, output});
  }
  DLPU_TRY(Program program, Compile(std::move(watched), {}));
  DLPU_TRY(watch.runner_, Runner::Load(std::move(program), options));
  return watch;
}

std::span<const uint8_t> Watch::bytes(size_t i) const {
  if (places_[i].is_input) return runner_->input(places_[i].index);
  return runner_->output(places_[i].index);
}

std::span<const float> Watch::floats(size_t i) const {
  const std::span<const uint8_t> all = bytes(i);
  return {reinterpret_cast<const float*>(all.data()), all.size() / sizeof(float)};
}

}  // namespace dlpu
