// SPDX-License-Identifier: Apache-2.0
// Rules of RNN, GRU and LSTM. A model that runs once for each input has no state between runs, so a
// sequence is unrolled: the inputs of all steps go through one FULLY_CONNECTED, and each step has
// its own nodes. Formulas and the order of gates: the operator specification of ONNX.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

constexpr int32_t kMostSteps = 1024;              // that are unrolled
constexpr int64_t kMostState = int64_t{1} << 24;  // elements of the hidden state

struct Gates {
  int32_t count;                         // blocks of rows in W, R and B
  std::vector<std::string> activations;  // of one direction, when the node names none
};

// What one direction computes with.
struct Direction {
  int32_t index = 0;
  bool reverse = false;
  std::vector<std::string> activations;
  std::vector<float> r, bias, r_bias, peepholes;  // of all gates
  TensorId input = kNoTensor;                     // [steps x batch, gates x hidden], with the bias
  TensorId hidden = kNoTensor, cell = kNoTensor;  // [batch, hidden]
  // Constants that all steps share, by where they begin in which list.
  std::map<std::pair<const float*, int64_t>, TensorId> constants;
};

class Recurrent {
 public:
  Recurrent(OnnxBuilder& b, Gates gates) : b_(b), gates_(std::move(gates)) {}

  // `step`: the new hidden state of a direction from its gates' inputs of that step.
  template <typename Step>
  Status Run(const Step& step) {
    if (Status status = Prepare(); !status.ok()) return status;
    std::vector<std::vector<TensorId>> all(static_cast<size_t>(steps_));
    std::vector<TensorId> last, last_cells;
    for (int32_t d = 0; d < directions_; ++d) {
      Direction direction = MakeDirection(d);
      for (int32_t i = 0; i < steps_ && b_.status().ok(); ++i) {
        const int32_t t = direction.reverse ? steps_ - 1 - i : i;
        const TensorId x = Rows(direction.input, t * batch_, batch_);
        direction.hidden = step(*this, direction, x);
        all[static_cast<size_t>(t)].push_back(direction.hidden);
      }
      last.push_back(direction.hidden);
      last_cells.push_back(direction.cell);
    }
    if (!b_.status().ok()) return b_.status();
    std::vector<TensorId> flat;
    for (const auto& of_step : all) flat.insert(flat.end(), of_step.begin(), of_step.end());
    if (b_.wants(0)) {
      const TensorId y = Stacked(flat, {steps_, directions_, batch_, hidden_});
      DLPU_RETURN_IF_ERROR(b_.Set(0, batch_first_ ? b_.Transpose(y, {2, 0, 1, 3}) : y));
    }
    if (b_.wants(1)) DLPU_RETURN_IF_ERROR(b_.Set(1, Final(last)));
    if (b_.wants(2)) DLPU_RETURN_IF_ERROR(b_.Set(2, Final(last_cells)));
    return b_.status();
  }

  // Columns of one gate of [batch, gates x hidden].
  TensorId Gate(TensorId all, int32_t gate) {
    return b_.Emit(Op::kSlice,
                   {all, b_.IntList({0, gate * hidden_}), b_.IntList({batch_, hidden_})});
  }
  // h x R^T (+ bias) for the gates [first, first + count).
  TensorId Recur(Direction& d, TensorId h, int32_t first, int32_t count, bool bias = false) {
    const int32_t rows = count * hidden_;
    std::vector<TensorId> inputs = {
        h, Constant(d, d.r, int64_t{first} * hidden_ * hidden_, {rows, hidden_})};
    if (bias) inputs.push_back(Constant(d, d.r_bias, int64_t{first} * hidden_, {rows}));
    return b_.Emit(Op::kFullyConnected, inputs, FullyConnectedAttrs{});
  }
  // x + peephole weights times the cell; x without them.
  TensorId Peep(Direction& d, TensorId x, int32_t which, TensorId cell) {
    if (d.peepholes.empty()) return x;
    return Add(x, Mul(cell, Constant(d, d.peepholes, int64_t{which} * hidden_, {1, hidden_})));
  }
  TensorId Activate(const Direction& d, size_t which, TensorId x) {
    const std::string& name = d.activations[which];
    if (name == "sigmoid") return b_.Unary(Op::kLogistic, x);
    if (name == "tanh") return b_.Unary(Op::kTanh, x);
    if (name == "relu") return b_.Unary(Op::kRelu, x);
    return b_.Fail(
        b_.Unsupported(fmt::format("activation {}; Sigmoid, Tanh and Relu are possible", name)));
  }
  TensorId Add(TensorId a, TensorId b) { return b_.Binary(Op::kAdd, a, b); }
  TensorId Mul(TensorId a, TensorId b) { return b_.Binary(Op::kMul, a, b); }
  OnnxBuilder& builder() { return b_; }

