// SPDX-License-Identifier: Apache-2.0
// Target: everything dlpu knows about one kind of camera processor, loaded from
// data/targets/<name>.toml. Targets differ only in this data. Plain values owned by the caller; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "target/condition.h"
#include "target/cost/model.h"
#include "target/tile_layout.h"

namespace dlpu {

// A device as the camera's larod service lists it.
struct TargetDevice {
  std::string name;    // "axis-a8-dlpu-tflite"
  std::string runs;    // model, preprocess
  std::string engine;  // cpu, dlpu, gpu, isp
  // Model formats: tflite, edgetpu-tflite, cvflow2-bin (CVflow generation 2), vip-nb, ...
  std::vector<std::string> takes;
  std::optional<int> chip;  // larodChip number of API versions 1 and 2
  std::string note;
  Fact fact;
};

struct TargetQuantization {
  std::string need;  // none, int8 (the model must come quantized), compiler (the compiler does it)
  std::string weights;  // per-channel, per-tensor, any: what to make when there is a choice
  std::vector<std::string> types;  // element types of activations it runs: int8, uint8, float32
  std::string says;
  Fact fact;
};

// The integers dlpu computes with where a vendor's compiler quantizes and does not say how: fixed
// point, every scale a power of two.
struct TargetFixedPoint {
  // Tensors that 8 bits represent with a lower signal to noise ratio than this, in dB, get 16.
  double wide_below_db = 0;
  std::string says;
  Fact fact;
};

// A tool of the chip's vendor without which no file for the camera can be made. In `arguments`,
// `runtime_arguments`, `output` and `log`, {model} stands for the file, {stem} for its name without
// folder and ending, {out} for the folder of the results and {runtime} for a runtime version.
struct TargetCompiler {
  std::string name;                // "Edge TPU Compiler 16.0"
  std::string program;             // the program looked up in PATH; empty: none that dlpu can run
  std::vector<std::string> takes;  // tflite, onnx
  std::string makes;               // edgetpu-tflite, cvflow-bin
  bool available = false;          // can anyone download it?
  std::vector<std::string> arguments;          // to compile one model
  std::vector<std::string> runtime_arguments;  // to make a file for that runtime and newer ones
  std::vector<std::string> several_arguments;  // to allow more than one DLPU part
  std::string output, log;                     // the files it writes, in {out}
  // How its log calls a node that it mapped; that follows one it could not map; whose op it does
  // not know; that breaks a condition (unless the condition has an `error` of its own).
  std::string mapped, behind, unlisted, limited;
  // Command lines for someone who has the tool, where dlpu cannot run it: for a .tflite and for an
  // .onnx file. {model} is the file, {name} a name for the network; {inputs} and {outputs} stand
  // for `input_argument` of each input ({shape} N,C,H,W, {format} of its calibration files, {mean},
  // {std}, {input}, {list} of those files) and `output_argument` of each output ({output}).
  std::vector<std::string> tflite_steps, onnx_steps;
  std::string input_argument, output_argument;
  std::string says;  // how to get it, what it needs
  Fact fact;
};

// How a model is split between the DLPU and the camera's CPU.
struct TargetPartition {
  std::string rest;   // cpu (nodes the DLPU does not run go to the CPU), refuse
  std::string order;  // any: several DLPU parts; prefix: one part, all after the first miss is CPU
  // More parts than this, of the DLPU and the CPU together, are refused, ...
  std::optional<int> most;
  std::string error;  // ... with these words; {parts}, {most} and {cpu_parts} stand for numbers
  // The camera's log line about an op that goes to the CPU; {op} stands for its number in
  // TensorFlow Lite. Empty: none is known.
  std::string fallback_log;
  std::string says;
  Fact fact;
};

// The arithmetic dlpu runs models of this target with.
struct TargetArithmetic {
  std::string profile;      // tflite-reference, tflite-builtin, xnnpack, or the chip's own
  std::string cpu_profile;  // the same of ops that fall back to the CPU
  std::string winograd;     // what the chip does with 3x3 convolutions; empty: nothing special
  std::string says;         // how near that is to the chip
  Fact fact;
};

// How pictures must lie in memory.
struct TargetInput {
  std::string layout;      // any, rgb-interleaved, rgb-planar
  int pitch_multiple = 1;  // bytes; each row starts at a multiple of it
  std::string says;
  Fact fact;
};

// A processor inside the target. Numbers that are not known are absent.
struct TargetEngine {
  std::string name;  // dlpu, cpu
  std::string title;
  std::optional<int> cores;
  std::optional<double> macs_per_cycle, clock_mhz;
  std::string says;
  Fact fact;
};

struct TargetMemory {
  std::string name;  // "parameter cache"
  uint64_t bytes = 0;
  std::string says;
  Fact fact;
};

// An op the DLPU runs, and on which conditions.
struct TargetOp {
  std::string name;  // TensorFlow Lite's name: CONV_2D
  std::vector<Condition> conditions;
  std::string note;
  Fact fact;
};

// A rule that many targets share (data/rules.toml).
struct CommonRule {
  std::vector<std::string> need;  // it is for targets with one of these TargetQuantization::need
  Condition condition;
};

struct Target {
  std::string name;                   // artpec8
  std::string title;                  // ARTPEC-8
  std::string dlpu;                   // "ARTPEC-8 DLPU", "none": as products name it
  std::string device;                 // the larod device models go to
  std::string summary;                // one sentence
  std::vector<TargetDevice> devices;  // in the order the camera lists them
  std::vector<std::string> formats;   // what a user brings: tflite, onnx
  std::string camera_format;          // what the camera loads: tflite, edgetpu-tflite, cvflow-bin
  TargetQuantization quantization;
  std::optional<TargetFixedPoint> fixed_point;  // absent: `quantization` says what to make
  std::optional<TargetCompiler> compiler;       // absent: the camera loads the file as it is
  TargetPartition partition;
  TargetArithmetic arithmetic;
  TargetInput input;
  std::vector<TargetEngine> engines;
  std::vector<TargetMemory> memories;
  std::optional<TargetTiles> tiles;  // absent: nothing is known of the compiled form
  // Which ops the DLPU runs: all; listed (`ops`, nothing else is known to run); unknown (the vendor
  // publishes no list).
  std::string coverage;
  std::vector<TargetOp> ops;          // in alphabetical order
  std::vector<Condition> node_rules;  // about every node meant for the DLPU
  std::vector<Condition> rules;       // about anything else
  std::optional<CostModel> cost;      // how long it takes; absent: nothing is known
};

// Reads one target; `name` is how errors call the text.
Result<Target> ParseTarget(const std::string& text, const std::string& name);
// Reads the rules that targets share.
Result<std::vector<CommonRule>> ParseCommonRules(const std::string& text, const std::string& name);
// All of data/targets, in alphabetical order, each with the shared rules that are for it. The
// file's stem must be the target's name.
Result<std::vector<Target>> LoadTargets();

// Every condition of the target: those of its ops in their order, then its rules.
std::vector<const Condition*> AllConditions(const Target& target);
// One target by name ("artpec8"), title ("ARTPEC-8") or larod device; case, '-' and '_' do not
// count. An unknown name is an error that suggests the nearest and lists all.
Result<Target> FindTarget(const std::vector<Target>& targets, std::string_view name);
Result<Target> FindTarget(std::string_view name);

// The table row of an op; null when the target has none.
const TargetOp* FindOp(const Target& target, std::string_view op);

// Where a node ends up, and which conditions decided it.
struct Support {
  enum class Where { kDlpu, kCpu, kRefused, kUnknown } where = Where::kUnknown;
  struct Finding {
    const Condition* condition;  // owned by the target
    std::string found;           // "stride_h 3"
    Verdict verdict;             // kBroken, or kUnknown for what cannot be checked
  };
  std::vector<Finding> findings;
};
// `op` is the op's name in TensorFlow Lite. kUnknown: the vendor publishes no list.
Support SupportOf(const Target& target, std::string_view op, const ValueLookup& lookup);

}  // namespace dlpu
