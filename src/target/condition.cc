// SPDX-License-Identifier: Apache-2.0
// Reading and checking conditions.
#include "target/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace dlpu {
namespace {

constexpr std::string_view kConfidences[] = {"measured", "derived", "assumed"};
constexpr std::string_view kEffects[] = {"cpu", "refuse", "slow", "inexact", "note"};
constexpr std::string_view kAbouts[] = {"node",   "layer", "unlisted", "behind",
                                        "island", "input", "output",   "model"};
constexpr std::string_view kSeverities[] = {"note", "warning", "error"};

std::vector<std::string> Words(std::span<const std::string_view> words) {
  return {words.begin(), words.end()};
}

template <typename Enum>
Enum FromWord(std::span<const std::string_view> words, std::string_view word) {
  const auto at = std::find(words.begin(), words.end(), word);
  return static_cast<Enum>(at == words.end() ? 0 : at - words.begin());
}

std::vector<std::string> AllValueNames() {
  std::vector<std::string> names;
  for (const ValueName& v : ValueNames()) names.emplace_back(v.name);
  return names;
}

std::optional<double> NumOrNone(const TomlTable& t, std::string_view key) {
  return t.Has(key) ? std::optional<double>(t.Num(key)) : std::nullopt;
}

// Scales are stored as float32, so numbers are compared with that much slack.
bool Near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::max(1.0, std::abs(b)); }

bool NumberHolds(const Test& t, double v) {
  if (!t.in.empty() && std::ranges::none_of(t.in, [&](double x) { return Near(v, x); })) {
    return false;
  }
  if (t.min && v < *t.min) return false;
  if (t.max && v > *t.max) return false;
  if (t.above && v <= *t.above) return false;
  if (t.below && v >= *t.below) return false;
  if (t.multiple_of && std::fmod(v, *t.multiple_of) != t.remainder) return false;
  return true;
}

Test ReadTest(const TomlTable& t) {
  Test test;
  const std::vector<std::string> names = AllValueNames();
  test.value = t.Word("value", names);
  test.one_of = t.StrsOrNone("one_of");
  test.none_of = t.StrsOrNone("none_of");
  test.in = t.NumsOrNone("in");
  test.min = NumOrNone(t, "min");
  test.max = NumOrNone(t, "max");
  test.above = NumOrNone(t, "above");
  test.below = NumOrNone(t, "below");
  test.multiple_of = NumOrNone(t, "multiple_of");
  if (test.multiple_of && !(*test.multiple_of > 0)) {
    t.Fail("multiple_of", "'multiple_of' must be positive");
    test.multiple_of.reset();
  }
  test.remainder = t.Num("remainder", 0);
  test.same_as = t.Word("same_as", names, "");
  test.at_most = t.Word("at_most", names, "");
  if (test.one_of.empty() && test.none_of.empty() && test.in.empty() && !test.min && !test.max &&
      !test.above && !test.below && !test.multiple_of && test.same_as.empty() &&
      test.at_most.empty()) {
    t.Fail("value",
           "a test needs one_of, none_of, in, min, max, above, below, multiple_of, same_as or "
           "at_most");
  }
  return test;
}

}  // namespace

std::vector<std::string> GainWords() {
  return {"", "dlpu", "per-tensor", "channels", "kernels", "without", "cpu-only", "cache"};
}

std::string_view ConfidenceName(Confidence c) { return kConfidences[static_cast<int>(c)]; }
std::string_view EffectName(Effect e) { return kEffects[static_cast<int>(e)]; }
std::string_view AboutName(About a) { return kAbouts[static_cast<int>(a)]; }
std::string_view SeverityName(Severity s) { return kSeverities[static_cast<int>(s)]; }

Fact ReadFact(const TomlTable& table, const TomlTable& sources) {
  Fact fact;
  // Several sources are joined in the data with '+'.
  std::string keys = table.Str("source");
  while (!keys.empty()) {
    const size_t plus = keys.find('+');
    const std::string key = keys.substr(0, plus);
    keys = plus == std::string::npos ? "" : keys.substr(plus + 1);
    if (!sources.Has(key)) {
      table.Fail("source", fmt::format("the source '{}' is not in [sources]", key));
      break;
    }
    fact.source += (fact.source.empty() ? "" : "; ") + sources.Str(key);
  }
  fact.confidence =
      FromWord<Confidence>(kConfidences, table.Word("confidence", Words(kConfidences)));
  return fact;
}

std::string ValueText(const Value& value) {
  if (const std::string* word = std::get_if<std::string>(&value)) return *word;
  const double number = std::get<double>(value);
  const bool whole = number == std::floor(number) && std::abs(number) < 1e15;
  return whole ? fmt::format("{}", number) : fmt::format("{:.6g}", number);
}

