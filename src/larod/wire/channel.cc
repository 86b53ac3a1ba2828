// SPDX-License-Identifier: Apache-2.0
// Sends and receives on sockets.
#include "larod/wire/channel.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dlpu::larod {
namespace {

// The kernel passes at most 253 with one call.
constexpr size_t kControlBytes = CMSG_SPACE(253 * sizeof(int));

Error Gone(const char* what) {
  const int error = errno;
  return IoError(fmt::format("{}: {}", what, std::strerror(error)));
}

void PutDescriptors(msghdr& message, std::span<const int> descriptors, char* control) {
  if (descriptors.empty()) return;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

void TakeDescriptors(msghdr& message, std::vector<Fd>* to) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      to->emplace_back(fd);
    }
  }
}

// Fills `to`; descriptors that come along are taken when there is a place for them, and closed by
// the kernel otherwise. False with *ended when the stream ends before the first byte.
Result<bool> ReceiveAll(int socket, std::span<uint8_t> to, std::vector<Fd>* descriptors) {
  alignas(cmsghdr) char control[kControlBytes];
  size_t done = 0;
  while (done < to.size()) {
    iovec part{to.data() + done, to.size() - done};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptors != nullptr) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
    }
    const ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Gone("Could not receive message");
    if (descriptors != nullptr) TakeDescriptors(message, descriptors);
    if (n == 0 && done == 0) return false;
    if (n == 0) return InvalidError("a message ended in its middle");
    done += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

Status Channel::Send(MessageType type, const Writer& contents, std::span<const int> descriptors) {
  const std::vector<uint8_t>& bytes = contents.contents();
  if (bytes.size() > kMostContents || descriptors.size() > kMostDescriptors) {
    return ExhaustedError(
        fmt::format("a message of {} bytes and {} file descriptors: at most {} "
                    "and {} can be sent",
                    bytes.size(), descriptors.size(), kMostContents, kMostDescriptors));
  }
  MessageHeader header;
  header.type = static_cast<uint16_t>(type);
  header.bytes = static_cast<uint32_t>(bytes.size());
  header.descriptors = static_cast<uint32_t>(descriptors.size());
  alignas(cmsghdr) char control[kControlBytes];
  const size_t all = sizeof header + bytes.size();
  for (size_t done = 0; done < all;) {
    iovec parts[2];
    int count = 0;
    if (done < sizeof header) {
      parts[count++] = {reinterpret_cast<uint8_t*>(&header) + done, sizeof header - done};
    }
    const size_t sent = done < sizeof header ? 0 : done - sizeof header;
    parts[count++] = {const_cast<uint8_t*>(bytes.data()) + sent, bytes.size() - sent};
    msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = static_cast<size_t>(count);
    if (done == 0) PutDescriptors(message, descriptors, control);
    const ssize_t n = sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EBADF && socket_.get() >= 0) {
      return InvalidError("a file descriptor is not open");
    }
    if (n < 0) return Gone("Could not send message");
    done += static_cast<size_t>(n);
  }
  return OkStatus();
}

Result<Message> Channel::Receive() {
  MessageHeader header;
  Message message;
  const std::span<uint8_t> bytes(reinterpret_cast<uint8_t*>(&header), sizeof header);
  DLPU_TRY(const bool came, ReceiveAll(socket_.get(), bytes, &message.descriptors));
  if (!came) return IoError("the other end has closed the connection");
  if (header.magic != kWireMagic) return InvalidError("what came is not a message of dlpu");
  if (header.version != kWireVersion) {
    return InvalidError(fmt::format(
        "a message of version {}; this is version {}: liblarod and dlpu must be of one release",
        header.version, kWireVersion));
  }
  if (header.bytes > kMostContents || header.descriptors > kMostDescriptors) {
    return InvalidError(
        fmt::format("a message of {} bytes and {} file descriptors; at most {} and "
                    "{} are taken",
                    header.bytes, header.descriptors, kMostContents, kMostDescriptors));
  }
  message.type = static_cast<MessageType>(header.type);
  message.contents.resize(header.bytes);
  DLPU_TRY(const bool whole, ReceiveAll(socket_.get(), message.contents, nullptr));
  if (!whole) return InvalidError("a message ended in its middle");
  if (message.descriptors.size() != header.descriptors) {
    return InvalidError(fmt::format("{} file descriptors came with a message that has {}",
                                    message.descriptors.size(), header.descriptors));
  }
  return message;
}

void Channel::Shutdown() { (void)shutdown(socket_.get(), SHUT_RDWR); }

}  // namespace dlpu::larod
