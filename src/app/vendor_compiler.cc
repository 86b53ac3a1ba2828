// SPDX-License-Identifier: Apache-2.0
// Running the vendor's compiler.
#include "app/vendor_compiler.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "base/process.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;
using Where = Support::Where;

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  const size_t last = text.find_last_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::string Filled(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

// What the compiler's log says of a node.
std::string StatusOf(const NodePlace& place, const TargetCompiler& compiler) {
  if (place.where == Where::kDlpu) return compiler.mapped;
  if (place.blocker >= 0) return compiler.behind;
  for (const Support::Finding& finding : place.support.findings) {
    if (finding.verdict != Verdict::kBroken || finding.condition->effect != Effect::kCpu) continue;
    return finding.condition->error.empty() ? compiler.limited : finding.condition->error;
  }
  return compiler.unlisted;
}

// "On-chip memory used for caching model parameters: 3.72MiB" -> bytes.
std::optional<double> MemoryLine(const std::string& text, const std::string& what) {
  const size_t at = text.find(what + ": ");
  if (at == std::string::npos) return std::nullopt;
  const char* begin = text.c_str() + at + what.size() + 2;
  char* end = nullptr;
  const double number = std::strtod(begin, &end);
  if (end == begin) return std::nullopt;
  const std::string unit(end, std::min<size_t>(3, std::strlen(end)));
  const double factor = unit == "MiB" ? 1024.0 * 1024 : unit == "KiB" ? 1024 : 1;
  return number * factor;
}

}  // namespace

std::vector<MappingRow> ExpectedMapping(const Graph& graph, const Partition& partition,
                                        const TargetCompiler& compiler) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    ++counts[{NodeOpName(graph.nodes[i]), StatusOf(partition.nodes[i], compiler)}];
  }
  std::vector<MappingRow> rows;
  for (const auto& [key, count] : counts) rows.push_back({key.first, count, key.second});
  return rows;
}

Result<std::vector<MappingRow>> ParseMappingLog(const std::string& text) {
  std::vector<MappingRow> rows;
  bool in_table = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    MappingRow row;
    std::string count;
    words >> row.op >> count;
    std::getline(words, row.status);
    row.status = Trimmed(row.status);
    if (row.op == "Operator" && count == "Count") in_table = true;
    const bool number = !count.empty() && count.size() < 9 &&
                        std::ranges::all_of(count, [](unsigned char c) { return std::isdigit(c); });
    if (!in_table || !number || row.status.empty()) continue;
    row.count = std::atoi(count.c_str());
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return InvalidError("its log holds no table of operators");
  return rows;
}

std::vector<MappingDifference> CompareMappings(const std::vector<MappingRow>& ours,
                                               const std::vector<MappingRow>& theirs,
                                               const TargetCompiler& compiler) {
  std::map<std::string, MappingDifference> by_op;
  const auto count = [&](const std::vector<MappingRow>& rows, int MappingDifference::*side) {
    for (const MappingRow& row : rows) {
      MappingDifference& difference = by_op[row.op];
      difference.op = row.op;
      if (row.status == compiler.mapped) difference.*side += row.count;
    }
  };
  count(ours, &MappingDifference::ours);
  count(theirs, &MappingDifference::theirs);
  std::vector<MappingDifference> differences;
  for (const auto& [op, difference] : by_op) {
    if (difference.ours != difference.theirs) differences.push_back(difference);
  }
  return differences;
}

Result<VendorRun> RunVendorCompiler(const TargetCompiler& compiler, const std::string& model_path,
                                    const std::string& folder, const VendorOptions& options) {
  const std::map<std::string, std::string> values = {
      {"{model}", model_path},
      {"{stem}", fs::path(model_path).stem().string()},
      {"{out}", folder},
      {"{runtime}", std::to_string(options.runtime.value_or(0))}};
  std::vector<std::string> argv = {compiler.program};
  const auto add = [&](const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) argv.push_back(Filled(argument, values));
  };
  if (options.runtime.has_value()) add(compiler.runtime_arguments);
  if (options.several_parts) add(compiler.several_arguments);
  add(compiler.arguments);
  DLPU_TRY(const ProcessResult process, RunProcess(argv));
  VendorRun run;
  run.command = fmt::format("{}", fmt::join(argv, " "));
  run.exit_code = process.exit_code;
  std::istringstream lines(process.output);
  for (std::string line; run.version.empty() && std::getline(lines, line);) {
    if (line.find("ersion") != std::string::npos) run.version = Trimmed(line);
  }
  if (process.exit_code != 0) {
    // The last line it wrote says what went wrong.
    std::istringstream all(process.output + "\n" + process.errors);
    for (std::string line; std::getline(all, line);) {
      if (!Trimmed(line).empty()) run.problem = Trimmed(line);
    }
    if (run.problem.empty()) run.problem = fmt::format("exit code {}", process.exit_code);
    return run;
  }
  run.output_path = (fs::path(folder) / Filled(compiler.output, values)).string();
  run.log_path = (fs::path(folder) / Filled(compiler.log, values)).string();
  run.cached_bytes = MemoryLine(process.output, "On-chip memory used for caching model parameters");
  run.streamed_bytes =
      MemoryLine(process.output, "Off-chip memory used for streaming uncached model parameters");
  if (!fs::exists(run.output_path)) {
    run.problem = fmt::format("it wrote no {}", run.output_path);
    return run;
  }
  const Result<std::string> log = ReadTextFile(run.log_path);
  const Result<std::vector<MappingRow>> mapping = ParseMappingLog(log.ok() ? *log : process.output);
  if (!mapping.ok()) {
    run.problem = mapping.error().message;
    return run;
  }
  run.mapping = *mapping;
  return run;
}

std::optional<RuntimeVersion> RuntimeFor(const FirmwareTable& firmware, const std::string& os) {
  const Firmware* known = os.empty() ? nullptr : firmware.Find(os);
  if (known != nullptr && known->edgetpu_runtime.has_value()) {
    return RuntimeVersion{*known->edgetpu_runtime, known->os_to};
  }
  // A newer runtime runs what an older one does, so the oldest loads everywhere.
  std::optional<RuntimeVersion> oldest;
  for (const Firmware& row : firmware.firmware) {
    if (!row.edgetpu_runtime || (oldest && oldest->version <= *row.edgetpu_runtime)) continue;
    oldest = RuntimeVersion{*row.edgetpu_runtime, row.os_to};
  }
  return oldest;
}

}  // namespace dlpu
