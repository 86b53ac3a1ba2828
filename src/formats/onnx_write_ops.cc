// SPDX-License-Identifier: Apache-2.0
// Writing rules of ops without spatial windows.
#include <algorithm>
#include <cmath>

#include "formats/onnx_write.h"

namespace dlpu {
namespace {

using Writer = OnnxWriter;

// Whether an op without an opinion works on NCHW: its result has four dimensions and an input of
// four dimensions exists in that order only.
bool ChoosePlanar(const Writer& w, const Node& node) {
  if (w.shape(node.outputs[0]).size() != 4) return false;
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) {
    return id != kNoTensor && w.shape(id).size() == 4 && w.IsPlanar(id);
  });
}

// Inputs that are computed and of fewer dimensions cannot take part in NCHW.
bool AllFit(const Writer& w, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) {
    return id == kNoTensor || w.IsConstant(id) || w.shape(id).size() == 4 ||
           ElementCount(w.shape(id)) == 1;
  });
}

std::string Operand(Writer& w, TensorId id, bool planar) {
  if (planar && w.shape(id).size() != 4 && !w.IsConstant(id)) return w.Plain(id);
  return w.In(id, planar);
}

bool Elementwise(Writer& w, const Node& node, const char* op) {
  const bool planar = ChoosePlanar(w, node) && AllFit(w, node);
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs) inputs.push_back(Operand(w, id, planar));
  w.Emit(op, inputs, node.outputs[0], planar);
  return true;
}

template <const char* kOp>
bool Same(Writer& w, const Node& node) {
  return Elementwise(w, node, kOp);
}

bool Arithmetic(Writer& w, const Node& node, const char* op) {
  const Activation activation = std::get<ArithmeticAttrs>(node.attrs).activation;
  const bool planar = ChoosePlanar(w, node) && AllFit(w, node);
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs) inputs.push_back(Operand(w, id, planar));
  return EmitActivated(w, op, inputs, {}, activation, node.outputs[0], planar);
}

bool Add(Writer& w, const Node& node) { return Arithmetic(w, node, "Add"); }
bool Sub(Writer& w, const Node& node) { return Arithmetic(w, node, "Sub"); }
bool Mul(Writer& w, const Node& node) { return Arithmetic(w, node, "Mul"); }
bool Div(Writer& w, const Node& node) { return Arithmetic(w, node, "Div"); }

// One input, and a formula of nodes.
struct One {
  std::string x;
  bool planar;
};
One Input(Writer& w, const Node& node) {
  const bool planar = ChoosePlanar(w, node);
  return {w.In(node.inputs[0], planar), planar};
}

bool Clip(Writer& w, const Node& node, float low, float high) {
  const One in = Input(w, node);
  w.Emit("Clip", {in.x, w.Float(low), w.Float(high)}, node.outputs[0], in.planar);
  return true;
}

bool Relu6(Writer& w, const Node& node) { return Clip(w, node, 0, 6); }
bool ReluN1To1(Writer& w, const Node& node) { return Clip(w, node, -1, 1); }
bool Relu0To1(Writer& w, const Node& node) { return Clip(w, node, 0, 1); }

bool LeakyRelu(Writer& w, const Node& node) {
  const One in = Input(w, node);
  w.Emit("LeakyRelu", {in.x}, node.outputs[0], in.planar).attributes["alpha"] =
      Writer::Real(std::get<LeakyReluAttrs>(node.attrs).alpha);
  return true;
}

// x * HardSigmoid(x): HardSwish itself came with opset 14.
bool HardSwish(Writer& w, const Node& node) {
  const One in = Input(w, node);
  const std::string gate = w.Step(
      "HardSigmoid", {in.x}, {{"alpha", Writer::Real(1.0f / 6)}, {"beta", Writer::Real(0.5f)}});
  w.Emit("Mul", {in.x, gate}, node.outputs[0], in.planar);
  return true;
}

bool Gelu(Writer& w, const Node& node) {
  const One in = Input(w, node);
  std::string inner;
  if (std::get<GeluAttrs>(node.attrs).approximate) {
    const std::string cube = w.Step("Mul", {w.Step("Mul", {in.x, in.x}), in.x});
    const std::string sum = w.Step("Add", {in.x, w.Step("Mul", {cube, w.Float(0.044715f)})});
    inner = w.Step("Tanh", {w.Step("Mul", {sum, w.Float(0.7978845608028654f)})});
  } else {
    inner = w.Step("Erf", {w.Step("Mul", {in.x, w.Float(0.70710678118654752f)})});
  }
  const std::string gate = w.Step("Add", {inner, w.Float(1)});
  w.Emit("Mul", {w.Step("Mul", {in.x, w.Float(0.5f)}), gate}, node.outputs[0], in.planar);
  return true;
}

