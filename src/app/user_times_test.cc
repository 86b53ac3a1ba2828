// SPDX-License-Identifier: Apache-2.0
// A user's own measurements: one measured model brings the others of an unseen product close.
#include "app/user_times.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "app/calibrate.h"
#include "app/predict.h"

namespace dlpu {
namespace {

struct Measured {
  const char* arch;
  double ms;
};
constexpr Measured kP1465[] = {{"mobilenet_v2_1.0_224", 9.87},
                               {"ssd_mobilenet_v2_coco_300_postprocess", 28.04},
                               {"ssdlite_mobiledet_coco_320_postprocess", 38.76},
                               {"yolov5n_artpec8_640", 100.0}};

// ARTPEC-8 as it would be known without a single time of the P1465-LE.
Target WithoutP1465() {
  Result<Target> target = FindTarget("artpec8");
  DLPU_CHECK(target.ok());
  const Result<CalibrationData> data = LoadCalibrationData();
  DLPU_CHECK(data.ok());
  const Result<std::vector<Calibration>> c = Calibrate(*target, *data, {"P1465-LE"});
  DLPU_CHECK(c.ok());
  target->cost->fits = {(*c)[0].fit};
  for (const KnownTime& k : target->cost->fits[0].known) DLPU_CHECK(k.product != "P1465-LE");
  return *target;
}

// Any one of the four models, measured, brings each of the other three within 5 %.
TEST(UserTimes, OneModelOnAnUnseenProduct) {
  const Target target = WithoutP1465();
  int pairs = 0;
  double worst = 0;
  for (const Measured& given : kP1465) {
    Result<Workload> workload = LoadArchitecture(given.arch);
    ASSERT_TRUE(workload.ok());
    const Result<UserFactor> factor =
        FitUserFactor(target, {{*workload, {"P1465-LE", given.arch, "", given.ms}}});
    ASSERT_TRUE(factor.ok()) << factor.error().message;
    PredictOptions options;
    options.user = *factor;
    for (const Measured& other : kP1465) {
      const Result<Workload> w = LoadArchitecture(other.arch);
      const Result<Prediction> p = PredictWorkload(*w, target, options);
      ASSERT_TRUE(p.ok());
      const double error = std::abs(p->total_ms / other.ms - 1);
      EXPECT_LT(error, 0.05) << given.arch << " -> " << other.arch << ": " << p->total_ms;
      EXPECT_LE(p->low_ms, other.ms);
      EXPECT_GE(p->high_ms, other.ms);
      if (given.arch != other.arch) worst = std::max(worst, error);
      pairs += given.arch != other.arch;
    }
  }
  EXPECT_EQ(pairs, 12);
  RecordProperty("worst_percent", std::to_string(100 * worst));
}

// The measured model itself comes out as measured, also on a product whose class is known.
TEST(UserTimes, TheMeasuredModelComesOutAsMeasured) {
  const Result<Target> target = FindTarget("artpec8");
  const Result<Product> product = FindProduct("P3265-LV");
  const Result<Workload> workload = LoadArchitecture("mobilenet_v2_1.0_224");
  ASSERT_TRUE(target.ok() && product.ok() && workload.ok());
  PredictOptions options;
  options.product = *product;
  const Result<UserFactor> factor =
      FitUserFactor(*target, {{*workload, {product->name, "m", "", 8.9}}});
  ASSERT_TRUE(factor.ok());
  options.user = *factor;
  const Result<Prediction> p = PredictWorkload(*workload, *target, options);
  ASSERT_TRUE(p.ok());
  EXPECT_NEAR(p->total_ms, 8.9, 0.1);
  EXPECT_EQ(p->speed_class, "own");
  for (const Assumption& a : p->assumptions) {
    EXPECT_EQ(a.says.find("hardware build"), std::string::npos) << a.says;
  }
}

TEST(UserTimes, ReadsCsvAndToml) {
  const auto csv = ParseUserTimes("model,ms,product\n\"a,b.tflite\",5.5,P1\nc,6,\n", "x", "P2");
  ASSERT_TRUE(csv.ok()) << csv.error().message;
  ASSERT_EQ(csv->size(), 2U);
  EXPECT_EQ((*csv)[0].model, "a,b.tflite");
  EXPECT_EQ((*csv)[0].product, "P1");
  EXPECT_EQ((*csv)[1].product, "P2");
  const auto typed = ParseUserTimes("\xEF\xBB\xBFproduct, model , ms\nP, m.tflite, 7 \n", "x", "");
  ASSERT_TRUE(typed.ok()) << typed.error().message;
  EXPECT_EQ((*typed)[0].model, "m.tflite");
  EXPECT_EQ((*typed)[0].ms, 7);
  const auto toml =
      ParseUserTimes("[[measurement]]\nproduct = \"P\"\nmodel = \"m\"\nms = 3.5\n", "x", "");
  ASSERT_TRUE(toml.ok()) << toml.error().message;
  EXPECT_EQ((*toml)[0].ms, 3.5);
  for (const char* bad :
       {"", "model,ms\n", "model,ms\na,0\n", "model,ms\na,5\n", "a,b\nc,1\n",
        "model,ms,product\na,5x,P\n", "model,ms,product\na,nan,P\n", "model,ms,product\n,5,P\n",
        "[[measurement]]\nmodel = \"m\"\nms = -1.0\nproduct = \"P\"\n"}) {
    EXPECT_FALSE(ParseUserTimes(bad, "x", "").ok()) << bad;
  }
}

TEST(UserTimes, StoredAndUsedForThatProductOnly) {
  const std::string folder = testing::TempDir() + "dlpu_user_times";
  std::filesystem::remove_all(folder);
  const char* old = std::getenv("XDG_DATA_HOME");
  const std::string before = old ? old : "";
  setenv("XDG_DATA_HOME", folder.c_str(), 1);
  const StoredFactor factor{"AXIS P1518-E", "artpec8", {1.5, 1.05, "from \"m\" 8 ms"}};
  ASSERT_TRUE(SaveUserFactor(factor).ok());
  ASSERT_TRUE(SaveUserFactor({"AXIS A", "artpec8", {2.5, 1.1, "x"}}).ok());
  ASSERT_TRUE(SaveUserFactor(factor).ok());
  const auto found = LoadUserFactor("AXIS P1518-E", "artpec8");
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_TRUE(found->has_value());
  EXPECT_NEAR((*found)->value, 1.5, 1e-6);
  EXPECT_EQ((*found)->says, "from \"m\" 8 ms");
  EXPECT_FALSE(LoadUserFactor("AXIS P1518-E", "artpec9")->has_value());
  const Result<Target> target = FindTarget("artpec8");
  PredictOptions options;
  options.product = *FindProduct("P1518-E");
  EXPECT_TRUE(WithUserFactor(*target, options)->user.has_value());
  options.product = *FindProduct("Q1656-LE");
  EXPECT_FALSE(WithUserFactor(*target, options)->user.has_value());
  if (old != nullptr) setenv("XDG_DATA_HOME", before.c_str(), 1);
  if (old == nullptr) unsetenv("XDG_DATA_HOME");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace dlpu
