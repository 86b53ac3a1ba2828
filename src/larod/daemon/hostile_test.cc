// SPDX-License-Identifier: Apache-2.0
// Messages that are garbage, cut off or slightly wrong: each is refused, and nobody else notices.
#include <sys/socket.h>

#include <atomic>
#include <random>
#include <thread>

#include "larod/daemon/daemon_testing.h"
#include "larod/wire/codec.h"

namespace dlpu::larod {
namespace {

// An application that runs job after job beside whatever a test does.
class Bystander {
 public:
  explicit Bystander(const std::string& path) : application_(path, 11) {}
  void Start() {
    thread_ = std::thread([this] {
      for (size_t i = 0; !stop_; ++i) (application_.RunRight(i % kTestModels) ? right_ : wrong_)++;
    });
  }
  ~Bystander() { Stop(); }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int right() const { return right_; }
  int wrong() const { return wrong_; }
  Application& application() { return application_; }

 private:
  Application application_;
  std::atomic<bool> stop_{false};
  std::atomic<int> right_{0}, wrong_{0};
  std::thread thread_;
};

// One end of a conversation without any manners.
class Raw {
 public:
  explicit Raw(const std::string& path) : socket_(std::move(ConnectTo(path).value())) {
    const timeval patience = {60, 0};
    (void)setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void Send(const Bytes& bytes, std::span<const int> descriptors = {}) {
    iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(250 * sizeof(int))] = {};
    if (!descriptors.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      *header = {CMSG_LEN(descriptors.size_bytes()), SOL_SOCKET, SCM_RIGHTS};
      std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    (void)sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  }
  // The status of the next reply; -1: the connection is over.
  int Status() {
    Bytes header(sizeof(MessageHeader));
    if (recv(socket_.get(), header.data(), header.size(), MSG_WAITALL) != 16) return -1;
    MessageHeader fields;
    std::memcpy(&fields, header.data(), sizeof fields);
    Bytes contents(fields.bytes);
    if (recv(socket_.get(), contents.data(), contents.size(), MSG_WAITALL) !=
        static_cast<ssize_t>(contents.size())) {
      return -1;
    }
    Reader reader(contents);
    return reader.Get<int32_t>();
  }
  int Greet() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    events_ = Fd(pair[0]);
    const Fd theirs(pair[1]);
    Writer hello;
    hello.PutText("");
    Send(Framed(MessageType::kHello, hello, 1), std::span(&pair[1], 1));
    return Status();
  }
  static Bytes Framed(MessageType type, const Writer& contents, uint32_t descriptors = 0) {
    MessageHeader header;
    header.type = static_cast<uint16_t>(type);
    header.bytes = static_cast<uint32_t>(contents.contents().size());
    header.descriptors = descriptors;
    Bytes bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    bytes.insert(bytes.end(), contents.contents().begin(), contents.contents().end());
    return bytes;
  }

 private:
  Fd socket_, events_;
};

Bytes RunMessage(const Job& job, std::vector<int>* descriptors) {
  Writer contents;
  const auto none = [](const Buffer&) { return std::optional<uint64_t>(); };
  PutJob(contents, job, none, descriptors);
  return Raw::Framed(MessageType::kRun, contents, static_cast<uint32_t>(descriptors->size()));
}

class Hostile : public ::testing::Test {
 protected:
  Hostile() : bystander(std::make_unique<Bystander>(daemon.path())) {
    before = OpenDescriptors();
    bystander->Start();
    refused = daemon.Metric("dlpu_larod_messages_refused_total");
  }
  // The others ran well, and everything that was opened is closed.
  void ExpectUnharmed() {
    const int jobs = bystander->right();
    while (bystander->right() < jobs + 10 && bystander->wrong() == 0) std::this_thread::yield();
    EXPECT_EQ(bystander->wrong(), 0);
    EXPECT_TRUE(daemon.Becomes("dlpu_larod_sessions", 1));
    EXPECT_EQ(daemon.Metric("dlpu_larod_models"), kTestModels);
    bystander->Stop();
    EXPECT_TRUE(Eventually([&] { return OpenDescriptors() == before; }));
  }

