// SPDX-License-Identifier: Apache-2.0
// Fitting positive parameters to measured times: every parameter as its logarithm with a normal
// prior, residuals ln(predicted / measured) with a known standard deviation, minimised by damped
// Gauss-Newton. The inverse Hessian is the covariance. Deterministic; pure functions.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"

namespace dlpu {

// A square matrix, row-major.
struct SquareMatrix {
  size_t size = 0;
  std::vector<double> data;
  explicit SquareMatrix(size_t n = 0) : size(n), data(n * n, 0.0) {}
  double& at(size_t row, size_t column) { return data[row * size + column]; }
  double at(size_t row, size_t column) const { return data[row * size + column]; }
};

// The inverse of a symmetric positive definite matrix; an error when it is not.
Result<SquareMatrix> InverseOfPositive(const SquareMatrix& matrix);

struct FitProblem {
  std::vector<double> prior_centre;  // logarithms
  std::vector<double> prior_sigma;   // of logarithms, > 0
  std::vector<double> measured;      // > 0
  std::vector<double> sigma;         // of each residual
  // ln of all predictions under given logarithms of the parameters.
  std::function<std::vector<double>(const std::vector<double>&)> predict;
};

struct FitResult {
  std::vector<double> log_values;
  SquareMatrix covariance;
};

Result<FitResult> Fit(const FitProblem& problem);

// sqrt(slopes' covariance slopes + discrepancy^2): standard deviation of a log prediction.
double LogSigma(const std::vector<double>& slopes, const std::vector<double>& covariance,
                double discrepancy);

}  // namespace dlpu
