// SPDX-License-Identifier: Apache-2.0
// What a .tflite file says about itself beyond the graph: TensorFlow Lite's model metadata (entry
// TFLITE_METADATA, a flatbuffer of tflite-support's metadata_schema.fbs) and the label files in the
// zip archive appended to the file. Plain values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

struct TfliteMetadata {
  std::string name, description;
  struct TensorInfo {
    std::string name;
    // real = (pixel - mean) / std: one value, or one for each channel; both empty when not stated.
    std::vector<float> mean, std;
    std::string color_space;  // "rgb", "grayscale", or empty when no image or not stated
    std::string labels_file;  // first file of axis or value labels; empty when none
  };
  std::vector<TensorInfo> inputs, outputs;  // in the order of the graph's; may be fewer
  // Contents of the label files by name. A file that is named but not in the archive is missing.
  std::map<std::string, std::string> files;

  // Content of the first label file of an output that is there; null when there is none.
  const std::string* OutputLabels() const;
};

// `file` is the whole .tflite file that `graph` was read from. nullopt when it has no metadata.
// Errors: the metadata or the archive is damaged, of another version, or larger than the limits
// (1000 tensors, 16 MB a label file, 64 MB together).
Result<std::optional<TfliteMetadata>> ReadTfliteMetadata(const Graph& graph,
                                                         std::span<const uint8_t> file);

}  // namespace dlpu
