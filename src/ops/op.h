// SPDX-License-Identifier: Apache-2.0
// OpDef: everything dlpu knows about one op - its shape rule, its quantization rule, what it
// costs and how to prepare it for running. Each op is one file, src/ops/<name>.cc, that defines
// one OpDef; ir/ops.def lists them. OpDefs are constants: any thread may use them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/result.h"
#include "base/threads.h"
#include "ir/graph.h"
#include "ir/program.h"
#include "kernels/block_sink.h"

namespace dlpu {

// One node and the tensors it refers to, in a Graph or a Program. A view: both must outlive it.
class OpContext {
 public:
  OpContext(std::span<const Tensor> tensors, const Node& node) : tensors_(tensors), node_(node) {}

  const Node& node() const { return node_; }
  size_t input_count() const { return node_.inputs.size(); }
  size_t output_count() const { return node_.outputs.size(); }
  // False for an optional input that is left out.
  bool has_input(size_t i) const { return i < input_count() && node_.inputs[i] != kNoTensor; }
  // REQUIRES: has_input(i).
  const Tensor& input(size_t i) const;
  const Tensor& output(size_t i) const;
  // A quantization carrier of an LSTM; null when the node has none at i.
  const Tensor* intermediate(size_t i) const;

  // The node's attributes. REQUIRES: A is the type that ops.def names for the op.
  template <typename A>
  const A& attrs() const {
    const A* attrs = std::get_if<A>(&node_.attrs);
    DLPU_CHECK(attrs != nullptr);
    return *attrs;
  }

  // The values of a constant int32 or int64 input, such as an axis or a shape; an error when the
  // input is computed while the model runs.
  Result<std::vector<int64_t>> ConstantInts(size_t i) const;

  // Errors that name the op and the user's layer: "CONV_2D 'block_1/conv': ...".
  Error Invalid(std::string_view message) const;
  Error Unsupported(std::string_view message) const;
  // "… takes float32, int8 or uint8, not bool": the input's or output's type is not supported.
  Error UnsupportedType(const Tensor& tensor, std::string_view takes) const;

 private:
  std::span<const Tensor> tensors_;
  const Node& node_;
};

struct OutputSpec {
  DataType type;
  Shape shape;
};

// Zeros around the pictures of an NHWC tensor.
struct PictureBorder {
  int32_t top = 0, bottom = 0, left = 0, right = 0;
};

// What PrepareContext adds: how the step is to be computed, and where.
class PrepareContext : public OpContext {
 public:
  PrepareContext(std::span<const Tensor> tensors, const Node& node, Profile profile, CpuFlags cpu,
                 int threads)
      : OpContext(tensors, node), profile(profile), cpu(cpu), threads(threads) {}
  const Profile profile;
  const CpuFlags cpu;  // kernel rows that need other flags are not chosen
  const int threads;   // of the pool that RunArgs will carry
  // The part of input 0 that is a border and will not be in memory: RunArgs will carry the pictures
  // inside it. Only for float32 and 8-bit CONV_2D and DEPTHWISE_CONV_2D and 8-bit MAX_POOL_2D.
  PictureBorder border;
};

// What a step gets when it runs. Inputs and outputs are parallel to the node's lists; a missing
// optional input is null. Buffers are packed, row-major, and readable 256 bytes past their end.
struct RunArgs {
  std::span<const uint8_t* const> inputs;
  std::span<uint8_t* const> outputs;
  uint8_t* scratch;  // 64-byte aligned, PreparedOp::scratch_bytes long
  ThreadPool& pool;

