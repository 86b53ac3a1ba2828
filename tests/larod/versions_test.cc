// SPDX-License-Identifier: Apache-2.0
// Sources written for API versions 1 and 2 compile and get the same results.
#include "versions.h"

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

TEST(LarodVersions, OlderSourcesRun) {
  const Camera camera("artpec8");
  const Bytes in = Noise(784, 4);
  const Bytes expected = RunPlainly(DigitsModel(), {in}, "artpec8")[0];
  for (const auto run : {RunVersion1, RunVersion2}) {
    const File model(DigitsModel()), input(in), output;
    EXPECT_EQ(run(model.fd(), input.fd(), output.fd()), 0) << "the line in version_*.c";
    EXPECT_EQ(output.Read(), expected);
  }
}

}  // namespace
}  // namespace dlpu::larod_testing
