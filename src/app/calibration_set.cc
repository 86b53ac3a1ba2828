// SPDX-License-Identifier: Apache-2.0
// Finding and reading calibration inputs.
#include "app/calibration_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "formats/sniff.h"
#include "formats/zip.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestArray = size_t{2} << 30;

bool IsInputFile(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".npy"};
  return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

Result<std::vector<std::string>> FilesBelow(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_regular_file(error) && IsInputFile(at->path())) files.push_back(at->path().string());
  }
  if (error) return IoError(fmt::format("{}: {}", folder, error.message()));
  if (files.empty()) {
    return NotFoundError(fmt::format(
        "{}: has no picture (.jpg, .png, .bmp, .ppm, .pgm) and no .npy file; give a folder with "
        "about 100 pictures like those the camera will see",
        folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<std::vector<std::string>> FilesOfList(const std::string& path) {
  DLPU_TRY(const std::string text, ReadTextFile(path));
  std::vector<std::string> files;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line[0] == '#') continue;
    const fs::path file(line);
    files.push_back(file.is_absolute() ? line : (fs::path(path).parent_path() / file).string());
  }
  if (files.empty()) return NotFoundError(fmt::format("{}: lists no files", path));
  return files;
}

// Every n-th, evenly over all.
std::vector<std::string> Some(std::vector<std::string> all, size_t most) {
  if (all.size() <= most) return all;
  std::vector<std::string> some;
  for (size_t i = 0; i < most; ++i) some.push_back(all[i * all.size() / most]);
  return some;
}

// The arrays are looked up by the names of a model's inputs later; the archive stays as it is.
Result<CalibrationSet> ReadArrays(const std::string& path, std::span<const uint8_t> bytes) {
  CalibrationSet set;
  DLPU_TRY(const std::optional<ZipArchive> archive, ZipArchive::Open(bytes));
  if (!archive) return InvalidError(fmt::format("{}: is no .npz file", path));
  for (const std::string& name : archive->Names()) {
    DLPU_TRY(const std::optional<std::string> content, archive->Read(name, kLargestArray));
    const std::span<const uint8_t> data(reinterpret_cast<const uint8_t*>(content->data()),
                                        content->size());
    DLPU_TRY(NpyArray array, ReadNpy(data, path + ":" + name));
    set.arrays[name.substr(0, name.rfind(".npy"))] = std::move(array);
  }
  if (set.arrays.empty()) return NotFoundError(fmt::format("{}: has no arrays", path));
  return set;
}

Status FillFromArray(Runner& runner, size_t index, const CalibrationSet& set, size_t sample) {
  const Tensor& tensor = runner.input_tensor(index);
  auto found = set.arrays.find(tensor.name);
  if (found == set.arrays.end() && set.arrays.size() == 1 && runner.input_count() == 1) {
    found = set.arrays.begin();
  }
  if (found == set.arrays.end()) {
    return NotFoundError(fmt::format("{}: has no array '{}'; name the arrays like the inputs",
                                     set.source, tensor.name));
  }
  const NpyArray& array = found->second;
  const std::span<uint8_t> target = runner.input(index);
  const size_t samples = set.size();
  if (array.data.size() != target.size() * samples || array.type != DataType::kFloat32) {
    return InvalidError(fmt::format(
        "{}: array '{}' is {} {}; input '{}' is {}, so {} samples need float32 with {} values",
        set.source, found->first, DataTypeName(array.type), ShapeText(array.shape), tensor.name,
        InputText(tensor), samples, samples * ElementCount(tensor.shape)));
  }
  const size_t count = target.size();
  const uint8_t* from = array.data.data() + sample * target.size();
  if (tensor.type == DataType::kFloat32) {
    std::memcpy(target.data(), from, count);
    return OkStatus();
  }
  return UnsupportedError(fmt::format("input '{}' is {}: arrays are for float32 inputs",
                                      tensor.name, DataTypeName(tensor.type)));
}

}  // namespace

size_t CalibrationSet::size() const {
  if (arrays.empty()) return files.size();
  const Shape& shape = arrays.begin()->second.shape;
  return shape.empty() ? 0 : static_cast<size_t>(shape[0]);
}

Result<CalibrationSet> FindCalibration(const std::string& where, int most) {
  CalibrationSet set;
  set.source = where;
  if (where.empty()) {
    return InvalidError("--calibration: give a folder of pictures, an .npz file or a list");
  }
  if (fs::is_directory(where)) {
    DLPU_TRY(set.files, FilesBelow(where));
  } else {
    DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(where));
    const FileKind kind = SniffFile(bytes);
    if (kind == FileKind::kZip) {
      DLPU_TRY(set, ReadArrays(where, bytes));
      set.source = where;
      return set;
    }
    if (IsInputFile(where)) {
      set.files = {where};
    } else if (kind != FileKind::kText) {
      return InvalidError(fmt::format(
          "{}: is {}; calibration takes a folder, pictures, .npy, .npz or a list of files", where,
          FileKindText(kind)));
    } else {
      DLPU_TRY(set.files, FilesOfList(where));
    }
  }
  set.files = Some(std::move(set.files), static_cast<size_t>(most));
  return set;
}

std::string SampleName(const CalibrationSet& set, size_t i) {
  return set.arrays.empty() ? set.files[i] : fmt::format("{}[{}]", set.source, i);
}

Result<std::vector<FilledInput>> FillSample(Runner& runner, const LoadedModel& model,
                                            const InputOptions& options, const CalibrationSet& set,
                                            size_t i) {
  if (set.arrays.empty()) {
    InputOptions one = options;
    one.files = {set.files[i]};
    return FillInputs(runner, model, one);
  }
  std::vector<FilledInput> filled(runner.input_count());
  for (size_t k = 0; k < runner.input_count(); ++k) {
    filled[k].name = runner.input_tensor(k).name;
    filled[k].source = SampleName(set, i);
    DLPU_RETURN_IF_ERROR(FillFromArray(runner, k, set, i));
  }
  return filled;
}

}  // namespace dlpu