  template <typename T>
  const T* in(size_t i) const {
    return reinterpret_cast<const T*>(inputs[i]);
  }
  template <typename T>
  T* out(size_t i) const {
    return reinterpret_cast<T*>(outputs[i]);
  }
};

// How a step whose output elements depend on a few input elements each computes some of them:
// elements [begin, begin + count) of the output. `out` and the inputs that move with the output
// point to element `begin`, the other inputs to their first one. For float32; `out` may be an
// input.
struct ElementwisePart {
  std::function<void(const float* const* inputs, float* out, int64_t begin, int64_t count)> run;
  int64_t count = 0;             // of the whole output
  bool moves[2] = {true, true};  // of the inputs
};

// A step ready to run: constants packed, kernel chosen. `run` allocates nothing on success and is
// called by one thread at a time.
struct PreparedOp {
  std::function<Status(const RunArgs&)> run;
  int64_t scratch_bytes = 0;
  std::string row = "reference";  // the kernel row that was chosen
  // False when run never reads the constant inputs (they were packed), so they can be dropped.
  bool reads_constants = true;
  // Empty for steps that can only run as a whole.
  ElementwisePart part;
  // The most elements of a block of run_blocks; 0: it does not exist. It computes output 0
  // (float32) as `run` does and gives it to the sink block by block.
  int64_t block_elements = 0;
  std::function<void(const RunArgs&, const BlockSink&)> run_blocks;
};

// A value that has no default, so that an OpDef without it does not compile.
template <typename T>
struct Required {
  Required(T v) : value(v) {}  // NOLINT: implicit on purpose
  T value;
};

// How many inputs and outputs a node of the op has. The first `min_inputs` inputs must be there,
// unless `optional_inputs` says that any may be left out.
struct Arity {
  int min_inputs, max_inputs, min_outputs, max_outputs;
  bool optional_inputs = false;
};
inline constexpr int kAnyNumber = 1 << 20;

// What a quantizer must know of an op.
struct QuantizeRule {
  enum class Kind : uint8_t {
    kAffine,       // the output has a range of its own
    kSameAsInput,  // output (and all activation inputs) share one scale and zero point
    kFixedOutput,  // the output's scale and zero point are prescribed (below)
    kFloatOnly,    // there is no integer form
    kUntyped,      // indices, shapes, booleans: never quantized
  };
  Kind kind = Kind::kAffine;
  int weights = -1;       // input that holds int8 weights
  int bias = -1;          // input that holds an int32 bias of scale input x weights
  int channel_axis = 0;   // axis of the weights that may have a scale each
  float fixed_scale = 0;  // kFixedOutput, for int8: real = scale * (code - zero_point)
  int fixed_zero_point = 0;
};

// Whether an output is the very bytes of an input, so that the memory plan may let them share.
enum class Alias : uint8_t { kNone, kInput0 };

struct OpDef {
  Required<Op> op;
  Required<Arity> arity;
  // Types and shapes of the outputs. The declared type of an output may be consulted (as QUANTIZE
  // does); declared shapes may not be trusted.
  Required<Result<std::vector<OutputSpec>> (*)(const OpContext&)> infer;
  Required<QuantizeRule> quantize;
  // Cost of one run. REQUIRES: infer succeeded and the outputs have those shapes.
  Required<Work (*)(const OpContext&)> work;
  // Chooses a kernel row and packs constants. An error names what the op cannot do.
  Required<Result<PreparedOp> (*)(const PrepareContext&)> prepare;
  Required<Alias> alias;
};

// One definition for each line of ops.def, in the file named after it.
#define DLPU_OP(Name, NAME, AttrsType) extern const OpDef k##Name##Op;
#define DLPU_CUSTOM_OP(Name, text, AttrsType) DLPU_OP(Name, , AttrsType)
#include "ir/ops.def"
#undef DLPU_OP
#undef DLPU_CUSTOM_OP

// REQUIRES: op is not Op::kUnknown.
const OpDef& GetOp(Op op);

// The three questions below check the arity first, and refuse an op the IR does not know by name.
Result<std::vector<OutputSpec>> InferOutputs(const OpContext& context);
Work WorkOf(const OpContext& context);
Result<PreparedOp> PrepareOp(const PrepareContext& context);

// The checks before everything else: the op is known, its inputs and outputs are there.
Status CheckArity(const OpContext& context);

}  // namespace dlpu
