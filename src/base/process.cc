// SPDX-License-Identifier: Apache-2.0
// posix_spawnp with both outputs captured through pipes.
#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

extern char** environ;

namespace dlpu {
namespace {

constexpr size_t kMaxOutput = size_t{1} << 20;

// A pipe whose ends close themselves.
struct Pipe {
  int ends[2] = {-1, -1};
  ~Pipe() {
    CloseEnd(0);
    CloseEnd(1);
  }
  void CloseEnd(int i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
};

// Reads what is there; false at the end of the stream. What exceeds the limit is dropped, but
// still read, so that the program does not block.
bool Drain(int fd, std::string* text) {
  char buffer[4096];
  ssize_t n;
  do {
    n = read(fd, buffer, sizeof(buffer));
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return false;
  const size_t room = kMaxOutput - text->size();
  text->append(buffer, std::min(room, static_cast<size_t>(n)));
  return true;
}

void DrainBoth(Pipe* out, Pipe* err, ProcessResult* result) {
  pollfd fds[2] = {{out->ends[0], POLLIN, 0}, {err->ends[0], POLLIN, 0}};
  std::string* texts[2] = {&result->output, &result->errors};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd >= 0 && fds[i].revents != 0 && !Drain(fds[i].fd, texts[i])) fds[i].fd = -1;
      fds[i].revents = 0;
    }
  }
}

}  // namespace

Result<ProcessResult> RunProcess(const std::vector<std::string>& argv, const std::string& cwd) {
  DLPU_CHECK(!argv.empty());
  Pipe out, err;
  if (pipe2(out.ends, O_CLOEXEC) != 0 || pipe2(err.ends, O_CLOEXEC) != 0) {
    return IoError(fmt::format("cannot run {}: {}", argv[0], std::strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  if (!cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, cwd.c_str());
  std::vector<char*> args;
  for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, args[0], &actions, nullptr, args.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT && (cwd.empty() || access(cwd.c_str(), X_OK) == 0)) {
    return NotFoundError(fmt::format("the program {} is not installed or not in PATH", argv[0]));
  }
  if (failed != 0) {
    return IoError(fmt::format("cannot run {} in {}: {}", argv[0], cwd.empty() ? "." : cwd,
                               std::strerror(failed)));
  }
  out.CloseEnd(1);
  err.CloseEnd(1);
  ProcessResult result;
  DrainBoth(&out, &err, &result);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return IoError(fmt::format("lost {}: {}", argv[0], std::strerror(errno)));
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace dlpu
