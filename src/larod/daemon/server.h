// SPDX-License-Identifier: Apache-2.0
// Server: the daemon behind `dlpu serve`. One service for all applications that connect to a Unix
// socket, each served by a thread of its own. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "larod/daemon/client.h"
#include "larod/outcome.h"
#include "larod/service.h"

namespace dlpu::larod {

class Server {
 public:
  // Listens at `path` and serves until it is destroyed, which removes the socket.
  static Result<std::unique_ptr<Server>> Start(const std::string& path,
                                               const ServiceOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const Catalogue& catalogue() const { return service_->catalogue(); }
  const std::shared_ptr<Service>& service() const { return service_; }
  // In the text format of Prometheus.
  std::string Metrics();

 private:
  Server(std::string path, Fd socket, std::shared_ptr<Service> service);
  void Accept();
  void Begin(Fd socket);

  const std::string path_;
  const Fd socket_;
  const std::shared_ptr<Service> service_;
  DaemonShared shared_;
  std::mutex mutex_;  // of what follows
  std::condition_variable left_;
  std::map<uint64_t, Client*> clients_;  // nullptr: it is ending
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace dlpu::larod
