// SPDX-License-Identifier: Apache-2.0
// What dlpu says of an Edge TPU compilation beside what Google's compiler did: every pair of source
// and compiled file whose source is here. Prints the table.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "base/file.h"
#include "formats/tflite.h"
#include "report/table.h"
#include "target/tiles.h"

namespace dlpu {
namespace {

// Rows of a CSV file with a header; fields may be quoted.
std::vector<std::map<std::string, std::string>> ReadCsv(const std::string& path) {
  const Result<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok());
  std::vector<std::vector<std::string>> lines(1, std::vector<std::string>(1));
  bool quoted = false;
  for (const char c : text.ok() ? *text : std::string()) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      lines.back().emplace_back();
    } else if (c == '\n' && !quoted) {
      lines.emplace_back(1);
    } else if (c != '\r') {
      lines.back().back() += c;
    }
  }
  std::vector<std::map<std::string, std::string>> rows;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].size() != lines[0].size()) continue;
    rows.emplace_back();
    for (size_t k = 0; k < lines[0].size(); ++k) rows.back()[lines[0][k]] = lines[i][k];
  }
  return rows;
}

// "ADD=10; CONV_2D=36", as the table of pairs writes it.
std::string OpCounts(const Graph& graph, const Partition* partition) {
  std::map<std::string, int> counts;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (partition && partition->nodes[i].where != Support::Where::kDlpu) continue;
    ++counts[NodeOpName(graph.nodes[i])];
  }
  std::string text;
  for (const auto& [op, count] : counts) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "; ", op, count);
  }
  return text;
}

double Percent(double ours, double theirs) { return 100 * (ours / theirs - 1); }

TEST(EdgeTpuPairs, MappingParametersAndCyclesAgreeWithTheCompiler) {
  const char* given = std::getenv("DLPU_SHARED");
  const std::string shared = given != nullptr ? given : "../shared";
  if (!std::filesystem::exists(shared + "/data/edgetpu_mapping.csv")) {
    GTEST_SKIP() << "no table of compiled files in " << shared;
  }
  const Result<Target> target = FindTarget("artpec7");
  ASSERT_TRUE(target.ok());
  ASSERT_TRUE(target->tiles.has_value());
  Table table({"compiled file", ">ops", ">mapped", ">ours", ">parameters", ">ours", ">error %",
               ">cycles", ">ours", ">error %", ">tile bytes", ">ours"});
  std::set<std::string> seen;
  std::map<std::string, double> cycle_errors;  // repeats of a compilation count once
  int pairs = 0;
  for (auto& row : ReadCsv(shared + "/data/edgetpu_mapping.csv")) {
    const std::string path =
        shared + "/models/tflite/" + std::filesystem::path(row["source"]).filename().string();
    if (row["source"].empty() || !std::filesystem::exists(path)) continue;
    const Result<std::vector<uint8_t>> bytes = ReadFile(path);
    ASSERT_TRUE(bytes.ok());
    const Result<Graph> graph = ReadTflite(*bytes, path);
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    // Some names stand for several exports of a network.
    if (OpCounts(*graph, nullptr) != row["source_op_counts"]) continue;
    ++pairs;
    const std::string name = std::filesystem::path(row["compiled"]).filename().string();
    const Partition partition = PartitionGraph(*graph, *target);
    const TilePlan plan = PlanTiles(*graph, partition, *target->tiles);
    EXPECT_EQ(OpCounts(*graph, &partition), row["mapped_op_counts"]) << name;
    EXPECT_EQ(partition.dlpu_parts, 1) << name;

    const double parameters = std::stod(row["params_bytes_total"]);
    const double error = Percent(static_cast<double>(plan.parameter_bytes), parameters);
    const bool narrow_deeplab = name.find("deeplabv3_mnv2_dm05") == 0;
    EXPECT_LE(std::abs(error), narrow_deeplab ? 12 : 5) << name;
    std::string cycles = "-", our_cycles = "-", cycle_error = "-";
    const std::string key = "EXECUTION_ONLY=";
    const std::string& text = row["estimated_cycles"];
    if (text.find(key) == 0 && std::isdigit(text[key.size()])) {
      const double theirs = std::stod(text.substr(key.size()));
      cycle_errors[std::filesystem::path(row["source"]).filename().string() + " " + text] =
          Percent(plan.cycles, theirs);
      cycles = fmt::format("{:.0f}", theirs);
      our_cycles = fmt::format("{:.0f}", plan.cycles);
      cycle_error = fmt::format("{:+.1f}", Percent(plan.cycles, theirs));
    }
    const std::vector<std::string> line = {name,
                                           row["source_ops"],
                                           row["source_ops_mapped"],
                                           std::to_string(partition.Count(Support::Where::kDlpu)),
                                           row["params_bytes_total"],
                                           std::to_string(plan.parameter_bytes),
                                           fmt::format("{:+.2f}", error),
                                           cycles,
                                           our_cycles,
                                           cycle_error,
                                           row["narrow_bytes_per_tile"],
                                           std::to_string(plan.peak_tile_bytes)};
    std::string joined;
    for (const std::string& cell : line) joined += cell + "|";
    if (seen.insert(joined).second) table.AddRow(line);
  }
  std::cout << table.Text();
  double squares = 0, worst = 0;
  for (const auto& [name, error] : cycle_errors) {
    squares += error * error;
    worst = std::max(worst, std::abs(error));
  }
  const double rms = std::sqrt(squares / static_cast<double>(cycle_errors.size()));
  std::cout << fmt::format(
      "{} pairs, {} of them different; cycles of {} networks: {:.1f} % rms, "
      "{:.1f} % worst\n",
      pairs, seen.size(), cycle_errors.size(), rms, worst);
  EXPECT_GE(pairs, 40);
  EXPECT_GE(cycle_errors.size(), 7u);
  EXPECT_LE(rms, 5);
  EXPECT_LE(worst, 10);
}

}  // namespace
}  // namespace dlpu
