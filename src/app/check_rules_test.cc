// SPDX-License-Identifier: Apache-2.0
// A model that passes and a model that fails for every rule of every target. The rules are data,
// so this is the data's test: a rule without a row here fails it.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "app/check.h"
#include "app/small_net.h"
#include "app/small_package.h"

namespace dlpu {
namespace {

struct RuleCase {
  std::function<void(SmallNet&, bool bad)> build;
  std::string os = "";
  bool run = false;
  std::optional<int> ram_mb = std::nullopt;
};

// Nets around one convolution, pooling, ...
RuleCase Conv(std::function<ConvSpec(bool)> spec, Shape in = {1, 16, 16, 48}) {
  return {[=](SmallNet& n, bool bad) { n.Conv(n.In(in), spec(bad)); }};
}
RuleCase Depthwise(std::function<ConvSpec(bool)> spec, Shape in = {1, 16, 16, 48}) {
  return {[=](SmallNet& n, bool bad) { n.Conv(n.In(in), spec(bad), true); }};
}
RuleCase TransposeConv(std::function<ConvSpec(bool)> spec) {
  return {[=](SmallNet& n, bool bad) {
    const ConvSpec s = spec(bad);
    const TensorId x = n.In({1, 8, 8, 48});
    const TensorId w = n.Const({48, s.kernel_h, s.kernel_w, 48}, DataType::kInt8, s.weight_scale);
    ConvAttrs attrs;
    attrs.stride_h = s.stride_h;
    attrs.stride_w = s.stride_w;
    const TensorId size = n.Ints({1, 8 * s.stride_h, 8 * s.stride_w, 48});
    const TensorId out = n.Tensor({1, 8 * s.stride_h, 8 * s.stride_w, 48});
    n.Node("TRANSPOSE_CONV", {size, w, x}, {out}, attrs);
  }};
}
struct PoolSpec {
  int h = 2, w = 2, stride_h = 2, stride_w = 2;
  Padding padding = Padding::kValid;
  Shape in = {1, 16, 16, 48};
  Activation activation = Activation::kNone;
};
RuleCase Pool(const std::string& op, std::function<PoolSpec(bool)> spec) {
  return {[=](SmallNet& n, bool bad) {
    const PoolSpec s = spec(bad);
    n.Pool(op, n.In(s.in), s.h, s.w, s.stride_h, s.stride_w, s.padding, s.activation);
  }};
}
// A reduction of 1x7x7x48 over the axes.
RuleCase Reduce(const std::string& op, std::vector<int32_t> good, std::vector<int32_t> wrong,
                Shape in = {1, 7, 7, 48}) {
  return {[=](SmallNet& n, bool bad) {
    ReduceAttrs attrs;
    attrs.keep_dims = true;
    Shape out = in;
    const std::vector<int32_t>& axes = bad ? wrong : good;
    for (const int32_t axis : axes) out[axis] = 1;
    const TensorId x = n.In(in);
    n.Op1(op, {x, n.Ints(axes)}, out, attrs);
  }};
}
RuleCase Resize(const std::string& op, Shape good, Shape wrong) {
  return {[=](SmallNet& n, bool bad) {
    const Shape out = bad ? wrong : good;
    const TensorId x = n.In({1, 8, 8, 48});
    n.Op1(op, {x, n.Ints({out[1], out[2]})}, out);
  }};
}
RuleCase ResizeBy(const std::string& op) {  // a size that is computed
  return {[=](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, 8, 48});
    const TensorId size = bad ? n.In({2}, DataType::kInt32) : n.Ints({16, 16});
    n.Op1(op, {x, size}, {1, 16, 16, 48});
  }};
}
RuleCase Pad(std::vector<int32_t> good, std::vector<int32_t> wrong) {
  return {[=](SmallNet& n, bool bad) {
    const std::vector<int32_t>& pads = bad ? wrong : good;
    const Shape in = {1, 16, 16, 48};
    Shape out = in;
    for (size_t i = 0; i < 4; ++i) out[i] += pads[2 * i] + pads[2 * i + 1];
    const TensorId x = n.In(in);
    n.Op1("PAD", {x, n.Ints(pads, {4, 2})}, out);
  }};
}
RuleCase FullyConnected(Shape good, Shape wrong) {
  return {[=](SmallNet& n, bool bad) { n.FullyConnected(n.In(bad ? wrong : good), 48); }};
}
RuleCase Slice(std::function<void(StridedSliceAttrs&, std::vector<int32_t>&)> spoil) {
  return {[=](SmallNet& n, bool bad) {
    StridedSliceAttrs attrs;
    std::vector<int32_t> strides = {1, 1, 1, 1};
    if (bad) spoil(attrs, strides);
    const TensorId x = n.In({1, 16, 16, 48});
    n.Op1("STRIDED_SLICE", {x, n.Ints({0, 0, 0, 0}), n.Ints({1, 8, 16, 48}), n.Ints(strides)},
          {1, 8, 16, 48}, attrs);
  }};
}
RuleCase Split(int axis_good, int axis_bad, int channels_good, int channels_bad) {
  return {[=](SmallNet& n, bool bad) {
    const int axis = bad ? axis_bad : axis_good;
    Shape in = {2, 16, 16, bad ? channels_bad : channels_good};
    const TensorId x = n.In(in);
    in[axis] /= 2;
    const TensorId a = n.Tensor(in), b = n.Tensor(in);
    SplitAttrs attrs;
    attrs.count = 2;
    n.Node("SPLIT", {n.Ints({axis}), x}, {a, b}, attrs);
  }};
}
RuleCase Unary(const std::string& op, std::function<std::pair<float, int>(bool)> quantization) {
  return {[=](SmallNet& n, bool bad) {
    const auto [scale, zero] = quantization(bad);
    n.Op1(op, {n.In({1, 8, 8, 48})}, {1, 8, 8, 48}, NoAttrs(), scale, zero);
  }};
}
// One op or the other.
RuleCase Either(const std::string& good, const std::string& wrong) {
  return {[=](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, 8, 48});
    n.Op1(bad ? wrong : good, {x}, {1, 8, 8, 48});
  }};
}
// A float model around the quantized one, as converters write them.
void Quantized(SmallNet& n, DataType weights, DataType activations) {
  const TensorId x = n.In({1, 16, 16, 48}, activations);
  const TensorId w = n.Const({48, 3, 3, 48}, weights, 0.02f);
  const TensorId out = n.Tensor({1, 16, 16, 48}, activations);
  n.Node("CONV_2D", {x, w, kNoTensor}, {out}, ConvAttrs{});
}
ConvSpec With(std::function<void(ConvSpec&)> change, bool apply) {
  ConvSpec spec;
  if (apply) change(spec);
  return spec;
}
std::function<ConvSpec(bool)> Bad(std::function<void(ConvSpec&)> change) {
  return [=](bool bad) { return With(change, bad); };
}
std::function<PoolSpec(bool)> BadPool(PoolSpec base, std::function<void(PoolSpec&)> change) {
  return [=](bool bad) {
    PoolSpec spec = base;
    if (bad) change(spec);
    return spec;
  };
}
const PoolSpec kThree = {3, 3, 2, 2, Padding::kSame, {1, 17, 17, 48}, Activation::kNone};
const PoolSpec kAverage3 = {3, 3, 1, 1, Padding::kSame, {1, 16, 16, 48}, Activation::kNone};
const PoolSpec kAverage7 = {7, 7, 1, 1, Padding::kValid, {1, 7, 7, 48}, Activation::kNone};
const PoolSpec kOne = {5, 5, 1, 1, Padding::kValid, {1, 24, 24, 48}, Activation::kNone};

