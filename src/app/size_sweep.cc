// SPDX-License-Identifier: Apache-2.0
// Predictions of a model, also at other input sizes.
#include "app/size_sweep.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "app/predict.h"

namespace dlpu {
namespace {

constexpr int kLargest = 8192;

bool ParseExtent(std::string_view text, int* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= 1 &&
         *value <= kLargest;
}

// Whether a picture's channels are its second extent.
bool IsPlanar(const Shape& shape) { return shape[1] <= 4 && shape[3] > 4; }

}  // namespace

Result<std::vector<InputSize>> ParseSizes(const std::string& text) {
  std::vector<InputSize> sizes;
  std::istringstream list(text);
  for (std::string item; std::getline(list, item, ',');) {
    const size_t cross = item.find('x');
    InputSize size;
    bool good = ParseExtent(item.substr(0, cross), &size.height);
    size.width = size.height;
    if (cross != std::string::npos) good &= ParseExtent(item.substr(cross + 1), &size.width);
    if (!good) {
      return InvalidError(fmt::format(
          "--sizes: '{}' is no size; write HEIGHTxWIDTH or one number, up to {}", item, kLargest));
    }
    sizes.push_back(size);
  }
  if (sizes.empty()) return InvalidError("--sizes: names no size");
  return sizes;
}

Result<Workload> WorkloadOfModel(const LoadedModel& model, const ModelOptions& options,
                                 const Target& target) {
  DLPU_TRY(const Program program, ProgramToPrice(model, options, target));
  return WorkloadFor(program, target);
}

Result<Prediction> PredictModel(const LoadedModel& model, const ModelOptions& options,
                                const Target& target, const PredictOptions& predict) {
  DLPU_TRY(const Program program, ProgramToPrice(model, options, target));
  return Predict(program, target, predict);
}

Result<std::vector<SizeRow>> SweepSizes(const LoadedModel& model, const ModelOptions& options,
                                        const Target& target, const PredictOptions& predict,
                                        const std::vector<InputSize>& sizes) {
  const Graph& graph = model.graph;
  if (graph.inputs.empty() || graph.tensors[graph.inputs[0]].shape.size() != 4) {
    return UnsupportedError("--sizes: the model's first input is no picture of four extents");
  }
  const Tensor& input = graph.tensors[graph.inputs[0]];
  std::vector<SizeRow> rows;
  for (const InputSize& size : sizes) {
    SizeRow row;
    row.size = size;
    ModelOptions at = options;
    Shape shape = input.shape;
    const size_t h = IsPlanar(shape) ? 2 : 1;
    shape[h] = size.height;
    shape[h + 1] = size.width;
    at.shapes[input.name] = shape;
    Result<Prediction> p = PredictModel(model, at, target, predict);
    if (p.ok()) row.prediction = std::move(p).value();
    if (!p.ok()) row.error = p.error().message;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace dlpu
