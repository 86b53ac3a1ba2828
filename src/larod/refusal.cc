// SPDX-License-Identifier: Apache-2.0
// Asks the target's rules.
#include "larod/refusal.h"

#include <fmt/format.h>

#include <string_view>

#include "larod/log.h"
#include "target/firmware.h"
#include "target/model_values.h"
#include "target/node_values.h"
#include "target/partition.h"

namespace dlpu::larod {
namespace {

constexpr std::string_view kPrefix = "Could not load model: ";
constexpr std::string_view kCrash = "Asynchronous connection has been closed";

// The code that goes with a camera's text; the text without what is put in front of it anyway.
Failure AsFailure(std::string text, std::string cause) {
  if (text.empty()) text = "Could not allocate tensors";
  if (text.starts_with(kPrefix)) text.erase(0, kPrefix.size());
  const bool crash = text.find(kCrash) != std::string::npos;
  return {crash ? LAROD_ERROR_CONNECTION : LAROD_ERROR_LOAD_MODEL, std::move(text),
          std::move(cause)};
}

std::optional<Failure> BrokenRule(const Condition& rule, const ValueLookup& lookup,
                                  const std::string& where) {
  if (rule.severity != Severity::kError || Check(rule, lookup) != Verdict::kBroken) {
    return std::nullopt;
  }
  std::string cause = where + Filled(rule, rule.says, lookup);
  if (const std::string found = Found(rule, lookup); !found.empty()) cause += "; found " + found;
  if (!rule.fix.empty()) cause += "; " + Filled(rule, rule.fix, lookup);
  return AsFailure(Filled(rule, rule.error, lookup), std::move(cause));
}

}  // namespace

std::optional<Failure> RefusalOf(const Graph& graph, const Catalogue& catalogue) {
  const Target& target = catalogue.target;
  const Partition partition = PartitionGraph(graph, target);
  const ModelFacts facts = FactsOf(graph, partition);
  const ValueLookup model = ModelValues(facts);
  const ValueLookup with_memory = [&](std::string_view name) -> std::optional<::dlpu::Value> {
    const auto& product = catalogue.known_product;
    if (name == "ram_bytes" && product.has_value() && product->ram_mb.has_value()) {
      return ::dlpu::Value(*product->ram_mb * 1048576.0);
    }
    return model(name);
  };
  for (const Condition& rule : target.rules) {
    // Rules of some versions of AXIS OS only: which one this camera has is not known.
    if (!rule.os_from.empty() || !rule.os_to.empty()) continue;
    if (rule.about == About::kModel) {
      if (auto broken = BrokenRule(rule, with_memory, "")) return broken;
    } else if (rule.about == About::kLayer) {
      for (const Node& node : graph.nodes) {
        const std::string where = fmt::format("{} '{}': ", NodeOpName(node), node.name);
        if (auto broken = BrokenRule(rule, NodeValues(graph, node), where)) return broken;
      }
    }
  }
  const bool too_many = target.partition.most.has_value() && partition.dlpu_parts > 0 &&
                        partition.dlpu_parts + partition.cpu_parts > *target.partition.most;
  if (too_many) {
    return AsFailure(partition.refusal,
                     fmt::format("{}; `dlpu check` lists the cuts", target.partition.says));
  }
  if (!partition.refusal.empty()) return AsFailure("", partition.refusal);
  return std::nullopt;
}

std::optional<Failure> UnknownOpVersion(const Graph& graph) {
  const Result<FirmwareTable> table = LoadFirmware();
  if (!table.ok()) {
    Log(fmt::format("op versions are not checked: {}", table.error().message));
    return std::nullopt;
  }
  for (const Node& node : graph.nodes) {
    const std::string op = NodeOpName(node);
    const auto found = table->op_releases.find(op);
    if (found == table->op_releases.end()) continue;
    const auto newest = static_cast<int32_t>(found->second.size());
    if (node.version <= newest) continue;
    return AsFailure(
        "", fmt::format("Didn't find op for builtin opcode '{}' version '{}': '{}' is newer than "
                        "any TensorFlow Lite known here, which read up to version {}; `dlpu check "
                        "--fix` lowers the version where the op means the same",
                        op, node.version, node.name, newest));
  }
  return std::nullopt;
}

}  // namespace dlpu::larod