bool Square(Writer& w, const Node& node) {
  const One in = Input(w, node);
  w.Emit("Mul", {in.x, in.x}, node.outputs[0], in.planar);
  return true;
}

bool Rsqrt(Writer& w, const Node& node) {
  const One in = Input(w, node);
  w.Emit("Reciprocal", {w.Step("Sqrt", {in.x})}, node.outputs[0], in.planar);
  return true;
}

bool SquaredDifference(Writer& w, const Node& node) {
  const bool planar = ChoosePlanar(w, node) && AllFit(w, node);
  const std::string d =
      w.Step("Sub", {Operand(w, node.inputs[0], planar), Operand(w, node.inputs[1], planar)});
  w.Emit("Mul", {d, d}, node.outputs[0], planar);
  return true;
}

bool NotEqual(Writer& w, const Node& node) {
  const bool planar = ChoosePlanar(w, node) && AllFit(w, node);
  const std::string same =
      w.Step("Equal", {Operand(w, node.inputs[0], planar), Operand(w, node.inputs[1], planar)});
  w.Emit("Not", {same}, node.outputs[0], planar);
  return true;
}

bool Cast(Writer& w, const Node& node) {
  static const std::map<DataType, int64_t> kTypes = {{DataType::kFloat32, 1}, {DataType::kUInt8, 2},
                                                     {DataType::kInt8, 3},    {DataType::kInt32, 6},
                                                     {DataType::kInt64, 7},   {DataType::kBool, 9}};
  const auto type = kTypes.find(w.tensor(node.outputs[0]).type);
  if (type == kTypes.end()) return false;
  const One in = Input(w, node);
  w.Emit("Cast", {in.x}, node.outputs[0], in.planar).attributes["to"] = Writer::Int(type->second);
  return true;
}

bool AlongLast(Writer& w, const Node& node, const char* op) {
  const One in = Input(w, node);
  const size_t rank = w.shape(node.inputs[0]).size();
  w.Emit(op, {in.x}, node.outputs[0], in.planar).attributes["axis"] =
      Writer::Int(Writer::Axis(-1, rank, in.planar));
  return true;
}

bool Softmax(Writer& w, const Node& node) {
  const float beta = std::get<SoftmaxAttrs>(node.attrs).beta;
  if (beta == 1) return AlongLast(w, node, "Softmax");
  const One in = Input(w, node);
  const size_t rank = w.shape(node.inputs[0]).size();
  w.Emit("Softmax", {w.Step("Mul", {in.x, w.Float(beta)})}, node.outputs[0], in.planar)
      .attributes["axis"] = Writer::Int(Writer::Axis(-1, rank, in.planar));
  return true;
}

bool LogSoftmax(Writer& w, const Node& node) { return AlongLast(w, node, "LogSoftmax"); }
bool L2Normalization(Writer& w, const Node& node) { return AlongLast(w, node, "LpNormalization"); }

bool Concatenation(Writer& w, const Node& node) {
  const auto& attrs = std::get<ConcatenationAttrs>(node.attrs);
  const bool planar = ChoosePlanar(w, node);
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs) inputs.push_back(w.In(id, planar));
  w.Emit("Concat", inputs, node.outputs[0], planar).attributes["axis"] =
      Writer::Int(Writer::Axis(attrs.axis, w.shape(node.outputs[0]).size(), planar));
  return attrs.activation == Activation::kNone;
}

bool SplitInto(Writer& w, const Node& node, TensorId x, int64_t axis) {
  const bool planar = w.shape(x).size() == 4 && w.IsPlanar(x);
  const size_t rank = w.shape(x).size();
  const auto at = static_cast<int32_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
  int64_t begin = 0;  // a Slice for each part: equal whatever the version of Split
  for (const TensorId part : node.outputs) {
    const int64_t end = begin + w.shape(part)[at];
    w.Emit(
        "Slice",
        {w.In(x, planar), w.Ints({begin}), w.Ints({end}), w.Ints({Writer::Axis(at, rank, planar)})},
        part, planar);
    begin = end;
  }
  return true;
}

