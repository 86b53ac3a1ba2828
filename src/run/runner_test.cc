// SPDX-License-Identifier: Apache-2.0
// A Program runs as its steps say, whatever the memory plan and the number of threads.
#include "run/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>

#include "base/fixed_point.h"

namespace dlpu {
namespace {

// CONV_2D 1x1 of two channels followed by a RESHAPE that shares its memory.
Program ConvReshape() {
  Program p;
  const Quantization q{{1.0f}, {0}, 0};
  p.tensors.push_back({"in", DataType::kUInt8, {1, 2, 2, 1}, q, {}, false, false});
  p.tensors.push_back({"w", DataType::kUInt8, {2, 1, 1, 1}, q, {1, 2}, true, false});
  p.tensors.push_back({"conv", DataType::kUInt8, {1, 2, 2, 2}, q, {}, false, false});
  p.tensors.push_back({"out", DataType::kUInt8, {8}, q, {}, false, false});
  p.steps.push_back({Node{Op::kConv2d, "conv", {0, 1}, {2}, {}, ConvAttrs{}, 1}, Engine::kCpu, {}});
  p.steps.push_back(
      {Node{Op::kReshape, "out", {2}, {3}, {}, ReshapeAttrs{{8}}, 1}, Engine::kCpu, {}});
  p.inputs = {0};
  p.outputs = {3};
  p.offsets = {0, -1, 64, 64};
  p.arena_bytes = 128;
  return p;
}

TEST(Runner, ComputesAProgram) {
  for (const int threads : {1, 2, 4}) {
    auto runner = Runner::Load(ConvReshape(), {.threads = threads});
    ASSERT_TRUE(runner.ok()) << runner.error().message;
    const std::vector<uint8_t> input = {1, 2, 3, 200};
    std::memcpy((*runner)->input(0).data(), input.data(), input.size());
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE((*runner)->Run().ok());
      const auto out = (*runner)->output(0);
      EXPECT_EQ(std::vector<uint8_t>(out.begin(), out.end()),
                (std::vector<uint8_t>{1, 2, 2, 4, 3, 6, 200, 255}));
    }
  }
}

// A chain of elementwise steps x + 3 clamped to 0..6, times x, over 6, times a gate for each
// channel, minus x; then NEG of x times that, which ends the chain before another reader of its
// result.
struct ElementwiseProgram {
  static constexpr int kPixels = 3001, kChannels = 7, kCount = kPixels * kChannels;
  Program program;
  std::vector<float> x, gate;

  ElementwiseProgram() {
    const Shape shape = {1, kPixels, 1, kChannels};
    const auto constant = [](float v) {
      std::vector<uint8_t> bytes(4);
      std::memcpy(bytes.data(), &v, 4);
      return bytes;
    };
    Program& p = program;
    for (const char* name : {"x", "t", "m", "d", "g", "y", "z"}) {
      p.tensors.push_back({name, DataType::kFloat32, shape, {}, {}, false, false});
    }
    p.tensors.push_back({"gate", DataType::kFloat32, {1, 1, 1, kChannels}, {}, {}, false, false});
    p.tensors.push_back({"3", DataType::kFloat32, {}, {}, constant(3), true, false});
    p.tensors.push_back({"6", DataType::kFloat32, {1}, {}, constant(6), true, false});
    const auto step = [&](Op op, std::vector<TensorId> in, TensorId out, Attrs attrs) {
      p.steps.push_back(
          {Node{op, "step", std::move(in), {out}, {}, std::move(attrs), 1}, Engine::kCpu, {}});
    };
    const ArithmeticAttrs plain;
    ArithmeticAttrs relu6;
    relu6.activation = Activation::kRelu6;
    step(Op::kAdd, {0, 8}, 1, relu6);
    step(Op::kMul, {0, 1}, 2, plain);
    step(Op::kDiv, {2, 9}, 3, plain);
    step(Op::kMul, {7, 3}, 4, plain);
    step(Op::kSub, {4, 0}, 5, plain);
    step(Op::kMul, {5, 3}, 6, plain);
    p.inputs = {0, 7};
    p.outputs = {5, 6};
    p.offsets.assign(p.tensors.size(), -1);
    constexpr int64_t kBytes = (kCount * 4 + 320) / 64 * 64;
    for (int i = 0; i < 8; ++i) p.offsets[i] = i * kBytes;
    p.arena_bytes = 8 * kBytes + 512;
    std::mt19937 random(3);
    std::uniform_real_distribution<float> draw(-5, 5);
    x.resize(kCount);
    gate.resize(kChannels);
    for (float& v : x) v = draw(random);
    for (float& v : gate) v = draw(random);
  }