// Two tensors joined; `change` spoils.
RuleCase Joined(std::function<void(SmallNet&, bool, TensorId, TensorId)> join) {
  return {[=](SmallNet& n, bool bad) {
    const TensorId a = n.In({1, 8, 8, 48}), b = n.In({1, 8, 8, 48});
    join(n, bad, a, b);
  }};
}

std::map<std::string, RuleCase> ConvolutionCases() {
  std::map<std::string, RuleCase> cases;
  for (const auto& [op, make] : {std::pair("conv-2d", &Conv), std::pair("depthwise", &Depthwise)}) {
    const std::string name = op;
    auto add = [&cases, &name, make = make](const std::string& id,
                                            std::function<void(ConvSpec&)> change) {
      cases[name + "-" + id] = make(Bad(std::move(change)), {1, 16, 16, 48});
    };
    add("stride", [](ConvSpec& s) { s.stride_h = s.stride_w = 3; });
    add("stride-equal", [](ConvSpec& s) { s.stride_h = 2; });
    add("kernel", [](ConvSpec& s) { s.kernel_h = 5; });
    add("kernel-h", [](ConvSpec& s) { s.kernel_h = 6; });
    add("kernel-w", [](ConvSpec& s) { s.kernel_w = 6; });
    add("large-h", [](ConvSpec& s) { s.kernel_h = 9, s.stride_h = s.stride_w = 2; });
    add("large-w", [](ConvSpec& s) { s.kernel_w = 9, s.stride_h = s.stride_w = 2; });
    add("dilation", [](ConvSpec& s) { s.dilation_h = 2; });
    add("dilation-h", [](ConvSpec& s) { s.dilation_h = 2; });
    add("dilation-w", [](ConvSpec& s) { s.dilation_w = 2; });
    add("scale", [](ConvSpec& s) { s.weight_scale = 70000; });
    add("activation", [](ConvSpec& s) { s.activation = Activation::kReluN1To1; });
    add("constant", [](ConvSpec& s) { s.constant = false; });
  }
  cases["conv-2d-filters"] = Conv(Bad([](ConvSpec& s) { s.filters = 17; }));
  cases["depthwise-filters"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({1, 16, 16, bad ? 17 : 48}), {}, true);
  }};
  cases["depthwise-multiplier"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({1, 16, 16, 48}), {}, true, bad ? 2 : 1);
  }};
  cases["conv-2d-groups"] = {[](SmallNet& n, bool bad) {
    ConvSpec spec;
    spec.groups = 2;
    n.Conv(n.In({bad ? 2 : 1, 16, 16, 48}), spec);
  }};
  cases["conv-2d-hybrid"] = {[](SmallNet& n, bool bad) {
    n.FullyConnected(n.In({1, 48}), 48);  // the rest of the model is integer
    Quantized(n, bad ? DataType::kInt8 : DataType::kFloat32, DataType::kFloat32);
  }};
  cases["fully-connected-hybrid"] = {[](SmallNet& n, bool bad) {
    n.FullyConnected(n.In({1, 48}), 48);  // the rest of the model is integer
    const DataType weights = bad ? DataType::kInt8 : DataType::kFloat32;
    n.Node("FULLY_CONNECTED", {n.In({1, 48}, DataType::kFloat32), n.Const({48, 48}, weights)},
           {n.Tensor({1, 48}, DataType::kFloat32)}, FullyConnectedAttrs());
  }};
  cases["weights-per-tensor"] = Conv(Bad([](ConvSpec& s) { s.weight_scales = 48; }));
  cases["bias-scale"] = Conv(Bad([](ConvSpec& s) { s.bias_scale = 0.01f; }));
  // With a scale per channel TensorFlow Lite does not compare: the numbers are wrong instead.
  cases["bias-scale-ratio"] = Conv([](bool bad) {
    ConvSpec spec;
    spec.weight_scales = 48;
    if (bad) spec.bias_scale = 0.0025f;
    return spec;
  });
  cases["transpose-conv-stride"] = TransposeConv(
      [](bool bad) { return With([](ConvSpec& s) { s.stride_h = s.stride_w = 2; }, !bad); });
  auto twice = [](std::function<void(ConvSpec&)> change) {
    return [=](bool bad) {
      ConvSpec spec;
      spec.stride_h = spec.stride_w = 2;
      if (bad) change(spec);
      return spec;
    };
  };
  cases["transpose-conv-stride-equal"] = TransposeConv(twice([](ConvSpec& s) { s.stride_w = 1; }));
  cases["transpose-conv-kernel-h"] = TransposeConv(twice([](ConvSpec& s) { s.kernel_h = 4; }));
  cases["transpose-conv-kernel-w"] = TransposeConv(twice([](ConvSpec& s) { s.kernel_w = 4; }));
  cases["transpose-conv-scale"] = TransposeConv(twice([](ConvSpec& s) { s.weight_scale = 70000; }));
  return cases;
}

