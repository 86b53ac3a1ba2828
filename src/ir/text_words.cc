// SPDX-License-Identifier: Apache-2.0
// Spelling and reading the words of the graph text form.
#include "ir/text_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

#include "base/encoding.h"

namespace dlpu::text {
namespace {

constexpr std::string_view kPaddings[] = {"same", "valid"};
constexpr std::string_view kActivations[] = {"none",  "relu", "relu_n1_to_1",
                                             "relu6", "tanh", "sign_bit"};

template <typename Enum, size_t kCount>
std::optional<Enum> FromWord(const std::string_view (&words)[kCount], std::string_view word) {
  const auto found = std::find(std::begin(words), std::end(words), word);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<Enum>(found - std::begin(words));
}

}  // namespace

std::string_view WordOf(Padding padding) { return kPaddings[static_cast<size_t>(padding)]; }
std::string_view WordOf(Activation activation) {
  return kActivations[static_cast<size_t>(activation)];
}
std::optional<Padding> PaddingFrom(std::string_view word) {
  return FromWord<Padding>(kPaddings, word);
}
std::optional<Activation> ActivationFrom(std::string_view word) {
  return FromWord<Activation>(kActivations, word);
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string FloatText(float value) {
  if (std::isnan(value)) return std::signbit(value) ? "-nan" : "nan";
  return fmt::format("{}", value);
}

void LineReader::SkipBlanks() {
  while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
}

bool LineReader::AtEnd() {
  SkipBlanks();
  return rest_.empty();
}

bool LineReader::Take(std::string_view token) {
  SkipBlanks();
  if (!rest_.starts_with(token)) return false;
  rest_.remove_prefix(token.size());
  return true;
}

Error LineReader::Wrong(std::string_view message) const {
  std::string_view near = rest_.substr(0, 24);
  return InvalidError(fmt::format("line {}: {}, at '{}'", number_, message, near));
}

Status LineReader::Expect(std::string_view token) {
  if (Take(token)) return OkStatus();
  return Wrong(fmt::format("expected '{}'", token));
}

Result<std::string_view> LineReader::Word(std::string_view what) {
  SkipBlanks();
  const size_t end = std::min(rest_.find_first_of(" \t()[]{},\"="), rest_.size());
  if (end == 0) return Wrong(fmt::format("expected {}", what));
  const std::string_view word = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return word;
}

Result<std::string> LineReader::String(std::string_view what) {
  if (!Take("\"")) return Wrong(fmt::format("expected {} in quotes", what));
  std::string text;
  for (;;) {
    if (rest_.empty()) return Wrong(fmt::format("the quotes of {} are not closed", what));
    const char c = rest_[0];
    rest_.remove_prefix(1);
    if (c == '"') return text;
    if (c != '\\') {
      text += c;
      continue;
    }
    if (rest_.starts_with('"') || rest_.starts_with('\\')) {
      text += rest_[0];
      rest_.remove_prefix(1);
    } else if (rest_.starts_with('x') && rest_.size() >= 3) {
      const auto byte = BytesFromHex(rest_.substr(1, 2));
      if (!byte) return Wrong("expected two hexadecimal digits");
      text += static_cast<char>((*byte)[0]);
      rest_.remove_prefix(3);
    } else {
      return Wrong("expected \\\", \\\\ or \\xNN");
    }
  }
}

Result<int64_t> LineReader::Integer(std::string_view what, int64_t low, int64_t high) {
  SkipBlanks();
  int64_t value = 0;
  const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (code != std::errc() || value < low || value > high) {
    return Wrong(fmt::format("expected {}, an integer from {} to {}", what, low, high));
  }
  rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
  return value;
}

Result<float> LineReader::Float(std::string_view what) {
  SkipBlanks();
  float value = 0;
  const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (code != std::errc()) return Wrong(fmt::format("expected {}, a number", what));
  rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
  return value;
}

Result<Shape> LineReader::ReadShape() {
  Shape shape;
  if (Take("scalar")) return shape;
  do {
    if (Take("?")) {
      shape.push_back(-1);
    } else {
      DLPU_TRY(const int64_t extent, Integer("an extent", 0, std::numeric_limits<int32_t>::max()));
      shape.push_back(static_cast<int32_t>(extent));
    }
  } while (rest_.starts_with('x') && Take("x"));
  return shape;
}

Result<TensorId> LineReader::ReadTensor(size_t count, bool optional) {
  if (optional && Take("-")) return kNoTensor;
  DLPU_RETURN_IF_ERROR(Expect("%"));
  const LineReader before = *this;
  DLPU_TRY(const int64_t id, Integer("a tensor's number", 0, std::numeric_limits<TensorId>::max()));
  if (static_cast<size_t>(id) >= count) {
    return before.Wrong(fmt::format("there is no tensor %{} yet", id));
  }
  return static_cast<TensorId>(id);
}

Result<std::vector<TensorId>> LineReader::ReadTensors(size_t count, bool optional) {
  DLPU_RETURN_IF_ERROR(Expect("("));
  std::vector<TensorId> ids;
  while (!Take(")")) {
    DLPU_TRY(const TensorId id, ReadTensor(count, optional));
    ids.push_back(id);
  }
  return ids;
}

Result<std::vector<uint8_t>> LineReader::ReadBytes() {
  SkipBlanks();
  const bool hex = Take("hex:");
  if (!hex && !Take("base64:")) {
    if (rest_.starts_with("sha256:")) {
      return Wrong("the bytes were left out of this text, so it is for reading only");
    }
    return Wrong("expected hex: or base64:");
  }
  const size_t end = std::min(rest_.find_first_of(" \t"), rest_.size());
  const std::string_view digits = rest_.substr(0, end);
  auto bytes = hex ? BytesFromHex(digits) : BytesFromBase64(digits);
  if (!bytes) return Wrong(hex ? "expected hexadecimal digits" : "expected base64");
  rest_.remove_prefix(end);
  return *std::move(bytes);
}

}  // namespace dlpu::text