  // Outputs "y" and "z" by scalar operations.
  std::vector<std::vector<float>> Expected() const {
    std::vector<std::vector<float>> out(2, std::vector<float>(kCount));
    for (int i = 0; i < kCount; ++i) {
      const float t = std::min(std::max(x[i] + 3.0f, 0.0f), 6.0f);
      const float d = x[i] * t / 6.0f;
      const float g = gate[i % kChannels] * d;
      out[0][i] = g - x[i];
      out[1][i] = out[0][i] * d;
    }
    return out;
  }

  void Check(int threads) const {
    auto runner = Runner::Load(program, {.threads = threads});
    ASSERT_TRUE(runner.ok()) << runner.error().message;
    const auto expected = Expected();
    for (int run = 0; run < 2; ++run) {
      std::memcpy((*runner)->input(0).data(), x.data(), x.size() * 4);
      std::memcpy((*runner)->input(1).data(), gate.data(), gate.size() * 4);
      std::vector<int64_t> times(program.steps.size());
      ASSERT_TRUE((run == 0 ? (*runner)->Run() : (*runner)->RunProfiled(times)).ok());
      for (size_t k = 0; k < 2; ++k) {
        std::vector<float> out(kCount);
        std::memcpy(out.data(), (*runner)->output(k).data(), out.size() * 4);
        EXPECT_EQ(out, expected[k]) << "output " << k << ", " << threads << " threads";
      }
    }
  }
};

TEST(Runner, ElementwiseStepsRunStripByStrip) {
  const ElementwiseProgram made;
  for (const int threads : {1, 2, 4}) made.Check(threads);
  const auto runner = Runner::Load(made.program, {.threads = 1});
  ASSERT_TRUE(runner.ok());
  for (size_t i = 1; i < made.program.steps.size(); ++i) {
    EXPECT_THAT((*runner)->row(i), ::testing::EndsWith(", with step 0"));
  }
}

// A float convolution (3x3, 4 channels, or depthwise) and, if asked for, x * (x + 3) clamped to
// -4..6 behind it, then minus its own input.
struct ConvolvedProgram {
  static constexpr int kSide = 80, kChannels = 4, kCount = kSide * kSide * kChannels;
  Program program;
  std::vector<float> in;

  ConvolvedProgram(bool depthwise, bool with_rest, bool conv_is_output) {
    Program& p = program;
    std::mt19937 random(4);
    std::uniform_real_distribution<float> draw(-1, 1);
    in.resize(kCount);
    for (float& v : in) v = draw(random);
    const Shape shape = {1, kSide, kSide, kChannels};
    const Shape filter = {depthwise ? 1 : kChannels, 3, 3, kChannels};
    const auto constant = [&](const char* name, const Shape& extent, auto value) {
      std::vector<float> values(static_cast<size_t>(ElementCount(extent)));
      for (float& v : values) v = value();
      std::vector<uint8_t> bytes(values.size() * 4);
      std::memcpy(bytes.data(), values.data(), bytes.size());
      p.tensors.push_back({name, DataType::kFloat32, extent, {}, std::move(bytes), true, false});
    };
    for (const char* name : {"in", "conv", "sum", "product", "out"}) {
      p.tensors.push_back({name, DataType::kFloat32, shape, {}, {}, false, false});
    }
    constant("w", filter, [&] { return draw(random); });
    constant("b", {kChannels}, [&] { return draw(random); });
    constant("3", {1}, [] { return 3.0f; });
    const auto step = [&](Op op, std::vector<TensorId> inputs, TensorId out, Attrs attrs) {
      p.steps.push_back(
          {Node{op, "step", std::move(inputs), {out}, {}, std::move(attrs), 1}, Engine::kCpu, {}});
    };
    ConvAttrs conv;
    conv.depth_multiplier = depthwise ? 1 : 0;
    step(depthwise ? Op::kDepthwiseConv2d : Op::kConv2d, {0, 5, 6}, 1, conv);
    p.inputs = {0};
    p.outputs = {1};
    if (with_rest) {
      ArithmeticAttrs relu6;
      relu6.activation = Activation::kRelu6;
      step(Op::kAdd, {1, 7}, 2, relu6);
      step(Op::kMul, {2, 1}, 3, ArithmeticAttrs{});
      step(Op::kSub, {3, 0}, 4, ArithmeticAttrs{});
      p.outputs = {4};
      if (conv_is_output) p.outputs.push_back(1);
    }
    p.offsets.assign(p.tensors.size(), -1);
    constexpr int64_t kBytes = (kCount * 4 + 320) / 64 * 64;
    for (int i = 0; i < 5; ++i) p.offsets[i] = i * kBytes;
    p.arena_bytes = 5 * kBytes + 512;
  }

