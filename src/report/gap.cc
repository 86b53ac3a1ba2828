// SPDX-License-Identifier: Apache-2.0
// An explained gap between a measured and a predicted time.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report/prediction.h"
#include "report/table.h"

namespace dlpu {

std::string GapText(const GapReport& r) {
  const Prediction& p = r.prediction;
  std::string text =
      fmt::format("measured {}, predicted {}: {:.2f} times as long\n", DurationText(r.measured_ms),
                  IntervalText(p.total_ms, p.low_ms, p.high_ms), r.ratio);
  text += r.inside ? "The measured time is inside the interval: there is nothing to explain.\n"
                   : "Reasons, the best first; each alone would give the time in its row:\n";
  if (r.inside) return text;
  if (r.reasons.empty()) return text + "none that dlpu knows\n";
  Table table({"reason", ">time alone", ">closes", "what", "known how"});
  for (const Explanation& e : r.reasons) {
    table.AddRow({e.kind, fmt::format("{:.3g} to {:.3g} ms", e.low_ms, e.high_ms),
                  fmt::format("{:.0f} %", 100 * e.closes), e.says,
                  fmt::format("{}, {}", ConfidenceName(e.confidence), e.source)});
  }
  return text + table.Text();
}

nlohmann::ordered_json GapJson(const GapReport& r) {
  nlohmann::ordered_json json = {{"measured_ms", r.measured_ms},
                                 {"inside", r.inside},
                                 {"ratio", r.ratio},
                                 {"reasons", nlohmann::ordered_json::array()}};
  for (const Explanation& e : r.reasons) {
    json["reasons"].push_back({{"kind", e.kind},
                               {"says", e.says},
                               {"low_ms", e.low_ms},
                               {"high_ms", e.high_ms},
                               {"closes", e.closes},
                               {"source", e.source},
                               {"confidence", ConfidenceName(e.confidence)}});
  }
  return json;
}

}  // namespace dlpu
