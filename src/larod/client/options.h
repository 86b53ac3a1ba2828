// SPDX-License-Identifier: Apache-2.0
// Options of larod-client, as cameras have them. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larod.h"

namespace larod_client {

struct Options {
  bool help = false, list = false, interactive = false, queue = false;
  bool track_inputs = false, track_outputs = false;
  bool dma_inputs = false, dma_outputs = false;  // buffers of the service
  std::string device = "cpu-tflite";
  std::optional<std::string> model;
  std::vector<std::string> inputs, outputs;
  std::vector<std::pair<std::string, std::string>> model_params, job_params;  // key, value
  uint64_t rounds = 1;                                                        // 0: forever
  uint64_t warm_up = 0;  // rounds before those that are timed
  std::optional<uint64_t> seed;
  uint8_t priority = 50;
};

// The error for people; empty when the arguments were understood.
std::string ParseOptions(const std::vector<std::string>& arguments, Options* options);
extern const char* const kUsage;

// Puts "1", "1,2", "1,2,3,4" or text into a map; false with *error.
bool SetMap(larodMap* map, const std::pair<std::string, std::string>& entry, larodError** error);

}  // namespace larod_client
