// SPDX-License-Identifier: Apache-2.0
// The rule of Einsum: sums over letters become products of matrices. Each operand's letters that
// nobody else has are summed first; two operands become one by a BATCH_MATMUL over the letters that
// end with them; the result is brought into the order of the output.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

// A tensor and the letter of each of its axes. Letters of an ellipsis are '0', '1', ... from the
// left.
struct Operand {
  TensorId id = kNoTensor;
  std::string axes;
};

bool Has(const std::string& text, char letter) { return text.find(letter) != std::string::npos; }

class Einsum {
 public:
  explicit Einsum(OnnxBuilder& b) : b_(b) {}

  Status Run() {
    if (!Parse()) return b_.Invalid(fmt::format("equation '{}'", equation_));
    if (!b_.status().ok()) return b_.status();
    const DataType type = b_.type(operands_[0].id);
    for (Operand& operand : operands_) operand.id = b_.Cast(operand.id, DataType::kFloat32);
    Operand result = operands_[0];
    for (size_t i = 1; i < operands_.size(); ++i) {
      std::string later = output_;
      for (size_t k = i + 1; k < operands_.size(); ++k) later += operands_[k].axes;
      result = Product(Summed(result, later + operands_[i].axes),
                       Summed(operands_[i], later + result.axes), later);
    }
    result = Summed(result, output_);
    return b_.Set(b_.Cast(Ordered(result, output_).id, type));
  }

 private:
  bool Parse() {
    for (const char c : b_.String("equation", "")) {
      if (c != ' ') equation_ += c;
    }
    const size_t arrow = equation_.find("->");
    std::string left = equation_.substr(0, arrow);
    size_t ellipsis = 0;
    for (size_t i = 0; i < b_.input_count(); ++i) {
      const size_t comma = left.find(',');
      std::string axes = left.substr(0, comma);
      if ((comma == std::string::npos) != (i + 1 == b_.input_count())) return false;
      left = comma == std::string::npos ? "" : left.substr(comma + 1);
      const size_t dots = axes.find("...");
      if (dots != std::string::npos) {
        const size_t letters = axes.size() - 3;
        if (b_.rank(b_.in(i)) < letters) return false;
        const size_t count = b_.rank(b_.in(i)) - letters;
        if (i > 0 && ellipsis != count) {
          b_.Fail(b_.Unsupported("ellipses of different lengths"));
          return true;
        }
        ellipsis = count;
        axes = axes.substr(0, dots) + Digits(count) + axes.substr(dots + 3);
      }
      if (axes.size() != b_.rank(b_.in(i)) || !Letters(axes)) return false;
      operands_.push_back({b_.in(i), axes});
    }
    if (operands_.empty()) return false;
    output_ = arrow == std::string::npos ? Implicit(ellipsis) : equation_.substr(arrow + 2);
    const size_t dots = output_.find("...");
    if (dots != std::string::npos) {
      output_ = output_.substr(0, dots) + Digits(ellipsis) + output_.substr(dots + 3);
    }
    return Sizes() && Letters(output_);
  }

  static std::string Digits(size_t count) {
    std::string text;
    for (size_t i = 0; i < std::min<size_t>(count, 10); ++i) {
      text += static_cast<char>('0' + static_cast<int>(i));
    }
    return text;
  }

  bool Letters(const std::string& axes) {
    for (size_t i = 0; i < axes.size(); ++i) {
      if (std::isalnum(static_cast<unsigned char>(axes[i])) == 0) return false;
      if (axes.find(axes[i], i + 1) != std::string::npos) {
        b_.Fail(b_.Unsupported(fmt::format("a diagonal ('{}')", axes)));
      }
    }
    return true;
  }

  // Without an arrow: the ellipsis, then letters that stand once, in order of the alphabet.
  std::string Implicit(size_t ellipsis) const {
    std::map<char, int> count;
    for (const Operand& operand : operands_) {
      for (const char c : operand.axes) ++count[c];
    }
    std::string text = Digits(ellipsis);
    for (const auto& [letter, n] : count) {
      if (n == 1 && std::isalpha(static_cast<unsigned char>(letter)) != 0) text += letter;
    }
    return text;
  }

  bool Sizes() {
    for (const Operand& operand : operands_) {
      for (size_t d = 0; d < operand.axes.size(); ++d) {
        const auto [at, fresh] = size_.emplace(operand.axes[d], b_.shape(operand.id)[d]);
        if (!fresh && at->second != b_.shape(operand.id)[d]) return false;
      }
    }
    return std::all_of(output_.begin(), output_.end(), [&](char c) { return size_.contains(c); });
  }

  // Without the axes whose letters are not in `kept`.
  Operand Summed(const Operand& operand, const std::string& kept) {
    std::vector<int32_t> axes;
    std::string rest;
    for (size_t d = 0; d < operand.axes.size(); ++d) {
      if (Has(kept, operand.axes[d])) {
        rest += operand.axes[d];
      } else {
        axes.push_back(static_cast<int32_t>(d));
      }
    }
    if (axes.empty()) return operand;
    return {b_.Reduce(Op::kSum, operand.id, axes, false), rest};
  }

  Operand Ordered(const Operand& operand, const std::string& axes) {
    Permutation perm;
    for (const char c : axes) perm.push_back(static_cast<int32_t>(operand.axes.find(c)));
    return {b_.Transpose(operand.id, perm), axes};
  }

  int32_t Count(const std::string& axes) {
    int64_t count = 1;
    for (const char c : axes) {
      count *= size_.at(c);
      if (count > std::numeric_limits<int32_t>::max()) {
        b_.Fail(b_.Unsupported(fmt::format("over 2^31 elements along '{}'", axes)));
        return 1;
      }
    }
    return static_cast<int32_t>(count);
  }

  // Letters: `batch` in both and wanted later, `inner` in both and not, the others of each.
  Operand Product(const Operand& x, const Operand& y, const std::string& later) {
    std::string batch, inner, rows, columns;
    for (const char c : x.axes) {
      (Has(y.axes, c) ? (Has(later, c) ? batch : inner) : rows) += c;
    }
    for (const char c : y.axes) {
      if (!Has(x.axes, c)) columns += c;
    }
    const TensorId a =
        b_.Reshape(Ordered(x, batch + rows + inner).id, {Count(batch), Count(rows), Count(inner)});
    const TensorId z = b_.Reshape(Ordered(y, batch + inner + columns).id,
                                  {Count(batch), Count(inner), Count(columns)});
    const TensorId product = b_.Emit(Op::kBatchMatmul, {a, z}, BatchMatmulAttrs{});
    Shape shape;
    for (const char c : batch + rows + columns) shape.push_back(size_.at(c));
    return {b_.Reshape(product, shape), batch + rows + columns};
  }

  OnnxBuilder& b_;
  std::string equation_, output_;
  std::vector<Operand> operands_;
  std::map<char, int32_t> size_;
};

Status EinsumRule(OnnxBuilder& b) { return Einsum(b).Run(); }

constexpr OnnxRow kRows[] = {
    {"Einsum", EinsumRule, "SUM, TRANSPOSE, BATCH_MATMUL; no diagonals"},
};

}  // namespace

std::span<const OnnxRow> OnnxEinsumRows() { return kRows; }

}  // namespace dlpu
