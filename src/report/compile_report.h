// SPDX-License-Identifier: Apache-2.0
// What `dlpu compile --compile-report` shows: where the nodes went and why, what crosses between
// the parts, where weights and activations lie, and both as pictures. Pure functions; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/program.h"
#include "target/partition.h"
#include "target/tiles.h"

namespace dlpu {

// "65 of 72 ops on the DLPU in 1 part, 7 on the CPU in 2 parts; 272.5 KiB cross between them in
// every run"; one line without its end.
std::string PartitionSummary(const Partition& partition);
// Each reason with its ops, then the parts, the cuts and the blockers.
std::string PartitionText(const Graph& graph, const Target& target, const Partition& partition);
// The root blockers: what depends on them, and what fixing each would change.
std::string BlockersText(const Graph& graph, const std::vector<Blocker>& blockers);
// Weights in the parameter cache and streamed, the fullest tile, cycles; with the layers that are
// not cached.
std::string TilesText(const Graph& graph, const TilePlan& plan, const TargetTiles& tiles);

// "dlpu_ops", "cpu_ops", "unknown_ops", "dlpu_parts", "cpu_parts", "partitions", "cuts",
// "cpu_nodes", "blockers".
nlohmann::ordered_json PartitionJson(const Graph& graph, const Target& target,
                                     const Partition& partition,
                                     const std::vector<Blocker>& blockers);
nlohmann::ordered_json TilesJson(const TilePlan& plan, const TargetTiles& tiles);

// The partition as an SVG picture: nodes from top to bottom, coloured by where they run, in the
// bands of their parts, with the tensors that cross.
std::string PartitionSvg(const Graph& graph, const Target& target, const Partition& partition);
// The memory plan as an SVG picture: time from left to right in steps, the arena from top to
// bottom, a rectangle for each tensor.
std::string MemorySvg(const Program& program);

}  // namespace dlpu
