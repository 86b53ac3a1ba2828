// SPDX-License-Identifier: Apache-2.0
// Putting findings together and pricing them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "app/check_parts.h"

namespace dlpu {
namespace {

class Grouper {
 public:
  Grouper(const CheckSubject& subject, const std::vector<RawFinding>& raws)
      : s_(subject), raws_(raws) {
    refused_ = !subject.partition.refusal.empty() ||
               std::ranges::any_of(
                   raws, [](const RawFinding& raw) { return raw.severity == Severity::kError; });
  }

  // What no other finding already says.
  std::vector<RawFinding> Shown() const {
    std::map<std::string, std::set<std::string>> layers;  // by rule
    std::set<std::string> whole;                          // rules broken by the model itself
    for (const RawFinding& raw : raws_) {
      if (raw.names.empty()) whole.insert(raw.rule->id);
      layers[raw.rule->id].insert(raw.names.begin(), raw.names.end());
    }
    std::vector<RawFinding> shown;
    for (const RawFinding& raw : raws_) {
      const bool hidden = std::ranges::any_of(raw.rule->unless, [&](const std::string& id) {
        const auto same = layers.find(id);
        return whole.contains(id) ||
               (same != layers.end() && !raw.names.empty() && same->second.contains(raw.names[0]));
      });
      if (!hidden) shown.push_back(raw);
    }
    return shown;
  }

  // Puts findings with one sentence together.
  std::vector<Finding> Grouped(const std::vector<RawFinding>& shown) const {
    std::vector<Group> groups;
    std::map<std::tuple<const Condition*, std::string, std::string, Severity>, size_t> places;
    for (const RawFinding& raw : shown) {
      const bool alone = raw.rule->about == About::kIsland;
      const auto key = std::tuple(raw.rule, raw.says + (alone ? raw.names[0] : ""), raw.camera_says,
                                  raw.severity);
      const auto [at, fresh] = places.emplace(key, groups.size());
      if (fresh) groups.push_back(GroupOf(raw));
      Join(raw, groups[at->second]);
    }
    std::vector<Finding> findings;
    for (Group& group : groups) {
      Weigh(s_, *group.rule, group.nodes, refused_, group.finding);
      group.finding.message += FoundText(group.found);
      if (group.finding.unblocks > 1) {
        group.finding.message += fmt::format("; {} ops would then run on the DLPU, itself included",
                                             group.finding.unblocks);
      }
      findings.push_back(std::move(group.finding));
    }
    std::ranges::stable_sort(findings, std::greater(), &Finding::severity);
    return findings;
  }

 private:
  struct Group {
    Finding finding;
    const Condition* rule;
    std::vector<int> nodes;
    std::vector<std::pair<std::string, int>> found;  // and how often
  };

  static Group GroupOf(const RawFinding& raw) {
    Finding f;
    f.rule = raw.rule->id;
    f.severity = raw.severity;
    f.effect = EffectName(raw.rule->effect);
    f.op = raw.op;
    f.message = raw.says;
    f.camera_says = raw.camera_says;
    f.fix = raw.fix;
    f.source = raw.rule->fact.source;
    f.confidence = ConfidenceName(raw.rule->fact.confidence);
    return {std::move(f), raw.rule, {}, {}};
  }

  static void Join(const RawFinding& raw, Group& group) {
    group.finding.nodes.insert(group.finding.nodes.end(), raw.names.begin(), raw.names.end());
    group.nodes.insert(group.nodes.end(), raw.nodes.begin(), raw.nodes.end());
    group.finding.unblocks = std::max(group.finding.unblocks, raw.unblocks);
    if (raw.found.empty()) return;
    const auto same =
        std::ranges::find(group.found, raw.found, &std::pair<std::string, int>::first);
    if (same == group.found.end()) {
      group.found.emplace_back(raw.found, 1);
    } else {
      ++same->second;
    }
  }

  // "; found out_channels 16 (3 times), out_channels 32 and 4 more values".
  static std::string FoundText(const std::vector<std::pair<std::string, int>>& found) {
    constexpr size_t kMost = 3;
    std::string text;
    for (size_t i = 0; i < std::min(kMost, found.size()); ++i) {
      text += (i == 0 ? "; found " : ", ") + found[i].first;
      if (found[i].second > 1) text += fmt::format(" ({} times)", found[i].second);
    }
    if (found.size() > kMost) text += fmt::format(" and {} more values", found.size() - kMost);
    return text;
  }

  const CheckSubject& s_;
  const std::vector<RawFinding>& raws_;
  bool refused_ = false;
};

}  // namespace

std::vector<Finding> GroupFindings(const CheckSubject& subject,
                                   const std::vector<RawFinding>& raws) {
  const Grouper grouper(subject, raws);
  return grouper.Grouped(grouper.Shown());
}

}  // namespace dlpu
