// SPDX-License-Identifier: Apache-2.0
// Damped Gauss-Newton with log-normal priors.
#include "target/cost/fit.h"

#include <cmath>

namespace dlpu {
namespace {

constexpr double kStep = 1e-4;        // of a logarithm, for differences
constexpr double kConverged = 1e-11;  // change of the objective
constexpr int kMostSteps = 100;

// Lower triangle L with L L' = matrix; false when it is not positive definite.
bool Cholesky(const SquareMatrix& matrix, SquareMatrix* lower) {
  const size_t n = matrix.size;
  *lower = SquareMatrix(n);
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = j; i < n; ++i) {
      double sum = matrix.at(i, j);
      for (size_t k = 0; k < j; ++k) sum -= lower->at(i, k) * lower->at(j, k);
      if (i == j) {
        if (!(sum > 0)) return false;
        lower->at(i, i) = std::sqrt(sum);
      } else {
        lower->at(i, j) = sum / lower->at(j, j);
      }
    }
  }
  return true;
}

// Solves L L' x = b.
std::vector<double> Solve(const SquareMatrix& lower, std::vector<double> b) {
  const size_t n = lower.size;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= lower.at(i, k) * b[k];
    b[i] /= lower.at(i, i);
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= lower.at(k, i) * b[k];
    b[i] /= lower.at(i, i);
  }
  return b;
}

// Residuals in standard deviations, and the sum of their squares with the prior's.
struct Residuals {
  std::vector<double> of_rows;
  double objective = 0;
};

Residuals ResidualsAt(const FitProblem& p, const std::vector<double>& at) {
  Residuals r;
  r.of_rows = p.predict(at);
  for (size_t i = 0; i < r.of_rows.size(); ++i) {
    r.of_rows[i] = (r.of_rows[i] - std::log(p.measured[i])) / p.sigma[i];
    r.objective += r.of_rows[i] * r.of_rows[i];
  }
  for (size_t k = 0; k < at.size(); ++k) {
    const double d = (at[k] - p.prior_centre[k]) / p.prior_sigma[k];
    r.objective += d * d;
  }
  return r;
}

// The Hessian's Gauss-Newton approximation, and half the gradient.
SquareMatrix Normal(const FitProblem& p, const std::vector<double>& at, const Residuals& r,
                    std::vector<double>* gradient) {
  const size_t n = at.size(), rows = r.of_rows.size();
  std::vector<std::vector<double>> jacobian(n);
  std::vector<double> moved = at;
  for (size_t k = 0; k < n; ++k) {
    moved[k] = at[k] + kStep;
    jacobian[k] = p.predict(moved);
    moved[k] = at[k] - kStep;
    const std::vector<double> down = p.predict(moved);
    moved[k] = at[k];
    for (size_t i = 0; i < rows; ++i) {
      jacobian[k][i] = (jacobian[k][i] - down[i]) / (2 * kStep * p.sigma[i]);
    }
  }
  SquareMatrix hessian(n);
  gradient->assign(n, 0);
  for (size_t k = 0; k < n; ++k) {
    for (size_t i = 0; i < rows; ++i) (*gradient)[k] += jacobian[k][i] * r.of_rows[i];
    const double weight = 1 / (p.prior_sigma[k] * p.prior_sigma[k]);
    (*gradient)[k] += (at[k] - p.prior_centre[k]) * weight;
    for (size_t m = 0; m <= k; ++m) {
      double sum = k == m ? weight : 0;
      for (size_t i = 0; i < rows; ++i) sum += jacobian[k][i] * jacobian[m][i];
      hessian.at(k, m) = hessian.at(m, k) = sum;
    }
  }
  return hessian;
}

}  // namespace

Result<SquareMatrix> InverseOfPositive(const SquareMatrix& matrix) {
  SquareMatrix lower, inverse(matrix.size);
  if (!Cholesky(matrix, &lower)) return InternalError("the matrix is not positive definite");
  for (size_t k = 0; k < matrix.size; ++k) {
    std::vector<double> unit(matrix.size, 0.0);
    unit[k] = 1;
    const std::vector<double> column = Solve(lower, unit);
    for (size_t i = 0; i < matrix.size; ++i) inverse.at(i, k) = column[i];
  }
  return inverse;
}

Result<FitResult> Fit(const FitProblem& p) {
  FitResult result;
  result.log_values = p.prior_centre;
  std::vector<double> gradient;
  Residuals now = ResidualsAt(p, result.log_values);
  double damping = 1e-3;
  for (int step = 0; step < kMostSteps; ++step) {
    const SquareMatrix hessian = Normal(p, result.log_values, now, &gradient);
    double gained = -1;
    while (gained < 0 && damping < 1e12) {
      SquareMatrix damped = hessian, lower;
      for (size_t k = 0; k < damped.size; ++k) damped.at(k, k) *= 1 + damping;
      if (Cholesky(damped, &lower)) {
        const std::vector<double> move = Solve(lower, gradient);
        std::vector<double> next = result.log_values;
        for (size_t k = 0; k < next.size(); ++k) next[k] -= move[k];
        Residuals there = ResidualsAt(p, next);
        if (there.objective <= now.objective) {
          gained = now.objective - there.objective;
          result.log_values = std::move(next);
          now = std::move(there);
          damping /= 5;
          break;
        }
      }
      damping *= 5;
    }
    if (gained < kConverged) break;
  }
  const SquareMatrix hessian = Normal(p, result.log_values, now, &gradient);
  DLPU_TRY(result.covariance, InverseOfPositive(hessian));
  return result;
}

double LogSigma(const std::vector<double>& slopes, const std::vector<double>& covariance,
                double discrepancy) {
  const size_t n = slopes.size();
  DLPU_CHECK(covariance.size() == n * n);
  double variance = discrepancy * discrepancy;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < n; ++k) variance += slopes[i] * covariance[i * n + k] * slopes[k];
  }
  return std::sqrt(std::max(variance, 0.0));
}

}  // namespace dlpu
