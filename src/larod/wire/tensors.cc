// SPDX-License-Identifier: Apache-2.0
// Tensors, buffers and jobs as bytes.
#include "larod/wire/tensors.h"

#include "larod/wire/codec.h"

namespace dlpu::larod {
namespace {

enum class FileKind : uint8_t { kNone, kPassed, kKept };
constexpr size_t kLeastBufferBytes = kLeastSpecBytes + 21;

void PutSizes(Writer& writer, const size_t* sizes, size_t count) {
  writer.Put(static_cast<uint8_t>(count));
  for (size_t i = 0; i < count; ++i) writer.Put(uint64_t{sizes[i]});
}

size_t GetSizes(Reader& reader, size_t* sizes) {
  const size_t count = reader.GetUpTo<uint8_t>(LAROD_TENSOR_MAX_LEN);
  for (size_t i = 0; i < count; ++i) sizes[i] = reader.Get<uint64_t>();
  return count;
}

void PutBuffer(Writer& writer, const Buffer& buffer, const KeptNumber& kept,
               std::vector<int>* descriptors) {
  PutSpec(writer, buffer.spec);
  writer.Put(uint64_t{buffer.size});
  writer.Put(buffer.offset);
  writer.Put(buffer.props);
  const std::optional<uint64_t> number = kept(buffer);
  const int fd = FdOf(buffer);
  if (number.has_value()) {
    writer.Put(static_cast<uint8_t>(FileKind::kKept));
    writer.Put(*number);
  } else if (fd >= 0) {
    writer.Put(static_cast<uint8_t>(FileKind::kPassed));
    descriptors->push_back(fd);
  } else {
    writer.Put(static_cast<uint8_t>(FileKind::kNone));
  }
}

}  // namespace

void PutSpec(Writer& writer, const TensorSpec& spec) {
  writer.Put(static_cast<uint8_t>(spec.type));
  writer.Put(static_cast<uint8_t>(spec.layout));
  writer.Put(uint64_t{spec.bytes});
  PutSizes(writer, spec.dims.dims, spec.dims.len);
  PutSizes(writer, spec.pitches.pitches, spec.pitches.len);
}

TensorSpec GetSpec(Reader& reader) {
  TensorSpec spec;
  spec.type =
      static_cast<larodTensorDataType>(reader.GetUpTo<uint8_t>(LAROD_TENSOR_DATA_TYPE_MAX - 1));
  spec.layout =
      static_cast<larodTensorLayout>(reader.GetUpTo<uint8_t>(LAROD_TENSOR_LAYOUT_MAX - 1));
  spec.bytes = reader.Get<uint64_t>();
  spec.dims.len = GetSizes(reader, spec.dims.dims);
  spec.pitches.len = GetSizes(reader, spec.pitches.pitches);
  return spec;
}

void PutJob(Writer& writer, const Job& job, const KeptNumber& kept, std::vector<int>* descriptors) {
  writer.Put(job.model);
  writer.Put(job.priority);
  PutParams(writer, job.params);
  for (const std::vector<Buffer>* buffers : {&job.inputs, &job.outputs}) {
    writer.Put(static_cast<uint32_t>(buffers->size()));
    for (const Buffer& buffer : *buffers) PutBuffer(writer, buffer, kept, descriptors);
  }
}

Job GetJob(Reader& reader, const std::vector<std::shared_ptr<const Fd>>& passed,
           const KeptFile& kept) {
  Job job;
  job.model = reader.Get<uint64_t>();
  job.priority = reader.GetUpTo<uint8_t>(kHighestPriority);
  job.params = GetParams(reader);
  size_t used = 0;
  for (std::vector<Buffer>* buffers : {&job.inputs, &job.outputs}) {
    for (size_t left = reader.GetCount(kLeastBufferBytes); left > 0 && reader.ok(); --left) {
      Buffer buffer;
      buffer.spec = GetSpec(reader);
      buffer.size = reader.Get<uint64_t>();
      buffer.offset = reader.GetUpTo<int64_t>(INT64_MAX);
      buffer.props = reader.Get<uint32_t>();
      switch (static_cast<FileKind>(reader.GetUpTo<uint8_t>(2))) {
        case FileKind::kNone:
          break;
        case FileKind::kPassed:
          if (used < passed.size()) buffer.own = passed[used++];
          if (buffer.own == nullptr) reader.Bad();
          break;
        case FileKind::kKept:
          buffer.own = kept(reader.Get<uint64_t>());
          if (buffer.own == nullptr) reader.Bad();
          break;
      }
      if (buffer.own != nullptr) buffer.fd = buffer.own->get();
      buffers->push_back(std::move(buffer));
    }
  }
  if (used != passed.size()) reader.Bad();
  return job;
}

}  // namespace dlpu::larod
