// SPDX-License-Identifier: Apache-2.0
// Fills the inputs of a loaded model from files: .npy (passed unchanged), raw bytes, or pictures
// with the model's or the user's normalisation; or from a seed. Any thread, one Runner each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"
#include "run/runner.h"
#include "vision/image.h"
#include "vision/input.h"

namespace dlpu {

struct InputOptions {
  // FILE in the order of the model's inputs, or NAME=FILE.
  std::vector<std::string> files;
  // real = (pixel - mean) / std; one value for all channels or one each; empty: the model's own.
  std::vector<float> mean, std;
  std::string resize;  // stretch, letterbox, crop; empty: the model's own, else stretch
  bool bgr = false;
};

// What became of one input.
struct FilledInput {
  std::string name, source;  // source: the file, or "zeros"
  bool is_picture = false;
  Image picture;        // as read, RGB, when is_picture
  Placement placement;  // of the picture in the tensor, when is_picture
  std::string note;     // an assumption the user should know of; may be empty
};

// Fills every input; those without a file become zero (the zero point of a quantized tensor).
// Errors name the input, its type, shape and bytes, and what the file has instead.
Result<std::vector<FilledInput>> FillInputs(Runner& runner, const LoadedModel& model,
                                            const InputOptions& options);

// How a picture becomes input `index` of a model: the user's word first, then the zoo's, then that
// of the model's metadata, then the convention of cameras (8-bit inputs take pixels as they are) or
// 0..1 for float and int16. `note` names an assumption. An error when it is no input for pictures.
Result<InputSpec> PictureSpec(const Tensor& tensor, size_t index, const LoadedModel& model,
                              const InputOptions& options, std::string& note);

// Random codes over the whole range of the type; floats in [-1, 1). The same seed gives the same
// bytes on every machine.
void FillRandom(Runner& runner, uint64_t seed);

// "float32 1x256x256x3, 786432 bytes".
std::string InputText(const Tensor& tensor);

}  // namespace dlpu