bool Split(Writer& w, const Node& node) {
  const std::vector<int64_t> axis = w.ConstantInts(node.inputs[0]);
  return axis.size() == 1 && SplitInto(w, node, node.inputs[1], axis[0]);
}

bool SplitV(Writer& w, const Node& node) {
  const std::vector<int64_t> axis = w.ConstantInts(node.inputs[2]);
  return axis.size() == 1 && SplitInto(w, node, node.inputs[0], axis[0]);
}

// Lists with one value for each axis, in the order of the file.
std::vector<int64_t> InFileOrder(const std::vector<int64_t>& list, bool planar) {
  return planar ? Permuted(list, kNhwcToNchw) : list;
}

bool Pad(Writer& w, const Node& node) {
  const std::vector<int64_t> rows = w.ConstantInts(node.inputs[1]);
  const size_t rank = w.shape(node.inputs[0]).size();
  if (rows.size() != rank * 2) return false;
  const One in = Input(w, node);
  std::vector<int64_t> before, after;
  for (size_t d = 0; d < rank; ++d) {
    before.push_back(rows[d * 2]);
    after.push_back(rows[d * 2 + 1]);
  }
  std::vector<int64_t> pads = InFileOrder(before, in.planar);
  const std::vector<int64_t> ends = InFileOrder(after, in.planar);
  pads.insert(pads.end(), ends.begin(), ends.end());
  std::vector<std::string> inputs = {in.x, w.Ints(pads)};
  if (node.op == Op::kPadV2) inputs.push_back(w.Plain(node.inputs[2]));
  OnnxNode& written = w.Emit("Pad", inputs, node.outputs[0], in.planar);
  if (node.op != Op::kMirrorPad) return true;
  written.attributes["mode"] = Writer::Text("reflect");
  return !std::get<MirrorPadAttrs>(node.attrs).symmetric;
}

bool Slice(Writer& w, const Node& node) {
  const std::vector<int64_t> begin = w.ConstantInts(node.inputs[1]);
  const Shape& shape = w.shape(node.outputs[0]);
  if (begin.size() != shape.size()) return false;
  std::vector<int64_t> end;
  for (size_t d = 0; d < begin.size(); ++d) end.push_back(begin[d] + shape[d]);
  const One in = Input(w, node);
  w.Emit("Slice",
         {in.x, w.Ints(InFileOrder(begin, in.planar)), w.Ints(InFileOrder(end, in.planar))},
         node.outputs[0], in.planar);
  return true;
}

bool StridedSlice(Writer& w, const Node& node) {
  const auto& attrs = std::get<StridedSliceAttrs>(node.attrs);
  std::vector<int64_t> begin = w.ConstantInts(node.inputs[1]), end = w.ConstantInts(node.inputs[2]),
                       step = w.ConstantInts(node.inputs[3]);
  const Shape& shape = w.shape(node.inputs[0]);
  if (attrs.ellipsis_mask != 0 || attrs.new_axis_mask != 0 || attrs.offset ||
      begin.size() != shape.size() || end.size() != shape.size() || step.size() != shape.size()) {
    return false;
  }
  for (size_t d = 0; d < begin.size(); ++d) {
    constexpr int64_t kFar = int64_t{1} << 40;
    if ((attrs.shrink_axis_mask >> d & 1) != 0) {
      end[d] = begin[d] == -1 ? kFar : begin[d] + 1;
      step[d] = 1;
      continue;
    }
    if ((attrs.begin_mask >> d & 1) != 0) begin[d] = step[d] > 0 ? 0 : kFar;
    if ((attrs.end_mask >> d & 1) != 0) end[d] = step[d] > 0 ? kFar : -kFar;
  }
  const bool shrinks = attrs.shrink_axis_mask != 0;
  const bool planar = !shrinks && ChoosePlanar(w, node);
  std::vector<int64_t> axes(begin.size());
  for (size_t d = 0; d < axes.size(); ++d) axes[d] = static_cast<int64_t>(d);
  const std::vector<std::string> inputs = {
      w.In(node.inputs[0], planar), w.Ints(InFileOrder(begin, planar)),
      w.Ints(InFileOrder(end, planar)), w.Ints(axes), w.Ints(InFileOrder(step, planar))};
  if (!shrinks) {
    w.Emit("Slice", inputs, node.outputs[0], planar);
    return true;
  }
  const Shape& out = w.shape(node.outputs[0]);
  w.Emit("Reshape", {w.Step("Slice", inputs), w.Ints({out.begin(), out.end()})}, node.outputs[0],
         false);
  return true;
}

