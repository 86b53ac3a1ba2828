// SPDX-License-Identifier: Apache-2.0
#include "target/cost/fit.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dlpu {
namespace {

TEST(Fit, InverseOfAPositiveMatrix) {
  SquareMatrix m(2);
  m.at(0, 0) = 4;
  m.at(0, 1) = m.at(1, 0) = 2;
  m.at(1, 1) = 3;
  const Result<SquareMatrix> inverse = InverseOfPositive(m);
  ASSERT_TRUE(inverse.ok());
  EXPECT_NEAR(inverse->at(0, 0), 3 / 8.0, 1e-12);
  EXPECT_NEAR(inverse->at(0, 1), -2 / 8.0, 1e-12);
  EXPECT_NEAR(inverse->at(1, 1), 4 / 8.0, 1e-12);
  m.at(1, 1) = 0;
  EXPECT_FALSE(InverseOfPositive(m).ok());
}

// One parameter, ln(prediction) = parameter: the posterior is the precision-weighted mean.
TEST(Fit, OneParameterHasAClosedForm) {
  FitProblem p;
  p.prior_centre = {0.0};
  p.prior_sigma = {0.5};
  p.measured = {std::exp(1.0), std::exp(2.0)};
  p.sigma = {0.1, 0.2};
  p.predict = [](const std::vector<double>& x) { return std::vector<double>{x[0], x[0]}; };
  const Result<FitResult> fit = Fit(p);
  ASSERT_TRUE(fit.ok());
  const double precision = 1 / 0.25 + 1 / 0.01 + 1 / 0.04;
  EXPECT_NEAR(fit->log_values[0], (1 / 0.01 * 1 + 1 / 0.04 * 2) / precision, 1e-6);
  EXPECT_NEAR(fit->covariance.at(0, 0), 1 / precision, 1e-6);
}

// A curved model is recovered from exact data under a wide prior.
TEST(Fit, RecoversASum) {
  FitProblem p;
  p.prior_centre = {0.0, 0.0};
  p.prior_sigma = {5.0, 5.0};
  for (const double x : {1.0, 3.0, 10.0, 30.0}) p.measured.push_back(2.0 + 0.5 * x);
  p.sigma.assign(4, 0.01);
  p.predict = [](const std::vector<double>& at) {
    std::vector<double> logs;
    for (const double x : {1.0, 3.0, 10.0, 30.0}) {
      logs.push_back(std::log(std::exp(at[0]) + std::exp(at[1]) * x));
    }
    return logs;
  };
  const Result<FitResult> fit = Fit(p);
  ASSERT_TRUE(fit.ok());
  EXPECT_NEAR(std::exp(fit->log_values[0]), 2.0, 1e-3);
  EXPECT_NEAR(std::exp(fit->log_values[1]), 0.5, 1e-3);
}

TEST(Fit, SigmaOfAPrediction) {
  EXPECT_DOUBLE_EQ(LogSigma({1, 2}, {0.01, 0, 0, 0.04}, 0.3), std::sqrt(0.01 + 0.16 + 0.09));
}

}  // namespace
}  // namespace dlpu