std::map<std::string, RuleCase> PoolingCases() {
  std::map<std::string, RuleCase> cases;
  auto average = [&](const std::string& id, PoolSpec base, std::function<void(PoolSpec&)> change) {
    cases["average-pool-" + id] = Pool("AVERAGE_POOL_2D", BadPool(base, std::move(change)));
  };
  average("activation", kAverage3, [](PoolSpec& s) { s.activation = Activation::kRelu6; });
  average("size", kAverage3, [](PoolSpec& s) { s.h = s.w = 2; });
  average("square", kAverage3, [](PoolSpec& s) { s.w = 5; });
  average("3-stride", kAverage3, [](PoolSpec& s) { s.stride_h = s.stride_w = 2; });
  average("3-padding", kAverage3, [](PoolSpec& s) { s.padding = Padding::kValid; });
  average("mean-height", kAverage7, [](PoolSpec& s) { s.in[1] = 9; });
  average("mean-width", kAverage7, [](PoolSpec& s) { s.in[2] = 9; });
  auto max = [&](const std::string& id, PoolSpec base, std::function<void(PoolSpec&)> change) {
    cases["max-pool-" + id] = Pool("MAX_POOL_2D", BadPool(base, std::move(change)));
  };
  max("activation", {}, [](PoolSpec& s) { s.activation = Activation::kRelu6; });
  max("stride", {}, [](PoolSpec& s) { s.stride_h = s.stride_w = 3; });
  max("stride-equal", {}, [](PoolSpec& s) { s.stride_w = 1; });
  max("2-size", {}, [](PoolSpec& s) { s.h = s.w = 4; });
  max("2-square", {}, [](PoolSpec& s) { s.w = 3; });
  max("2-valid-height", {}, [](PoolSpec& s) { s.in[1] = 15; });
  max("2-valid-width", {}, [](PoolSpec& s) { s.in[2] = 15; });
  max("2-same-height", kThree, [](PoolSpec& s) { s.in[1] = 16; });
  max("2-same-width", kThree, [](PoolSpec& s) { s.in[2] = 16; });
  max("3-width", kThree, [](PoolSpec& s) { s.in[2] = 419; });
  max("1-valid", kOne, [](PoolSpec& s) { s.h = 11; });
  max("1-valid-w", kOne, [](PoolSpec& s) { s.w = 11; });
  max("1-same", kOne, [](PoolSpec& s) { s.padding = Padding::kSame, s.h = 19; });
  max("1-same-w", kOne, [](PoolSpec& s) { s.padding = Padding::kSame, s.w = 19; });
  cases["mean-batch"] = Reduce("MEAN", {1, 2}, {0}, {2, 7, 7, 48});
  cases["mean-depth"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 7, 7, bad ? 46 : 48});
    n.Op1("MEAN", {x, n.Ints({3})}, {1, 7, 7, 1}, ReduceAttrs{true});
  }};
  cases["mean-channels"] = Reduce("MEAN", {1, 2}, {1, 2, 3});
  cases["mean-space"] = Reduce("MEAN", {1, 2}, {3});
  cases["mean-height"] = {[](SmallNet& n, bool bad) {
    const int extent = bad ? 9 : 8;
    const TensorId x = n.In({1, extent, extent, 48});
    n.Op1("MEAN", {x, n.Ints({1, 2})}, {1, 1, 1, 48}, ReduceAttrs{true});
  }};
  cases["mean-width"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, bad ? 7 : 8, 48});
    n.Op1("MEAN", {x, n.Ints({1, 2})}, {1, 1, 1, 48}, ReduceAttrs{true});
  }};
  cases["sum-batch"] = Reduce("SUM", {1, 2}, {0}, {2, 7, 7, 48});
  cases["reduce-max-batch"] = Reduce("REDUCE_MAX", {1, 2}, {0}, {2, 7, 7, 48});
  cases["reduce-min-batch"] = Reduce("REDUCE_MIN", {1, 2}, {0}, {2, 7, 7, 48});
  return cases;
}

