// SPDX-License-Identifier: Apache-2.0
// What a user calls a model - a file, a zoo name, or "digits" for the built-in one - as a Graph
// with all that is known about it, and from there as a loaded Runner. Any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/zoo.h"
#include "base/file.h"
#include "base/result.h"
#include "formats/sniff.h"
#include "formats/tflite_metadata.h"
#include "ir/graph.h"
#include "ir/quantization_style.h"
#include "passes/compile.h"
#include "passes/layout.h"
#include "run/runner.h"
#include "target/target.h"
#include "vision/labels.h"

namespace dlpu {

struct LoadedModel {
  std::string path;               // of the file; "digits" for the built-in model
  std::string sha256;             // of the file; empty if the options do without
  int64_t bytes = 0;              // of the file
  std::string format = "tflite";  // tflite, onnx
  Graph graph;
  std::optional<ZooModel> zoo;  // what the zoo knows about it
  Labels labels;                // class 0 first, the zoo's or the file's; empty when none are known
  std::optional<TfliteMetadata> metadata;       // what the file says about itself
  std::optional<LayoutReport> imported_layout;  // of an ONNX model: what changed its axis order
  std::string metadata_error;  // why its metadata could not be read, which hurts nothing else
  // The file is a compiled program (.dlpu); `graph` then holds the same tensors and steps.
  std::optional<Program> program;
};

// A model's file before it is read as a model.
struct ModelFile {
  std::string path;  // as LoadedModel's
  FileBytes bytes;
  FileKind kind = FileKind::kUnknown;
  std::optional<ZooModel> zoo;
  Labels labels;  // the zoo's
};

// Finds and reads the file that a user means; its content may be anything. Without `recognized` a
// file that is given by its path is not looked for in the zoo.
Result<ModelFile> ReadModelFile(const std::string& name_or_path, bool recognized = true);

// Reads a model. A file that is no model, or one that only a camera runs, is refused with what it
// is instead. A .tflite compiled for the Edge TPU is a model: its compiled part is an op that the
// IR does not know.
Result<LoadedModel> LoadModel(const ModelFile& file);
Result<LoadedModel> LoadModel(const std::string& name_or_path);

// What the commands that run a model have in common.
struct ModelOptions {
  std::string model;
  std::map<std::string, Shape> shapes;
  std::string cut_at;
  std::string target;      // compile for it; empty: for this PC
  std::string profile;     // of all steps; empty: the target's own, tflite-reference without one
  int threads = 0;         // 0: one for each physical core
  bool keep_nchw = false;  // an ONNX model's inputs and outputs keep their axis order
  bool hashed = true;      // know the file's SHA-256
  bool recognized = true;  // know what the zoo says about a file
  // Constants stay in the file, which must not change until they are packed: for those who load a
  // runner and keep no graph.
  bool in_place = false;
  // Float layers run on the scalar kernels, which give the same bits on every CPU and are slower.
  // Integer layers give them anyway.
  bool portable = false;
};
RunnerOptions RunnerOptionsOf(const ModelOptions& options);

// The same with the options of a command. The shapes are used up by a model whose shapes are fixed
// when it is read (ONNX): what is left in options.shapes is for compiling.
Result<LoadedModel> LoadModel(const ModelFile& file, ModelOptions& options);
Result<LoadedModel> LoadModel(ModelOptions& options);

// "NAME=1,300,300,3" entries as CompileOptions wants them.
Result<std::map<std::string, Shape>> ParseShapes(const std::vector<std::string>& entries);
// An empty name is the default.
Result<Profile> ParseProfile(const std::string& name);

// The program that the options ask for: compiled from a copy of the graph, or the file's own. What
// a target refuses is kUnsupported, in its words.
Result<Program> CompileModel(const LoadedModel& model, const ModelOptions& options);
// An error when dlpu cannot compute what the target does with a model so quantized, with the reason
// and the remedy.
Status RunnableHere(const Target& target, QuantizationStyle style);

// Puts the model's labels into a program made from it.
void AddLabels(const LoadedModel& model, Program& program);

// CompileModel, loaded on this machine.
Result<std::unique_ptr<Runner>> LoadRunner(const LoadedModel& model, const ModelOptions& options);
// The same in less memory: the model's tensors go into the runner, its graph and program are empty
// afterwards.
Result<std::unique_ptr<Runner>> LoadRunner(LoadedModel&& model, const ModelOptions& options);

}  // namespace dlpu
