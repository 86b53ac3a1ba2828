// SPDX-License-Identifier: Apache-2.0
// Reading the Edge TPU Compiler's log, and running something that behaves like it.
#include "app/vendor_compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"

namespace dlpu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Target EdgeTpu() {
  Result<Target> target = FindTarget("artpec7");
  EXPECT_TRUE(target.ok());
  return target.ok() ? *target : Target();
}

constexpr const char* kLog =
    "Edge TPU Compiler version 16.0.384591198\n"
    "Input: m.tflite\n"
    "Output: m_edgetpu.tflite\n"
    "\n"
    "Operator                       Count      Status\n"
    "\n"
    "CONV_2D                        36         Mapped to Edge TPU\n"
    "CONV_2D                        2          More than one subgraph is not supported\n"
    "ARG_MAX                        1          Operation is working on an unsupported data type\n";

TEST(VendorCompiler, ItsLogIsRead) {
  const Result<std::vector<MappingRow>> rows = ParseMappingLog(kLog);
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT(
      *rows,
      ElementsAre(MappingRow{"CONV_2D", 36, "Mapped to Edge TPU"},
                  MappingRow{"CONV_2D", 2, "More than one subgraph is not supported"},
                  MappingRow{"ARG_MAX", 1, "Operation is working on an unsupported data type"}));
  EXPECT_FALSE(ParseMappingLog("").ok());
  EXPECT_FALSE(ParseMappingLog("Operator Count Status\n\n").ok());
  EXPECT_FALSE(ParseMappingLog("CONV_2D 36 before the table\n").ok());
}

TEST(VendorCompiler, MappingsAreComparedByWhatIsOnTheDlpu) {
  const TargetCompiler compiler = *EdgeTpu().compiler;
  const std::vector<MappingRow> ours = {
      {"ADD", 3, compiler.mapped}, {"PAD", 1, compiler.limited}, {"ARG_MAX", 1, compiler.unlisted}};
  // Another reason for the CPU is no difference.
  EXPECT_THAT(CompareMappings(ours,
                              {{"ADD", 3, compiler.mapped},
                               {"PAD", 1, compiler.behind},
                               {"ARG_MAX", 1, "Operation is working on an unsupported data type"}},
                              compiler),
              IsEmpty());
  const auto differences = CompareMappings(
      ours, {{"ADD", 2, compiler.mapped}, {"ADD", 1, compiler.behind}, {"PAD", 1, compiler.mapped}},
      compiler);
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0].op, "ADD");
  EXPECT_EQ(differences[0].ours, 3);
  EXPECT_EQ(differences[0].theirs, 2);
  EXPECT_EQ(differences[1].op, "PAD");
}

TEST(VendorCompiler, TheRuntimeVersionFollowsTheRelease) {
  const Result<FirmwareTable> shipped = LoadFirmware();
  ASSERT_TRUE(shipped.ok());
  ASSERT_TRUE(RuntimeFor(*shipped, "10.6").has_value());
  EXPECT_EQ(RuntimeFor(*shipped, "10.6")->version, 13);
  EXPECT_EQ(RuntimeFor(*shipped, "")->version, 13);
  FirmwareTable table;
  EXPECT_FALSE(RuntimeFor(table, "").has_value());
  Firmware row;
  row.os_to = "10.6";
  row.edgetpu_runtime = 13;
  table.firmware.push_back(row);
  row.os_from = "11.2";
  row.os_to = "";
  row.edgetpu_runtime = 14;
  table.firmware.push_back(row);
  EXPECT_EQ(RuntimeFor(table, "10.5")->version, 13);
  EXPECT_EQ(RuntimeFor(table, "11.10")->version, 14);
  // Nothing is known of 11.0: the oldest loads there in any case.
  EXPECT_EQ(RuntimeFor(table, "11.0")->version, 13);
}

// A script that takes the arguments of edgetpu_compiler and leaves what it leaves.
class FakeCompiler : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "fake_compiler";
    ASSERT_TRUE(MakeDirectory(folder_).ok());
    ASSERT_TRUE(WriteTextFile(folder_ + "/m.tflite", "model").ok());
    compiler_ = *EdgeTpu().compiler;
    compiler_.program = folder_ + "/compiler.sh";
  }
  void Script(const std::string& body) {
    ASSERT_TRUE(WriteTextFile(compiler_.program, "#!/bin/sh\n" + body).ok());
    ASSERT_EQ(chmod(compiler_.program.c_str(), 0755), 0);
  }
  Result<VendorRun> Run(VendorOptions options = {}) {
    return RunVendorCompiler(compiler_, folder_ + "/m.tflite", folder_, options);
  }
  std::string folder_;
  TargetCompiler compiler_;
};

TEST_F(FakeCompiler, IsRunAndItsResultsAreFound) {
  Script("echo \"$@\" > " + folder_ + "/arguments\n" +
         "while [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done\n"
         "cp \"$1\" \"$out/m_edgetpu.tflite\"\n"
         "cat > \"$out/m_edgetpu.log\" <<EOF\n" +
         kLog +
         "EOF\n"
         "echo Edge TPU Compiler version 16.0.384591198\n"
         "echo On-chip memory used for caching model parameters: 3.50MiB\n"
         "echo Off-chip memory used for streaming uncached model parameters: 0.00B\n");
  const Result<VendorRun> run = Run({.runtime = 13, .several_parts = true});
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->problem, "");
  EXPECT_EQ(run->version, "Edge TPU Compiler version 16.0.384591198");
  EXPECT_EQ(run->mapping.size(), 3u);
  EXPECT_EQ(run->output_path, folder_ + "/m_edgetpu.tflite");
  EXPECT_EQ(run->cached_bytes, 3.5 * 1024 * 1024);
  EXPECT_EQ(run->streamed_bytes, 0);
  EXPECT_EQ(*ReadTextFile(folder_ + "/arguments"),
            "-m 13 -a -s -o " + folder_ + " " + folder_ + "/m.tflite\n");
}

TEST_F(FakeCompiler, ItsFailureIsQuoted) {
  Script(
      "echo Edge TPU Compiler version 15.0\necho Internal compiler error. Aborting! >&2\nexit 1\n");
  const Result<VendorRun> run = Run();
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->exit_code, 1);
  EXPECT_EQ(run->problem, "Internal compiler error. Aborting!");
}

TEST_F(FakeCompiler, SuccessWithoutAFileIsAProblem) {
  std::filesystem::remove(folder_ + "/m_edgetpu.tflite");
  Script("exit 0\n");
  const Result<VendorRun> run = Run();
  ASSERT_TRUE(run.ok());
  EXPECT_THAT(run->problem, HasSubstr("it wrote no"));
}

TEST_F(FakeCompiler, NotInstalledIsToldApart) {
  compiler_.program = "dlpu-no-such-compiler";
  const Result<VendorRun> run = Run();
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace dlpu
