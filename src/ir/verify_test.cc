// SPDX-License-Identifier: Apache-2.0
// Memory plans that hold and plans that do not.
#include "ir/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace dlpu {
namespace {

using testing::HasSubstr;

// a -> ABS -> b -> NEG -> c -> ABS -> d, each of 100 bytes; a stays as it is for the next run.
Program Chain() {
  Program program;
  for (const char* name : {"a", "b", "c", "d"}) {
    Tensor tensor;
    tensor.name = name;
    tensor.type = DataType::kInt8;
    tensor.shape = {100};
    program.tensors.push_back(tensor);
  }
  for (TensorId id = 0; id < 3; ++id) {
    Step step;
    step.node.op = id == 1 ? Op::kNeg : Op::kAbs;
    step.node.inputs = {id};
    step.node.outputs = {id + 1};
    program.steps.push_back(step);
  }
  program.inputs = {0};
  program.outputs = {3};
  program.offsets = {0, 128, 256, 128};
  program.arena_bytes = 384;
  return program;
}

std::string Refusal(const Program& program) {
  const Status status = Verify(program);
  return status.ok() ? "" : status.error().message;
}

TEST(VerifyProgram, TakesPlansInWhichPlacesAreUsedAgain) {
  Program program = Chain();
  EXPECT_EQ(Refusal(program), "");  // d lies where b was
  program.offsets[2] = 128;         // in place: the very block of the input
  program.offsets[3] = 256;
  EXPECT_EQ(Refusal(program), "");
}

TEST(VerifyProgram, SeesWhatOverlaps) {
  Program program = Chain();
  program.offsets[3] = 256 + 64;  // half over c, its input
  program.arena_bytes = 512;
  EXPECT_THAT(Refusal(program), HasSubstr("'d' and 'c' overlap"));
  program = Chain();
  program.offsets[1] = 64;  // over the end of a
  EXPECT_THAT(Refusal(program), HasSubstr("overlap"));
  program = Chain();
  program.offsets[3] = 0;  // over the input, which must keep its value
  EXPECT_THAT(Refusal(program), HasSubstr("'d' and 'a' overlap"));
  program = Chain();
  program.tensors[1].is_variable = true;  // b keeps its value: d may not lie there
  EXPECT_THAT(Refusal(program), HasSubstr("'d' and 'b' overlap"));
}

TEST(VerifyProgram, SeesPlacesThatAreNone) {
  Program program = Chain();
  program.offsets[2] = -1;
  EXPECT_THAT(Refusal(program), HasSubstr("'c' has no place"));
  program = Chain();
  program.offsets[2] = 320;
  EXPECT_THAT(Refusal(program), HasSubstr("'c' has no place"));
  program = Chain();
  program.offsets[2] = INT64_MAX / 64 * 64;
  EXPECT_THAT(Refusal(program), HasSubstr("'c' has no place"));
  program = Chain();
  program.offsets[1] = 129;
  EXPECT_THAT(Refusal(program), HasSubstr("'b' has no place"));
}

}  // namespace
}  // namespace dlpu