std::map<std::string, RuleCase> MovingCases() {
  std::map<std::string, RuleCase> cases;
  cases["concatenation-activation"] = Joined([](SmallNet& n, bool bad, TensorId a, TensorId b) {
    n.Op1("CONCATENATION", {a, b}, {1, 8, 8, 96},
          ConcatenationAttrs{3, bad ? Activation::kRelu6 : Activation::kNone});
  });
  cases["concatenation-constant-count"] = Joined([](SmallNet& n, bool bad, TensorId a, TensorId b) {
    const TensorId zeros = n.Const({1, 8, 8, 48});
    std::vector<TensorId> inputs = {a, zeros};
    if (bad) inputs.push_back(b);
    n.Op1("CONCATENATION", inputs, {1, 8, 8, bad ? 144 : 96}, ConcatenationAttrs{3});
  });
  cases["concatenation-constant-zero"] = Joined([](SmallNet& n, bool bad, TensorId a, TensorId) {
    const TensorId zeros = n.Const({1, 8, 8, 48}, DataType::kInt8, 0.1f, bad ? 1 : 0);
    n.Op1("CONCATENATION", {a, zeros}, {1, 8, 8, 96}, ConcatenationAttrs{3});
  });
  cases["concatenation-scale"] = {[](SmallNet& n, bool bad) {
    const TensorId a = n.In({1, 8, 8, 48}, DataType::kInt8, bad ? 20 : 1);
    const TensorId b = n.In({1, 8, 8, 48});
    n.Op1("CONCATENATION", {a, b}, {1, 8, 8, 96}, ConcatenationAttrs{3});
  }};
  cases["concatenation-channels"] = {[](SmallNet& n, bool bad) {
    const int channels = bad ? 40 : 48;
    const TensorId a = n.In({1, 8, 8, channels}), b = n.In({1, 8, 8, channels});
    n.Op1("CONCATENATION", {a, b}, {1, 8, 8, 2 * channels}, ConcatenationAttrs{3});
  }};
  cases["pack-batch"] = {[](SmallNet& n, bool bad) {
    const TensorId a = n.In({8, 8, 48}), b = n.In({8, 8, 48});
    PackAttrs attrs;
    attrs.axis = bad ? 0 : 1;
    attrs.count = 2;
    n.Op1("PACK", {a, b}, bad ? Shape{2, 8, 8, 48} : Shape{8, 2, 8, 48}, attrs);
  }};
  cases["pad-batch"] = Pad({0, 0, 1, 1, 1, 1, 0, 0}, {1, 0, 1, 1, 1, 1, 0, 0});
  cases["pad-size"] = Pad({0, 0, 7, 7, 1, 1, 0, 0}, {0, 0, 8, 1, 1, 1, 0, 0});
  cases["pad-channels"] = Pad({0, 0, 1, 1, 1, 1, 0, 0}, {0, 0, 1, 1, 1, 1, 0, 16});
  cases["pad-explicit"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 16, 16, 48});
    if (bad) {
      n.Op1("PAD", {x, n.Ints({0, 0, 1, 1, 1, 1, 0, 0}, {4, 2})}, {1, 18, 18, 48});
    } else {
      n.Conv(x, {});
    }
  }};
  cases["resize-bilinear-factor"] = Resize("RESIZE_BILINEAR", {1, 16, 16, 48}, {1, 160, 160, 48});
  cases["resize-bilinear-untried"] = Resize("RESIZE_BILINEAR", {1, 16, 16, 48}, {1, 64, 64, 48});
  for (const std::string op : {"bilinear", "nearest"}) {
    const std::string name = op == "bilinear" ? "RESIZE_BILINEAR" : "RESIZE_NEAREST_NEIGHBOR";
    cases["resize-" + op + "-height"] = Resize(name, {1, 16, 16, 48}, {1, 20, 16, 48});
    cases["resize-" + op + "-width"] = Resize(name, {1, 15, 15, 48}, {1, 16, 20, 48});
    cases["resize-" + op + "-constant"] = ResizeBy(name);
  }
  cases["depth-to-space-block"] = {[](SmallNet& n, bool bad) {
    const int block = bad ? 4 : 2;
    const TensorId x = n.In({1, 8, 8, 64});
    n.Op1("DEPTH_TO_SPACE", {x}, {1, 8 * block, 8 * block, 64 / block / block}, BlockAttrs{block});
  }};
  cases["split-batch"] = Split(3, 0, 64, 64);
  cases["split-channels"] = Split(3, 3, 64, 40);
  cases["squeeze-leading"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In(bad ? Shape{5, 1, 10} : Shape{1, 5, 10});
    n.Op1("SQUEEZE", {x}, {5, 10}, SqueezeAttrs{{bad ? 1 : 0}});
  }};
  cases["strided-slice-stride"] =
      Slice([](StridedSliceAttrs&, std::vector<int32_t>& strides) { strides[1] = 2; });
  cases["strided-slice-ellipsis"] =
      Slice([](StridedSliceAttrs& attrs, std::vector<int32_t>&) { attrs.ellipsis_mask = 1; });
  cases["strided-slice-new-axis"] =
      Slice([](StridedSliceAttrs& attrs, std::vector<int32_t>&) { attrs.new_axis_mask = 1; });
  cases["transposes"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, 8, 48});
    if (bad) {
      n.Op1("TRANSPOSE", {x, n.Ints({0, 3, 1, 2})}, {1, 48, 8, 8});
    } else {
      n.Op1("RESHAPE", {x}, {1, 48, 8, 8});
    }
  }};
  return cases;
}