bool Reduce(Writer& w, const Node& node, const char* op, bool axes_as_input) {
  std::vector<int64_t> axes = w.ConstantInts(node.inputs[1]);
  const size_t rank = w.shape(node.inputs[0]).size();
  const bool keep = std::get<ReduceAttrs>(node.attrs).keep_dims;
  const bool from_planar = rank == 4 && w.IsPlanar(node.inputs[0]);
  if (axes.empty()) return false;
  std::vector<int64_t> left;  // axes of the result in the order of the file must keep their order
  for (int64_t& axis : axes) axis = Writer::Axis(static_cast<int32_t>(axis), rank, from_planar);
  // Without kept dimensions the order of what is left must be the plain one.
  bool planar = from_planar;
  if (planar && !keep) {
    for (const int32_t a : kNhwcToNchw) left.push_back(a);
    std::vector<int64_t> rest;
    for (int64_t d = 0; d < 4; ++d) {
      if (std::find(axes.begin(), axes.end(), d) == axes.end()) rest.push_back(left[d]);
    }
    if (!std::is_sorted(rest.begin(), rest.end())) {
      planar = false;
      axes = w.ConstantInts(node.inputs[1]);
    }
  }
  std::vector<std::string> inputs = {w.In(node.inputs[0], planar)};
  if (axes_as_input) inputs.push_back(w.Ints(axes));
  OnnxNode& written = w.Emit(op, inputs, node.outputs[0], planar && keep);
  if (!axes_as_input) written.attributes["axes"] = Writer::List(axes);
  written.attributes["keepdims"] = Writer::Int(keep ? 1 : 0);
  return true;
}

bool Mean(Writer& w, const Node& node) { return Reduce(w, node, "ReduceMean", false); }
bool Sum(Writer& w, const Node& node) { return Reduce(w, node, "ReduceSum", true); }
bool ReduceMax(Writer& w, const Node& node) { return Reduce(w, node, "ReduceMax", false); }
bool ReduceMin(Writer& w, const Node& node) { return Reduce(w, node, "ReduceMin", false); }
bool ReduceProd(Writer& w, const Node& node) { return Reduce(w, node, "ReduceProd", false); }

// Elements keep their order, so NCHW is good enough when only its pixels or only its channels are
// more than one.
bool Reshape(Writer& w, const Node& node) {
  const TensorId x = node.inputs[0];
  const Shape &from = w.shape(x), &to = w.shape(node.outputs[0]);
  const bool still = from.size() == 4 && (from[3] == 1 || (from[1] == 1 && from[2] == 1));
  w.Emit("Reshape", {w.In(x, still && w.IsPlanar(x)), w.Ints({to.begin(), to.end()})},
         node.outputs[0], false);
  return true;
}

bool Transpose(Writer& w, const Node& node) {
  const std::vector<int64_t> perm = w.ConstantInts(node.inputs[1]);
  if (perm.empty()) return false;
  w.Emit("Transpose", {w.Plain(node.inputs[0])}, node.outputs[0], false).attributes["perm"] =
      Writer::List(perm);
  return true;
}

bool FullyConnected(Writer& w, const Node& node) {
  const auto& attrs = std::get<FullyConnectedAttrs>(node.attrs);
  const Tensor& weights = w.tensor(node.inputs[1]);
  if (!weights.is_constant) return false;
  const Shape &in = w.shape(node.inputs[0]), &out = w.shape(node.outputs[0]);
  std::string x = w.Plain(node.inputs[0]);
  if (in.size() != 2 && !attrs.keep_num_dims) {
    x = w.Step("Reshape", {x, w.Ints({-1, weights.shape[1]})});
  }
  const bool bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
  if (out.size() == 2 && !attrs.keep_num_dims) {
    std::vector<std::string> inputs = {x, w.Plain(node.inputs[1])};
    if (bias) inputs.push_back(w.Plain(node.inputs[2]));
    return EmitActivated(w, "Gemm", inputs, {{"transB", Writer::Int(1)}}, attrs.activation,
                         node.outputs[0], false);
  }
  const std::string turned = w.Weights(PermutedConstant(weights, {1, 0}));
  if (!bias) {
    return EmitActivated(w, "MatMul", {x, turned}, {}, attrs.activation, node.outputs[0], false);
  }
  return EmitActivated(w, "Add", {w.Step("MatMul", {x, turned}), w.Plain(node.inputs[2])}, {},
                       attrs.activation, node.outputs[0], false);
}

