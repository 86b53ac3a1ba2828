// SPDX-License-Identifier: Apache-2.0
// dlpu serve: the virtual camera's larod as a daemon that several applications share.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "cli/command.h"
#include "larod/daemon/metrics_client.h"
#include "larod/daemon/server.h"
#include "larod/service_options.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string product, socket, fault, log;
  bool realtime = false, metrics = false;
};

// What the command line says, and the environment where it is silent.
Result<larod::ServiceOptions> OptionsOf(const Arguments& arguments) {
  if (!arguments.fault.empty()) (void)setenv("DLPU_FAULT", arguments.fault.c_str(), 1);
  if (!arguments.log.empty()) (void)setenv("DLPU_LAROD_LOG", arguments.log.c_str(), 1);
  auto options = larod::OptionsFromEnvironment();
  if (!options.ok()) {
    return InvalidError(options.failure().message + ": " + options.failure().cause);
  }
  if (!arguments.product.empty()) options->product = arguments.product;
  options->realtime |= arguments.realtime;
  return *options;
}

// Until SIGINT or SIGTERM. REQUIRES: they are blocked.
void WaitForEnd(const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
}

CommandResult RunServe(const Arguments& arguments) {
  const std::string path = arguments.socket.empty() ? larod::DefaultSocketPath() : arguments.socket;
  if (arguments.metrics) {
    DLPU_TRY(const std::string text, larod::MetricsOf(path));
    PrintText("", text);
    return static_cast<int>(kExitOk);
  }
  // Blocked before there are threads, so that only WaitForEnd sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  (void)pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  DLPU_TRY(const larod::ServiceOptions options, OptionsOf(arguments));
  DLPU_TRY(const std::unique_ptr<larod::Server> server, larod::Server::Start(path, options));
  PrintText("", fmt::format("{} with {}\nexport DLPU_LAROD_SOCKET={}\n",
                            server->catalogue().product, server->catalogue().DeviceNames(), path));
  std::fflush(stdout);
  WaitForEnd(signals);
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddServeCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "serve", "Be a camera's larod for several applications at once",
                  [arguments] { return RunServe(*arguments); });
  command.Option("--product", "P", &arguments->product,
                 "The camera: a product or a target (default: $DLPU_PRODUCT, or AXIS Q1656-LE)");
  command.Option("--socket", "PATH", &arguments->socket,
                 "Where applications connect (default: below $XDG_RUNTIME_DIR, or /tmp)");
  command.Flag("--realtime", &arguments->realtime,
               "Jobs take at least as long as on the camera, as far as that is predicted");
  command.Option("--fault", "KIND[:N]", &arguments->fault,
                 "Fail as cameras do: power, crash, timeout or slow");
  command.Option("--log", "FILE", &arguments->log,
                 "Where the causes of failures go ('-': stderr, the default; 'none')");
  command.Flag("--metrics", &arguments->metrics,
               "Print what the daemon at the socket has done so far, and end");
}

}  // namespace dlpu