std::map<std::string, RuleCase> OtherOpCases() {
  std::map<std::string, RuleCase> cases;
  cases["fully-connected-rows"] = FullyConnected({1, 48}, {4, 48});
  cases["fully-connected-height"] = FullyConnected({1, 1, 1, 48}, {1, 4, 1, 48});
  cases["fully-connected-width"] = FullyConnected({1, 1, 1, 48}, {1, 1, 4, 48});
  cases["fully-connected-format"] = {[](SmallNet& n, bool bad) {
    n.FullyConnected(n.In({1, 48}), 48, 0.02f, true, bad);
  }};
  cases["fully-connected-constant"] = {[](SmallNet& n, bool bad) {
    n.FullyConnected(n.In({1, 48}), 48, 0.02f, !bad);
  }};
  cases["fully-connected-scale"] = {[](SmallNet& n, bool bad) {
    n.FullyConnected(n.In({1, 48}), 48, bad ? 70000 : 0.02f);
  }};
  cases["prelu-alpha"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, 8, 48});
    n.Op1("PRELU", {x, n.Const(bad ? Shape{8, 8, 48} : Shape{1, 1, 48})}, {1, 8, 8, 48});
  }};
  cases["quantize-integer"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, 8, 48}, bad ? DataType::kFloat32 : DataType::kUInt8);
    const TensorId y = n.Tensor({1, 8, 8, 48});
    n.Node("QUANTIZE", {x}, {y});
    n.Conv(y, {});
  }};
  cases["softmax-rows"] = {[](SmallNet& n, bool bad) {
    const Shape shape = {bad ? 4 : 1, 48};
    n.Op1("SOFTMAX", {n.In(shape)}, shape, NoAttrs(), 1 / 256.0f, -128);
  }};
  cases["softmax-elements"] = {[](SmallNet& n, bool bad) {
    const Shape shape = {1, bad ? 16001 : 16000};
    n.Op1("SOFTMAX", {n.In(shape)}, shape, NoAttrs(), 1 / 256.0f, -128);
  }};
  cases["leaky-relu-alpha"] = {[](SmallNet& n, bool bad) {
    n.Op1("LEAKY_RELU", {n.In({1, 8, 8, 48})}, {1, 8, 8, 48}, LeakyReluAttrs{bad ? 2.0f : 0.1f});
  }};
  cases["leaky-relu-zeros"] = Either("RELU", "LEAKY_RELU");
  cases["batch-matmul-transformer"] = {[](SmallNet& n, bool bad) {
    const TensorId a = n.In({1, 8, 48}), b = n.In({1, 48, 48});
    n.Op1(bad ? "BATCH_MATMUL" : "ADD", {a, b}, {1, 8, 48});
  }};
  auto logistic = [](float scale, int zero) {
    return Unary("LOGISTIC", [=](bool bad) {
      return bad ? std::pair(scale, zero) : std::pair(1 / 256.0f, -128);
    });
  };
  cases["logistic-scale"] = logistic(1 / 128.0f, -128);
  cases["logistic-zero"] = logistic(1 / 256.0f, 0);
  auto tanh = [](float scale, int zero) {
    return Unary("TANH",
                 [=](bool bad) { return bad ? std::pair(scale, zero) : std::pair(1 / 128.0f, 0); });
  };
  cases["tanh-scale"] = tanh(1 / 64.0f, 0);
  cases["tanh-zero"] = tanh(1 / 128.0f, -128);
  cases["mul-constant"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, 8, 48});
    n.Op1("MUL", {x, bad ? n.In({1, 8, 8, 48}) : n.Const({48})}, {1, 8, 8, 48});
  }};
  cases["add-fused-residual"] = {
      [](SmallNet& n, bool bad) {
        const TensorId x = n.In({1, 16, 16, 48});
        const TensorId sum = n.Op1("ADD", {x, n.Conv(x, {})}, {1, 16, 16, 48});
        const TensorId out = n.Conv(sum, {});
        n.graph.outputs = {out};
        if (!bad) n.graph.outputs.push_back(sum);
      },
      "12.11.50"};
  cases["op-not-listed"] = Either("RELU", "NON_MAX_SUPPRESSION_V4");
  cases["detection-post-process"] = Either("RELU", "TFLite_Detection_PostProcess");
  cases["custom-op"] = {[](SmallNet& n, bool bad) {
    n.Op1(bad ? "RELU" : "TFLite_Detection_PostProcess", {n.In({1, 8})}, {1, 8});
    if (bad) n.graph.nodes.back().op = Op::kUnknown;
    if (bad) n.graph.nodes.back().attrs = UnknownAttrs{"PosenetDecoderOp", true, {}};
  }};
  return cases;
}

