// SPDX-License-Identifier: Apache-2.0
// Conditions: the small vocabulary in which data/targets says what a DLPU runs. A condition is a
// test of one value of a node (or of the whole model), a sentence for people, and where the fact
// comes from. Values are asked for by name, so the data knows nothing of our graph and the tests
// need none. Plain values; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/toml.h"

namespace dlpu {

// How a fact about a camera was obtained.
enum class Confidence {
  kMeasured,  // on the silicon, by whom the source says
  kDerived,   // from documents, source code or published figures
  kAssumed,   // a judgement; the source says on what grounds
};
std::string_view ConfidenceName(Confidence confidence);  // "measured", "derived", "assumed"

struct Fact {
  std::string source;  // in full, as [sources] of the file spells it out
  Confidence confidence = Confidence::kAssumed;
};

// Reads `source` (a key of `sources`) and `confidence` of a table.
Fact ReadFact(const TomlTable& table, const TomlTable& sources);

// A value of a node or model: a number, or a word such as "SAME" or "int8".
using Value = std::variant<double, std::string>;
std::string ValueText(const Value& value);  // 3, 0.5, SAME
// The value of that name, or nothing when it makes no sense there or is not known.
using ValueLookup = std::function<std::optional<Value>(std::string_view name)>;

// One comparison. Every limit that is set must hold.
struct Test {
  std::string value;                   // a name of ValueNames()
  std::vector<std::string> one_of;     // words allowed
  std::vector<std::string> none_of;    // words refused
  std::vector<double> in;              // numbers allowed
  std::optional<double> min, max;      // inclusive
  std::optional<double> above, below;  // exclusive
  std::optional<double> multiple_of;
  double remainder = 0;  // of the division by multiple_of
  std::string same_as;   // name of a value that must be equal
  std::string at_most;   // name of a value that must not be exceeded
};

// What the camera does with a node, or the model, that breaks a condition.
enum class Effect {
  kCpu,      // the node runs on the camera's CPU
  kRefuse,   // the model does not load, or the compiler does not take it
  kSlow,     // it runs, more slowly than it could
  kInexact,  // it runs, with other numbers than the CPU gives
  kNote,     // nothing certain; worth knowing
};
std::string_view EffectName(Effect effect);  // "cpu", "refuse", "slow", "inexact", "note"

// What a condition is about.
enum class About {
  kNode,      // a node meant for the DLPU
  kLayer,     // every node, wherever it runs
  kUnlisted,  // a node whose op is not in the target's table
  kBehind,    // a node the DLPU could run, kept off it by an earlier one
  kIsland,    // nodes in a row that compute in float inside a quantized model
  kInput,     // an input of the model
  kOutput,    // an output of the model
  kModel,     // the model as a whole
};
std::string_view AboutName(About about);  // "node", "layer", ..., "model"

// How much a broken condition matters: an error is one for which the model does not load.
enum class Severity { kNote, kWarning, kError };
std::string_view SeverityName(Severity severity);  // "note", "warning", "error"

struct Condition {
  std::string id;  // unique within the target: "conv-2d-stride"
  About about = About::kNode;
  std::vector<Test> applies;  // the condition is about nodes for which all of these hold
  std::optional<Test> test;   // none: no machine can check it; it is always a note
  Effect effect = Effect::kCpu;
  Severity severity = Severity::kWarning;  // of breaking it
  // Sentence parts; a name of ValueNames() in braces stands for that value of the node or model.
  std::string says;   // the requirement: "the stride must be 1 or 2"
  std::string error;  // the camera's own words, when known
  std::string fix;    // what the user can do; empty only for notes
  // What the fix would change, to be priced: one of GainWords(); empty: that is not known.
  std::string gain;
  std::string worth;  // what else the fix is worth, where no time can be predicted
  // Versions of AXIS OS it holds for, first and last; empty: no limit on that side.
  std::string os_from, os_to;
  // Ids of rules: where one of them has a finding for the same node (or the model), this is silent.
  std::vector<std::string> unless;
  Fact fact;
};

// dlpu: the nodes run there. per-tensor: one scale for each weight tensor. channels: the nodes'
// output channels fill the engine's groups. kernels: 3x3 convolutions in place of the nodes.
// without: the nodes are not there. cpu-only: everything on the camera's CPU. cache: no weights
// travel in a run.
std::vector<std::string> GainWords();

enum class Verdict { kHolds, kBroken, kUnknown };

// kUnknown when the value is not available.
Verdict Check(const Test& test, const ValueLookup& lookup);
// kHolds also when the condition does not apply; kUnknown without a test or value.
Verdict Check(const Condition& condition, const ValueLookup& lookup);
// What was found, for the message of a broken condition: "stride_h 3"; empty without a test.
std::string Found(const Condition& condition, const ValueLookup& lookup);

// `text` with every {name} of a known value replaced by it ("not known" when it is not), and
// {value} by the value that the condition tests.
std::string Filled(const Condition& condition, std::string text, const ValueLookup& lookup);

// What a condition's table need not say itself.
struct ConditionDefaults {
  Effect effect = Effect::kCpu;
  const Fact* fact = nullptr;  // null: the table must have `source` and `confidence`
  std::string fix;
};
// Reads a condition of an op.
Condition ReadCondition(const TomlTable& table, const TomlTable& sources,
                        const ConditionDefaults& defaults);
// Reads a [[rule]]: a condition with `about`.
Condition ReadRule(const TomlTable& table, const TomlTable& sources);

// Every value name the data may use, with what it means.
struct ValueName {
  const char* name;
  const char* meaning;
};
const std::vector<ValueName>& ValueNames();

}  // namespace dlpu
