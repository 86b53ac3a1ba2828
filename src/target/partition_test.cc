// SPDX-License-Identifier: Apache-2.0
// Cutting small graphs between the DLPU and the CPU, both ways.
#include "target/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dlpu {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Where = Support::Where;

Target Named(const char* name) {
  Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok());
  return target.ok() ? *target : Target();
}

// A graph of element-wise nodes, each reading the nodes (by index) given; -1 is the model's input.
class Builder {
 public:
  Builder() {
    Add("input");
    graph_.inputs = {0};
  }
  // Every node keeps the shape, so RELU is an op that DLPUs run and SIN one that the Edge TPU does
  // not.
  Builder& Node(const char* op, std::vector<int> reads) {
    dlpu::Node node;
    node.op = OpFromName(op);
    node.attrs = DefaultAttrs(node.op);
    node.name = "n" + std::to_string(graph_.nodes.size());
    for (const int i : reads) node.inputs.push_back(i < 0 ? 0 : graph_.nodes[i].outputs[0]);
    node.outputs = {Add(node.name)};
    graph_.outputs = node.outputs;
    graph_.nodes.push_back(node);
    return *this;
  }
  Builder& Chain(const std::vector<const char*>& ops) {
    for (const char* op : ops) Node(op, {static_cast<int>(graph_.nodes.size()) - 1});
    return *this;
  }
  const Graph& graph() const { return graph_; }

 private:
  TensorId Add(const std::string& name) {
    Tensor tensor;
    tensor.name = name;
    tensor.type = DataType::kInt8;
    tensor.shape = {1, 4, 4, 8};
    graph_.tensors.push_back(tensor);
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }
  Graph graph_;
};

// "DDc": one letter a node, upper case for the DLPU.
std::string Places(const Partition& p) {
  std::string text;
  for (const NodePlace& place : p.nodes) {
    text += place.where == Where::kDlpu ? "D" : place.where == Where::kUnknown ? "?" : "c";
  }
  return text;
}

std::string Parts(const Partition& p) {
  std::string text;
  for (const NodePlace& place : p.nodes) text += std::to_string(place.part);
  return text;
}

TEST(Partition, APrefixEndsAtTheFirstMissOfEachPath) {
  // A blocker in the middle of one branch; the other branch is kept.
  Builder b;
  b.Chain({"RELU", "SIN", "RELU", "SIN", "RELU"}).Node("RELU", {0}).Node("ADD", {4, 5});
  const Target target = Named("artpec7");
  const Partition p = PartitionGraph(b.graph(), target);
  EXPECT_EQ(Places(p), "DccccDc");
  EXPECT_EQ(Parts(p), "0111101");
  EXPECT_EQ(p.dlpu_parts, 1);
  EXPECT_EQ(p.cpu_parts, 1);
  EXPECT_EQ(p.Count(Where::kDlpu), 2);
  EXPECT_TRUE(p.nodes[2].supported);
  // The root is the first blocker, also behind a second one and where paths join.
  EXPECT_EQ(p.nodes[2].blocker, 1);
  EXPECT_EQ(p.nodes[4].blocker, 1);
  EXPECT_EQ(p.nodes[6].blocker, 1);
  EXPECT_EQ(p.nodes[1].blocker, -1);
  EXPECT_EQ(WhyThere(b.graph(), target, p, 2), "behind 'n1' (SIN), which stays on the CPU");
  EXPECT_EQ(WhyThere(b.graph(), target, p, 1),
            "SIN is not among the ops that the DLPU of ARTPEC-7 runs");
  EXPECT_EQ(WhyThere(b.graph(), target, p, 0), "");
  EXPECT_EQ(p.refusal, "");
}

TEST(Partition, FrontNodesStayOnTheCpuAndThePrefixStartsBehindThem) {
  Builder b;
  b.Chain({"SIN", "SIN", "RELU", "RELU"}).Node("RELU", {-1}).Node("ADD", {3, 4}).Node("SIN", {5});
  const Partition p = PartitionGraph(b.graph(), Named("artpec7"));
  EXPECT_EQ(Places(p), "ccDDDDc");
  EXPECT_EQ(Parts(p), "0011112");
  EXPECT_THAT(p.parts, ElementsAre(Where::kCpu, Where::kDlpu, Where::kCpu));
}

TEST(Partition, TheRootBlockerAndWhatItCosts) {
  Builder b;
  b.Chain({"RELU", "SIN", "RELU", "RELU", "SIN", "RELU"});
  const Target target = Named("artpec7");
  const Partition p = PartitionGraph(b.graph(), target);
  const std::vector<Blocker> blockers = FindBlockers(b.graph(), target, p);
  ASSERT_EQ(blockers.size(), 1u);
  EXPECT_EQ(blockers[0].node, 1);
  EXPECT_THAT(blockers[0].dependents, ElementsAre(2, 3, 5));
  // Behind the second miss node 5 stays where it is.
  EXPECT_THAT(blockers[0].gained, ElementsAre(1, 2, 3));
  EXPECT_EQ(blockers[0].parts, 2);
}

