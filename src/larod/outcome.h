// SPDX-License-Identifier: Apache-2.0
// Outcome<T>: what a fallible function of the larod service returns. As Result<T>, but a failure
// carries larod's own code, the text an application sees (as on a camera) and, apart from it, the
// true cause, which goes to the log. Plain values; any thread.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/result.h"

namespace dlpu::larod {

struct Failure {
  int code = 0;         // larodErrorCode; a positive value is an errno
  std::string message;  // for the application
  std::string cause;    // for the log; empty when the message says it all
};

struct Nothing {};  // the value of an Outcome that has none

template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::move(value)) {}            // NOLINT: implicit on purpose
  Outcome(Failure failure) : state_(std::move(failure)) {}  // NOLINT: implicit on purpose

  bool ok() const { return std::holds_alternative<T>(state_); }
  const Failure& failure() const {
    DLPU_CHECK(!ok());
    return std::get<Failure>(state_);
  }
  // REQUIRES: ok().
  T& operator*() {
    DLPU_CHECK(ok());
    return std::get<T>(state_);
  }
  const T& operator*() const {
    DLPU_CHECK(ok());
    return std::get<T>(state_);
  }
  T* operator->() { return &**this; }

 private:
  std::variant<T, Failure> state_;
};

// The same failure with a text in front, for example "Could not run job: ".
inline Failure Prefixed(const char* prefix, Failure failure) {
  failure.message.insert(0, prefix);
  return failure;
}

}  // namespace dlpu::larod

// LAROD_TRY(auto x, F()): x = value of F(), or return its failure.
#define LAROD_TRY(lhs, expr) LAROD_TRY_INNER(DLPU_CONCAT(larod_outcome_, __COUNTER__), lhs, expr)
#define LAROD_TRY_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                    \
  if (!tmp.ok()) return tmp.failure();  \
  lhs = std::move(*tmp)

// LAROD_RETURN_IF_FAILED(F()): go on if F() succeeded, else return its failure.
#define LAROD_RETURN_IF_FAILED(expr)                        \
  do {                                                      \
    if (auto larod_outcome = (expr); !larod_outcome.ok()) { \
      return larod_outcome.failure();                       \
    }                                                       \
  } while (false)
