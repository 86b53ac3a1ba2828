// SPDX-License-Identifier: Apache-2.0
// Reading the zoo file and finding models and photos in it.
#include "app/zoo.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>

#include "base/data_path.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "base/toml.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxFile = int64_t{1} << 32;
constexpr int64_t kMaxSide = 1 << 16;

std::vector<float> Floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

std::string ReadHash(const TomlTable& t) {
  const std::string hash = t.Str("sha256");
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    t.Fail("sha256", "'sha256' must be 64 lower-case hexadecimal digits");
  }
  return hash;
}

ZooFile ReadZooFile(const TomlTable& t) {
  ZooFile file;
  file.path = t.Str("file");
  // The path is joined to a folder of ours and handed to tar.
  if (file.path.empty() || file.path[0] == '/' || file.path[0] == '-' ||
      file.path.find("..") != std::string::npos) {
    t.Fail("file", "'file' must be a path below the package, without '..'");
  }
  file.offset = static_cast<uint64_t>(t.Int("offset", 0, kMaxFile, 0));
  file.bytes = static_cast<uint64_t>(t.Int("bytes", 1, kMaxFile));
  file.sha256 = ReadHash(t);
  return file;
}

ZooInput ReadInput(const TomlTable& t) {
  ZooInput input;
  if (!t.present()) return input;
  input.image = true;
  const std::vector<int64_t> size = t.Ints("size", 1, kMaxSide);
  if (size.size() != 2) {
    t.Fail("size", "'size' must be [height, width]");
    return input;
  }
  input.height = static_cast<int>(size[0]);
  input.width = static_cast<int>(size[1]);
  input.dynamic = t.Bool("dynamic", false);
  input.multiple = static_cast<int>(t.Int("multiple", 1, kMaxSide, 1));
  input.bgr = t.Word("color", {"RGB", "BGR"}) == "BGR";
  input.nchw = t.Word("layout", {"NHWC", "NCHW"}) == "NCHW";
  input.mean = Floats(t.Nums("mean"));
  input.std = Floats(t.Nums("std"));
  if (input.mean.size() != 3 || input.std.size() != 3)
    t.Fail("mean", "mean and std need 3 numbers");
  for (float std : input.std) {
    if (!(std > 0)) t.Fail("std", "'std' must be positive");
  }
  input.letterbox = t.Word("resize", {"stretch", "letterbox"}) == "letterbox";
  input.align_left = t.Word("align", {"center", "left"}, "center") == "left";
  if (t.Has("extra_channel")) input.extra_channel = static_cast<float>(t.Num("extra_channel"));
  return input;
}

ZooAnchors ReadAnchors(const TomlTable& t) {
  ZooAnchors anchors;
  for (int64_t stride : t.Ints("strides", 1, kMaxSide)) {
    anchors.strides.push_back(static_cast<int>(stride));
  }
  if (anchors.strides.empty()) t.Fail("strides", "'strides' must not be empty");
  anchors.min_scale = static_cast<float>(t.Num("min_scale"));
  anchors.max_scale = static_cast<float>(t.Num("max_scale"));
  anchors.aspect_ratios = Floats(t.Nums("aspect_ratios"));
  anchors.interpolated_aspect_ratio = static_cast<float>(t.Num("interpolated_aspect_ratio"));
  anchors.reduce_lowest_layer = t.Bool("reduce_lowest_layer");
  anchors.fixed_size = t.Bool("fixed_size");
  return anchors;
}