TEST(Partition, SeveralPartsOfAPrefixTargetCanBeForced) {
  Builder b;
  b.Chain({"RELU", "SIN", "RELU", "SIN", "RELU"});
  const Target target = Named("artpec7");
  EXPECT_EQ(Places(PartitionGraph(b.graph(), target)), "Dcccc");
  const Partition p = PartitionGraph(b.graph(), target, {.several_parts = true});
  EXPECT_EQ(Places(p), "DcDcD");
  EXPECT_EQ(Parts(p), "01234");
  EXPECT_EQ(p.dlpu_parts, 3);
  EXPECT_EQ(p.cuts.size(), 4u);
}

TEST(Partition, PartsTakeTurnsAndJoinAsEarlyAsTheyCan) {
  // artpec8 runs RELU and not CUMSUM. The branch from node 0 stays in the first part, though the
  // file lists it behind the other branch's CPU node.
  Builder b;
  b.Chain({"RELU", "CUMSUM", "RELU"}).Node("RELU", {0}).Node("ADD", {2, 3}).Node("CUMSUM", {3});
  const Target target = Named("artpec8");
  const Partition p = PartitionGraph(b.graph(), target);
  EXPECT_EQ(Places(p), "DcDDDc");
  EXPECT_EQ(Parts(p), "012021");
  EXPECT_EQ(p.dlpu_parts, 2);
  EXPECT_EQ(p.cpu_parts, 1);
  // 0 -> 1, 1 -> 2, 3 -> part 2 and 3 -> part 1.
  ASSERT_EQ(p.cuts.size(), 4u);
  EXPECT_EQ(p.cuts[0].producer, 0);
  EXPECT_EQ(p.cuts[0].from_part, 0);
  EXPECT_EQ(p.cuts[0].to_part, 1);
  EXPECT_EQ(p.cuts[0].bytes, 128);
  EXPECT_EQ(p.cuts[2].producer, 3);
  EXPECT_EQ(p.cuts[2].to_part, 1);
  EXPECT_EQ(p.cuts[3].to_part, 2);
  // Without node 1 the model is one part and a tail.
  const std::vector<Blocker> blockers = FindBlockers(b.graph(), target, p);
  ASSERT_EQ(blockers.size(), 1u);
  EXPECT_EQ(blockers[0].node, 1);
  EXPECT_EQ(blockers[0].parts, 2);
  EXPECT_THAT(blockers[0].gained, ElementsAre(1));
}

TEST(Partition, TooManyPartsAreRefusedInTheCamerasWords) {
  Builder b;
  for (int i = 0; i < 8; ++i) b.Chain({"RELU", "CUMSUM"});
  const Target target = Named("artpec8");
  EXPECT_EQ(PartitionGraph(b.graph(), target).refusal, "");
  b.Chain({"RELU"});
  EXPECT_EQ(PartitionGraph(b.graph(), target).refusal,
            "Model contains too many graph partitions (17 > 16) and 8 of the graph partitions "
            "can't be run on the device");
  // One part on the CPU alone is no reason to refuse.
  Builder cpu;
  cpu.Chain({"CUMSUM", "CUMSUM"});
  EXPECT_EQ(PartitionGraph(cpu.graph(), target).refusal, "");
}

TEST(Partition, TargetsWithoutADlpuOrWithoutAList) {
  Builder b;
  b.Chain({"RELU", "SIN"});
  const Partition cpu = PartitionGraph(b.graph(), Named("cpu"));
  EXPECT_EQ(Places(cpu), "cc");
  EXPECT_EQ(cpu.cpu_parts, 1);
  EXPECT_EQ(cpu.dlpu_parts, 0);
  EXPECT_THAT(FindBlockers(b.graph(), Named("cpu"), cpu), IsEmpty());
  const Partition cv25 = PartitionGraph(b.graph(), Named("cv25"));
  EXPECT_EQ(Places(cv25), "??");
  EXPECT_EQ(cv25.dlpu_parts, 1);
  EXPECT_EQ(cv25.refusal, "");
}

TEST(Partition, ATargetThatRefusesTheRestSaysWhichNode) {
  Builder b;
  b.Chain({"RELU", "SIN"});
  Target target = Named("artpec7");
  target.partition.rest = "refuse";
  EXPECT_EQ(PartitionGraph(b.graph(), target).refusal,
            "SIN 'n1': SIN is not among the ops that the DLPU of ARTPEC-7 runs");
}

TEST(Partition, AnEmptyGraphHasNoParts) {
  const Partition p = PartitionGraph(Graph(), Named("artpec8"));
  EXPECT_EQ(p.dlpu_parts + p.cpu_parts, 0);
  EXPECT_EQ(PartitionGraph(Graph(), Named("artpec7")).parts.size(), 0u);
}

}  // namespace
}  // namespace dlpu
