// SPDX-License-Identifier: Apache-2.0
// The words of the graph text form: how each kind of value is spelled, and a reader of one line.
// Used by text_print.cc and text_parse.cc only. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/attrs.h"
#include "ir/graph.h"

namespace dlpu::text {

// "same", "relu6", ...
std::string_view WordOf(Padding padding);
std::string_view WordOf(Activation activation);
std::optional<Padding> PaddingFrom(std::string_view word);
std::optional<Activation> ActivationFrom(std::string_view word);

// A string in quotes; quotes, backslashes and control characters are escaped.
std::string Quoted(std::string_view text);
// The shortest decimal that reads back as the same binary32 number.
std::string FloatText(float value);

// Reads one line from left to right. Every function skips blanks first; errors name the line.
class LineReader {
 public:
  LineReader(std::string_view line, int number) : rest_(line), number_(number) {}

  bool AtEnd();
  // Takes the given token if it is next.
  bool Take(std::string_view token);
  Status Expect(std::string_view token);
  // Letters, digits and any of "_.:+/?-=": up to the next blank, bracket, comma or quote.
  Result<std::string_view> Word(std::string_view what);
  Result<std::string> String(std::string_view what);
  Result<int64_t> Integer(std::string_view what, int64_t low, int64_t high);
  Result<float> Float(std::string_view what);
  // "[a,b,c]", read by `item(what)`.
  template <typename T, typename Item>
  Result<std::vector<T>> List(std::string_view what, const Item& item) {
    DLPU_RETURN_IF_ERROR(Expect("["));
    std::vector<T> values;
    while (!Take("]")) {
      if (!values.empty()) DLPU_RETURN_IF_ERROR(Expect(","));
      DLPU_TRY(T value, item(what));
      values.push_back(std::move(value));
    }
    return values;
  }
  Result<Shape> ReadShape();
  // "%3", or "-" where a tensor may be missing; below `count`.
  Result<TensorId> ReadTensor(size_t count, bool optional);
  // "(%0 %1)"
  Result<std::vector<TensorId>> ReadTensors(size_t count, bool optional);
  // "hex:..." or "base64:..."
  Result<std::vector<uint8_t>> ReadBytes();

  Error Wrong(std::string_view message) const;

 private:
  void SkipBlanks();

  std::string_view rest_;
  int number_;
};

}  // namespace dlpu::text
