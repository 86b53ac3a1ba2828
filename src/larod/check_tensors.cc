// SPDX-License-Identifier: Apache-2.0
// Compares the tensors of a job with those of its model.
#include <fmt/format.h>

#include <algorithm>

#include "larod/executable.h"

namespace dlpu::larod {
namespace {

Failure Mismatch(std::string message, std::string cause = "") {
  return {LAROD_ERROR_TENSOR_MISMATCH, std::move(message), std::move(cause)};
}

std::string PitchesText(const larodTensorPitches& pitches) {
  return fmt::format("{}", fmt::join(pitches.pitches, pitches.pitches + pitches.len, ", "));
}

bool Same(const size_t* a, const size_t* b, size_t count) { return std::equal(a, a + count, b); }

// What the application left open is not compared.
Outcome<Nothing> CheckSpec(const TensorSpec& given, const TensorSpec& wanted,
                           const std::string& which) {
  if (given.type != LAROD_TENSOR_DATA_TYPE_UNSPECIFIED && given.type != wanted.type) {
    return Mismatch(fmt::format("{} has data type {} but the model has {}", which,
                                TypeText(given.type), TypeText(wanted.type)));
  }
  if (given.layout != LAROD_TENSOR_LAYOUT_UNSPECIFIED &&
      wanted.layout != LAROD_TENSOR_LAYOUT_UNSPECIFIED && given.layout != wanted.layout) {
    return Mismatch(fmt::format("{} has layout {} but the model has {}", which,
                                static_cast<int>(given.layout), static_cast<int>(wanted.layout)),
                    "layouts: 2 NHWC, 3 NCHW, 4 420SP");
  }
  if (given.dims.len != 0 && (given.dims.len != wanted.dims.len ||
                              !Same(given.dims.dims, wanted.dims.dims, given.dims.len))) {
    return Mismatch(fmt::format("{} has dimensions {} but the model has {}", which,
                                DimsText(given.dims), DimsText(wanted.dims)));
  }
  if (given.pitches.len != 0 &&
      (given.pitches.len != wanted.pitches.len ||
       !Same(given.pitches.pitches, wanted.pitches.pitches, given.pitches.len))) {
    return Mismatch(fmt::format("{} has pitches {} but the model has {}", which,
                                PitchesText(given.pitches), PitchesText(wanted.pitches)));
  }
  return Nothing();
}

Outcome<Nothing> CheckBuffer(const Buffer& buffer, uint32_t usable, const std::string& which,
                             const std::string& device) {
  if (buffer.fd < 0) {
    return Failure{LAROD_ERROR_FD, which + " has no file descriptor", ""};
  }
  if ((buffer.props & usable) == 0) {
    return Failure{LAROD_ERROR_FD,
                   fmt::format("{} has file descriptor properties {} but device {} needs one of {}",
                               which, buffer.props, device, usable),
                   "properties: 1 read and write, 2 map, 4 dma-buf"};
  }
  return Nothing();
}

}  // namespace

Outcome<Nothing> CheckTensors(const Job& job, const ModelInfo& model, const DeviceInfo& device) {
  const auto check = [&](const std::vector<Buffer>& given, const std::vector<TensorSpec>& wanted,
                         uint32_t usable, const char* kind) -> Outcome<Nothing> {
    if (given.size() != wanted.size()) {
      return Mismatch(fmt::format("Model has {} {} tensor{} but job has {}", wanted.size(), kind,
                                  wanted.size() == 1 ? "" : "s", given.size()));
    }
    for (size_t i = 0; i < given.size(); ++i) {
      const std::string which =
          fmt::format("{}{} tensor {}", static_cast<char>(kind[0] - 'a' + 'A'), kind + 1, i);
      LAROD_RETURN_IF_FAILED(CheckSpec(given[i].spec, wanted[i], which));
      LAROD_RETURN_IF_FAILED(CheckBuffer(given[i], usable, which, device.name));
    }
    return Nothing();
  };
  LAROD_RETURN_IF_FAILED(check(job.inputs, model.inputs, device.run_input, "input"));
  return check(job.outputs, model.outputs, device.run_output, "output");
}

}  // namespace dlpu::larod
