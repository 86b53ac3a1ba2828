// SPDX-License-Identifier: Apache-2.0
// Labelled pictures as people have them: class folders, ImageNet's list, COCO's JSON, class maps.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "app/eval.h"
#include "app/eval_labels.h"
#include "base/file.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

bool IsPictureName(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static const std::set<std::string> kEndings = {".jpg", ".jpeg", ".png", ".bmp",
                                                 ".ppm", ".pgm",  ".npy"};
  return kEndings.contains(ending);
}

// Pictures in the folder and below it, sorted by their relative names.
Result<std::vector<std::string>> PicturesIn(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return NotFoundError(fmt::format("{}: no folder with pictures", folder));
  }
  std::vector<std::string> names;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::end(it);
       it.increment(error)) {
    if (it->is_regular_file(error) && IsPictureName(it->path())) {
      names.push_back(it->path().lexically_relative(folder).string());
    }
  }
  if (error) return IoError(fmt::format("{}: {}", folder, error.message()));
  if (names.empty()) {
    return InvalidError(fmt::format("{}: no picture in it (.jpg, .png, .bmp, .ppm)", folder));
  }
  std::sort(names.begin(), names.end());
  return names;
}

EvalItem ItemOf(const std::string& folder, const std::string& name) {
  EvalItem item;
  item.file = (fs::path(folder) / name).string();
  item.name = name;
  return item;
}

// Each folder is a class: the classes are the sorted names of the folders, as torchvision's
// ImageFolder numbers them, or their numbers when all names are numbers, or what the list of
// classes says.
Status LabelByFolder(EvalSet& set, const ClassList* classes) {
  std::set<std::string> folders;
  for (const EvalItem& item : set.items) {
    const fs::path parent = fs::path(item.name).parent_path();
    if (parent.empty()) {
      return InvalidError(fmt::format(
          "{}: the picture is in no class folder; put each class into a folder of its own, name a "
          "list of labels with --truth, or a model to agree with (--float)",
          item.file));
    }
    folders.insert(parent.begin()->string());
  }
  if (classes != nullptr) {
    for (EvalItem& item : set.items) {
      DLPU_TRY(item.label, classes->ClassOf(fs::path(item.name).begin()->string()));
    }
    set.class_names = classes->names;
    set.classes = static_cast<int64_t>(classes->names.size());
    return OkStatus();
  }
  set.class_names.assign(folders.begin(), folders.end());
  const bool numbers = std::all_of(folders.begin(), folders.end(), IsNumber);
  for (EvalItem& item : set.items) {
    const std::string folder = fs::path(item.name).begin()->string();
    const auto at = std::lower_bound(set.class_names.begin(), set.class_names.end(), folder);
    item.label = numbers ? std::stoll(folder) : at - set.class_names.begin();
    set.classes = std::max(set.classes, *item.label + 1);
  }
  if (!numbers) set.classes = static_cast<int64_t>(set.class_names.size());
  set.named = !numbers;
  if (numbers) set.class_names.clear();
  return OkStatus();
}

// A picture's name without its folder and ending: lists leave them out or have others.
std::string StemOf(const std::string& name) {
  const fs::path path(name);
  return IsPictureName(path) ? path.stem().string() : path.filename().string();
}

Status LabelByList(EvalSet& set, const std::string& truth, int first_class,
                   const ClassList* classes) {
  DLPU_TRY(const LabelList list, ReadLabelList(truth, first_class, classes));
  const std::vector<LabelLine>& lines = list.lines;
  const bool named = !lines[0].file.empty();
  set.classes = list.classes;
  set.class_names = list.class_names;
  set.named = classes == nullptr && !list.class_names.empty();
  std::map<std::string, int64_t> by_name;
  for (const LabelLine& line : lines) {
    if (named) by_name[StemOf(line.file)] = line.label;
  }
  if (!named && lines.size() != set.items.size()) {
    return InvalidError(
        fmt::format("{}: {} labels for {} pictures", truth, lines.size(), set.items.size()));
  }
  for (size_t i = 0; i < set.items.size(); ++i) {
    EvalItem& item = set.items[i];
    if (!named) {
      item.label = lines[i].label;
      continue;
    }
    const auto found = by_name.find(StemOf(item.name));
    if (found == by_name.end()) {
      return InvalidError(fmt::format("{}: no label for {}", truth, item.name));
    }
    item.label = found->second;
  }
  return OkStatus();
}

double NumberAt(const Json& list, size_t i) {
  return i < list.size() && list[i].is_number() ? list[i].get<double>() : 0.0;
}

