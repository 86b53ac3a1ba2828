// SPDX-License-Identifier: Apache-2.0
// The contents of messages: what the service exchanges (larod/types.h) as bytes. Everything read is
// checked: enums are values of theirs, extents at most 12, texts bounded; the Reader tells whether
// all was well. Pure functions; any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "larod/outcome.h"
#include "larod/types.h"
#include "larod/wire/message.h"

namespace dlpu::larod {

// A reply begins with how it went; the value follows when it went well.
void PutStatus(Writer& writer, const Failure* failure);
std::optional<Failure> GetStatus(Reader& reader);

void PutDevices(Writer& writer, const std::vector<DeviceInfo>& devices);
std::vector<DeviceInfo> GetDevices(Reader& reader);

void PutModel(Writer& writer, const ModelInfo& model);
// `devices`: how many there are; the model's is one of them.
ModelInfo GetModel(Reader& reader, size_t devices);

void PutParams(Writer& writer, const Params& params);
Params GetParams(Reader& reader);

// Without the descriptor, which goes with the message when there is one.
void PutLoad(Writer& writer, const LoadRequest& request);
// The request's descriptor is the message's first one, if it has one.
LoadRequest GetLoad(Reader& reader, size_t devices, const std::vector<Fd>& descriptors);

// A buffer's file: none, one that goes with the message, or one that the service keeps.
using KeptNumber = std::function<std::optional<uint64_t>(const Buffer&)>;
// Puts what is to go with the message into `descriptors`.
void PutJob(Writer& writer, const Job& job, const KeptNumber& kept, std::vector<int>* descriptors);
using KeptFile = std::function<std::shared_ptr<const Fd>(uint64_t number)>;
// Every buffer with a file has its `own`; each of `passed` is used once, in order.
Job GetJob(Reader& reader, const std::vector<std::shared_ptr<const Fd>>& passed,
           const KeptFile& kept);

}  // namespace dlpu::larod