std::map<std::string, RuleCase> ModelCases() {
  std::map<std::string, RuleCase> cases;
  auto types = [](DataType weights, DataType activations) {
    return RuleCase{[=](SmallNet& n, bool bad) {
      Quantized(n, bad ? weights : DataType::kInt8, bad ? activations : DataType::kInt8);
    }};
  };
  cases["types"] = types(DataType::kInt8, DataType::kInt16);
  cases["output-types"] = {[](SmallNet& n, bool bad) {
    const TensorId out = n.Tensor({1, 8}, bad ? DataType::kInt64 : DataType::kInt32);
    n.Node("ARG_MAX", {n.In({1, 8, 48}), n.Ints({2})}, {out});
  }};
  cases["float32"] = types(DataType::kFloat32, DataType::kFloat32);
  cases["float-slow"] = types(DataType::kFloat32, DataType::kFloat32);
  cases["dynamic-range"] = types(DataType::kInt8, DataType::kFloat32);
  cases["float16"] = {[](SmallNet& n, bool bad) {
    const DataType type = bad ? DataType::kFloat32 : DataType::kInt8;
    const TensorId x = n.In({1, 16, 16, 48}, type);
    const TensorId w = n.Tensor({48, 3, 3, 48}, type, 0.02f);
    if (bad) {
      n.Node("DEQUANTIZE", {n.Const({48, 3, 3, 48}, DataType::kFloat16)}, {w});
    } else {
      n.graph.tensors[w].is_constant = true;
      n.graph.tensors[w].data.assign(48 * 9 * 48, 0);
    }
    n.Node("CONV_2D", {x, w, kNoTensor}, {n.Tensor({1, 16, 16, 48}, type)}, ConvAttrs{});
  }};
  cases["float-island"] = {[](SmallNet& n, bool bad) {
    TensorId x = n.Conv(n.In({1, 16, 16, 48}), {});
    if (bad) {
      const TensorId a = n.Tensor({1, 16, 16, 48}, DataType::kFloat32);
      n.Node("DEQUANTIZE", {x}, {a});
      const TensorId b = n.Op1("EXP", {a}, {1, 16, 16, 48});
      x = n.Tensor({1, 16, 16, 48});
      n.Node("QUANTIZE", {b}, {x});
    }
    n.Conv(x, {});
  }};
  cases["float-model"] = {[](SmallNet& n, bool bad) {
    n.format = "onnx";  // a .tflite is refused by CV75 anyway
    n.Conv(n.In({1, 32, 32, 3}, bad ? DataType::kInt8 : DataType::kFloat32), {});
  }};
  cases["static-shapes"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({1, bad ? -1 : 16, 16, 48}), {});
  }};
  cases["three-dimensions"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({bad ? 2 : 1, 16, 16, 48}), {});
  }};
  cases["batch-1"] = cases["three-dimensions"];
  cases["four-dimensions"] = {[](SmallNet& n, bool bad) {
    const TensorId x = n.In({1, 8, 8, 48});
    n.Op1("RESHAPE", {x}, bad ? Shape{1, 8, 8, 6, 8} : Shape{1, 8, 48, 8});
  }};
  cases["partitions"] = {[](SmallNet& n, bool bad) {
    TensorId x = n.In({1, 8, 8, 48});
    for (int i = 0; i < (bad ? 9 : 7); ++i) {
      x = n.Op1("RELU", {x}, {1, 8, 8, 48});
      x = n.Op1("ROUND", {x}, {1, 8, 8, 48});
    }
  }};
  auto weights = [](int good, int wrong) {  // MiB
    return RuleCase{[=](SmallNet& n, bool bad) {
      n.FullyConnected(n.In({1, 1024}), 1024 * (bad ? wrong : good));
    }};
  };
  cases["parameter-cache"] = weights(7, 8);
  cases["graph-cache"] = weights(1, 65);
  cases["memory"] = weights(1, 9);
  cases["memory"].ram_mb = 8;
  cases["activation-memory"] = {[](SmallNet& n, bool bad) {
    n.Op1("RELU", {n.In({1, 256, 256, bad ? 32 : 16})}, {1, 256, 256, bad ? 32 : 16});
  }};
  cases["nothing-on-dlpu"] = Either("RELU", "ROUND");
  cases["quantize-version"] = cases["op-version"] = {
      [](SmallNet& n, bool bad) {
        const TensorId y = n.Tensor({1, 8, 8, 48});
        n.Node("QUANTIZE", {n.In({1, 8, 8, 48}, DataType::kUInt8)}, {y}, NoAttrs(), bad ? 3 : 2);
      },
      "10.6"};
  cases["range-conflict"] = {[](SmallNet& n, bool bad) {
    const TensorId boxes = n.In({1, 100, 4}, DataType::kInt8, bad ? 2.54f : 0.00392f, -128);
    const TensorId scores =
        n.Op1("LOGISTIC", {n.In({1, 100, 2})}, {1, 100, 2}, NoAttrs(), 1 / 256.0f, -128);
    n.Op1("CONCATENATION", {boxes, scores}, {1, 100, 6}, ConcatenationAttrs{2},
          bad ? 2.54f : 0.00392f, -128);
  }};
  cases["output-scale"] = {[](SmallNet& n, bool bad) {
    const TensorId scores =
        n.Op1("LOGISTIC", {n.In({1, 100, 2})}, {1, 100, 2}, NoAttrs(), 1 / 256.0f, -128);
    n.Op1("QUANTIZE", {scores}, {1, 100, 2}, NoAttrs(), bad ? 2.54f : 0.00392f, -128);
  }};
  cases["output-constant"] = {[](SmallNet& n, bool bad) {
                                const TensorId x = n.In({1, 8, 8, 4});
                                const TensorId y = n.Conv(x, {1, 1, 4});
                                // Weights of 0 or 1: nothing or everything of the input.
                                auto& weights = n.graph.tensors[n.graph.nodes[0].inputs[1]];
                                weights.data.assign(weights.data.size(), bad ? 0 : 100);
                                n.graph.outputs = {y};
                              },
                              "", true};
  cases["tflite-only"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({1, 16, 16, 48}), {});
    n.format = bad ? "onnx" : "tflite";
  }};
  cases["onnx-only"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({1, 16, 16, 48}, DataType::kFloat32), {});
    n.format = bad ? "tflite" : "onnx";
  }};
  cases["stand-in"] = {[](SmallNet& n, bool bad) {
    if (bad) n.graph.metadata["dlpu_fixed_point"] = {'1'};
    ConvSpec spec;
    spec.weight_scale = 0.25f;
    n.Conv(n.In({1, 16, 16, 48}, bad ? DataType::kInt8 : DataType::kFloat32, 0.5f), spec);
  }};
  cases["op-not-seen"] = {[](SmallNet& n, bool bad) {
    n.Op1(bad ? "HARD_SWISH" : "RELU", {n.In({1, 16, 16, 48}, DataType::kFloat32)},
          {1, 16, 16, 48});
  }};
  // A file that no target loads, and one that is only for the Edge TPU.
  auto file = [](const std::string& wrong) {
    return RuleCase{[=](SmallNet& n, bool bad) {
      n.Conv(n.In({1, 16, 16, 48}), {});
      if (bad) n.format = wrong;
    }};
  };
  cases["wrong-chip"] = file("larod-wrapper");
  cases["compiled"] = file("larod-wrapper");
  cases["edgetpu-package"] = file("edgetpu-tflite");
  cases["runtime-version"] = {[](SmallNet& n, bool bad) { AddPackage(n, bad ? 14 : 13); }, "10.6"};
  cases["cpu-is-faster"] = {[](SmallNet& n, bool bad) {
    if (bad) {
      n.FullyConnected(n.In({1, 48}), 48);
      return;
    }
    TensorId x = n.In({1, 224, 224, 48});
    for (int i = 0; i < 8; ++i) x = n.Conv(x, {});
  }};
  cases["several-parts"] = cases["behind-first-miss"] = {[](SmallNet& n, bool bad) {
    TensorId x = n.Conv(n.In({1, 16, 16, 48}), {});
    if (bad) x = n.Op1("NEG", {x}, {1, 16, 16, 48});
    n.Conv(x, {});
  }};
  cases["input-planar"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({1, 32, 32, bad ? 3 : 1}, DataType::kFloat32), {});
  }};
  cases["input-width"] = {[](SmallNet& n, bool bad) {
    n.Conv(n.In({1, 300, bad ? 300 : 384, 3}, DataType::kFloat32), {});
  }};
  return cases;
}

