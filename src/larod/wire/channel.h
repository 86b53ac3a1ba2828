// SPDX-License-Identifier: Apache-2.0
// Channel: a Unix stream socket that carries messages with file descriptors. One thread sends and
// one receives at a time; Shutdown may come from any.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "larod/wire/message.h"

namespace dlpu::larod {

class Channel {
 public:
  Channel() = default;
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}

  // Descriptors stay the caller's. kIo: the other end is gone; kExhausted: too large or too many;
  // kInvalid: one of the descriptors is not open.
  Status Send(MessageType type, const Writer& contents, std::span<const int> descriptors = {});
  // Waits for a message. kIo: the other end is gone; kInvalid: what came is no message, and nothing
  // after it can be understood.
  Result<Message> Receive();
  // Makes both ends' calls fail.
  void Shutdown();
  int fd() const { return socket_.get(); }

 private:
  Fd socket_;
};

// A socket connected to the one listening at `path`.
Result<Fd> ConnectTo(const std::string& path);
// A listening socket, for this user only. One that nobody serves any more is replaced; one that
// somebody serves is an error.
Result<Fd> ListenAt(const std::string& path);
// Where `dlpu serve` listens unless told otherwise: below $XDG_RUNTIME_DIR, or /tmp.
std::string DefaultSocketPath();

}  // namespace dlpu::larod
