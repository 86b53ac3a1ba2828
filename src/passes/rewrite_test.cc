// SPDX-License-Identifier: Apache-2.0
// Rewrites against golden files: tests/golden/rewrites/<rewrite>_<case>.txt holds a graph as text
// and, behind the line "# after", what was done and left and the graph that came out. With
// DLPU_REBASE=1 that part is written anew. app/fix_test.cc proves that results stay.
#include "passes/rewrite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>

#include "base/file.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace dlpu {
namespace {

constexpr const char* kAfter = "# after\n";

Detached Only(Rewrites rewrites) { return {std::move(rewrites), {}, {}, {}}; }

using Run = std::function<Detached(Graph&)>;
const std::map<std::string, Run>& AllRewrites() {
  static const std::map<std::string, Run> rewrites = {
      {"fold_pads", [](Graph& graph) { return Only(FoldPads(graph)); }},
      {"fold_transposes", [](Graph& graph) { return Only(FoldTransposes(graph)); }},
      {"fold_reshapes", [](Graph& graph) { return Only(FoldReshapes(graph)); }},
      {"multiply_by_inverses", [](Graph& graph) { return Only(MultiplyByInverses(graph)); }},
      {"split_heads", [](Graph& graph) { return SplitHeads(graph); }},
      {"cut_float_tail",
       [](Graph& graph) { return CutFloatTail(graph, QuantScheme::kInt8PerChannel); }},
      {"standardize_ops", [](Graph& graph) { return Only(StandardizeOps(graph)); }},
      {"cut_post_processing",
       [](Graph& graph) {
         const Result<Target> target = FindTarget("artpec7");
         EXPECT_TRUE(target.ok()) << target.error().message;
         return CutPostProcessing(graph, *target);
       }},
  };
  return rewrites;
}

std::string Text(const Detached& detached, const Graph& graph) {
  std::string text;
  for (const Rewrite& r : detached.rewrites.done)
    text += fmt::format("# done {}: {}\n", r.node, r.what);
  for (const Rewrite& r : detached.rewrites.left)
    text += fmt::format("# left {}: {}\n", r.node, r.what);
  text += PrintGraph(graph);
  if (detached.tail.nodes.empty()) return text;
  text += fmt::format("# the tail, of new outputs {}; old outputs {}\n",
                      fmt::join(detached.tail_inputs, " "), fmt::join(detached.old_outputs, " "));
  return text + PrintGraph(detached.tail);
}

class RewriteGolden : public testing::TestWithParam<std::string> {};

TEST_P(RewriteGolden, GivesWhatIsWritten) {
  const std::string path = "tests/golden/rewrites/" + GetParam() + ".txt";
  const Result<std::string> file = ReadTextFile(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const size_t at = file->find(kAfter);
  ASSERT_NE(at, std::string::npos) << path << " has no line '# after'";
  const std::string before = file->substr(0, at);
  Result<Graph> graph = ParseGraph(before);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  ASSERT_TRUE(Verify(*graph).ok()) << Verify(*graph).error().message;
  std::string rewrite;
  for (const auto& [name, run] : AllRewrites()) {
    if (GetParam().starts_with(name)) rewrite = name;
  }
  ASSERT_NE(rewrite, "") << path << " names no rewrite";
  const Detached detached = AllRewrites().at(rewrite)(*graph);
  EXPECT_TRUE(Verify(*graph).ok()) << Verify(*graph).error().message;
  EXPECT_TRUE(Verify(detached.tail).ok());
  const std::string after = Text(detached, *graph);
  if (std::getenv("DLPU_REBASE") != nullptr) {
    ASSERT_TRUE(WriteTextFile(path, before + kAfter + after).ok());
  }
  EXPECT_EQ(file->substr(at + std::string(kAfter).size()), after) << path;
  // Nothing is left to do.
  const std::string once = PrintGraph(*graph);
  (void)AllRewrites().at(rewrite)(*graph);
  EXPECT_EQ(PrintGraph(*graph), once);
}

std::vector<std::string> Cases() {
  std::vector<std::string> cases;
  for (const auto& entry : std::filesystem::directory_iterator("tests/golden/rewrites")) {
    cases.push_back(entry.path().stem());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

TEST(RewriteGolden, EveryRewriteHasACase) {
  const std::vector<std::string> cases = Cases();
  for (const auto& [name, run] : AllRewrites()) {
    EXPECT_TRUE(std::any_of(cases.begin(), cases.end(), [&prefix = name](const std::string& one) {
      return one.starts_with(prefix);
    })) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RewriteGolden, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace dlpu