const std::map<std::string, RuleCase>& AllCases() {
  static const std::map<std::string, RuleCase> all = [] {
    std::map<std::string, RuleCase> cases;
    for (auto part :
         {ConvolutionCases(), PoolingCases(), MovingCases(), OtherOpCases(), ModelCases()}) {
      cases.merge(part);
    }
    return cases;
  }();
  return all;
}

// The findings of a rule on the passing or failing model.
Result<std::vector<Finding>> FindingsOf(const Target& target, const std::string& rule, bool bad) {
  const RuleCase& row = AllCases().at(rule);
  SmallNet net;
  row.build(net, bad);
  CheckOptions options;
  options.os = row.os;
  options.run = row.run;
  options.threads = 1;
  if (row.ram_mb) {
    options.product.emplace();
    options.product->ram_mb = row.ram_mb;
  }
  DLPU_TRY(const CheckReport report, Check(net.Model(), target, options));
  std::vector<Finding> found;
  for (const Finding& finding : report.findings) {
    if (finding.rule == rule) found.push_back(finding);
  }
  return found;
}

// A rule that no model can break: a note without a test.
bool IsPlainNote(const Condition& rule) { return !rule.test && rule.effect == Effect::kNote; }

// The one target whose device loads the file that others refuse.
bool IsItsOwnFile(const Target& target, const Condition& rule) {
  return rule.id == "edgetpu-package" && target.camera_format == "edgetpu-tflite";
}

