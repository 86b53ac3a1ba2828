// SPDX-License-Identifier: Apache-2.0
// Sockets by path.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "larod/wire/channel.h"

namespace dlpu::larod {
namespace {

Result<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return InvalidError(fmt::format("'{}' cannot name a socket: it must have from 1 to {} bytes",
                                    path, sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<Fd> NewSocket() {
  Fd made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) return IoError(fmt::format("no socket: {}", std::strerror(errno)));
  return made;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Result<Fd> ConnectTo(const std::string& path) {
  DLPU_TRY(const sockaddr_un address, AddressOf(path));
  DLPU_TRY(Fd made, NewSocket());
  if (connect(made.get(), Generic(address), sizeof address) != 0) {
    return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return made;
}

Result<Fd> ListenAt(const std::string& path) {
  DLPU_TRY(const sockaddr_un address, AddressOf(path));
  struct stat status;
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return InvalidError(path + " exists and is no socket");
    if (ConnectTo(path).ok()) return InvalidError(path + " is served already");
    (void)unlink(path.c_str());
  }
  DLPU_TRY(Fd made, NewSocket());
  // Bound as nobody's, then given to its user: there is no moment at which others could connect.
  const mode_t before = umask(0177);
  const int bound = bind(made.get(), Generic(address), sizeof address);
  const int error = errno;
  umask(before);
  if (bound != 0) return IoError(fmt::format("{}: {}", path, std::strerror(error)));
  if (listen(made.get(), 64) != 0) {
    return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return made;
}

std::string DefaultSocketPath() {
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  if (folder != nullptr && *folder != '\0') return fmt::format("{}/dlpu-larod.sock", folder);
  return fmt::format("/tmp/dlpu-larod-{}.sock", getuid());
}

}  // namespace dlpu::larod