ZooDecoder ReadDecoder(const TomlTable& t) {
  ZooDecoder d;
  d.kind = t.Word("kind", {"ssd", "landmarks", "mask", "classify", "ctc", "lines", "none"});
  d.boxes = t.StrsOrNone("boxes");
  d.scores = t.StrsOrNone("scores");
  d.points = t.StrsOrNone("points");
  d.presence = t.StrsOrNone("presence");
  d.mask = t.StrsOrNone("mask");
  d.classes = static_cast<int>(t.Int("classes", 1, 1 << 20, 0));
  if (t.Has("background")) d.background = static_cast<int>(t.Int("background", 0, 1 << 20));
  d.box_yxhw = t.Word("box_order", {"xywh", "yxhw"}, "xywh") == "yxhw";
  d.box_scale = Floats(t.NumsOrNone("box_scale"));
  d.exponential_size = t.Bool("exponential_size", false);
  d.sigmoid = t.Bool("sigmoid", false);
  d.keypoints = static_cast<int>(t.Int("keypoints", 0, 1 << 10, 0));
  d.score_threshold = static_cast<float>(t.Num("score_threshold", 0));
  d.iou_threshold = static_cast<float>(t.Num("iou_threshold", 0));
  d.point_count = static_cast<int>(t.Int("point_count", 1, 1 << 20, 0));
  d.point_values = static_cast<int>(t.Int("point_values", 1, 16, 0));
  if (d.kind == "ssd") {
    d.anchors = ReadAnchors(t.Table("anchors"));
    if (d.boxes.empty() || d.scores.empty() || d.box_scale.size() != 4 || d.classes == 0) {
      t.Fail("", "an ssd decoder needs boxes, scores, classes and a box_scale of 4 numbers");
    }
  }
  if (d.kind == "landmarks" && (d.points.empty() || d.point_count == 0 || d.point_values == 0)) {
    t.Fail("", "a landmarks decoder needs points, point_count and point_values");
  }
  if (d.kind == "mask" && d.mask.empty()) t.Fail("", "a mask decoder needs mask");
  return d;
}

ZooModel ReadModel(const TomlTable& t) {
  ZooModel m;
  m.name = t.Str("name");
  // The name becomes a folder's name.
  if (m.name.empty() ||
      m.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != std::string::npos ||
      m.name[0] == '.') {
    t.Fail("name", "a model's name is made of a-z, 0-9, '-' and '.'");
  }
  m.title = t.Str("title");
  m.task =
      t.Word("task", {"detect", "classify", "segment", "landmark", "recognize", "lines", "other"});
  m.format = t.Word("format", {"tflite", "onnx"});
  m.registry = t.Word("registry", {"npm", "pypi"});
  m.package = t.Str("package");
  m.package_version = t.Str("package_version");
  if (m.package.empty() || m.package[0] == '-') t.Fail("package", "'package' is not a name");
  m.file = ReadZooFile(t);
  m.licence = t.Str("licence");
  m.facts = t.Str("facts");
  m.notes = t.Str("notes", "");
  m.input = ReadInput(t.TableOrNone("input"));
  if (const TomlTable labels = t.TableOrNone("labels"); labels.present()) {
    m.labels = ReadZooFile(labels);
  }
  m.decoder = ReadDecoder(t.Table("decoder"));
  for (const TomlTable& e : t.Tables("expect")) {
    m.expect.push_back({e.Str("photo"), e.Str("label"), static_cast<float>(e.Num("score"))});
  }
  return m;
}

ZooPhoto ReadPhoto(const TomlTable& t) {
  ZooPhoto p;
  p.name = t.Str("name");
  p.debian_package = t.Str("debian_package");
  p.path = t.Str("file");
  p.sha256 = ReadHash(t);
  p.shows = t.Str("shows");
  p.licence = t.Str("licence");
  const std::vector<int64_t> size = t.Ints("size", 1, kMaxSide);
  if (size.size() != 2) {
    t.Fail("size", "'size' must be [height, width]");
    return p;
  }
  p.height = static_cast<int>(size[0]);
  p.width = static_cast<int>(size[1]);
  return p;
}

// Exact name, else the only one beginning with it; `what` is "model" or "photo".
template <typename T>
Result<T> FindByName(const std::vector<T>& items, const std::string& name, const char* what) {
  std::vector<std::string> names, matches;
  const T* match = nullptr;
  for (const T& item : items) {
    if (item.name == name) return item;
    names.push_back(item.name);
    if (!name.empty() && item.name.starts_with(name)) {
      matches.push_back(item.name);
      match = &item;
    }
  }
  if (matches.size() == 1) return *match;
  if (matches.size() > 1) {
    return InvalidError(
        fmt::format("'{}' is the beginning of several zoo {}s: {}; give one in full", name, what,
                    fmt::join(matches, ", ")));
  }
  return NotFoundError(fmt::format("the zoo has no {} '{}'{}; `dlpu zoo list` shows all", what,
                                   name, DidYouMean(name, names)));
}

