// SPDX-License-Identifier: Apache-2.0
// Cutting a graph between the DLPU and the CPU.
#include "target/partition.h"

#include <fmt/format.h>

#include <algorithm>

#include "target/node_values.h"

namespace dlpu {
namespace {

using Where = Support::Where;

// Which node writes each tensor; -1 for none.
std::vector<int> ProducersOf(const Graph& graph) {
  std::vector<int> producers(graph.tensors.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const TensorId id : graph.nodes[i].outputs) producers[id] = static_cast<int>(i);
  }
  return producers;
}

// Calls visit(producer) for every node whose result a node reads.
template <typename Visit>
void ForEachProducer(const Node& node, const std::vector<int>& producers, const Visit& visit) {
  for (const TensorId id : node.inputs) {
    if (id != kNoTensor && producers[id] >= 0) visit(producers[id]);
  }
}

class Cutter {
 public:
  Cutter(const Graph& graph, const Target& target, Partition& partition)
      : graph_(graph), target_(target), partition_(partition), producers_(ProducersOf(graph)) {}

  // What the op table says, node by node.
  void Ask(const std::vector<int>& assume_supported) {
    for (const Node& node : graph_.nodes) {
      NodePlace place;
      place.support = SupportOf(target_, NodeOpName(node), NodeValues(graph_, node));
      place.where = place.support.where;
      if (target_.dlpu == "none" && place.where == Where::kDlpu) place.where = Where::kCpu;
      partition_.nodes.push_back(std::move(place));
    }
    Assume(assume_supported);
  }

  // The same from an earlier answer.
  void Reuse(const Partition& asked, const std::vector<int>& assume_supported) {
    for (const NodePlace& from : asked.nodes) {
      NodePlace place;
      place.where = from.supported ? Where::kDlpu : from.where;
      partition_.nodes.push_back(std::move(place));
    }
    Assume(assume_supported);
  }

  void CutAll(bool several_parts) {
    if (target_.partition.order == "prefix" && !several_parts) {
      Prefix();
    } else {
      Turns();
    }
  }

  // The DLPU's one part: what no CPU node lies before that itself lies behind the part.
  void Prefix() {
    std::vector<bool> fed(graph_.nodes.size(), false);  // by the DLPU, at whatever distance
    std::vector<int> root(graph_.nodes.size(), -1);     // the first such CPU node, on any path
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      NodePlace& place = partition_.nodes[i];
      ForEachProducer(graph_.nodes[i], producers_, [&](int p) {
        if (fed[p]) fed[i] = true;
        if (root[p] >= 0 && (root[i] < 0 || root[p] < root[i])) root[i] = root[p];
      });
      if (root[i] >= 0 && place.supported) {
        place.where = Where::kCpu;
        place.blocker = root[i];
      }
      if (Accelerated(i)) fed[i] = true;
      if (!Accelerated(i) && fed[i] && root[i] < 0) root[i] = static_cast<int>(i);
    }
    NumberPrefix(fed);
  }

  // As TensorFlow Lite: parts of the CPU and of the DLPU take turns, and a node joins the first
  // part of its kind in which all its inputs are there. (The source goes over the nodes for each
  // part; nodes are in execution order, so once is enough.)
  void Turns() {
    if (graph_.nodes.empty()) return;
    const bool first = Accelerated(0);
    int last = 0;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      int part = 0;
      ForEachProducer(graph_.nodes[i], producers_,
                      [&](int p) { part = std::max(part, partition_.nodes[p].part); });
      if ((Accelerated(i) == first) != (part % 2 == 0)) ++part;
      partition_.nodes[i].part = part;
      last = std::max(last, part);
    }
    NameParts(last + 1);
  }

  void FindCuts() {
    std::vector<std::vector<int>> entered(graph_.tensors.size());  // parts a tensor went to
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const int to = partition_.nodes[i].part;
      for (const TensorId id : graph_.nodes[i].inputs) {
        if (id == kNoTensor || producers_[id] < 0) continue;
        const int from = partition_.nodes[producers_[id]].part;
        if (from == to || std::ranges::find(entered[id], to) != entered[id].end()) continue;
        entered[id].push_back(to);
        const Tensor& tensor = graph_.tensors[id];
        const bool known = std::ranges::find(tensor.shape, -1) == tensor.shape.end();
        partition_.cuts.push_back(
            {id, producers_[id], from, to, known ? ByteCount(tensor.type, tensor.shape) : 0});
      }
    }
    std::ranges::stable_sort(partition_.cuts, {},
                             [](const Cut& c) { return std::pair(c.producer, c.to_part); });
  }

  void Judge() {
    const int parts = partition_.dlpu_parts + partition_.cpu_parts;
    const std::optional<int> most = target_.partition.most;
    for (size_t i = 0; i < graph_.nodes.size() && partition_.refusal.empty(); ++i) {
      if (partition_.nodes[i].where != Where::kRefused) continue;
      partition_.refusal =
          fmt::format("{} '{}': {}", NodeOpName(graph_.nodes[i]), graph_.nodes[i].name,
                      WhyThere(graph_, target_, partition_, static_cast<int>(i)));
    }
    if (most.has_value() && parts > *most && partition_.dlpu_parts > 0) {
      partition_.refusal = target_.partition.error;
      const std::pair<std::string_view, int> values[] = {
          {"{parts}", parts}, {"{most}", *most}, {"{cpu_parts}", partition_.cpu_parts}};
      for (const auto& [name, value] : values) {
        const size_t at = partition_.refusal.find(name);
        if (at != std::string::npos) {
          partition_.refusal.replace(at, name.size(), std::to_string(value));
        }
      }
    }
  }

 private:
  void Assume(const std::vector<int>& supported) {
    for (const int i : supported) partition_.nodes[i].where = Where::kDlpu;
    for (NodePlace& place : partition_.nodes) place.supported = place.where == Where::kDlpu;
  }

  // Nodes of unknown support count with the DLPU: that is what the vendor's compiler is for.
  bool Accelerated(size_t i) const {
    const Where where = partition_.nodes[i].where;
    return where == Where::kDlpu || where == Where::kUnknown;
  }

  // CPU nodes in front, the DLPU's part, CPU nodes behind; parts without nodes are left out.
  void NumberPrefix(const std::vector<bool>& fed) {
    int counts[3] = {0, 0, 0};
    for (size_t i = 0; i < fed.size(); ++i) {
      NodePlace& place = partition_.nodes[i];
      place.part = Accelerated(i) ? 1 : fed[i] ? 2 : 0;
      ++counts[place.part];
    }
    int number[3], next = 0;
    for (int i = 0; i < 3; ++i) number[i] = counts[i] > 0 ? next++ : -1;
    for (NodePlace& place : partition_.nodes) place.part = number[place.part];
    NameParts(next);
  }

  void NameParts(int count) {
    partition_.parts.assign(count, Where::kCpu);
    for (size_t i = 0; i < partition_.nodes.size(); ++i) {
      const NodePlace& place = partition_.nodes[i];
      Where& part = partition_.parts[place.part];
      if (place.where != Where::kCpu && part != Where::kRefused) part = place.where;
    }
    for (const Where where : partition_.parts) {
      const bool dlpu = where == Where::kDlpu || where == Where::kUnknown;
      ++(dlpu ? partition_.dlpu_parts : partition_.cpu_parts);
    }
  }

  const Graph& graph_;
  const Target& target_;
  Partition& partition_;
  const std::vector<int> producers_;
};

}  // namespace