 private:
  TensorId Constant(Direction& d, const std::vector<float>& all, int64_t begin,
                    const Shape& shape) {
    const auto [at, fresh] =
        d.constants.emplace(std::pair(all.data() + begin, ElementCount(shape)), kNoTensor);
    if (fresh) {
      const std::vector<float> part(all.begin() + begin, all.begin() + begin + ElementCount(shape));
      at->second = b_.FloatConstant(part, shape);
    }
    return at->second;
  }

  Status Prepare() {
    const TensorId x = b_.in(0);
    if (b_.rank(x) != 3 || b_.rank(b_.in(1)) != 3 || b_.rank(b_.in(2)) != 3) {
      return b_.Invalid("X, W and R must have three dimensions");
    }
    batch_first_ = b_.Int("layout", 0) != 0;
    steps_ = b_.shape(x)[batch_first_ ? 1 : 0];
    batch_ = b_.shape(x)[batch_first_ ? 0 : 1];
    inputs_ = b_.shape(x)[2];
    directions_ = b_.shape(b_.in(1))[0];
    hidden_ = b_.shape(b_.in(2))[2];
    const Shape w = {directions_, gates_.count * hidden_, inputs_};
    const Shape r = {directions_, gates_.count * hidden_, hidden_};
    const std::string direction = b_.String("direction", "forward");
    reverse_ = direction == "reverse";
    if (b_.shape(b_.in(1)) != w || b_.shape(b_.in(2)) != r ||
        directions_ != (direction == "bidirectional" ? 2 : 1) || steps_ < 1 || batch_ < 1) {
      return b_.Invalid(fmt::format("W {} and R {} do not fit X {}", ShapeText(b_.shape(b_.in(1))),
                                    ShapeText(b_.shape(b_.in(2))), ShapeText(b_.shape(x))));
    }
    if (steps_ > kMostSteps) {
      return b_.Unsupported(fmt::format("{} steps; up to {} are unrolled", steps_, kMostSteps));
    }
    if (int64_t{batch_} * hidden_ > kMostState || hidden_ < 1) {
      return b_.Unsupported(fmt::format("a state of {} x {}", batch_, hidden_));
    }
    for (const size_t i : {1, 2}) {
      if (!b_.IsConstant(b_.in(i))) b_.ConstantFloats(b_.in(i));  // says what is wrong
    }
    if (b_.HasAttribute("clip")) return b_.Unsupported("clip; export without it");
    if (b_.Int("input_forget", 0) != 0) return b_.Unsupported("coupled gates (input_forget)");
    if (b_.has(4)) {
      for (const int64_t length : b_.ConstantInts(b_.in(4))) {
        if (length != steps_) return b_.Unsupported("sequences of different lengths");
      }
    }
    return b_.status();
  }

  // The part of one direction of a constant [directions, ...]; zeros when it is not there.
  std::vector<float> Part(size_t input, int32_t direction, int64_t size) {
    std::vector<float> part(static_cast<size_t>(size), 0.0f);
    if (!b_.has(input)) return part;
    const std::vector<float> all = b_.ConstantFloats(b_.in(input));
    if (static_cast<int64_t>(all.size()) != size * directions_) {
      if (b_.status().ok()) b_.Fail(b_.Invalid(fmt::format("input {} has another size", input)));
      return part;
    }
    std::copy_n(all.begin() + direction * size, size, part.begin());
    return part;
  }

  Direction MakeDirection(int32_t index) {
    Direction d;
    d.index = index;
    d.reverse = reverse_ || index == 1;
    const int64_t rows = int64_t{gates_.count} * hidden_;
    const std::vector<float> w = Part(1, index, rows * inputs_);
    d.r = Part(2, index, rows * hidden_);
    const std::vector<float> bias = Part(3, index, 2 * rows);
    d.bias.assign(bias.begin(), bias.begin() + rows);
    d.r_bias.assign(bias.begin() + rows, bias.end());
    if (b_.has(7)) d.peepholes = Part(7, index, 3 * int64_t{hidden_});
    SetActivations(d);
    // A GRU that resets after the product keeps the bias of its last gate with the product.
    std::vector<float> joint = d.bias;
    const bool apart = b_.node().op == "GRU" && b_.Int("linear_before_reset", 0) != 0;
    for (int64_t i = 0; i < rows - (apart ? hidden_ : 0); ++i) joint[i] += d.r_bias[i];
    TensorId x = b_.in(0);
    if (batch_first_) x = b_.Transpose(x, {1, 0, 2});
    x = b_.Reshape(x, {steps_ * batch_, inputs_});
    const auto units = static_cast<int32_t>(rows);
    d.input = b_.Emit(Op::kFullyConnected,
                      {x, b_.FloatConstant(w, {units, inputs_}), b_.FloatConstant(joint, {units})},
                      FullyConnectedAttrs{});
    d.hidden = Initial(5, index);
    d.cell = Initial(6, index);
    return d;
  }

