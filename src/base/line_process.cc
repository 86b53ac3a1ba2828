// SPDX-License-Identifier: Apache-2.0
// Pipes and posix_spawn.
#include "base/line_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

extern char** environ;

namespace dlpu {

Result<std::unique_ptr<LineProcess>> LineProcess::Start(const std::vector<std::string>& argv) {
  DLPU_CHECK(!argv.empty());
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0) return IoError("no pipe is to be had");
  if (pipe2(from_child, O_CLOEXEC) != 0) {
    close(to_child[0]);
    close(to_child[1]);
    return IoError("no pipe is to be had");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> args;
  for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, args[0], &actions, nullptr, args.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(to_child[0]);
  close(from_child[1]);
  if (failed != 0) {
    close(to_child[1]);
    close(from_child[0]);
    return NotFoundError(fmt::format("{}: cannot be started: {}", argv[0], std::strerror(failed)));
  }
  std::signal(SIGPIPE, SIG_IGN);  // a child that died shows as a failed write
  return std::unique_ptr<LineProcess>(
      new LineProcess(pid, fdopen(to_child[1], "w"), fdopen(from_child[0], "r")));
}

LineProcess::~LineProcess() {
  std::fclose(in_);
  std::fclose(out_);
  int status = 0;
  waitpid(pid_, &status, 0);
}

Status LineProcess::Write(const std::string& line) {
  const bool ok = std::fputs((line + "\n").c_str(), in_) >= 0 && std::fflush(in_) == 0;
  return ok ? OkStatus() : Status(IoError("the child process is gone"));
}

Result<std::string> LineProcess::Read() {
  std::string line;
  for (int c = std::fgetc(out_); c != EOF; c = std::fgetc(out_)) {
    if (c == '\n') return line;
    line += static_cast<char>(c);
  }
  return IoError("the child process is gone");
}

}  // namespace dlpu
