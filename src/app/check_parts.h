// SPDX-License-Identifier: Apache-2.0
// The parts of a check: what it is about, single findings, findings put together, devices. Only
// check.cc and these files use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/check.h"
#include "app/check_price.h"
#include "target/firmware.h"
#include "target/model_values.h"

namespace dlpu {

// A model, a target, and everything that rules ask about both. Refers to what it is made from.
class CheckSubject {
 public:
  CheckSubject(const LoadedModel& model, const Target& target, const CheckOptions& options,
               const FirmwareTable& firmware);

  // `lookup`, and behind it what only the model, the product and the firmware know.
  ValueLookup WithContext(ValueLookup lookup) const;
  ValueLookup OfNode(int i) const;
  // The predicted time placed as `then`, of layers as `change` makes them (Pricer::Ms).
  std::optional<double> MsOnce(const Partition& then, const Pricer::Change& change = {}) const;
  PredictOptions PredictionOptions() const;
  std::string Op(int i) const { return NodeOpName(graph.nodes[i]); }

  // Whether a rule holds for the AXIS OS version asked about. Without one, a rule about some
  // versions may or may not hold.
  enum class OsMatch { kNo, kMaybe, kYes };
  OsMatch MatchOs(const Condition& rule) const;

  const LoadedModel& model;
  const Graph& graph;
  const Target& target;
  const CheckOptions& options;
  const FirmwareTable& firmware;
  const Firmware* known = nullptr;  // about the AXIS OS version asked for
  const Partition partition;
  ModelFacts facts;
  std::optional<Pricer> pricer;
  std::optional<Prediction> prediction;  // with every op where it runs
  std::optional<double> formula_ms;      // the same without published times of the network
  std::optional<Partition> several;      // with as many DLPU parts as there could be
  std::vector<double> spreads;           // of the outputs, when the model was run

 private:
  std::optional<Value> Context(std::string_view name, const ValueLookup& lookup) const;
  std::optional<Value> FileValue(std::string_view name) const;
  std::optional<double> TimeValue(std::string_view name) const;
  bool Takes(const std::string& format) const;
};

// A finding before equal ones are put together.
struct RawFinding {
  const Condition* rule;
  Severity severity;
  int node = -1;  // index; -1: the model
  std::vector<std::string> names;
  std::string op, says, found, camera_says, fix;
  int unblocks = 0;
  std::vector<int> nodes;  // indices
};

// Every rule of the target that the model breaks.
std::vector<RawFinding> ApplyRules(const CheckSubject& subject);

// One finding for each sentence, with all its nodes and the values found, and what its fix is
// worth; without what other findings already say. Errors first.
std::vector<Finding> GroupFindings(const CheckSubject& subject,
                                   const std::vector<RawFinding>& raws);

// The share of the time spent in a finding's nodes (indices), what mending it gains, and that in
// words. `refused`: the model does not load as it is.
void Weigh(const CheckSubject& subject, const Condition& rule, const std::vector<int>& nodes,
           bool refused, Finding& finding);

// Which of the camera's devices load the file, by the report's verdict and time.
std::vector<CheckDevice> JudgeDevices(const CheckSubject& subject, const CheckReport& report);

}  // namespace dlpu
