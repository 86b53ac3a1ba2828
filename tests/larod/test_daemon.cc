// SPDX-License-Identifier: Apache-2.0
// Daemons for the tests of the larod API: one for each camera and its faults, until the tests end.
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <map>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

bool Answers(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

class Daemons {
 public:
  ~Daemons() {
    for (const auto& [key, daemon] : daemons_) {
      kill(daemon.pid, SIGTERM);
      waitpid(daemon.pid, nullptr, 0);
    }
  }
  // The socket of the daemon for `product` under the present variables.
  std::string Find(const std::string& program, const std::string& product) {
    const std::string key = product + "|" + Variable("DLPU_FAULT") + "|" +
                            Variable("DLPU_REALTIME") + "|" + Variable("DLPU_SOURCES");
    const auto [found, is_new] = daemons_.try_emplace(key);
    if (is_new) found->second = Start(program, product);
    return found->second.socket;
  }

 private:
  struct Daemon {
    pid_t pid = 0;
    std::string socket;
  };
  Daemon Start(const std::string& program, const std::string& product) {
    Daemon daemon;
    daemon.socket = ::testing::TempDir() + "larod-api-" + std::to_string(getpid()) + "-" +
                    std::to_string(daemons_.size()) + ".sock";
    daemon.pid = fork();
    if (daemon.pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      execl(program.c_str(), program.c_str(), "serve", "--product", product.c_str(), "--socket",
            daemon.socket.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 6000 && !Answers(daemon.socket); ++i) usleep(10000);
    EXPECT_TRUE(Answers(daemon.socket)) << program << " serve does not answer";
    return daemon;
  }
  std::map<std::string, Daemon> daemons_;
};

}  // namespace

void ChooseService(const char* product) {
  const std::string program = Variable("DLPU_LAROD_TEST_DAEMON");
  if (program.empty()) return;
  static Daemons daemons;
  setenv("DLPU_LAROD_SOCKET", daemons.Find(program, product).c_str(), 1);
}

}  // namespace dlpu::larod_testing
