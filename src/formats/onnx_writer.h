// SPDX-License-Identifier: Apache-2.0
// OnnxWriter: what the writing rules build an OnnxModel with. A tensor of four dimensions may exist
// in the file in the IR's own order (plain, NHWC) and as NCHW (planar); a rule asks for the one it
// wants and says which one it made, and a Transpose is written only when the other one is asked
// for. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/onnx_graph.h"
#include "ir/permute.h"

namespace dlpu {

class OnnxWriter {
 public:
  OnnxWriter(const Graph& graph, bool keep_layout) : graph_(graph), keep_layout_(keep_layout) {}

  Result<OnnxModel> Write();

  const Tensor& tensor(TensorId id) const { return graph_.tensors[id]; }
  const Shape& shape(TensorId id) const { return tensor(id).shape; }

  // The name of a tensor's value in the file, in the order wanted.
  std::string Plain(TensorId id);
  std::string Planar(TensorId id);
  std::string In(TensorId id, bool planar) { return planar ? Planar(id) : Plain(id); }
  // Whether the value exists as NCHW only, so that an op without an opinion should take that.
  bool IsPlanar(TensorId id) const { return planar_.contains(id) && !plain_.contains(id); }
  // An axis of a tensor of four dimensions in the order of the file.
  static int32_t Axis(int32_t axis, size_t rank, bool planar);

  // Writes a node whose output is the tensor, and returns the output's name.
  OnnxNode& Emit(const std::string& op, std::vector<std::string> inputs, TensorId output,
                 bool planar);
  // A node with an output of its own name, for results in between.
  std::string Step(const std::string& op, std::vector<std::string> inputs,
                   std::map<std::string, OnnxAttribute> attributes = {});
  std::string Ints(const std::vector<int64_t>& values);  // a constant of one dimension
  std::string Float(float value);                        // a scalar constant
  std::string Weights(const Tensor& constant);           // under its own name
  std::vector<int64_t> ConstantInts(TensorId id) const;  // empty when it is computed
  bool IsConstant(TensorId id) const { return tensor(id).is_constant; }

  static OnnxAttribute Int(int64_t value);
  static OnnxAttribute Real(float value);
  static OnnxAttribute Text(const std::string& value);
  static OnnxAttribute List(std::vector<int64_t> values);

 private:
  Status CheckFloat() const;
  Status CheckOps() const;
  void AddMetadata();
  void AddInputs();
  void AddOutputs();
  std::string Unique(const std::string& name);
  std::string AddConstant(const Tensor& tensor);
  bool ReachesPicture(TensorId input) const;

  const Graph& graph_;
  const bool keep_layout_;
  OnnxModel model_;
  std::map<TensorId, std::string> plain_, planar_;
  std::set<std::string> names_;
};

// Writes the node; false when ONNX has nothing for it in this form.
using OnnxWriteRule = bool (*)(OnnxWriter&, const Node&);
// Null for an op that has no rule.
OnnxWriteRule OnnxWriteRuleOf(Op op);
// Whether the op works on pictures and wants NCHW.
bool WantsPlanar(Op op);

}  // namespace dlpu
