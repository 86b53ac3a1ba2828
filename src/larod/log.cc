// SPDX-License-Identifier: Apache-2.0
// Writes the log, a whole line at a time.
#include "larod/log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "larod/fd.h"

namespace dlpu::larod {

void Log(const std::string& text) {
  const char* to = std::getenv("DLPU_LAROD_LOG");
  const std::string_view place = to == nullptr || *to == '\0' ? "-" : to;
  if (place == "none") return;
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  const std::string line = fmt::format("{:%FT%T}.{:03} larod: {}\n",
                                       fmt::localtime(std::time(nullptr)), ms.count() % 1000, text);
  // Opened anew for each line: lines are rare, and a file may be moved away meanwhile.
  const Fd file(place == "-" ? -1
                             : open(std::string(place).c_str(),
                                    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  const int fd = file.get() >= 0 ? file.get() : STDERR_FILENO;
  if (write(fd, line.data(), line.size()) < 0) return;  // there is no one to tell
}

void LogFailure(const Failure& failure) {
  if (failure.cause.empty()) return;
  Log(fmt::format("{} ({}). Cause: {}", failure.message, failure.code, failure.cause));
}

}  // namespace dlpu::larod
