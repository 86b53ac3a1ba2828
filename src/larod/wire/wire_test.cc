// SPDX-License-Identifier: Apache-2.0
// What is written is read again; what is cut or changed is noticed, or is another valid value.
#include <gtest/gtest.h>

#include "larod/wire/codec.h"

namespace dlpu::larod {
namespace {

TensorSpec Spec(const char* name) {
  TensorSpec spec;
  spec.name = name;
  spec.type = LAROD_TENSOR_DATA_TYPE_UINT8;
  spec.layout = LAROD_TENSOR_LAYOUT_NHWC;
  spec.dims = {{1, 2, 3, 4}, 4};
  spec.pitches = TightPitches(spec.type, spec.dims);
  spec.bytes = 24;
  return spec;
}

ModelInfo Model() { return {7, "name", 1234, 2, LAROD_ACCESS_PUBLIC, {Spec("in")}, {Spec("out")}}; }

Params AllKinds() {
  return {{"int", int64_t{-5}},
          {"text", "value"},
          {"two", std::array<int64_t, 2>{1, 2}},
          {"four", std::array<int64_t, 4>{1, 2, 3, 4}}};
}

TEST(Wire, ModelsComeBack) {
  Writer writer;
  PutModel(writer, Model());
  Reader reader(writer.contents());
  const ModelInfo model = GetModel(reader, 3);
  ASSERT_TRUE(reader.Done());
  EXPECT_EQ(model.id, 7u);
  EXPECT_EQ(model.name, "name");
  EXPECT_EQ(model.bytes, 1234u);
  EXPECT_EQ(model.device, 2u);
  EXPECT_EQ(model.access, LAROD_ACCESS_PUBLIC);
  ASSERT_EQ(model.outputs.size(), 1u);
  EXPECT_EQ(model.outputs[0].name, "out");
  EXPECT_EQ(DimsText(model.outputs[0].dims), "1x2x3x4");
  EXPECT_EQ(model.outputs[0].pitches.pitches[1], 24u);
  Reader fewer(writer.contents());
  (void)GetModel(fewer, 2);
  EXPECT_FALSE(fewer.ok()) << "there is no third device";
}

TEST(Wire, RequestsAndStatusesComeBack) {
  Writer writer;
  PutLoad(writer, {5, 1, LAROD_ACCESS_PRIVATE, "digits", AllKinds()});
  const Failure failure{-5, "message", "cause"};
  PutStatus(writer, &failure);
  PutStatus(writer, nullptr);
  Reader reader(writer.contents());
  const LoadRequest request = GetLoad(reader, 2, {});
  EXPECT_EQ(request.fd, -1) << "the descriptor is not in the contents";
  EXPECT_EQ(request.name, "digits");
  EXPECT_EQ(request.params, AllKinds());
  const auto status = GetStatus(reader);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code, -5);
  EXPECT_EQ(status->cause, "cause");
  EXPECT_FALSE(GetStatus(reader).has_value());
  EXPECT_TRUE(reader.Done());
}

// A job with a file that goes along, one that is kept, and none.
Writer JobContents(std::vector<int>* descriptors) {
  Job job;
  job.model = 3;
  job.priority = 77;
  job.params = AllKinds();
  job.inputs = {{Spec(""), 4, 100, 20, LAROD_FD_PROP_MAP, nullptr},
                {Spec(""), 5, 0, 0, 1, nullptr}};
  job.outputs = {{Spec(""), -1, 0, 0, 1, nullptr}};
  const auto kept = [](const Buffer& buffer) {
    return buffer.fd == 5 ? std::optional<uint64_t>(42) : std::nullopt;
  };
  Writer writer;
  PutJob(writer, job, kept, descriptors);
  return writer;
}

TEST(Wire, JobsComeBack) {
  std::vector<int> descriptors;
  const Writer writer = JobContents(&descriptors);
  EXPECT_EQ(descriptors, std::vector<int>{4});
  const auto passed = std::make_shared<const Fd>(), keep = std::make_shared<const Fd>();
  Reader reader(writer.contents());
  const Job job =
      GetJob(reader, {passed}, [&](uint64_t number) { return number == 42 ? keep : nullptr; });
  ASSERT_TRUE(reader.Done());
  EXPECT_EQ(job.model, 3u);
  EXPECT_EQ(job.priority, 77);
  EXPECT_EQ(job.params, AllKinds());
  ASSERT_EQ(job.inputs.size(), 2u);
  EXPECT_EQ(job.inputs[0].own, passed);
  EXPECT_EQ(job.inputs[0].size, 100u);
  EXPECT_EQ(job.inputs[0].offset, 20);
  EXPECT_EQ(job.inputs[0].props, unsigned{LAROD_FD_PROP_MAP});
  EXPECT_EQ(job.inputs[1].own, keep);
  EXPECT_EQ(job.outputs[0].own, nullptr);
  EXPECT_EQ(DimsText(job.outputs[0].spec.dims), "1x2x3x4");
  const auto nothing_kept = [](uint64_t) { return std::shared_ptr<const Fd>(); };
  Reader unknown(writer.contents()), more(writer.contents()), fewer(writer.contents());
  (void)GetJob(unknown, {passed}, nothing_kept);
  EXPECT_FALSE(unknown.ok());
  (void)GetJob(more, {passed, passed}, [&](uint64_t) { return keep; });
  EXPECT_FALSE(more.ok());
  (void)GetJob(fewer, {}, [&](uint64_t) { return keep; });
  EXPECT_FALSE(fewer.ok());
}

TEST(Wire, WhatIsCutAnywhereIsBad) {
  std::vector<int> descriptors;
  const Writer writer = JobContents(&descriptors);
  const auto passed = std::make_shared<const Fd>();
  for (size_t length = 0; length < writer.contents().size(); ++length) {
    Reader reader(std::span(writer.contents()).first(length));
    (void)GetJob(reader, {passed}, [&](uint64_t) { return passed; });
    EXPECT_FALSE(reader.Done()) << length;
  }
}

TEST(Wire, ChangedBytesAreNoticedOrAnotherValue) {
  std::vector<int> descriptors;
  const Writer writer = JobContents(&descriptors);
  const auto passed = std::make_shared<const Fd>();
  int bad = 0;
  for (size_t i = 0; i < writer.contents().size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> changed = writer.contents();
      changed[i] = static_cast<uint8_t>(changed[i] ^ (1 << bit));
      Reader reader(changed);
      const Job job = GetJob(reader, {passed}, [&](uint64_t) { return passed; });
      if (!reader.Done()) {
        ++bad;
        continue;
      }
      EXPECT_LE(job.priority, kHighestPriority);
      for (const Buffer& buffer : job.inputs) {
        EXPECT_LE(buffer.spec.dims.len, size_t{LAROD_TENSOR_MAX_LEN});
        EXPECT_GE(buffer.offset, 0);
      }
    }
  }
  EXPECT_GT(bad, 100);
}

TEST(Wire, CountsAndTextsAreBounded) {
  Writer writer;
  writer.Put(uint32_t{0xffffffff});
  Reader text(writer.contents()), count(writer.contents()), devices(writer.contents());
  EXPECT_EQ(text.GetText(), "");
  EXPECT_FALSE(text.ok());
  EXPECT_EQ(count.GetCount(1), 0u);
  EXPECT_FALSE(count.ok());
  EXPECT_TRUE(GetDevices(devices).empty());
  EXPECT_FALSE(devices.ok());
  Reader empty({});
  EXPECT_EQ(empty.Get<uint64_t>(), 0u);
  EXPECT_FALSE(empty.ok());
}

}  // namespace
}  // namespace dlpu::larod
