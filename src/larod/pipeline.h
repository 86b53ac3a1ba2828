// SPDX-License-Identifier: Apache-2.0
// How many frames a second a camera gets through: each picture of the video is prepared by one
// device and worked on by the network on another. Devices that share hardware work one after the
// other, whatever the application does. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "larod/catalogue.h"
#include "larod/outcome.h"

namespace dlpu::larod {

struct PictureSize {
  int width = 0, height = 0;
};

struct Pipeline {
  std::string device;         // prepares the pictures
  std::string refusal;        // why it cannot, in larod's words; what follows is nothing then
  double prepare_ms = 0;      // a job of it
  double network_ms = 0;      // a job of the network
  bool overlaps = false;      // both devices can work at the same time
  double fps_one_by_one = 0;  // the application waits for each job (larodRunJob)
  double fps_queued = 0;      // it queues them (larodRunJobAsync), so that they overlap if they can
};

// For each preprocessing device of the camera, with NV12 pictures of the size `video` and a network
// that takes RGB pictures of the size `network` in `network_ms` on the camera's DLPU, or on its CPU
// where it has none. Times of preprocessing are those of a camera with DLPU_REALTIME (see
// PictureTime).
std::vector<Pipeline> PredictPipelines(const Catalogue& catalogue, double network_ms,
                                       PictureSize video, PictureSize network);

}  // namespace dlpu::larod
