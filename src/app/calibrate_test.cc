// SPDX-License-Identifier: Apache-2.0
// The stored fits are those of the data, and as good as they were: the errors when a model is left
// out, how often the interval held, and transfer to a product that was not fitted.
#include "app/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace dlpu {
namespace {

const CalibrationData& Data() {
  static const Result<CalibrationData> data = LoadCalibrationData();
  DLPU_CHECK(data.ok());
  return *data;
}

std::vector<Calibration> CalibrateNamed(const std::string& name,
                                        const std::vector<std::string>& without = {}) {
  const Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok()) << target.error().message;
  Result<std::vector<Calibration>> c = Calibrate(*target, Data(), without);
  EXPECT_TRUE(c.ok()) << c.error().message;
  return c.ok() ? *c : std::vector<Calibration>();
}

struct Expected {
  std::string target, era;
  double leave_one_out, worst;  // at most
  int rows, covered;            // at least
};

// Upper bounds a little above what `dlpu calibrate` prints.
const Expected kExpected[] = {
    {"artpec7", "12.3+", 0.059, 0.10, 7, 7},    {"artpec8", "12.3+", 0.071, 0.21, 22, 20},
    {"artpec9", "12.10+", 0.014, 0.035, 6, 6},  {"artpec9", "12.5-12.9", 0.06, 0.12, 6, 6},
    {"artpec9", "12.3-12.4", 0.03, 0.06, 6, 6}, {"artpec9", "12.2", 0.03, 0.05, 6, 6},
    {"cv25", "12.3+", 0.12, 0.30, 4, 3},        {"cv75", "11.0+", 0.11, 0.18, 3, 3},
    {"cpu", "10.0+", 0.074, 0.19, 15, 14},
};

TEST(Calibrate, LeavingAModelOut) {
  std::map<std::string, std::vector<Calibration>> done;
  for (const Expected& e : kExpected) {
    if (!done.contains(e.target)) done[e.target] = CalibrateNamed(e.target);
    const auto& eras = done[e.target];
    const auto c = std::ranges::find(eras, e.era, &Calibration::era);
    ASSERT_NE(c, eras.end()) << e.target << " " << e.era;
    EXPECT_LE(c->fit.leave_one_out, e.leave_one_out) << e.target << " " << e.era;
    EXPECT_LE(c->fit.worst, e.worst) << e.target << " " << e.era;
    EXPECT_EQ(c->fit.rows, e.rows) << e.target << " " << e.era;
    EXPECT_GE(c->fit.covered, e.covered) << e.target << " " << e.era;
    EXPECT_LT(c->fit.in_sample, c->fit.leave_one_out) << e.target << " " << e.era;
  }
  size_t eras = 0;
  for (const auto& [name, calibrations] : done) eras += calibrations.size();
  EXPECT_EQ(eras, std::size(kExpected));
}

// What data/cost holds is what the data gives, digit for digit up to six of them.
TEST(Calibrate, StoredFitsAreTheDatas) {
  const Result<std::vector<Target>> targets = LoadTargets();
  ASSERT_TRUE(targets.ok());
  int compared = 0;
  for (const Target& target : *targets) {
    ASSERT_TRUE(target.cost.has_value()) << target.name;
    const std::vector<Calibration> fresh = CalibrateNamed(target.name);
    ASSERT_EQ(fresh.size(), target.cost->fits.size()) << target.name;
    for (size_t i = 0; i < fresh.size(); ++i) {
      const CostFit &a = fresh[i].fit, &b = target.cost->fits[i];
      EXPECT_EQ(a.name, b.name);
      ASSERT_EQ(a.names, b.names) << target.name << ": run dlpu calibrate --write";
      for (size_t k = 0; k < a.log_values.size(); ++k) {
        EXPECT_NEAR(a.log_values[k], b.log_values[k], 1e-4)
            << target.name << " " << a.names[k] << ": run dlpu calibrate --write";
        ++compared;
      }
      EXPECT_NEAR(a.leave_one_out, b.leave_one_out, 1e-4);
      EXPECT_EQ(a.covered, b.covered);
    }
    std::vector<CostFit> fits;
    for (const Calibration& c : fresh) fits.push_back(c.fit);
    const std::string text = CostFitsText(fits);
    CostModel again = *target.cost;
    ASSERT_TRUE(ReadCostFits(text, "again", &again).ok());
    EXPECT_EQ(CostFitsText(again.fits), text) << "writing what was read changes it";
  }
  EXPECT_GT(compared, 50);
}

TEST(Calibrate, TransfersToAProductThatWasNotFitted) {
  const std::vector<Calibration> c = CalibrateNamed("artpec8", {"q3536"});
  ASSERT_EQ(c.size(), 1U);
  EXPECT_EQ(c[0].dropped, 10);
  EXPECT_LE(c[0].dropped_worst, 0.15);
  for (const CalibratedRow& r : c[0].rows) EXPECT_EQ(r.fitted, r.product != "Q3536-LVE");
}

// The priors can be doubted: the fit follows, and nonsense is refused.
TEST(Calibrate, OtherPriors) {
  const Result<Target> target = FindTarget("artpec9");
  ASSERT_TRUE(target.ok());
  Target other = *target;
  ASSERT_TRUE(ChangePrior("input_ms_per_mb=8", &*other.cost).ok());
  ASSERT_TRUE(ChangePrior("engine_scale=1.2:1.5", &*other.cost).ok());
  ASSERT_TRUE(ChangePrior("discrepancy=0.03", &*other.cost).ok());
  EXPECT_EQ(other.cost->Find("input_ms_per_mb")->centre, 8);
  EXPECT_EQ(other.cost->Find("engine_scale")->factor, 1.5);
  EXPECT_EQ(other.cost->discrepancy, 0.03);
  const Result<std::vector<Calibration>> c = Calibrate(other, Data());
  ASSERT_TRUE(c.ok());
  EXPECT_LT(c->back().fit.leave_one_out, 0.065);
  EXPECT_NE(c->back().fit.leave_one_out, CalibrateNamed("artpec9").back().fit.leave_one_out);
  for (const char* bad :
       {"", "input_ms_per_mb", "input_ms_per_mb=", "input_ms_per_mb=-1", "input_ms_per_mb=8:1",
        "input_ms_per_mb=8x", "score_ns=1", "speed=2", "discrepancy=0.1:2"}) {
    EXPECT_FALSE(ChangePrior(bad, &*other.cost).ok()) << bad;
  }
}

TEST(Calibrate, WithoutEverythingIsRefused) {
  const Result<Target> target = FindTarget("cv75");
  ASSERT_TRUE(target.ok());
  EXPECT_FALSE(Calibrate(*target, Data(), {"m2048"}).ok());
}

TEST(Latency, QuotedCells) {
  EXPECT_EQ(SplitCsvLine("a,\"b, \"\"c\"\"\",,d\r"),
            (std::vector<std::string>{"a", "b, \"c\"", "", "d"}));
  EXPECT_FALSE(ParseLatency("header\na,b,c\n", "x").ok());
  EXPECT_GT(Data().latency.size(), 700U);
}

// Only steady-state rows stand behind a fit, and every row of the table finds its times.
TEST(Latency, FittedRowsAreInferences) {
  int rows = 0;
  for (const FitTable& table : Data().tables) {
    for (const FitRow& row : table.rows) {
      ++rows;
      for (const char* word : {"LOAD", "FIRST CALL", "PROCESSING "}) {
        EXPECT_EQ(row.model.find(word), std::string::npos) << row.model;
      }
    }
  }
  EXPECT_GE(rows, 60);
}

}  // namespace
}  // namespace dlpu
