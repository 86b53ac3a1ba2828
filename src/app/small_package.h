// SPDX-License-Identifier: Apache-2.0
// The least Edge TPU package that can be read, for tests: one stand-alone executable with one input
// and one output, for a runtime version.
#pragma once

#include <flatbuffers/flexbuffers.h>

#include <string>
#include <vector>

#include "app/small_net.h"
#include "edgetpu_package_generated.h"
#include "formats/edgetpu_package.h"

namespace dlpu {

inline std::vector<uint8_t> FinishedBytes(const flatbuffers::FlatBufferBuilder& b) {
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

inline std::vector<uint8_t> SmallPackage(int runtime_version) {
  namespace fb = ::dlpu::edgetpu;
  flatbuffers::FlatBufferBuilder b;
  const std::vector<uint8_t> code(32, 1), weights(64, 3);
  const auto streams = b.CreateVector(std::vector{fb::CreateInstructionBitstreamDirect(b, &code)});
  const auto numerics = fb::CreateNumerics(b, 130, 0.5f);
  const std::vector<flatbuffers::Offset<fb::Layer>> inputs = {
      fb::CreateLayerDirect(b, "in", 16, 2, 2, 3, numerics, fb::LayerType::SIGNED_FIXED_POINT8,
                            fb::AnyLayer::InputLayer, fb::CreateInputLayer(b).Union())};
  const std::vector<flatbuffers::Offset<fb::Layer>> outputs = {
      fb::CreateLayerDirect(b, "out", 8, 1, 1, 5, numerics, fb::LayerType::SIGNED_FIXED_POINT8,
                            fb::AnyLayer::OutputLayer, fb::CreateOutputLayer(b).Union())};
  const auto in = b.CreateVector(inputs), out = b.CreateVector(outputs);
  const auto parameters = b.CreateVector(weights);
  const auto name = b.CreateString("model"), chip = b.CreateString("beagle");
  fb::ExecutableBuilder e(b);
  e.add_name(name);
  e.add_batch_size(1);
  e.add_instruction_bitstreams(streams);
  e.add_parameters(parameters);
  e.add_input_layers(in);
  e.add_output_layers(out);
  e.add_chip(chip);
  e.add_type(fb::ExecutableType::STAND_ALONE);
  b.Finish(e.Finish());
  const std::vector<uint8_t> executable = FinishedBytes(b);

  flatbuffers::FlatBufferBuilder many;
  const std::vector<flatbuffers::Offset<flatbuffers::String>> all = {
      many.CreateString(reinterpret_cast<const char*>(executable.data()), executable.size())};
  many.Finish(fb::CreateMultiExecutable(many, many.CreateVector(all)));
  const std::vector<uint8_t> multi = FinishedBytes(many);
  flatbuffers::FlatBufferBuilder package;
  fb::FinishPackageBuffer(package, fb::CreatePackageDirect(package, runtime_version, &multi,
                                                           nullptr, 0, "cl/1", 0, nullptr, "id"));
  const std::vector<uint8_t> bytes = FinishedBytes(package);

  flexbuffers::Builder options;
  options.Map([&] {
    options.Int("1", 0);
    options.String("4", std::string(bytes.begin(), bytes.end()));
    options.Int("5", -1);
    options.Vector("6", [&] { options.Int(18); });
  });
  options.Finish();
  return options.GetBuffer();
}

// A model that is nothing but that package.
inline void AddPackage(SmallNet& net, int runtime_version) {
  const TensorId in = net.In({1, 2, 2, 3}, DataType::kInt8, 0.5f, 2);
  const TensorId out = net.Tensor({1, 5}, DataType::kInt8, 0.5f, 2);
  net.graph.tensors[in].name = "in";
  net.graph.tensors[out].name = "out";
  const std::vector<uint8_t> options = SmallPackage(runtime_version);
  net.Node(kEdgeTpuOpName, {in}, {out});
  net.graph.nodes.back().attrs =
      UnknownAttrs{kEdgeTpuOpName, true, {options.begin(), options.end()}};
  net.format = "edgetpu-tflite";
}

}  // namespace dlpu
