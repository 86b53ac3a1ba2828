// SPDX-License-Identifier: Apache-2.0
// Fuzz target: what an application might send to `dlpu serve`, or a daemon to liblarod. The first
// byte chooses what the rest claims to be.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "larod/wire/channel.h"
#include "larod/wire/codec.h"

using namespace dlpu::larod;  // NOLINT: a program of its own

namespace {

void ReadJob(Reader& reader) {
  static const auto file = std::make_shared<const Fd>();
  const Job job = GetJob(reader, {file, file}, [](uint64_t) { return file; });
  if (!reader.Done()) return;
  const auto check = [](const Buffer& buffer) {
    const TensorSpec& spec = buffer.spec;
    if (spec.dims.len > LAROD_TENSOR_MAX_LEN || spec.pitches.len > LAROD_TENSOR_MAX_LEN ||
        buffer.offset < 0 || spec.type >= LAROD_TENSOR_DATA_TYPE_MAX) {
      __builtin_trap();
    }
  };
  if (job.priority > kHighestPriority) __builtin_trap();
  std::for_each(job.inputs.begin(), job.inputs.end(), check);
  std::for_each(job.outputs.begin(), job.outputs.end(), check);
}

void ReceiveMessages(std::span<const uint8_t> bytes) {
  int ends[2];
  if (bytes.size() > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
  Channel channel{Fd(ends[0])};
  const bool sent = write(ends[1], bytes.data(), bytes.size()) >= 0;
  close(ends[1]);
  if (!sent) return;
  for (;;) {
    const dlpu::Result<Message> message = channel.Receive();
    if (!message.ok()) return;
    if (message->contents.size() > kMostContents) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  Reader reader(bytes);
  switch (data[0] % 6) {
    case 0:
      ReadJob(reader);
      break;
    case 1:
      if (GetLoad(reader, 3, {}).device >= 3 && reader.Done()) __builtin_trap();
      break;
    case 2:
      if (GetModel(reader, 3).device >= 3 && reader.Done()) __builtin_trap();
      break;
    case 3:
      (void)GetDevices(reader);
      break;
    case 4:
      (void)GetStatus(reader);
      (void)GetParams(reader);
      break;
    default:
      ReceiveMessages(bytes);
  }
  return 0;
}
