// SPDX-License-Identifier: Apache-2.0
// Choosing 8 or 16 bits.
#include "app/choose_bits.h"

#include <algorithm>

namespace dlpu {

Result<BitChoice> ChooseBits(const Graph& graph, const Observer& observer, const TensorFacts& facts,
                             const QuantizeOptions& options, double least_db) {
  DLPU_TRY(const std::vector<std::optional<Quantization>> codes,
           EightBitActivations(graph, facts, options));
  BitChoice choice;
  std::vector<bool> is_wide(graph.tensors.size(), false);
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const auto& statistics = observer.statistics()[t];
    if (!codes[t] || !statistics) continue;
    ++choice.tensors;
    const double sqnr_db = ExpectedSqnr(*statistics, *codes[t]);
    if (sqnr_db >= least_db) continue;
    is_wide[t] = true;
    choice.wide.push_back({graph.tensors[t].name, sqnr_db});
  }
  std::stable_sort(choice.wide.begin(), choice.wide.end(),
                   [](const TensorSqnr& a, const TensorSqnr& b) { return a.sqnr_db < b.sqnr_db; });
  choice.nodes = NodesIn16Bits(graph, is_wide);
  return choice;
}

}  // namespace dlpu
