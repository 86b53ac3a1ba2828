// SPDX-License-Identifier: Apache-2.0
// Result<T> and Status: how every fallible function of dlpu reports failure. An Error carries a
// code and one sentence that names the thing, the value and the remedy. Nothing here throws.
// Values are plain: the caller owns them, and any thread may use its own copy.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace dlpu {

enum class ErrorCode {
  kInvalid,      // the input is malformed or contradicts itself
  kUnsupported,  // well-formed, but dlpu (or the target) cannot do it
  kNotFound,     // a file, name or tensor does not exist
  kIo,           // the operating system refused to read or write
  kExhausted,    // too large: a size limit or memory
  kInternal,     // our own mistake that was caught in time
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

inline Error InvalidError(std::string m) { return {ErrorCode::kInvalid, std::move(m)}; }
inline Error UnsupportedError(std::string m) { return {ErrorCode::kUnsupported, std::move(m)}; }
inline Error NotFoundError(std::string m) { return {ErrorCode::kNotFound, std::move(m)}; }
inline Error IoError(std::string m) { return {ErrorCode::kIo, std::move(m)}; }
inline Error ExhaustedError(std::string m) { return {ErrorCode::kExhausted, std::move(m)}; }
inline Error InternalError(std::string m) { return {ErrorCode::kInternal, std::move(m)}; }

// Either a T or an Error.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return std::holds_alternative<T>(state_); }
  const Error& error() const {
    DLPU_CHECK(!ok());
    return std::get<Error>(state_);
  }
  // REQUIRES: ok().
  T& value() & {
    DLPU_CHECK(ok());
    return std::get<T>(state_);
  }
  const T& value() const& {
    DLPU_CHECK(ok());
    return std::get<T>(state_);
  }
  T&& value() && {
    DLPU_CHECK(ok());
    return std::get<T>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

// Success or an Error. OK costs nothing to make.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose
  bool ok() const { return !error_.has_value(); }
  const Error& error() const {
    DLPU_CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

inline Status OkStatus() { return {}; }

}  // namespace dlpu

#define DLPU_CONCAT_INNER(a, b) a##b
#define DLPU_CONCAT(a, b) DLPU_CONCAT_INNER(a, b)

// DLPU_TRY(auto x, F()): x = value of F(), or return its error.
#define DLPU_TRY(lhs, expr) DLPU_TRY_INNER(DLPU_CONCAT(dlpu_result_, __COUNTER__), lhs, expr)
#define DLPU_TRY_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                   \
  if (!tmp.ok()) return tmp.error();   \
  lhs = std::move(tmp).value()

// DLPU_RETURN_IF_ERROR(F()): go on if F() succeeded, else return its error.
#define DLPU_RETURN_IF_ERROR(expr)                      \
  do {                                                  \
    if (auto dlpu_status = (expr); !dlpu_status.ok()) { \
      return dlpu_status.error();                       \
    }                                                   \
  } while (false)
