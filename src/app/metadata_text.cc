// SPDX-License-Identifier: Apache-2.0
// Metadata as text.
#include "app/metadata_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ir/text_words.h"

namespace dlpu {
namespace {

using TensorInfo = TfliteMetadata::TensorInfo;

std::string Numbers(const std::vector<float>& values) {
  std::string text = values.size() == 1 ? "" : "(";
  for (size_t i = 0; i < values.size(); ++i)
    text += fmt::format("{}{}", i > 0 ? ", " : "", values[i]);
  return values.size() == 1 ? text : text + ")";
}

void AddLines(const TfliteMetadata& metadata, const TensorInfo& info, const char* side,
              std::string& text) {
  const std::string name = fmt::format("{} {}", side, dlpu::text::Quoted(info.name));
  if (!info.color_space.empty())
    text += fmt::format("colours      {}: {}\n", name, info.color_space);
  if (!info.mean.empty()) {
    text += fmt::format("normalised   {}: (pixel - {}) / {}\n", name, Numbers(info.mean),
                        Numbers(info.std));
  }
  if (info.labels_file.empty()) return;
  const auto file = metadata.files.find(info.labels_file);
  text += fmt::format("labels       {}: {}, {}\n", name, dlpu::text::Quoted(info.labels_file),
                      file == metadata.files.end()
                          ? "which is not in the file"
                          : fmt::format("{} names", ParseLabels(file->second).size()));
}

nlohmann::ordered_json TensorsJson(const TfliteMetadata& metadata,
                                   const std::vector<TensorInfo>& tensors) {
  auto list = nlohmann::ordered_json::array();
  for (const TensorInfo& info : tensors) {
    nlohmann::ordered_json row = {{"name", info.name}};
    if (!info.color_space.empty()) row["color_space"] = info.color_space;
    if (!info.mean.empty()) row["mean"] = info.mean;
    if (!info.std.empty()) row["std"] = info.std;
    if (!info.labels_file.empty()) {
      const auto file = metadata.files.find(info.labels_file);
      row["labels_file"] = info.labels_file;
      row["labels"] = nullptr;
      if (file != metadata.files.end()) row["labels"] = ParseLabels(file->second).size();
    }
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

std::string MinRuntimeVersion(const Graph& graph) {
  const auto entry = graph.metadata.find("min_runtime_version");
  if (entry == graph.metadata.end()) return "";
  // Padded with zeros to 16 bytes.
  const auto end = std::find(entry->second.begin(), entry->second.end(), 0);
  const bool text = std::all_of(entry->second.begin(), end,
                                [](uint8_t c) { return (c >= '0' && c <= '9') || c == '.'; });
  return text ? std::string(entry->second.begin(), end) : "";
}

nlohmann::ordered_json MetadataJson(const LoadedModel& model) {
  nlohmann::ordered_json json;
  if (!model.metadata_error.empty()) json["error"] = model.metadata_error;
  const std::string runtime = MinRuntimeVersion(model.graph);
  if (!runtime.empty()) json["min_runtime_version"] = runtime;
  if (!model.metadata.has_value()) return json;
  json["name"] = model.metadata->name;
  json["description"] = model.metadata->description;
  json["inputs"] = TensorsJson(*model.metadata, model.metadata->inputs);
  json["outputs"] = TensorsJson(*model.metadata, model.metadata->outputs);
  return json;
}

std::string MetadataText(const LoadedModel& model) {
  std::string text;
  if (const std::string runtime = MinRuntimeVersion(model.graph); !runtime.empty()) {
    text += "runs on      TensorFlow Lite " + runtime + " or newer, says its converter\n";
  }
  if (!model.metadata_error.empty()) return text + "metadata     " + model.metadata_error + "\n";
  if (!model.metadata.has_value()) return text;
  const TfliteMetadata& metadata = *model.metadata;
  if (!metadata.name.empty())
    text += fmt::format("calls itself {}\n", dlpu::text::Quoted(metadata.name));
  for (const TensorInfo& info : metadata.inputs) AddLines(metadata, info, "input", text);
  for (const TensorInfo& info : metadata.outputs) AddLines(metadata, info, "output", text);
  return text;
}

}  // namespace dlpu