int Partition::Count(Where where) const {
  return static_cast<int>(std::ranges::count(nodes, where, &NodePlace::where));
}

Partition PartitionGraph(const Graph& graph, const Target& target,
                         const PartitionOptions& options) {
  Partition partition;
  Cutter cutter(graph, target, partition);
  cutter.Ask(options.assume_supported);
  cutter.CutAll(options.several_parts);
  cutter.FindCuts();
  cutter.Judge();
  return partition;
}

std::vector<Blocker> FindBlockers(const Graph& graph, const Target& target,
                                  const Partition& partition, int most) {
  std::vector<Blocker> blockers;
  if (target.dlpu == "none") return blockers;
  for (size_t i = 0; i < graph.nodes.size() && static_cast<int>(blockers.size()) < most; ++i) {
    const NodePlace& place = partition.nodes[i];
    if (place.supported || place.where != Where::kCpu) continue;
    Blocker blocker;
    blocker.node = static_cast<int>(i);
    for (size_t k = i + 1; k < partition.nodes.size(); ++k) {
      if (partition.nodes[k].blocker == blocker.node) {
        blocker.dependents.push_back(static_cast<int>(k));
      }
    }
    Partition mended;
    Cutter cutter(graph, target, mended);
    cutter.Reuse(partition, {blocker.node});
    cutter.CutAll(false);
    for (size_t k = 0; k < mended.nodes.size(); ++k) {
      if (mended.nodes[k].where == Where::kDlpu && partition.nodes[k].where != Where::kDlpu) {
        blocker.gained.push_back(static_cast<int>(k));
      }
    }
    blocker.parts = static_cast<int>(mended.parts.size());
    if (!blocker.dependents.empty() || mended.parts.size() < partition.parts.size()) {
      blockers.push_back(std::move(blocker));
    }
  }
  return blockers;
}

std::string WhyThere(const Graph& graph, const Target& target, const Partition& partition,
                     int node) {
  const NodePlace& place = partition.nodes[node];
  if (place.where == Where::kDlpu) return "";
  if (place.blocker >= 0) {
    const Node& blocker = graph.nodes[place.blocker];
    // A converter joins the names of what it fused with ';'.
    return fmt::format("behind '{}' ({}), which stays on the CPU",
                       blocker.name.substr(0, blocker.name.find(';')), NodeOpName(blocker));
  }
  for (const Support::Finding& finding : place.support.findings) {
    const Effect effect = finding.condition->effect;
    if (finding.verdict != Verdict::kBroken) continue;
    if (effect != Effect::kCpu && effect != Effect::kRefuse) continue;
    return finding.found.empty()
               ? finding.condition->says
               : fmt::format("{}; found {}", finding.condition->says, finding.found);
  }
  const std::string op = NodeOpName(graph.nodes[node]);
  if (place.where == Where::kUnknown) {
    return fmt::format("no list of the ops that {} runs is published", target.title);
  }
  return target.dlpu == "none"
             ? fmt::format("{} has no DLPU", target.title)
             : fmt::format("{} is not among the ops that the DLPU of {} runs", op, target.title);
}

}  // namespace dlpu
