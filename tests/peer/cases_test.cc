// SPDX-License-Identifier: Apache-2.0
// The generators themselves: every case is a valid graph, and the same one each time.
#include "cases.h"

#include <gtest/gtest.h>

#include <set>

#include "ir/verify.h"

namespace dlpu::peer {
namespace {

TEST(Cases, EveryGeneratorMakesValidGraphs) {
  ASSERT_FALSE(Generators().empty());
  std::set<std::string_view> names;
  for (const Generator& generator : Generators()) {
    EXPECT_TRUE(names.insert(generator.name).second) << generator.name << " is registered twice";
    for (uint64_t index = 0; index < 20; ++index) {
      const Case c = MakeCase(generator, 1, index);
      const Status status = Verify(c.graph);
      EXPECT_TRUE(status.ok()) << c.name << ": " << status.error().message;
      ASSERT_EQ(c.inputs.size(), c.graph.inputs.size()) << c.name;
      EXPECT_FALSE(c.graph.outputs.empty()) << c.name;
    }
  }
}

TEST(Cases, AreReproducible) {
  for (const Generator& generator : Generators()) {
    const Case a = MakeCase(generator, 7, 3), b = MakeCase(generator, 7, 3);
    EXPECT_EQ(a.inputs, b.inputs) << a.name;
    ASSERT_EQ(a.graph.tensors.size(), b.graph.tensors.size()) << a.name;
    for (size_t i = 0; i < a.graph.tensors.size(); ++i) {
      EXPECT_EQ(a.graph.tensors[i].shape, b.graph.tensors[i].shape) << a.name;
      EXPECT_EQ(a.graph.tensors[i].data, b.graph.tensors[i].data) << a.name;
    }
  }
}

// Golden files depend on this sequence.
TEST(Random, SequenceIsFixed) {
  Random random(1);
  EXPECT_EQ(random.Next(), 0x910a2dec89025cc1u);
  EXPECT_EQ(SeedOf("a", 1, 2) - SeedOf("a", 1, 1), 0xd1342543de82ef95u);
  EXPECT_NE(SeedOf("a", 1, 0), SeedOf("b", 1, 0));
  EXPECT_NE(SeedOf("a", 1, 0), SeedOf("a", 2, 0));
}

}  // namespace
}  // namespace dlpu::peer