// What is wrong with a rule's row; empty when nothing is.
std::string Problem(const Target& target, const Condition& rule) {
  if (IsPlainNote(rule)) return "";
  if (!AllCases().contains(rule.id)) return "has no row";
  const auto good = FindingsOf(target, rule.id, false);
  if (!good.ok()) return "passing model: " + good.error().message;
  if (!good->empty()) return "passing model: finds " + (*good)[0].message;
  const auto bad = FindingsOf(target, rule.id, true);
  if (!bad.ok()) return "failing model: " + bad.error().message;
  if (IsItsOwnFile(target, rule)) return bad->empty() ? "" : "refuses its own file";
  if (bad->empty()) return "failing model: finds nothing";
  const Finding& finding = (*bad)[0];
  if (finding.effect != EffectName(rule.effect)) return "its effect is " + finding.effect;
  if (finding.severity != rule.severity) return "it counts otherwise";
  if (finding.fix.empty() && rule.severity != Severity::kNote) return "it has no fix";
  const bool harmless = finding.severity == Severity::kNote && finding.effect == "cpu";
  if (finding.worth.empty() && !finding.fix.empty() && !harmless) return "it has no worth";
  if (finding.message.find("not known") != std::string::npos) return finding.message;
  return "";
}

TEST(CheckRules, EveryRuleOfEveryTargetPassesAndFails) {
  const auto targets = LoadTargets();
  ASSERT_TRUE(targets.ok()) << targets.error().message;
  std::set<std::string> used;
  int tested = 0, notes = 0;
  for (const Target& target : *targets) {
    for (const Condition* rule : AllConditions(target)) {
      EXPECT_EQ(Problem(target, *rule), "") << target.name << ": " << rule->id;
      (IsPlainNote(*rule) ? notes : tested) += 1;
      used.insert(rule->id);
    }
  }
  for (const auto& [id, row] : AllCases()) {
    // The two kinds of convolution share their rows; not every target asks the same of both.
    const bool generated = id.starts_with("conv-2d-") || id.starts_with("depthwise-");
    EXPECT_TRUE(used.contains(id) || generated) << id << " is a row without a rule";
  }
  EXPECT_GT(tested, 150);
  std::printf("%d rules passed and failed, %d notes\n", tested, notes);
}

TEST(CheckRules, RulesThatSilenceOthersExist) {
  const auto targets = LoadTargets();
  ASSERT_TRUE(targets.ok()) << targets.error().message;
  std::set<std::string> ids, named;
  for (const Target& target : *targets) {
    for (const Condition* rule : AllConditions(target)) {
      ids.insert(rule->id);
      named.insert(rule->unless.begin(), rule->unless.end());
    }
  }
  EXPECT_FALSE(named.empty());
  for (const std::string& id : named) EXPECT_TRUE(ids.contains(id)) << id;
}

TEST(CheckRules, AMissingRowIsSeen) {
  const auto target = FindTarget("artpec9");
  ASSERT_TRUE(target.ok());
  Condition rule = target->node_rules[0];
  rule.id = "nobody-wrote-a-row";
  EXPECT_EQ(Problem(*target, rule), "has no row");
}

}  // namespace
}  // namespace dlpu
