// SPDX-License-Identifier: Apache-2.0
// Applying a target's rules to a model, one subject at a time.
#include <fmt/format.h>

#include <algorithm>

#include "app/check_parts.h"
#include "formats/tflite.h"

namespace dlpu {
namespace {

class RuleApplier {
 public:
  explicit RuleApplier(const CheckSubject& subject) : s_(subject) {}

  std::vector<RawFinding> Run() {
    for (size_t i = 0; i < s_.graph.nodes.size(); ++i) CheckNode(static_cast<int>(i));
    for (const Condition& rule : s_.target.rules) CheckRule(rule);
    AddBlockers();
    return std::move(raw_);
  }

 private:
  RawFinding Make(const Condition& rule, const ValueLookup& lookup, int node) const {
    RawFinding raw;
    raw.rule = &rule;
    raw.severity =
        s_.MatchOs(rule) == CheckSubject::OsMatch::kYes ? rule.severity : Severity::kNote;
    raw.node = node;
    raw.says = Filled(rule, rule.says, lookup);
    raw.camera_says = Filled(rule, rule.error, lookup);
    raw.fix = Filled(rule, rule.fix, lookup);
    // What the sentence says itself need not be said again.
    const std::optional<Value> value = rule.test ? lookup(rule.test->value) : std::nullopt;
    const auto* word = value ? std::get_if<std::string>(&*value) : nullptr;
    const bool said = rule.says.find('{') != std::string::npos ||
                      (rule.test && rule.test->value == "op") ||
                      (word && rule.says.find(*word) != std::string::npos);
    if (!said) raw.found = Found(rule, lookup);
    if (node >= 0) {
      raw.nodes = {node};
      raw.op = NodeOpName(s_.graph.nodes[node]);
      raw.names = {s_.graph.nodes[node].name};
      const bool falls_back =
          rule.effect == Effect::kCpu && s_.partition.nodes[node].where == Support::Where::kCpu;
      if (raw.camera_says.empty() && falls_back) raw.camera_says = FallbackLog(raw.op);
    }
    return raw;
  }

  // The camera's log line about an op on the CPU, with the number that it gives the op.
  std::string FallbackLog(const std::string& op) const {
    std::string text = s_.target.partition.fallback_log;
    const std::string_view place = "{op}";
    const size_t at = text.find(place);
    if (at == std::string::npos) return text;
    const int code = TfliteOpCode(op);
    text.replace(at, place.size(), std::to_string(code));
    return fmt::format("{} ({} is {})", text, code,
                       code == kTfliteCustomOpCode ? "CUSTOM, here " + op : op);
  }

  void Add(const Condition& rule, const ValueLookup& lookup, int node) {
    if (s_.MatchOs(rule) != CheckSubject::OsMatch::kNo) raw_.push_back(Make(rule, lookup, node));
  }

  // The conditions of the node's op and the rules about nodes meant for the DLPU.
  void CheckNode(int i) {
    const NodePlace& place = s_.partition.nodes[i];
    const ValueLookup values = s_.OfNode(i);
    for (const Support::Finding& finding : place.support.findings) {
      const Condition& rule = *finding.condition;
      if (finding.verdict == Verdict::kUnknown && rule.test) {
        AddUnknown(rule, i);
      } else {
        Add(rule, values, i);
      }
    }
    const bool listed = s_.target.coverage != "listed" || FindOp(s_.target, s_.Op(i)) != nullptr;
    for (const Condition& rule : s_.target.rules) {
      const bool about = rule.about == About::kLayer ||
                         (rule.about == About::kUnlisted && !listed) ||
                         (rule.about == About::kBehind && place.blocker >= 0);
      if (about) Judge(rule, values, i);
    }
  }

  // A condition of an op whose value the file does not tell.
  void AddUnknown(const Condition& rule, int node) {
    RawFinding raw = Make(rule, s_.OfNode(node), node);
    raw.severity = Severity::kNote;
    raw.found = rule.test->value + " is not known";
    raw.camera_says.clear();
    raw_.push_back(std::move(raw));
  }

  void Judge(const Condition& rule, const ValueLookup& lookup, int node) {
    const Verdict verdict = dlpu::Check(rule, lookup);
    // A rule without a test is about what is there; what is not known is not held against it.
    if (verdict == Verdict::kHolds || (verdict == Verdict::kUnknown && rule.test)) return;
    if (verdict == Verdict::kUnknown && !Applies(rule, lookup)) return;
    Add(rule, lookup, node);
  }

  static bool Applies(const Condition& rule, const ValueLookup& lookup) {
    return std::ranges::all_of(rule.applies, [&](const Test& test) {
      return dlpu::Check(test, lookup) == Verdict::kHolds;
    });
  }

  // The rules that are not about single nodes.
  void CheckRule(const Condition& rule) {
    if (rule.about == About::kModel) Judge(rule, s_.WithContext(ModelValues(s_.facts)), -1);
    if (rule.about == About::kInput) {
      for (const TensorId id : s_.graph.inputs) JudgeTensor(rule, InputValues(s_.graph, id), id);
    }
    if (rule.about == About::kOutput) {
      for (size_t i = 0; i < s_.graph.outputs.size(); ++i) {
        const ValueLookup values = OutputValues(s_.graph, s_.graph.outputs[i]);
        JudgeTensor(
            rule,
            [&, i](std::string_view name) -> std::optional<Value> {
              if (name == "output_spread" && i < s_.spreads.size() && s_.spreads[i] >= 0) {
                return Value(s_.spreads[i]);
              }
              return values(name);
            },
            s_.graph.outputs[i]);
      }
    }
    if (rule.about == About::kIsland) {
      for (const FloatIsland& island : FindFloatIslands(s_.graph)) {
        RawFinding raw =
            Make(rule, s_.WithContext(IslandValues(s_.graph, island)), island.nodes[0]);
        raw.names.clear();
        raw.nodes = island.nodes;
        for (const int i : island.nodes) raw.names.push_back(s_.graph.nodes[i].name);
        raw_.push_back(std::move(raw));
      }
    }
  }

  // An input or output is named by its tensor.
  void JudgeTensor(const Condition& rule, const ValueLookup& lookup, TensorId id) {
    const size_t before = raw_.size();
    Judge(rule, s_.WithContext(lookup), -1);
    for (size_t i = before; i < raw_.size(); ++i) raw_[i].names = {s_.graph.tensors[id].name};
  }

  // How many ops follow a node to the DLPU, on its first finding that keeps it off.
  void AddBlockers() {
    constexpr int kMost = 16;
    for (const Blocker& blocker : FindBlockers(s_.graph, s_.target, s_.partition, kMost)) {
      const auto at = std::ranges::find_if(raw_, [&](const RawFinding& raw) {
        return raw.node == blocker.node && raw.rule->effect == Effect::kCpu;
      });
      if (at != raw_.end()) at->unblocks = static_cast<int>(blocker.gained.size());
    }
  }

  const CheckSubject& s_;
  std::vector<RawFinding> raw_;
};

}  // namespace

std::vector<RawFinding> ApplyRules(const CheckSubject& subject) {
  return RuleApplier(subject).Run();
}

}  // namespace dlpu