  TestDaemon daemon;
  std::unique_ptr<Bystander> bystander;
  size_t before = 0;
  double refused = 0;
};

TEST_F(Hostile, GarbageIsRefused) {
  constexpr int kMessages = 10000;
  std::mt19937 random(1);
  std::vector<int> fds;
  Job job = bystander->application().jobs[0];
  const Bytes run = RunMessage(job, &fds);
  int ended = 0, answered = 0, failed = 0;
  std::unique_ptr<Raw> raw;
  for (int i = 0; i < kMessages; ++i) {
    if (raw == nullptr) {
      raw = std::make_unique<Raw>(daemon.path());
      if (random() % 8 != 0) {
        ASSERT_EQ(raw->Greet(), 0);
      }
    }
    Bytes message;
    size_t descriptors = 0;
    switch (random() % 8) {
      case 0:  // noise
        message = Noise(16 + random() % 64, random());
        break;
      case 1:  // a frame of noise
      case 2: {
        Writer contents;
        for (const uint8_t byte : Noise(random() % 200, random())) contents.Put(byte);
        message = Raw::Framed(static_cast<MessageType>(random() % 20), contents);
        break;
      }
      case 3:  // a job without its descriptors, or with too many
        message = run;
        descriptors = (random() % 2) * 2 * fds.size();
        break;
      default:  // a job with some bytes changed, seldom those of the frame
        message = run;
        descriptors = fds.size();
        for (unsigned n = 1 + random() % 3; n > 0; --n) {
          const size_t from = random() % 16 == 0 ? 0 : 16;
          message[from + random() % (message.size() - from)] = static_cast<uint8_t>(random());
        }
    }
    std::vector<int> sent;
    for (size_t d = 0; d < descriptors; ++d) sent.push_back(fds[d % fds.size()]);
    // What claims to be longer than it is must not be waited for.
    MessageHeader header;
    std::memcpy(&header, message.data(), sizeof header);
    const bool cut = header.bytes + 16 > message.size() && header.magic == kWireMagic;
    raw->Send(message, sent);
    const int status = cut ? -1 : raw->Status();
    if (status == -1 || header.type == static_cast<uint16_t>(MessageType::kClose) ||
        header.bytes + 16 != message.size()) {
      raw = nullptr;
      ++ended;
    } else {
      ++answered;
      failed += status != 0 ? 1 : 0;
    }
  }
  raw = nullptr;
  EXPECT_GT(ended, 500);
  EXPECT_GT(answered, 3000);
  EXPECT_GT(failed, 3000);
  EXPECT_GT(daemon.Metric("dlpu_larod_messages_refused_total"), refused + 1000);
  RecordProperty("ended", ended);
  RecordProperty("answered", answered);
  RecordProperty("failed", failed);
  ExpectUnharmed();
}

TEST_F(Hostile, AMessageMayEndAnywhere) {
  std::vector<int> fds;
  const Bytes run = RunMessage(bystander->application().jobs[0], &fds);
  for (size_t length = 0; length < run.size(); ++length) {
    Raw raw(daemon.path());
    ASSERT_EQ(raw.Greet(), 0);
    raw.Send(Bytes(run.begin(), run.begin() + static_cast<ptrdiff_t>(length)),
             length == 0 ? std::span<const int>() : std::span<const int>(fds));
  }
  EXPECT_GT(run.size(), 100u);
  ExpectUnharmed();
}

TEST_F(Hostile, ContentsCutAnywhereAreRefusedAndTheConnectionGoesOn) {
  std::vector<int> fds;
  const Bytes run = RunMessage(bystander->application().jobs[0], &fds);
  Raw raw(daemon.path());
  ASSERT_EQ(raw.Greet(), 0);
  for (size_t length = 16; length < run.size(); ++length) {
    Bytes cut(run.begin(), run.begin() + static_cast<ptrdiff_t>(length));
    const auto bytes = static_cast<uint32_t>(length - 16);
    std::memcpy(&cut[8], &bytes, sizeof bytes);
    raw.Send(cut, fds);
    ASSERT_EQ(raw.Status(), EINVAL) << length;
  }
  raw.Send(run, fds);
  EXPECT_EQ(raw.Status(), LAROD_ERROR_PERMISSION) << "the model is another's";
}

TEST(Descriptors, AreLimitedAndComeBack) {
  Descriptors descriptors(3);
  const auto files = [](size_t count) {
    std::vector<Fd> fds;
    for (size_t i = 0; i < count; ++i) fds.push_back(std::move(*MemoryFile("file", 0)));
    return fds;
  };
  const size_t before = OpenDescriptors();
  EXPECT_FALSE(descriptors.Hold(files(4)).has_value());
  EXPECT_EQ(OpenDescriptors(), before);
  auto held = descriptors.Hold(files(3));
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(descriptors.held(), 3);
  EXPECT_FALSE(descriptors.Hold(files(1)).has_value());
  descriptors.Keep(1, (*held)[0]);
  held->clear();
  EXPECT_EQ(descriptors.held(), 1);
  EXPECT_NE(descriptors.Kept(1), nullptr);
  EXPECT_EQ(descriptors.Kept(2), nullptr);
  descriptors.Keep(1, (*descriptors.Hold(files(1)))[0]);  // instead of the one before
  EXPECT_EQ(descriptors.held(), 1);
  descriptors.Forget(1);
  EXPECT_EQ(descriptors.held(), 0);
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace dlpu::larod
