// SPDX-License-Identifier: Apache-2.0
// One calibration for several targets gives each the bytes of its own.
#include "app/observations.h"

#include <gtest/gtest.h>

#include "app/quantized_model.h"

namespace dlpu {
namespace {

TEST(Observations, SchemesThatShareThemComeOutAsAlone) {
  const auto model = LoadModel("digits");
  const auto set = FindCalibration("tests/data/digits", 10);
  ASSERT_TRUE(model.ok() && set.ok());
  Observations shared;
  int alone = 0, together = 0;
  const auto counting = [](int& count) {
    return
        [&count](int, int, const std::string& what) { count += what.starts_with("calibrating"); };
  };
  for (const QuantScheme scheme : {QuantScheme::kInt8PerChannel, QuantScheme::kInt8PerTensor}) {
    const QuantizeSettings settings = DefaultSettings(scheme);
    const auto a = MakeQuantizedModel(*model, settings, *set, 1, counting(alone));
    const auto b = MakeQuantizedModel(*model, settings, *set, 1, counting(together), &shared);
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(a->model.sha256, b->model.sha256) << SchemeName(scheme);
    EXPECT_EQ(a->recipe, b->recipe);
    EXPECT_EQ(a->report.used, b->report.used);
  }
  EXPECT_GT(alone, 0);
  EXPECT_EQ(together * 2, alone);  // the float model and the equalized one, once instead of twice
}

TEST(Observations, AnotherGraphOrOtherKernelsAreNotTheSame) {
  const auto model = LoadModel("digits");
  ASSERT_TRUE(model.ok());
  Graph other = model->graph;
  for (Tensor& tensor : other.tensors) {
    if (tensor.is_constant && tensor.type == DataType::kFloat32) {
      tensor.data[0] ^= 1;
      break;
    }
  }
  EXPECT_NE(Observations::Key(model->graph, true), Observations::Key(other, true));
  EXPECT_NE(Observations::Key(model->graph, true), Observations::Key(model->graph, false));
  EXPECT_EQ(Observations::Key(model->graph, true), Observations::Key(model->graph, true));
  Observations seen;
  seen.Keep("", {});
  EXPECT_EQ(seen.Find(""), nullptr);
}

}  // namespace
}  // namespace dlpu
