// SPDX-License-Identifier: Apache-2.0
// Architecture lists: networks whose files are not available, as shapes only.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/data_path.h"
#include "base/file.h"
#include "target/cost/layer.h"

namespace dlpu {
namespace {

constexpr int64_t kLargestExtent = int64_t{1} << 24;
constexpr size_t kExtents = 10;  // columns between op and notes

std::vector<std::string> Split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// A whole number of 1 to kLargestExtent (from 0 where `zero`); an empty cell is 1.
bool ParseCount(std::string_view text, bool zero, int64_t* value) {
  *value = 1;
  if (text.empty()) return true;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= (zero ? 0 : 1) &&
         *value <= kLargestExtent * (zero ? 64 : 1);
}

bool ReadNote(const std::string& note, Layer* layer) {
  const size_t equals = note.find('=');
  if (equals == std::string::npos) {
    if (note == "cpu") layer->engine = Engine::kCpu;
    if (note == "silu") layer->silu = true;
    if (note == "tail") layer->tail = true;
    if (note == "output") layer->output = true;
    return note == "cpu" || note == "silu" || note == "tail" || note == "output";
  }
  const std::string key = note.substr(0, equals);
  int64_t* value = key == "inputs"   ? &layer->inputs
                   : key == "scores" ? &layer->scores
                   : key == "pairs"  ? &layer->pairs
                                     : nullptr;
  return value != nullptr && ParseCount(note.substr(equals + 1), true, value);
}

bool ReadLayer(const std::string& line, Layer* layer) {
  const std::vector<std::string> cells = Split(line, ',');
  if (cells.size() < 7 || cells.size() > kExtents + 2 || cells[0].empty()) return false;
  layer->op = cells[0];
  int64_t* const extents[kExtents] = {
      &layer->in_h,  &layer->in_w,     &layer->in_c,     &layer->out_h,  &layer->out_w,
      &layer->out_c, &layer->kernel_h, &layer->kernel_w, &layer->stride, &layer->groups};
  for (size_t i = 0; i + 1 < cells.size() && i < kExtents; ++i) {
    if (!ParseCount(cells[i + 1], false, extents[i])) return false;
  }
  if (cells.size() == kExtents + 2) {
    for (const std::string& note : Split(cells.back(), ' ')) {
      if (!note.empty() && !ReadNote(note, layer)) return false;
    }
  }
  if (layer->op == "CONCATENATION") {
    layer->input_elements = layer->out_h * layer->out_w * layer->out_c;
  }
  FinishLayer(layer);
  return layer->groups <= layer->in_c;
}

// A detection head hands over four coordinates and all scores of every anchor, the class dimension
// padded to a multiple of 4.
int64_t OutputBytes(const std::vector<Layer>& layers) {
  int64_t marked = 0;
  for (const Layer& layer : layers) {
    if (layer.output) marked += layer.output_elements;
    if (layer.scores == 0) continue;
    const int64_t anchors = layer.in_h;
    return anchors * 4 + anchors * ((layer.scores / std::max<int64_t>(anchors, 1) + 3) / 4 * 4);
  }
  return marked > 0 ? marked : layers.back().output_elements;
}

}  // namespace

Result<Workload> ParseArchitecture(const std::string& text, const std::string& name) {
  Workload workload;
  workload.name = name;
  std::istringstream lines(text);
  bool header = true;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    if (header) {
      header = false;
      continue;
    }
    Layer layer;
    if (!ReadLayer(line, &layer)) {
      return InvalidError(fmt::format("{}:{}: is no layer: '{}'", name, number, line));
    }
    layer.name = fmt::format("{}", workload.layers.size());
    workload.layers.push_back(std::move(layer));
  }
  if (workload.layers.empty()) return InvalidError(name + ": lists no layer");
  const Layer& first = workload.layers.front();
  workload.input_bytes = first.in_h * first.in_w * first.in_c;
  workload.output_bytes = OutputBytes(workload.layers);
  workload.dlpu_parts = 1;
  return workload;
}

Result<Workload> LoadArchitecture(const std::string& name) {
  DLPU_TRY(const std::string path, DataPath("architectures/" + name + ".csv"));
  DLPU_TRY(const std::string text, ReadTextFile(path));
  DLPU_TRY(Workload workload, ParseArchitecture(text, path));
  workload.name = name;
  return workload;
}

}  // namespace dlpu