  // Output i after two runs.
  std::vector<std::vector<float>> Outputs(int threads) const {
    auto runner = Runner::Load(program, {.threads = threads});
    EXPECT_TRUE(runner.ok()) << runner.error().message;
    std::memcpy((*runner)->input(0).data(), in.data(), in.size() * 4);
    EXPECT_TRUE((*runner)->Run().ok() && (*runner)->Run().ok());
    std::vector<std::vector<float>> outputs;
    for (size_t i = 0; i < (*runner)->output_count(); ++i) {
      outputs.emplace_back(kCount);
      std::memcpy(outputs.back().data(), (*runner)->output(i).data(), kCount * 4);
    }
    return outputs;
  }
};

TEST(Runner, ElementwiseStepsRunBehindTheBlocksOfAConvolution) {
  for (const bool depthwise : {false, true}) {
    const ConvolvedProgram alone(depthwise, false, true);
    const std::vector<float> conv = alone.Outputs(1)[0];
    std::vector<float> expected(conv.size());
    for (size_t i = 0; i < conv.size(); ++i) {
      const float sum = std::min(std::max(conv[i] + 3.0f, 0.0f), 6.0f);
      expected[i] = sum * conv[i] - alone.in[i];
    }
    for (const bool conv_is_output : {false, true}) {
      const ConvolvedProgram whole(depthwise, true, conv_is_output);
      for (const int threads : {1, 2, 4}) {
        const auto outputs = whole.Outputs(threads);
        EXPECT_EQ(outputs[0], expected) << depthwise << conv_is_output << threads;
        if (conv_is_output) {
          EXPECT_EQ(outputs[1], conv);
        }
      }
    }
  }
}

// A float network of one convolution whose other operands come by copies: PAD puts a border around
// the input for a 3x3 convolution (or depthwise) without padding; a picture of half the size is
// enlarged and another gets its last channel, and both are added to the result.
Program CopiesProgram(bool depthwise, bool pad_is_output) {
  Program p;
  const auto tensor = [&](const char* name, Shape shape, std::vector<uint8_t> data = {}) {
    const bool constant = !data.empty();
    p.tensors.push_back(
        {name, DataType::kFloat32, std::move(shape), {}, std::move(data), constant, false});
    return static_cast<TensorId>(p.tensors.size() - 1);
  };
  const auto constant = [&](const char* name, Shape shape, auto values) {
    std::vector<uint8_t> bytes(values.size() * 4);
    std::memcpy(bytes.data(), values.data(), bytes.size());
    const TensorId id = tensor(name, std::move(shape), std::move(bytes));
    if constexpr (std::is_same_v<decltype(values), std::vector<int32_t>>) {
      p.tensors[id].type = DataType::kInt32;
    }
    return id;
  };
  std::mt19937 random(7);
  std::uniform_real_distribution<float> draw(-1, 1);
  const auto drawn = [&](int n) {
    std::vector<float> values(n);
    for (float& v : values) v = draw(random);
    return values;
  };
  const auto step = [&](Op op, std::vector<TensorId> inputs, TensorId out, Attrs attrs) {
    p.steps.push_back(
        {Node{op, "step", std::move(inputs), {out}, {}, std::move(attrs), 1}, Engine::kCpu, {}});
  };
  constexpr int kSide = 70, kChannels = 4;
  const Shape whole = {1, kSide, kSide, kChannels};
  const TensorId x = tensor("x", {1, kSide - 1, kSide + 1, kChannels});
  const TensorId half = tensor("half", {1, kSide / 2, kSide / 2, kChannels});
  const TensorId thin = tensor("thin", {1, kSide, kSide, kChannels - 1});
  p.inputs = {x, half, thin};
  const TensorId padded = tensor("padded", {1, kSide + 2, kSide + 2, kChannels});
  step(Op::kPad, {x, constant("border", {4, 2}, std::vector<int32_t>{0, 0, 2, 1, 0, 1, 0, 0})},
       padded, NoAttrs{});
  ConvAttrs conv;
  conv.padding = Padding::kValid;
  conv.depth_multiplier = depthwise ? 1 : 0;
  const TensorId convolved = tensor("convolved", whole);
  step(depthwise ? Op::kDepthwiseConv2d : Op::kConv2d,
       {padded,
        constant("weights", {depthwise ? 1 : kChannels, 3, 3, kChannels},
                 drawn(9 * kChannels * (depthwise ? 1 : kChannels))),
        constant("bias", {kChannels}, drawn(kChannels))},
       convolved, conv);
  const TensorId enlarged = tensor("enlarged", whole), wide = tensor("wide", whole);
  step(Op::kResizeNearestNeighbor,
       {half, constant("size", {2}, std::vector<int32_t>{kSide, kSide})}, enlarged, ResizeAttrs{});
  const TensorId sum = tensor("sum", whole), out = tensor("out", whole);
  step(Op::kAdd, {enlarged, convolved}, sum, ArithmeticAttrs{});
  step(Op::kPad, {thin, constant("channel", {4, 2}, std::vector<int32_t>{0, 0, 0, 0, 0, 0, 0, 1})},
       wide, NoAttrs{});
  step(Op::kAdd, {sum, wide}, out, ArithmeticAttrs{});
  p.outputs = {out};
  if (pad_is_output) p.outputs.push_back(padded);
  p.offsets.assign(p.tensors.size(), -1);
  Allocate(p);
  return p;
}

TEST(Runner, CopiesThatFeedOneStepAreTakenIn) {
  std::vector<float> expected;
  for (const bool depthwise : {false, true}) {
    for (const bool pad_is_output : {true, false}) {  // as an output it runs as a step of its own
      for (const int threads : {1, 2, 4}) {
        auto runner = Runner::Load(CopiesProgram(depthwise, pad_is_output), {.threads = threads});
        ASSERT_TRUE(runner.ok()) << runner.error().message;
        EXPECT_EQ((*runner)->row(0) == "by step 1", !pad_is_output);
        for (size_t i = 2; i < 6; ++i) {
          EXPECT_THAT((*runner)->row(i), ::testing::EndsWith(", with step 1"));
        }
        std::mt19937 random(9);
        for (size_t i = 0; i < 3; ++i) {
          const auto bytes = (*runner)->input(i);
          for (size_t k = 0; k < bytes.size() / 4; ++k) {
            const float v = std::uniform_real_distribution<float>(-1, 1)(random);
            std::memcpy(bytes.data() + 4 * k, &v, 4);
          }
        }
        ASSERT_TRUE((*runner)->Run().ok() && (*runner)->Run().ok());
        std::vector<float> out((*runner)->output(0).size() / 4);
        std::memcpy(out.data(), (*runner)->output(0).data(), out.size() * 4);
        if (pad_is_output && threads == 1) expected = out;
        EXPECT_EQ(out, expected) << depthwise << pad_is_output << threads;
      }
    }
  }
  EXPECT_NE(expected, std::vector<float>(expected.size(), 0.0f));
}

// PAD puts a border around codes for a 3x3 convolution, depthwise convolution or maximum.
Program PaddedCodes(Op op, DataType type, int32_t zero, bool pad_is_output) {
  Program p;
  const auto tensor = [&](const char* name, DataType kind, Shape shape, Quantization quantization,
                          std::vector<uint8_t> data = {}) {
    const bool constant = !data.empty();
    p.tensors.push_back(
        {name, kind, std::move(shape), std::move(quantization), std::move(data), constant, false});
    return static_cast<TensorId>(p.tensors.size() - 1);
  };
  const auto affine = [](float scale, int32_t at) {
    Quantization q;
    q.scale = {scale};
    q.zero_point = {at};
    return q;
  };
  const auto step = [&](Op what, std::vector<TensorId> inputs, TensorId out, Attrs attrs) {
    p.steps.push_back(
        {Node{what, "step", std::move(inputs), {out}, {}, std::move(attrs), 1}, Engine::kCpu, {}});
  };
  constexpr int kSide = 20, kChannels = 24;
  const Quantization codes = affine(0.02f, zero);
  const TensorId x = tensor("x", type, {1, kSide - 3, kSide - 1, kChannels}, codes);
  p.inputs = {x};
  const std::vector<int32_t> border = {0, 0, 2, 3, 0, 3, 0, 0};
  std::vector<uint8_t> border_bytes(32);
  std::memcpy(border_bytes.data(), border.data(), 32);
  const TensorId pads = tensor("pads", DataType::kInt32, {4, 2}, {}, border_bytes);
  const TensorId padded = tensor("padded", type, {1, kSide + 2, kSide + 2, kChannels}, codes);
  step(Op::kPad, {x, pads}, padded, NoAttrs{});
  const bool pools = op == Op::kMaxPool2d;
  const TensorId out =
      tensor("out", type, {1, kSide, kSide, kChannels}, pools ? codes : affine(0.05f, zero));
  if (pools) {
    step(op, {padded}, out, PoolAttrs{.padding = Padding::kValid, .filter_h = 3, .filter_w = 3});
  } else {
    const bool depthwise = op == Op::kDepthwiseConv2d;
    std::mt19937 random(5);
    std::vector<uint8_t> weights(9 * kChannels * (depthwise ? 1 : kChannels));
    for (uint8_t& w : weights) w = static_cast<uint8_t>(random());
    ConvAttrs conv;
    conv.padding = Padding::kValid;
    conv.depth_multiplier = depthwise ? 1 : 0;
    const TensorId filter = tensor("weights", type, {depthwise ? 1 : kChannels, 3, 3, kChannels},
                                   affine(0.01f, type == DataType::kInt8 ? 0 : 131), weights);
    const TensorId bias = tensor("bias", DataType::kInt32, {kChannels}, affine(0.0002f, 0),
                                 std::vector<uint8_t>(4 * kChannels, 0));
    step(op, {padded, filter, bias}, out, conv);
  }
  p.outputs = {out};
  if (pad_is_output) p.outputs.push_back(padded);
  p.offsets.assign(p.tensors.size(), -1);
  Allocate(p);
  return p;
}

TEST(Runner, PadOfCodesIsTakenIn) {
  for (const Op op : {Op::kConv2d, Op::kDepthwiseConv2d, Op::kMaxPool2d}) {
    for (const DataType type : {DataType::kInt8, DataType::kUInt8}) {
      for (const int32_t zero : {LowestCode(type), LowestCode(type) + 100}) {
        std::vector<uint8_t> expected;
        for (const bool pad_is_output : {true, false}) {  // as an output it is a step of its own
          for (const int threads : {1, 2}) {
            auto runner =
                Runner::Load(PaddedCodes(op, type, zero, pad_is_output), {.threads = threads});
            ASSERT_TRUE(runner.ok()) << runner.error().message;
            const bool taken = op != Op::kMaxPool2d || zero == LowestCode(type);
            EXPECT_EQ((*runner)->row(0) == "by step 1", taken && !pad_is_output);
            std::mt19937 random(9);
            for (uint8_t& code : (*runner)->input(0)) code = static_cast<uint8_t>(random());
            ASSERT_TRUE((*runner)->Run().ok() && (*runner)->Run().ok());
            const auto bytes = (*runner)->output(0);
            const std::vector<uint8_t> out(bytes.begin(), bytes.end());
            if (pad_is_output && threads == 1) expected = out;
            EXPECT_EQ(out, expected) << pad_is_output << threads;
            EXPECT_GT(std::set<uint8_t>(out.begin(), out.end()).size(), 10u);
          }
        }
      }
    }
  }
}

TEST(Runner, AStepThatCannotRunIsNamed) {
  Program p = ConvReshape();
  p.tensors[0].type = DataType::kBool;
  const auto runner = Runner::Load(std::move(p), {.threads = 1});
  ASSERT_FALSE(runner.ok());
  EXPECT_NE(runner.error().message.find("CONV_2D 'conv'"), std::string::npos);
}

}  // namespace
}  // namespace dlpu
