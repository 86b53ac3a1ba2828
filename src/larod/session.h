// SPDX-License-Identifier: Apache-2.0
// Session: what the C API needs of the service, one for each connection. The service may be in this
// process or behind a socket. Any thread; callbacks come on a thread of the session and must not
// call Close or a function that waits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "larod/outcome.h"
#include "larod/types.h"

namespace dlpu::larod {

using LoadCallback = std::function<void(Outcome<ModelInfo>)>;
using JobCallback = std::function<void(Outcome<Nothing>)>;

class Session {
 public:
  virtual ~Session() = default;

  // In the camera's order; never changes.
  virtual const std::vector<DeviceInfo>& devices() const = 0;
  virtual Outcome<uint64_t> CountSessions() = 0;

  virtual Outcome<ModelInfo> Load(const LoadRequest& request) = 0;
  virtual Outcome<Nothing> LoadAsync(const LoadRequest& request, LoadCallback callback) = 0;
  virtual Outcome<ModelInfo> Model(uint64_t id) = 0;
  virtual Outcome<std::vector<ModelInfo>> Models() = 0;
  virtual Outcome<Nothing> Delete(uint64_t id) = 0;
  // The form the device runs, as bytes.
  virtual Outcome<std::vector<uint8_t>> Export(const LoadRequest& request) = 0;

  // The session's own share of a descriptor, for a tensor that many jobs will use. It stays open
  // for as long as anyone has it, at most until the session's end in the service.
  virtual Outcome<std::shared_ptr<const Fd>> Keep(int fd) = 0;

  virtual Outcome<Nothing> Run(const Job& job) = 0;
  // Descriptors of the job may be closed once this returns.
  virtual Outcome<Nothing> RunAsync(const Job& job, JobCallback callback) = 0;

  // Queued jobs fail, running ones are waited for, and so are their callbacks. Private models are
  // gone afterwards.
  virtual Outcome<Nothing> Close() = 0;
  // Whether the caller is a callback of this session.
  virtual bool InCallback() const = 0;
};

// A session with the daemon at $DLPU_LAROD_SOCKET; without that variable, with the service of this
// process, which is started for the first session: its product is $DLPU_PRODUCT.
Outcome<std::shared_ptr<Session>> OpenSession();
Outcome<std::shared_ptr<Session>> OpenLocalSession();
Outcome<std::shared_ptr<Session>> OpenRemoteSession(const std::string& socket);

}  // namespace dlpu::larod
