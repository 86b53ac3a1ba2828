// SPDX-License-Identifier: Apache-2.0
// The frames between an application's liblarod and `dlpu serve`: a header of 16 bytes (magic,
// version, type, bytes of contents, file descriptors), then the contents. Numbers have the
// machine's own byte order, since both ends are on it. Any thread; a Writer or Reader by one.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "larod/fd.h"

namespace dlpu::larod {

inline constexpr uint32_t kWireMagic = 0x50524c44;  // "DLRP"
inline constexpr uint16_t kWireVersion = 1;         // of all messages; ends must agree
inline constexpr size_t kMostContents = size_t{1} << 20;
inline constexpr size_t kMostDescriptors = 128;  // of one message
inline constexpr size_t kMostText = 65536;       // bytes of one text

// A request is answered by one kReply: a status, then what the request is for (codec.h).
enum class MessageType : uint16_t {
  kHello = 1,      // the application's product, and its socket for events
  kCountSessions,  // -> number
  kLoad,           // load request -> model
  kLoadAsync,      // tag, load request; kDone follows
  kModel,          // id -> model
  kModels,         // -> ids
  kDelete,         // id
  kExport,         // load request -> a file
  kRun,            // job
  kRunAsync,       // tag, job; kDone follows
  kKeep,           // number, and a descriptor to keep under it
  kForget,         // number
  kClose,          // answered when all events are written
  kMetrics,        // -> text; also instead of kHello
  kReply = 100,
  kDone,  // the event: tag, status, the model of a load
};

struct MessageHeader {
  uint32_t magic = kWireMagic;
  uint16_t version = kWireVersion;
  uint16_t type = 0;
  uint32_t bytes = 0;
  uint32_t descriptors = 0;
};
static_assert(sizeof(MessageHeader) == 16);

struct Message {
  MessageType type = MessageType::kReply;
  std::vector<uint8_t> contents;
  std::vector<Fd> descriptors;
};

// Appends values.
class Writer {
 public:
  template <typename T>
  void Put(T value) {
    static_assert(std::is_arithmetic_v<T>);
    PutBytes(&value, sizeof value);
  }
  void PutText(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    PutBytes(text.data(), text.size());
  }
  void Append(const Writer& other) { PutBytes(other.contents_.data(), other.contents_.size()); }
  const std::vector<uint8_t>& contents() const { return contents_; }

 private:
  void PutBytes(const void* bytes, size_t count) {
    const size_t at = contents_.size();
    contents_.resize(at + count);
    if (count != 0) std::memcpy(contents_.data() + at, bytes, count);
  }
  std::vector<uint8_t> contents_;
};

// Takes values out again. What is not there, or is more than allowed, reads as 0 or empty and makes
// the whole message bad, so that a sequence of values is checked once, with Done().
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> contents) : rest_(contents) {}

  template <typename T>
  T Get() {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    T value = 0;
    if (sizeof value > rest_.size()) return Bad(), value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  // In [0, most].
  template <typename T>
  T GetUpTo(T most) {
    const T value = Get<T>();
    if (std::cmp_less(value, 0) || value > most) return Bad(), T{0};
    return value;
  }
  std::string GetText(size_t most = kMostText) {
    const auto size = Get<uint32_t>();
    if (size > most || size > rest_.size()) return Bad(), std::string();
    std::string text(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return text;
  }
  // A count of things that take at least `least` bytes each.
  size_t GetCount(size_t least) {
    const auto count = Get<uint32_t>();
    if (count > rest_.size() / least) return Bad(), 0;
    return count;
  }
  void Bad() { bad_ = true, rest_ = {}; }
  bool ok() const { return !bad_; }
  // Nothing was wrong, and nothing is left.
  bool Done() const { return !bad_ && rest_.empty(); }

 private:
  std::span<const uint8_t> rest_;
  bool bad_ = false;
};

}  // namespace dlpu::larod
