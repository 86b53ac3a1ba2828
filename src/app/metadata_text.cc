// SPDX-License-Identifier: Apache-2.0
// Metadata as text.
#include "app/metadata_text.h"

#include <fmt/format.h>

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

}  // namespace

std::string MetadataText(const LoadedModel& model) {
  if (!model.metadata_error.empty()) return "metadata     " + model.metadata_error + "\n";
  if (!model.metadata.has_value()) return "";
  const TfliteMetadata& metadata = *model.metadata;
  std::string text;
  if (!metadata.name.empty())
    text += fmt::format("calls itself {}\n", dlpu::text::Quoted(metadata.name));
  for (const TensorInfo& info : metadata.inputs) AddLines(metadata, info, "input", text);
  for (const TensorInfo& info : metadata.outputs) AddLines(metadata, info, "output", text);
  return text;
}

}  // namespace dlpu