// May throw what nlohmann's typed access throws.
Result<EvalSet> ParseCoco(const Json& json, const std::string& images, const std::string& truth) {
  const auto listed = [&](const char* key) {
    return json.is_object() && json.contains(key) && json[key].is_array();
  };
  if (json.is_discarded() || !listed("images") || !listed("annotations") || !listed("categories")) {
    return InvalidError(fmt::format(
        "{}: not COCO's JSON: it needs the lists images, annotations and categories", truth));
  }
  EvalSet set;
  std::map<int64_t, std::string> names;
  for (const Json& c : json["categories"]) names[c.value("id", int64_t{0})] = c.value("name", "");
  for (const auto& [id, name] : names) {
    set.categories.push_back(id);
    set.class_names.push_back(name);
  }
  std::map<int64_t, EvalItem> by_id;
  for (const Json& image : json["images"]) {
    const std::string name = image.value("file_name", "");
    by_id[image.value("id", int64_t{0})] = ItemOf(images, fs::path(name).filename().string());
  }
  for (const Json& a : json["annotations"]) {
    const auto image = by_id.find(a.value("image_id", int64_t{0}));
    if (image == by_id.end() || !a.contains("bbox") || !a["bbox"].is_array()) continue;
    TruthBox box;
    box.category = a.value("category_id", int64_t{0});
    if (!names.contains(box.category)) {
      return InvalidError(
          fmt::format("{}: an object of category {}, which is not among the "
                      "categories",
                      truth, box.category));
    }
    box.x = NumberAt(a["bbox"], 0);
    box.y = NumberAt(a["bbox"], 1);
    box.width = NumberAt(a["bbox"], 2);
    box.height = NumberAt(a["bbox"], 3);
    box.area = a.contains("area") && a["area"].is_number() ? a["area"].get<double>()
                                                           : box.width * box.height;
    box.crowd = a.value("iscrowd", 0) != 0;
    image->second.boxes.push_back(box);
  }
  for (auto& [id, item] : by_id) set.items.push_back(std::move(item));
  if (set.items.empty()) return InvalidError(fmt::format("{}: no images in it", truth));
  return set;
}

Result<EvalSet> ReadCoco(const std::string& images, const std::string& truth) {
  DLPU_TRY(const std::string text, ReadTextFile(truth));
  const Json json = Json::parse(text, nullptr, false);
  try {
    return ParseCoco(json, images, truth);
  } catch (const Json::exception& error) {
    return InvalidError(fmt::format("{}: not COCO's JSON: {}", truth, error.what()));
  }
}

Status FindMasks(EvalSet& set, const std::string& truth) {
  if (!fs::is_directory(truth)) {
    return NotFoundError(fmt::format("{}: no folder with class maps", truth));
  }
  for (EvalItem& item : set.items) {
    const fs::path mask = (fs::path(truth) / item.name).replace_extension(".png");
    if (!fs::exists(mask)) {
      return NotFoundError(fmt::format("{}: no class map for {}", mask.string(), item.name));
    }
    item.mask = mask.string();
  }
  return OkStatus();
}

}  // namespace

std::string_view EvalTaskName(EvalTask task) {
  static constexpr std::string_view kNames[] = {"classify", "detect", "segment", "outputs"};
  return kNames[static_cast<int>(task)];
}

Result<EvalSet> FindEvalSet(EvalTask task, const std::string& images, const std::string& truth,
                            int first_class, const std::string& classes) {
  if (task == EvalTask::kDetect && !truth.empty()) {
    DLPU_TRY(EvalSet set, ReadCoco(images, truth));
    set.has_truth = true;
    set.source = truth;
    return set;
  }
  EvalSet set;
  DLPU_TRY(const std::vector<std::string> names, PicturesIn(images));
  for (const std::string& name : names) set.items.push_back(ItemOf(images, name));
  set.source = truth;
  set.has_truth = task == EvalTask::kClassify || !truth.empty();
  if (task == EvalTask::kClassify) {
    std::optional<ClassList> list;
    if (!classes.empty()) {
      DLPU_TRY(list, ReadClassList(classes));
    }
    const ClassList* all = list.has_value() ? &*list : nullptr;
    DLPU_RETURN_IF_ERROR(truth.empty() ? LabelByFolder(set, all)
                                       : LabelByList(set, truth, first_class, all));
  } else if (task == EvalTask::kSegment && !truth.empty()) {
    DLPU_RETURN_IF_ERROR(FindMasks(set, truth));
  }
  return set;
}

}  // namespace dlpu
