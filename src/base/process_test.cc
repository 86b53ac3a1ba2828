// SPDX-License-Identifier: Apache-2.0
// Running other programs: output, exit codes, folders, and that no shell interprets arguments.
#include "base/process.h"

#include <gtest/gtest.h>

namespace dlpu {
namespace {

// qemu-user shares no memory between a program and the child it starts: one that cannot be started
// seems to end with 127.
bool LooksEmulated(const Result<ProcessResult>& run) {
#if defined(__aarch64__)
  return run.ok() && run->exit_code == 127;
#else
  static_cast<void>(run);
  return false;
#endif
}

TEST(Process, CapturesBothOutputsAndTheExitCode) {
  Result<ProcessResult> run = RunProcess({"sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->exit_code, 3);
  EXPECT_EQ(run->output, "out\n");
  EXPECT_EQ(run->errors, "err\n");
}

TEST(Process, PassesArgumentsUninterpreted) {
  const std::string nasty = "; echo $HOME `id` \"' *";
  Result<ProcessResult> run = RunProcess({"printf", "%s", nasty});
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->output, nasty);
}

TEST(Process, RunsInTheGivenFolder) {
  Result<ProcessResult> run = RunProcess({"pwd"}, "/usr");
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->output, "/usr\n");
  run = RunProcess({"pwd"}, "/nonexistent");
  if (LooksEmulated(run)) GTEST_SKIP() << "qemu-user does not report that a program cannot start";
  EXPECT_FALSE(run.ok());
}

TEST(Process, SaysWhenAProgramIsMissing) {
  Result<ProcessResult> run = RunProcess({"dlpu-no-such-program"});
  if (LooksEmulated(run)) GTEST_SKIP() << "qemu-user does not report that a program cannot start";
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(run.error().message,
            "the program dlpu-no-such-program is not installed or not in PATH");
}

TEST(Process, ReportsSignalsAndCutsLongOutput) {
  Result<ProcessResult> killed = RunProcess({"sh", "-c", "kill -9 $$"});
  ASSERT_TRUE(killed.ok()) << killed.error().message;
  EXPECT_EQ(killed->exit_code, 137);
  Result<ProcessResult> loud = RunProcess({"head", "-c", "3000000", "/dev/zero"});
  ASSERT_TRUE(loud.ok()) << loud.error().message;
  EXPECT_EQ(loud->output.size(), size_t{1} << 20);
  EXPECT_EQ(loud->exit_code, 0);
}

}  // namespace
}  // namespace dlpu
