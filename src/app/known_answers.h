// SPDX-License-Identifier: Apache-2.0
// Known-answer packs: inputs, the codes a camera should answer with, how far it may be off, and the
// larod-client commands that make it answer. `dlpu pack` writes one, `dlpu compare PACK RESULTS`
// judges what came back. Plain values; any thread.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/compare.h"
#include "app/model.h"
#include "app/tensor_input.h"
#include "base/result.h"

namespace dlpu {

struct PackRequest {
  ModelOptions model;  // with its target
  InputOptions input;  // how pictures are prepared
  // One sample each (its first input); empty: `noise` samples of noise.
  std::vector<std::string> samples;
  int noise = 3;
  std::string folder;  // made when it is missing
};

struct PackSummary {
  std::string folder, device, camera_file;  // camera_file: empty when a vendor's tool makes it
  std::vector<std::string> files;           // as written, relative to the folder
  std::vector<std::string> notes;
  int samples = 0, outputs = 0;
  int64_t tolerance_codes = 0;  // the largest of any output
};

// Errors: a model that does not run as the target does, a folder that cannot be written.
Result<PackSummary> WritePack(const LoadedModel& model, const PackRequest& request);

enum class AnswerVerdict : uint8_t { kPass, kOff, kWrong };
std::string_view AnswerVerdictName(AnswerVerdict verdict);  // "pass", "off", "wrong"

struct JudgedAnswer {
  std::string sample, output, file;
  AnswerVerdict verdict = AnswerVerdict::kWrong;
  int64_t tolerance_codes = 0;
  double tolerance = 0;  // of float outputs, as a difference of values
  ErrorStats stats;
  std::string problem;  // why it is wrong without looking at values: missing, another size
};

struct JudgedPack {
  std::string pack, results, target, device, profile, confidence, says;
  std::vector<std::pair<std::string, std::string>> ops;  // op, what is known of its arithmetic
  std::vector<JudgedAnswer> answers;
  bool passed() const;
};

// Whether the path is a folder with a pack in it.
bool IsPack(const std::string& path);
// `results`: the folder with the outputs under the names the pack's commands give them. Errors: a
// pack that cannot be read or whose expected files were changed.
Result<JudgedPack> JudgePack(const std::string& pack, const std::string& results);

std::string JudgedText(const JudgedPack& judged);
nlohmann::ordered_json JudgedJson(const JudgedPack& judged);

}  // namespace dlpu