bool HasSize(const std::string& path, uint64_t bytes) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == bytes && !error;
}

ZooEntry MakeEntry(const ZooModel& model, const std::string& cache) {
  ZooEntry entry;
  entry.model = model;
  const std::string folder = cache + "/" + model.name;
  entry.model_path = folder + "/" + model.name + "." + model.format;
  entry.present = HasSize(entry.model_path, model.file.bytes);
  if (model.labels) {
    entry.labels_path = folder + "/labels.txt";
    entry.present = entry.present && HasSize(entry.labels_path, model.labels->bytes);
  }
  return entry;
}

}  // namespace

Result<Zoo> ParseZoo(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  const TomlTable root = file.Root();
  root.Int("version", 1, 1);
  Zoo zoo;
  for (const TomlTable& t : root.Tables("model")) {
    ZooModel model = ReadModel(t);
    for (const ZooModel& other : zoo.models) {
      if (other.name == model.name) t.Fail("name", "a second model named " + model.name);
    }
    zoo.models.push_back(std::move(model));
  }
  for (const TomlTable& t : root.Tables("photo")) zoo.photos.push_back(ReadPhoto(t));
  DLPU_RETURN_IF_ERROR(file.Finish());
  return zoo;
}

Result<Zoo> LoadZoo() {
  DLPU_TRY(const std::string path, DataPath("zoo.toml"));
  DLPU_TRY(const std::string text, ReadTextFile(path));
  return ParseZoo(text, path);
}

bool MayBeOfZoo(const std::string& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  if (error) return true;
  const auto zoo = DataPath("zoo.toml");
  const auto text = zoo.ok() ? ReadTextFile(*zoo) : zoo;
  return !text.ok() || text->find(std::to_string(size)) != std::string::npos;
}

Result<std::string> ZooCacheFolder() {
  // The XDG base directory specification: a relative path is to be ignored.
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/dlpu/zoo";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] != '\0') return std::string(home) + "/.cache/dlpu/zoo";
  return NotFoundError("no folder to keep models in: set XDG_CACHE_HOME or HOME");
}

Result<std::vector<ZooEntry>> ZooList(const Zoo& zoo, const ZooOptions& options) {
  std::string cache = options.cache;
  if (cache.empty()) {
    DLPU_TRY(cache, ZooCacheFolder());
  }
  std::vector<ZooEntry> entries;
  for (const ZooModel& model : zoo.models) entries.push_back(MakeEntry(model, cache));
  return entries;
}

Result<ZooModel> ZooFindModel(const Zoo& zoo, const std::string& name) {
  return FindByName(zoo.models, name, "model");
}

Result<ZooPhoto> ZooFindPhoto(const Zoo& zoo, const std::string& name) {
  return FindByName(zoo.photos, name, "photo");
}

Result<ZooTarget> ZooFind(const Zoo& zoo, const std::string& name_or_path,
                          const ZooOptions& options) {
  DLPU_TRY(const std::vector<ZooEntry> entries, ZooList(zoo, options));
  std::error_code error;
  if (fs::is_regular_file(name_or_path, error)) {
    ZooTarget target{name_or_path, std::nullopt};
    const uint64_t size = fs::file_size(name_or_path, error);
    std::string hash;
    for (const ZooEntry& entry : entries) {
      if (entry.model.file.bytes != size) continue;
      if (hash.empty()) {
        DLPU_TRY(const FileBytes bytes, MapFile(name_or_path));
        hash = Sha256Hex(bytes);
      }
      if (entry.model.file.sha256 == hash) target.entry = entry;
    }
    return target;
  }
  if (name_or_path.find('/') != std::string::npos) {
    return NotFoundError(fmt::format("{}: no such file; check the path", name_or_path));
  }
  DLPU_TRY(const ZooModel model, ZooFindModel(zoo, name_or_path));
  for (const ZooEntry& entry : entries) {
    if (entry.model.name != model.name) continue;
    if (entry.present) return ZooTarget{entry.model_path, entry};
  }
  return NotFoundError(
      fmt::format("{} is not on this machine yet: run `dlpu zoo pull {}`", model.name, model.name));
}

}  // namespace dlpu
