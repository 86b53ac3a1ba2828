// SPDX-License-Identifier: Apache-2.0
// Interleaved timing with child processes.
#include "app/peers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <thread>

#include "base/data_path.h"
#include "base/file.h"
#include "base/line_process.h"

namespace dlpu {
namespace {

using Clock = std::chrono::steady_clock;

// A folder that goes away with its files.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_((std::filesystem::temp_directory_path() / fmt::format("dlpu-bench-{}", getpid()))
                  .string()) {}
  ~TemporaryFolder() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// A thread that a peer left spinning goes to sleep before the next turn.
constexpr auto kSettle = std::chrono::milliseconds(10);

struct Peer {
  PeerResult result;
  std::unique_ptr<LineProcess> process;
};

Result<std::vector<double>> TimePeer(LineProcess& process, int runs) {
  std::this_thread::sleep_for(kSettle);
  DLPU_RETURN_IF_ERROR(process.Write(std::to_string(runs)));
  DLPU_TRY(const std::string line, process.Read());
  std::istringstream numbers(line);
  std::vector<double> times;
  for (double ms = 0; numbers >> ms;) times.push_back(ms);
  return times;
}

// Starts the peer; what keeps it from running becomes its problem.
Peer StartPeer(const std::string& name, const std::vector<std::string>& arguments) {
  Peer peer;
  peer.result.name = name;
  auto process = LineProcess::Start(arguments);
  if (!process.ok()) {
    peer.result.problem = process.error().message;
    return peer;
  }
  const auto answer = (*process)->Read();
  if (!answer.ok()) {
    peer.result.problem = "it did not start";
  } else if (answer->rfind("ready ", 0) == 0) {
    peer.result.version = answer->substr(6);
    peer.process = *std::move(process);
  } else {
    peer.result.problem = answer->rfind("no ", 0) == 0 ? answer->substr(3) : *answer;
  }
  return peer;
}

}  // namespace

Result<ComparedBench> BenchAgainst(Runner& runner, const std::string& model_path,
                                   const std::vector<std::string>& peers,
                                   const BenchOptions& options) {
  static const std::vector<std::string> kKnown = {"litert", "litert-reference", "onnxruntime",
                                                  "openvino", "ncnn"};
  DLPU_TRY(const std::string script, DataPath("peers/bench_peer.py"));
  const char* python = std::getenv("DLPU_PYTHON");
  const TemporaryFolder folder;
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder.path()));
  std::vector<std::string> files;
  for (size_t i = 0; i < runner.input_count(); ++i) {
    files.push_back(fmt::format("{}/{}.raw", folder.path(), i));
    DLPU_RETURN_IF_ERROR(WriteFile(files.back(), runner.input(i)));
  }
  std::vector<Peer> started;
  for (const std::string& peer : peers) {
    const size_t equals = peer.find('=');
    const std::string name = peer.substr(0, equals);
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
      return InvalidError(fmt::format(
          "--against {}: not known; give {}, each with =FILE if it is to read another file", name,
          fmt::join(kKnown, ", ")));
    }
    std::vector<std::string> arguments = {
        python != nullptr ? python : "python3", script, name,
        equals == std::string::npos ? model_path : peer.substr(equals + 1),
        std::to_string(runner.threads())};
    arguments.insert(arguments.end(), files.begin(), files.end());
    started.push_back(StartPeer(name, arguments));
  }
  ComparedBench compared;
  const Clock::time_point begin = Clock::now();
  for (int round = 0;; ++round) {
    const double spent = std::chrono::duration<double>(Clock::now() - begin).count();
    if (round > 1 && spent > options.max_seconds) break;
    // The first round warms up and is not counted.
    const int runs = round == 0 ? std::max(options.warm_up, 1) : 5;
    // Each turn begins with a run that is not counted: the caches hold the other engines' data.
    BenchOptions turn;
    turn.warm_up = 1;
    turn.min_repeats = turn.max_repeats = runs;
    std::this_thread::sleep_for(kSettle);
    DLPU_TRY(const BenchResult ours, Bench(runner, turn));
    if (round > 0) {
      compared.ours.milliseconds.insert(compared.ours.milliseconds.end(), ours.milliseconds.begin(),
                                        ours.milliseconds.end());
    }
    for (Peer& peer : started) {
      if (peer.process == nullptr) continue;
      const auto times = TimePeer(*peer.process, runs);
      if (!times.ok()) {
        peer.result.problem = "it stopped while running";
        peer.process.reset();
      } else if (round > 0) {
        peer.result.milliseconds.insert(peer.result.milliseconds.end(), times->begin(),
                                        times->end());
      }
    }
  }
  for (Peer& peer : started) compared.peers.push_back(std::move(peer.result));
  return compared;
}

}  // namespace dlpu
