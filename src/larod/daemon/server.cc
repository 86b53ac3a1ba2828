// SPDX-License-Identifier: Apache-2.0
// Accepts applications.
#include "larod/daemon/server.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "larod/log.h"
#include "larod/wire/codec.h"

namespace dlpu::larod {
namespace {

constexpr size_t kMostClients = 128;

// As many descriptors as the system allows; how many one application may have.
int64_t RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 64;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  const auto all = static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 22));
  return std::max<int64_t>(all / 16, 64);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const std::string& path,
                                              const ServiceOptions& options) {
  // The processors are the applications' own: whoever watched for their next job would be in its
  // way.
  ServiceOptions calm = options;
  calm.spin = false;
  auto service = Service::Make(calm);
  if (!service.ok())
    return InvalidError(service.failure().message + ": " + service.failure().cause);
  DLPU_TRY(Fd socket, ListenAt(path));
  return std::unique_ptr<Server>(new Server(path, std::move(socket), *service));
}

Server::Server(std::string path, Fd socket, std::shared_ptr<Service> service)
    : path_(std::move(path)), socket_(std::move(socket)), service_(std::move(service)) {
  shared_.most_descriptors = RaiseDescriptorLimit();
  shared_.metrics = [this] { return Metrics(); };
  thread_ = std::thread([this] { Accept(); });
}

Server::~Server() {
  (void)unlink(path_.c_str());
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    for (const auto& [number, client] : clients_) {
      if (client != nullptr) client->Shutdown();
    }
  }
  (void)shutdown(socket_.get(), SHUT_RDWR);  // wakes accept
  thread_.join();
  std::unique_lock lock(mutex_);
  left_.wait(lock, [&] { return clients_.empty(); });
}

std::string Server::Metrics() {
  std::string text = service_->Metrics();
  text += fmt::format("dlpu_larod_connections_total {}\n", shared_.connections.load());
  text += fmt::format("dlpu_larod_messages_refused_total {}\n", shared_.refused.load());
  const std::lock_guard lock(mutex_);
  for (const auto& [number, client] : clients_) {
    if (client == nullptr || !client->greeted()) continue;
    const std::string label =
        fmt::format("{{session=\"{}\",application=\"{}\"}}", number, client->name());
    text += fmt::format("dlpu_larod_session_queued{} {}\n", label, client->queued());
    text += fmt::format("dlpu_larod_session_descriptors{} {}\n", label, client->held_descriptors());
  }
  return text;
}

void Server::Accept() {
  for (;;) {
    Fd socket(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const int error = errno;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    if (socket.get() >= 0) {
      Begin(std::move(socket));
    } else if (error != EINTR && error != ECONNABORTED) {
      Log(fmt::format("Could not accept a connection: {}", std::strerror(error)));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

void Server::Begin(Fd socket) {
  const std::lock_guard lock(mutex_);
  if (clients_.size() >= kMostClients) {
    Log(fmt::format("Connection refused: there are {} already", kMostClients));
    return;
  }
  const uint64_t number = ++shared_.connections;
  auto client = std::make_unique<Client>(service_, std::move(socket), number, shared_);
  clients_[number] = client.get();
  std::thread([this, number, client = std::move(client)]() mutable {
    client->Serve();
    {
      // Nobody may shut down a client that is gone; the server's end waits until it is.
      const std::lock_guard lock(mutex_);
      clients_[number] = nullptr;
    }
    client.reset();
    const std::lock_guard lock(mutex_);
    clients_.erase(number);
    left_.notify_all();
  }).detach();
}

}  // namespace dlpu::larod
