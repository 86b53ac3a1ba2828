// SPDX-License-Identifier: Apache-2.0
// A target's rules as a page of documentation.
#include <fmt/format.h>

#include "app/check_text.h"

namespace dlpu {
namespace {

// A cell of a table: no line breaks, no bars that would end it.
std::string Cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\\|");
  }
  return text;
}

std::string RuleRow(const Condition& c) {
  std::string says = c.says;
  if (!c.os_from.empty() || !c.os_to.empty()) {
    says += fmt::format(" (AXIS OS {} to {})", c.os_from.empty() ? "any" : c.os_from,
                        c.os_to.empty() ? "any" : c.os_to);
  }
  if (!c.error.empty()) says += fmt::format("; camera: \"{}\"", c.error);
  return fmt::format("| `{}` | {} | {} | {} | {} | {}: {} |\n", c.id, SeverityName(c.severity),
                     EffectName(c.effect), Cell(says), Cell(c.fix),
                     ConfidenceName(c.fact.confidence), Cell(c.fact.source));
}

constexpr const char* kHead =
    "| rule | severity | effect | says | fix | known how |\n|---|---|---|---|---|---|\n";

std::string OpsText(const Target& target) {
  std::string text, plain;
  for (const TargetOp& op : target.ops) {
    if (op.conditions.empty()) {
      plain += (plain.empty() ? "" : ", ") + op.name;
      continue;
    }
    text += fmt::format("\n### {}\n\n", op.name);
    if (!op.note.empty()) text += op.note + "\n\n";
    text += kHead;
    for (const Condition& c : op.conditions) text += RuleRow(c);
  }
  if (!plain.empty()) text += "\n### Without conditions\n\n" + plain + "\n";
  return text;
}

}  // namespace

std::string TargetMarkdown(const Target& target) {
  const std::vector<const Condition*> all = AllConditions(target);
  int tested = 0;
  for (const Condition* c : all) {
    tested += c->test.has_value() || c->effect != Effect::kNote;
  }
  std::string text = fmt::format(
      "# {} (`{}`)\n\n<!-- Written by `dlpu targets {} --markdown` from data/targets/{}.toml and "
      "data/rules.toml. -->\n\n{}\n\n{} rules, {} of them checked on a model, {} notes.\n\n",
      target.title, target.name, target.name, target.name, target.summary, all.size(), tested,
      static_cast<int>(all.size()) - tested);
  text += fmt::format("Device `{}`. {} {}\n\n", target.device, target.quantization.says,
                      target.partition.says);
  if (target.fixed_point) {
    text +=
        fmt::format("dlpu computes in its place ({}): {}\n\n",
                    ConfidenceName(target.fixed_point->fact.confidence), target.fixed_point->says);
  }
  if (target.compiler) {
    text += fmt::format("{}: {}\n\n", target.compiler->name, target.compiler->says);
  }
  text += std::string("## Rules about every model\n\n") + kHead;
  for (const Condition& c : target.node_rules) text += RuleRow(c);
  for (const Condition& c : target.rules) text += RuleRow(c);
  if (target.coverage == "listed") {
    text += fmt::format("\n## Ops ({})\n", target.ops.size()) + OpsText(target);
  } else if (target.coverage == "all") {
    text += "\n## Ops\n\nEvery op runs.\n";
  } else {
    text += "\n## Ops\n\nThe vendor publishes no list.\n";
  }
  return text;
}

}  // namespace dlpu