std::string LastTwoTurned(Writer& w, const std::string& x, size_t rank) {
  std::vector<int64_t> perm;
  for (size_t d = 0; d < rank; ++d) perm.push_back(static_cast<int64_t>(d));
  std::swap(perm[rank - 1], perm[rank - 2]);
  return w.Step("Transpose", {x}, {{"perm", Writer::List(perm)}});
}

bool BatchMatmul(Writer& w, const Node& node) {
  const auto& attrs = std::get<BatchMatmulAttrs>(node.attrs);
  std::string a = w.Plain(node.inputs[0]), c = w.Plain(node.inputs[1]);
  if (attrs.adj_x) a = LastTwoTurned(w, a, w.shape(node.inputs[0]).size());
  if (attrs.adj_y) c = LastTwoTurned(w, c, w.shape(node.inputs[1]).size());
  w.Emit("MatMul", {a, c}, node.outputs[0], false);
  return true;
}

bool Gather(Writer& w, const Node& node) {
  const auto& attrs = std::get<GatherAttrs>(node.attrs);
  if (attrs.batch_dims != 0) return false;
  const size_t rank = w.shape(node.inputs[0]).size();
  const bool planar =
      rank == 4 && w.shape(node.inputs[1]).size() == 1 && w.IsPlanar(node.inputs[0]);
  w.Emit("Gather", {w.In(node.inputs[0], planar), w.Plain(node.inputs[1])}, node.outputs[0], planar)
      .attributes["axis"] = Writer::Int(Writer::Axis(attrs.axis, rank, planar));
  return true;
}

bool Arg(Writer& w, const Node& node, const char* op) {
  const std::vector<int64_t> axis = w.ConstantInts(node.inputs[1]);
  if (axis.size() != 1) return false;
  const std::string found = w.Step(op, {w.Plain(node.inputs[0])},
                                   {{"axis", Writer::Int(axis[0])}, {"keepdims", Writer::Int(0)}});
  const bool wide = w.tensor(node.outputs[0]).type == DataType::kInt64;
  w.Emit("Cast", {found}, node.outputs[0], false).attributes["to"] = Writer::Int(wide ? 7 : 6);
  return true;
}

bool ArgMax(Writer& w, const Node& node) { return Arg(w, node, "ArgMax"); }
bool ArgMin(Writer& w, const Node& node) { return Arg(w, node, "ArgMin"); }

bool Tile(Writer& w, const Node& node) {
  const std::vector<int64_t> repeats = w.ConstantInts(node.inputs[1]);
  if (repeats.empty()) return false;
  const One in = Input(w, node);
  w.Emit("Tile", {in.x, w.Ints(InFileOrder(repeats, in.planar))}, node.outputs[0], in.planar);
  return true;
}

bool BroadcastTo(Writer& w, const Node& node) {
  const Shape& shape = w.shape(node.outputs[0]);
  w.Emit("Expand", {w.Plain(node.inputs[0]), w.Ints({shape.begin(), shape.end()})}, node.outputs[0],
         false);
  return true;
}

bool Pack(Writer& w, const Node& node) {
  const auto& attrs = std::get<PackAttrs>(node.attrs);
  const Shape& out = w.shape(node.outputs[0]);
  const int32_t axis = Writer::Axis(attrs.axis, out.size(), false);
  Shape part = out;
  part[axis] = 1;
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs) {
    inputs.push_back(w.Step("Reshape", {w.Plain(id), w.Ints({part.begin(), part.end()})}));
  }
  w.Emit("Concat", inputs, node.outputs[0], false).attributes["axis"] = Writer::Int(axis);
  return true;
}

bool Unpack(Writer& w, const Node& node) {
  const auto& attrs = std::get<PackAttrs>(node.attrs);
  const size_t rank = w.shape(node.inputs[0]).size();
  const int32_t axis = Writer::Axis(attrs.axis, rank, false);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const std::string part =
        w.Step("Slice", {w.Plain(node.inputs[0]), w.Ints({at}), w.Ints({at + 1}), w.Ints({axis})});
    const Shape& shape = w.shape(node.outputs[i]);
    w.Emit("Reshape", {part, w.Ints({shape.begin(), shape.end()})}, node.outputs[i], false);
  }
  return true;
}

