// SPDX-License-Identifier: Apache-2.0
// Devices, models, parameters, statuses as bytes.
#include "larod/wire/codec.h"

#include "larod/wire/tensors.h"

namespace dlpu::larod {
namespace {

constexpr size_t kMostParamText = 127;  // as larodMapSet...
constexpr uint32_t kAllProps = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;

template <size_t n>
std::array<int64_t, n> GetArray(Reader& reader) {
  std::array<int64_t, n> values;
  for (int64_t& value : values) value = reader.Get<int64_t>();
  return values;
}

void PutSpecs(Writer& writer, const std::vector<TensorSpec>& specs) {
  writer.Put(static_cast<uint32_t>(specs.size()));
  for (const TensorSpec& spec : specs) {
    writer.PutText(spec.name);
    PutSpec(writer, spec);
  }
}

std::vector<TensorSpec> GetSpecs(Reader& reader) {
  std::vector<TensorSpec> specs;
  for (size_t left = reader.GetCount(kLeastSpecBytes); left > 0 && reader.ok(); --left) {
    std::string name = reader.GetText();
    specs.push_back(GetSpec(reader));
    specs.back().name = std::move(name);
  }
  return specs;
}

larodAccess GetAccess(Reader& reader) {
  const auto access = reader.GetUpTo<uint8_t>(LAROD_ACCESS_USER_PROTECTED);
  if (access == LAROD_ACCESS_INVALID) reader.Bad();
  return static_cast<larodAccess>(access);
}

}  // namespace

void PutStatus(Writer& writer, const Failure* failure) {
  writer.Put(int32_t{failure == nullptr ? 0 : failure->code});
  if (failure == nullptr) return;
  writer.PutText(failure->message.substr(0, kMostText));
  writer.PutText(failure->cause.substr(0, kMostText));
}

std::optional<Failure> GetStatus(Reader& reader) {
  const auto code = reader.Get<int32_t>();
  if (code == 0) return std::nullopt;
  Failure failure{code, reader.GetText(), ""};
  failure.cause = reader.GetText();
  return failure;
}

void PutDevices(Writer& writer, const std::vector<DeviceInfo>& devices) {
  writer.Put(static_cast<uint32_t>(devices.size()));
  for (const DeviceInfo& device : devices) {
    writer.PutText(device.name);
    writer.Put(device.instance);
    writer.Put(int32_t{device.chip});
    for (const uint32_t props :
         {device.run_input, device.run_output, device.alloc_input, device.alloc_output}) {
      writer.Put(props);
    }
  }
}

std::vector<DeviceInfo> GetDevices(Reader& reader) {
  std::vector<DeviceInfo> devices;
  for (size_t left = reader.GetCount(28); left > 0 && reader.ok(); --left) {
    DeviceInfo device;
    device.name = reader.GetText();
    device.instance = reader.Get<uint32_t>();
    device.chip = reader.Get<int32_t>();
    for (uint32_t* props :
         {&device.run_input, &device.run_output, &device.alloc_input, &device.alloc_output}) {
      *props = reader.GetUpTo<uint32_t>(kAllProps);
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

void PutModel(Writer& writer, const ModelInfo& model) {
  writer.Put(model.id);
  writer.PutText(model.name);
  writer.Put(uint64_t{model.bytes});
  writer.Put(uint64_t{model.device});
  writer.Put(static_cast<uint8_t>(model.access));
  PutSpecs(writer, model.inputs);
  PutSpecs(writer, model.outputs);
}

ModelInfo GetModel(Reader& reader, size_t devices) {
  ModelInfo model;
  model.id = reader.Get<uint64_t>();
  model.name = reader.GetText(kMostContents);
  model.bytes = reader.Get<uint64_t>();
  model.device = reader.Get<uint64_t>();
  if (model.device >= devices) reader.Bad();
  model.access = GetAccess(reader);
  model.inputs = GetSpecs(reader);
  model.outputs = GetSpecs(reader);
  return model;
}

void PutParams(Writer& writer, const Params& params) {
  writer.Put(static_cast<uint32_t>(params.size()));
  for (const auto& [key, value] : params) {
    writer.PutText(key);
    writer.Put(static_cast<uint8_t>(value.index()));
    if (const auto* text = std::get_if<std::string>(&value)) writer.PutText(*text);
    if (const auto* number = std::get_if<int64_t>(&value)) writer.Put(*number);
    if (const auto* two = std::get_if<2>(&value)) {
      for (const int64_t number : *two) writer.Put(number);
    }
    if (const auto* four = std::get_if<3>(&value)) {
      for (const int64_t number : *four) writer.Put(number);
    }
  }
}

Params GetParams(Reader& reader) {
  Params params;
  for (size_t left = reader.GetCount(9); left > 0 && reader.ok(); --left) {
    const std::string key = reader.GetText(kMostParamText);
    switch (reader.GetUpTo<uint8_t>(3)) {
      case 0:
        params[key] = reader.Get<int64_t>();
        break;
      case 1:
        params[key] = reader.GetText(kMostParamText);
        break;
      case 2:
        params[key] = GetArray<2>(reader);
        break;
      default:
        params[key] = GetArray<4>(reader);
    }
  }
  return params;
}

void PutLoad(Writer& writer, const LoadRequest& request) {
  writer.Put(uint64_t{request.device});
  writer.Put(static_cast<uint8_t>(request.access));
  writer.PutText(request.name);
  PutParams(writer, request.params);
}

LoadRequest GetLoad(Reader& reader, size_t devices, const std::vector<Fd>& descriptors) {
  LoadRequest request;
  request.device = reader.Get<uint64_t>();
  if (request.device >= devices || descriptors.size() > 1) reader.Bad();
  request.access = GetAccess(reader);
  request.name = reader.GetText(kMostContents);
  request.params = GetParams(reader);
  if (!descriptors.empty()) request.fd = descriptors[0].get();
  return request;
}

}  // namespace dlpu::larod
