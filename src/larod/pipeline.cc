// SPDX-License-Identifier: Apache-2.0
// Asks the rules of pictures, and which hardware the devices share.
#include "larod/pipeline.h"

#include <algorithm>

namespace dlpu::larod {
namespace {

Params PictureParams(const PictureSize& video, const PictureSize& network, PixelFormat format) {
  const auto size = [](const PictureSize& s) { return std::array<int64_t, 2>{s.width, s.height}; };
  return {{"image.input.format", std::string(PixelFormatName(PixelFormat::kNv12))},
          {"image.input.size", size(video)},
          {"image.output.format", std::string(PixelFormatName(format))},
          {"image.output.size", size(network)}};
}

// Milliseconds of a job of the device.
Outcome<double> PrepareTime(const PictureRules& rules, const Params& params) {
  LAROD_TRY(const PictureShape input, ReadPictureShape(rules, params, "input"));
  LAROD_TRY(const PictureShape output, ReadPictureShape(rules, params, "output"));
  LAROD_RETURN_IF_FAILED(CheckPictureModel(rules, input, output));
  LAROD_TRY(const Rectangle part, CheckPictureJob(rules, input, output, params));
  return PictureTime(rules, input, output, part);
}

// Of the devices that run networks, the DLPU's first; every camera has one.
const VirtualDevice* NetworkDevice(const Catalogue& catalogue) {
  const VirtualDevice* found = nullptr;
  for (const VirtualDevice& device : catalogue.devices) {
    if (device.picture != nullptr) continue;
    if (found == nullptr) found = &device;
    if (found->facts.engine != "dlpu" && device.facts.engine == "dlpu") found = &device;
  }
  return found;
}

}  // namespace

std::vector<Pipeline> PredictPipelines(const Catalogue& catalogue, double network_ms,
                                       PictureSize video, PictureSize network) {
  std::vector<Pipeline> pipelines;
  const VirtualDevice* runs = NetworkDevice(catalogue);
  if (runs == nullptr) return pipelines;
  for (const VirtualDevice& device : catalogue.devices) {
    if (device.picture == nullptr) continue;
    Pipeline pipeline;
    pipeline.device = device.info.name;
    // Interleaved where the device can; a CVflow wants planar, and its device makes nothing else.
    auto time =
        PrepareTime(*device.picture, PictureParams(video, network, PixelFormat::kRgbInterleaved));
    if (!time.ok()) {
      const auto planar =
          PrepareTime(*device.picture, PictureParams(video, network, PixelFormat::kRgbPlanar));
      if (planar.ok()) time = planar;
    }
    if (!time.ok()) {
      pipeline.refusal = time.failure().message;
    } else {
      pipeline.prepare_ms = *time;
      pipeline.network_ms = network_ms;
      pipeline.overlaps = device.lane != runs->lane;
      const double both = pipeline.prepare_ms + network_ms;
      pipeline.fps_one_by_one = 1000 / both;
      pipeline.fps_queued =
          1000 / (pipeline.overlaps ? std::max(pipeline.prepare_ms, network_ms) : both);
    }
    pipelines.push_back(std::move(pipeline));
  }
  return pipelines;
}

}  // namespace dlpu::larod