  void SetActivations(Direction& d) {
    const auto found = b_.node().attributes.find("activations");
    d.activations = gates_.activations;
    if (found != b_.node().attributes.end()) {
      const std::vector<std::string>& all = found->second.strings;
      const size_t count = gates_.activations.size(), from = count * static_cast<size_t>(d.index);
      if (all.size() != count * static_cast<size_t>(directions_)) {
        b_.Fail(b_.Invalid(fmt::format("{} activations", all.size())));
        return;
      }
      d.activations.assign(all.begin() + static_cast<int>(from),
                           all.begin() + static_cast<int>(from + count));
    }
    for (std::string& name : d.activations) {
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }

  // The state that a direction begins with.
  TensorId Initial(size_t input, int32_t direction) {
    if (!b_.has(input)) {
      const std::vector<float> zeros(static_cast<size_t>(batch_) * static_cast<size_t>(hidden_), 0);
      return b_.FloatConstant(zeros, {batch_, hidden_});
    }
    TensorId all = b_.in(input);
    if (b_.rank(all) != 3) return b_.Fail(b_.Invalid("an initial state without three dimensions"));
    if (batch_first_) all = b_.Transpose(all, {1, 0, 2});
    return Rows(b_.Reshape(all, {directions_ * batch_, hidden_}), direction * batch_, batch_);
  }

  TensorId Rows(TensorId x, int32_t first, int32_t count) {
    if (!b_.status().ok() || b_.shape(x)[0] == count) return x;
    return b_.Emit(Op::kSlice, {x, b_.IntList({first, 0}), b_.IntList({count, b_.shape(x)[1]})});
  }

  // [batch, hidden] each, as one tensor of that shape.
  TensorId Stacked(const std::vector<TensorId>& parts, const Shape& shape) {
    const TensorId joined = parts.size() == 1
                                ? parts[0]
                                : b_.Emit(Op::kConcatenation, parts, ConcatenationAttrs{.axis = 0});
    return b_.Reshape(joined, shape);
  }
  TensorId Final(const std::vector<TensorId>& parts) {
    const TensorId y = Stacked(parts, {directions_, batch_, hidden_});
    return batch_first_ ? b_.Transpose(y, {1, 0, 2}) : y;
  }

  OnnxBuilder& b_;
  const Gates gates_;
  bool batch_first_ = false, reverse_ = false;
  int32_t steps_ = 0, batch_ = 0, inputs_ = 0, hidden_ = 0, directions_ = 0;
};

Status Rnn(OnnxBuilder& b) {
  return Recurrent(b, {1, {"tanh"}}).Run([](Recurrent& r, Direction& d, TensorId x) {
    return r.Activate(d, 0, r.Add(x, r.Recur(d, d.hidden, 0, 1)));
  });
}

// Gates: update z, reset r, new h.
Status Gru(OnnxBuilder& b) {
  const bool late = b.Int("linear_before_reset", 0) != 0;
  return Recurrent(b, {3, {"sigmoid", "tanh"}}).Run([late](Recurrent& r, Direction& d, TensorId x) {
    const TensorId both = r.Recur(d, d.hidden, 0, 2);
    const TensorId z = r.Activate(d, 0, r.Add(r.Gate(x, 0), r.Gate(both, 0)));
    const TensorId reset = r.Activate(d, 0, r.Add(r.Gate(x, 1), r.Gate(both, 1)));
    const TensorId past = late ? r.Mul(reset, r.Recur(d, d.hidden, 2, 1, true))
                               : r.Recur(d, r.Mul(reset, d.hidden), 2, 1);
    const TensorId fresh = r.Activate(d, 1, r.Add(r.Gate(x, 2), past));
    // (1 - z) h' + z h
    const TensorId change = r.builder().Binary(Op::kSub, d.hidden, fresh);
    return r.Add(fresh, r.Mul(z, change));
  });
}

// Gates: input i, output o, forget f, cell c. Peepholes: i, o, f.
Status Lstm(OnnxBuilder& b) {
  return Recurrent(b, {4, {"sigmoid", "tanh", "tanh"}})
      .Run([](Recurrent& r, Direction& d, TensorId x) {
        const TensorId all = r.Add(x, r.Recur(d, d.hidden, 0, 4));
        const TensorId i = r.Activate(d, 0, r.Peep(d, r.Gate(all, 0), 0, d.cell));
        const TensorId f = r.Activate(d, 0, r.Peep(d, r.Gate(all, 2), 2, d.cell));
        const TensorId c = r.Activate(d, 1, r.Gate(all, 3));
        d.cell = r.Add(r.Mul(f, d.cell), r.Mul(i, c));
        const TensorId o = r.Activate(d, 0, r.Peep(d, r.Gate(all, 1), 1, d.cell));
        return r.Mul(o, r.Activate(d, 2, d.cell));
      });
}

constexpr OnnxRow kRows[] = {
    {"GRU", Gru, "FULLY_CONNECTED, LOGISTIC, TANH and arithmetic for each step"},
    {"LSTM", Lstm, "FULLY_CONNECTED, LOGISTIC, TANH and arithmetic for each step"},
    {"RNN", Rnn, "FULLY_CONNECTED, TANH and arithmetic for each step"},
};

}  // namespace

std::span<const OnnxRow> OnnxRecurrentRows() { return kRows; }

}  // namespace dlpu