Verdict Check(const Test& test, const ValueLookup& lookup) {
  const std::optional<Value> value = lookup(test.value);
  if (!value) return Verdict::kUnknown;
  if (!test.same_as.empty()) {
    const std::optional<Value> other = lookup(test.same_as);
    if (!other) return Verdict::kUnknown;
    if (*value != *other) return Verdict::kBroken;
  }
  if (!test.at_most.empty()) {
    const std::optional<Value> other = lookup(test.at_most);
    if (!other || value->index() != other->index()) return Verdict::kUnknown;
    if (*value > *other) return Verdict::kBroken;
  }
  if (const std::string* word = std::get_if<std::string>(&*value)) {
    const bool allowed =
        test.one_of.empty() || std::ranges::find(test.one_of, *word) != test.one_of.end();
    const bool refused = std::ranges::find(test.none_of, *word) != test.none_of.end();
    return allowed && !refused ? Verdict::kHolds : Verdict::kBroken;
  }
  return NumberHolds(test, std::get<double>(*value)) ? Verdict::kHolds : Verdict::kBroken;
}

Verdict Check(const Condition& condition, const ValueLookup& lookup) {
  for (const Test& applies : condition.applies) {
    const Verdict verdict = Check(applies, lookup);
    if (verdict == Verdict::kUnknown) return Verdict::kUnknown;
    if (verdict == Verdict::kBroken) return Verdict::kHolds;
  }
  return condition.test ? Check(*condition.test, lookup) : Verdict::kUnknown;
}

std::string Found(const Condition& condition, const ValueLookup& lookup) {
  if (!condition.test) return "";
  const std::optional<Value> value = lookup(condition.test->value);
  std::string text =
      fmt::format("{} {}", condition.test->value, value ? ValueText(*value) : "not known");
  for (const std::string& name : {condition.test->same_as, condition.test->at_most}) {
    if (name.empty()) continue;
    const std::optional<Value> other = lookup(name);
    text += fmt::format(", {} {}", name, other ? ValueText(*other) : "not known");
  }
  return text;
}

std::string Filled(const Condition& condition, std::string text, const ValueLookup& lookup) {
  for (size_t at = 0; (at = text.find('{', at)) != std::string::npos; ++at) {
    const size_t end = text.find('}', at);
    if (end == std::string::npos) break;
    std::string name = text.substr(at + 1, end - at - 1);
    if (name == "value" && condition.test) name = condition.test->value;
    const std::optional<Value> value = lookup(name);
    text.replace(at, end - at + 1, value ? ValueText(*value) : "not known");
  }
  return text;
}

namespace {

// `by_presence`: what it is about breaks it by being there, so it needs no test.
Condition ReadAny(const TomlTable& t, const TomlTable& sources, const ConditionDefaults& defaults,
                  bool by_presence) {
  Condition c;
  c.id = t.Str("id");
  c.says = t.Str("says");
  c.error = t.Str("error", "");
  c.effect =
      FromWord<Effect>(kEffects, t.Word("effect", Words(kEffects), EffectName(defaults.effect)));
  for (const TomlTable& applies : t.Tables("if")) c.applies.push_back(ReadTest(applies));
  if (t.Has("value")) c.test = ReadTest(t);
  if (!c.test && !by_presence) c.effect = Effect::kNote;
  const Severity usual = c.effect == Effect::kRefuse ? Severity::kError
                         : c.effect == Effect::kNote ? Severity::kNote
                                                     : Severity::kWarning;
  c.severity =
      FromWord<Severity>(kSeverities, t.Word("severity", Words(kSeverities), SeverityName(usual)));
  c.fix = t.Str("fix", c.severity == Severity::kNote ? "" : defaults.fix);
  if (c.fix.empty() && c.severity != Severity::kNote) {
    t.Fail("id", fmt::format("'{}' needs a 'fix': what the user can do", c.id));
  }
  c.gain = t.Word("gain", GainWords(), c.effect == Effect::kCpu ? "dlpu" : "");
  c.worth = t.Str("worth", "");
  c.os_from = t.Str("os_from", "");
  c.os_to = t.Str("os_to", "");
  c.unless = t.StrsOrNone("unless");
  c.fact = defaults.fact && !t.Has("source") ? *defaults.fact : ReadFact(t, sources);
  return c;
}

}  // namespace

Condition ReadCondition(const TomlTable& t, const TomlTable& sources,
                        const ConditionDefaults& defaults) {
  return ReadAny(t, sources, defaults, false);
}

Condition ReadRule(const TomlTable& t, const TomlTable& sources) {
  const About about = FromWord<About>(kAbouts, t.Word("about", Words(kAbouts)));
  ConditionDefaults defaults;
  if (about == About::kModel) defaults.effect = Effect::kRefuse;
  const bool by_presence =
      about == About::kUnlisted || about == About::kBehind || about == About::kIsland;
  Condition c = ReadAny(t, sources, defaults, by_presence);
  c.about = about;
  return c;
}

}  // namespace dlpu