constexpr char kAbs[] = "Abs", kAnd[] = "And", kCeil[] = "Ceil", kCos[] = "Cos", kElu[] = "Elu",
               kEqual[] = "Equal", kExp[] = "Exp", kFloor[] = "Floor", kGreater[] = "Greater",
               kGreaterOrEqual[] = "GreaterOrEqual", kLess[] = "Less",
               kLessOrEqual[] = "LessOrEqual", kLog[] = "Log", kMax[] = "Max", kMin[] = "Min",
               kNeg[] = "Neg", kNot[] = "Not", kOr[] = "Or", kPow[] = "Pow", kPRelu[] = "PRelu",
               kRelu[] = "Relu", kRound[] = "Round", kSigmoid[] = "Sigmoid", kSin[] = "Sin",
               kSqrt[] = "Sqrt", kTanh[] = "Tanh", kWhere[] = "Where";

}  // namespace

OnnxWriteRule OnnxPlainRuleOf(Op op) {
  static const std::map<Op, OnnxWriteRule> kRules = {
      {Op::kAbs, Same<kAbs>},
      {Op::kAdd, Add},
      {Op::kArgMax, ArgMax},
      {Op::kArgMin, ArgMin},
      {Op::kBatchMatmul, BatchMatmul},
      {Op::kBroadcastTo, BroadcastTo},
      {Op::kCast, Cast},
      {Op::kCeil, Same<kCeil>},
      {Op::kConcatenation, Concatenation},
      {Op::kCos, Same<kCos>},
      {Op::kDiv, Div},
      {Op::kElu, Same<kElu>},
      {Op::kEqual, Same<kEqual>},
      {Op::kExp, Same<kExp>},
      {Op::kExpandDims, Reshape},
      {Op::kFloor, Same<kFloor>},
      {Op::kFullyConnected, FullyConnected},
      {Op::kGather, Gather},
      {Op::kGelu, Gelu},
      {Op::kGreater, Same<kGreater>},
      {Op::kGreaterEqual, Same<kGreaterOrEqual>},
      {Op::kHardSwish, HardSwish},
      {Op::kL2Normalization, L2Normalization},
      {Op::kLeakyRelu, LeakyRelu},
      {Op::kLess, Same<kLess>},
      {Op::kLessEqual, Same<kLessOrEqual>},
      {Op::kLog, Same<kLog>},
      {Op::kLogSoftmax, LogSoftmax},
      {Op::kLogicalAnd, Same<kAnd>},
      {Op::kLogicalNot, Same<kNot>},
      {Op::kLogicalOr, Same<kOr>},
      {Op::kLogistic, Same<kSigmoid>},
      {Op::kMaximum, Same<kMax>},
      {Op::kMean, Mean},
      {Op::kMinimum, Same<kMin>},
      {Op::kMirrorPad, Pad},
      {Op::kMul, Mul},
      {Op::kNeg, Same<kNeg>},
      {Op::kNotEqual, NotEqual},
      {Op::kPack, Pack},
      {Op::kPad, Pad},
      {Op::kPadV2, Pad},
      {Op::kPow, Same<kPow>},
      {Op::kPrelu, Same<kPRelu>},
      {Op::kReduceMax, ReduceMax},
      {Op::kReduceMin, ReduceMin},
      {Op::kReduceProd, ReduceProd},
      {Op::kRelu, Same<kRelu>},
      {Op::kRelu0To1, Relu0To1},
      {Op::kRelu6, Relu6},
      {Op::kReluN1To1, ReluN1To1},
      {Op::kReshape, Reshape},
      {Op::kRound, Same<kRound>},
      {Op::kRsqrt, Rsqrt},
      {Op::kSelectV2, Same<kWhere>},
      {Op::kSin, Same<kSin>},
      {Op::kSlice, Slice},
      {Op::kSoftmax, Softmax},
      {Op::kSplit, Split},
      {Op::kSplitV, SplitV},
      {Op::kSqrt, Same<kSqrt>},
      {Op::kSquare, Square},
      {Op::kSquaredDifference, SquaredDifference},
      {Op::kSqueeze, Reshape},
      {Op::kStridedSlice, StridedSlice},
      {Op::kSub, Sub},
      {Op::kSum, Sum},
      {Op::kTanh, Same<kTanh>},
      {Op::kTile, Tile},
      {Op::kTranspose, Transpose},
      {Op::kUnpack, Unpack},
  };
  const auto found = kRules.find(op);
  return found == kRules.end() ? nullptr : found->second;
}

}  // namespace dlpu
