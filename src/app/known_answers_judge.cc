// SPDX-License-Identifier: Apache-2.0
// Judging what a camera answered to a pack.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/device_form.h"
#include "app/interpret.h"
#include "app/known_answers.h"
#include "base/file.h"
#include "base/sha256.h"
#include "report/table.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Answers less alike than this are wrong rather than off: a tenth of the signal.
constexpr double kOffDecibel = 20;

Error Broken(const std::string& pack, const std::string& what) {
  return InvalidError(fmt::format("{}: {}; write the pack again with dlpu pack", pack, what));
}

// The output's tensor as the pack describes it; false when it does not.
bool ReadTensor(const Json& json, Tensor& tensor) {
  const auto type = DataTypeFromName(json.value("type", ""));
  if (!type.has_value() || !json.contains("shape") || !json["shape"].is_array()) return false;
  tensor.type = *type;
  tensor.name = json.value("name", "");
  for (const Json& extent : json["shape"]) {
    if (!extent.is_number_integer()) return false;
    tensor.shape.push_back(extent.get<int32_t>());
  }
  if (json.contains("scale")) {
    tensor.quantization = {{json.value("scale", 1.0f)}, {json.value("zero_point", int64_t{0})}, 0};
  }
  return true;
}

AnswerVerdict VerdictOf(const JudgedAnswer& answer, bool is_float) {
  const ErrorStats& s = answer.stats;
  if (s.not_finite > 0) return AnswerVerdict::kWrong;
  const bool near = is_float ? s.worst <= answer.tolerance : s.worst_code <= answer.tolerance_codes;
  if (near) return AnswerVerdict::kPass;
  return s.sqnr_db() >= kOffDecibel ? AnswerVerdict::kOff : AnswerVerdict::kWrong;
}

Result<JudgedAnswer> Judge(const std::string& pack, const std::string& results, const Json& json,
                           const DeviceForm& form) {
  JudgedAnswer answer;
  answer.output = json.value("name", "");
  answer.file = json.value("file", "");
  answer.tolerance_codes = json.value("tolerance_codes", int64_t{0});
  answer.tolerance = json.value("tolerance", 0.0);
  Tensor tensor;
  if (!ReadTensor(json, tensor) || fs::path(answer.file).has_parent_path()) {
    return Broken(pack, fmt::format("output '{}' is not described", answer.output));
  }
  const std::string expected_file = (fs::path(pack) / ("expected_" + answer.file)).string();
  DLPU_TRY(const std::vector<uint8_t> expected, ReadFile(expected_file));
  if (Sha256Hex(expected) != json.value("sha256", "") ||
      static_cast<int64_t>(expected.size()) != ByteCount(tensor.type, tensor.shape)) {
    return Broken(pack, expected_file + " is not what pack.json says");
  }
  const Result<std::vector<uint8_t>> given = ReadFile((fs::path(results) / answer.file).string());
  if (!given.ok()) {
    answer.problem = given.error().message;
    return answer;
  }
  const size_t wanted = DeviceBytes(tensor, form, true);
  if (given->size() != wanted) {
    answer.problem = fmt::format("{} bytes instead of {}", given->size(), wanted);
    return answer;
  }
  const std::vector<uint8_t> codes = FromDevice(tensor, *given, form, true);
  answer.stats.Add(RealValues(tensor, expected), RealValues(tensor, codes));
  answer.stats.AddCodes(tensor.type, expected, codes);
  answer.verdict = VerdictOf(answer, IsFloat(tensor.type));
  return answer;
}

std::string HistogramText(const ErrorStats& stats) {
  static const char* const kNames[] = {"equal", "off by 1", "off by 2", "off by 3", "more"};
  int64_t all = 0;
  for (const int64_t n : stats.code_distance) all += n;
  std::string text;
  for (size_t i = 0; i < stats.code_distance.size() && all > 0; ++i) {
    if (stats.code_distance[i] == 0) continue;
    text +=
        fmt::format("{}{} {:.2f} %", text.empty() ? "" : ", ", kNames[i],
                    100.0 * static_cast<double>(stats.code_distance[i]) / static_cast<double>(all));
  }
  return text;
}

}  // namespace

std::string_view AnswerVerdictName(AnswerVerdict verdict) {
  static constexpr std::string_view kNames[] = {"pass", "off", "wrong"};
  return kNames[static_cast<int>(verdict)];
}

bool JudgedPack::passed() const {
  return !answers.empty() && std::all_of(answers.begin(), answers.end(), [](const auto& answer) {
    return answer.verdict == AnswerVerdict::kPass;
  });
}

bool IsPack(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(fs::path(path) / "pack.json", ignored);
}

namespace {

// May throw what nlohmann's typed access throws.
Result<JudgedPack> JudgeParsed(const Json& json, const std::string& pack,
                               const std::string& results) {
  if (json.is_discarded() || !json.is_object() ||
      json.value("format", "") != "dlpu known answers") {
    return Broken(pack, "pack.json is no pack's");
  }
  if (json.value("version", 0) != 1) return Broken(pack, "it has a version that is not known");
  if (!fs::is_directory(results)) {
    return NotFoundError(
        fmt::format("{}: no folder; give the one with the answers that run.sh "
                    "wrote",
                    results));
  }
  JudgedPack judged;
  judged.pack = pack;
  judged.results = results;
  judged.target = json.value("target", "");
  judged.device = json.value("device", "");
  judged.profile = json.value("profile", "");
  judged.confidence = json.value("confidence", "");
  judged.says = json.value("says", "");
  DeviceForm form;  // packs of open devices do without
  const Json stated = json.value("form", Json::object());
  form.planar = stated.value("planar", false);
  form.row_multiple = std::clamp(stated.value("row_multiple", 1), 1, 4096);
  form.float_outputs = stated.value("float_outputs", false);
  for (const Json& op : json.value("ops", Json::array())) {
    judged.ops.emplace_back(fmt::format("{} {} on the {}", op.value("count", 0), op.value("op", ""),
                                        op.value("engine", "")),
                            op.value("confidence", ""));
  }
  for (const Json& sample : json.value("samples", Json::array())) {
    for (const Json& output : sample.value("outputs", Json::array())) {
      DLPU_TRY(JudgedAnswer answer, Judge(pack, results, output, form));
      answer.sample = sample.value("name", "");
      judged.answers.push_back(std::move(answer));
    }
  }
  if (judged.answers.empty()) return Broken(pack, "no answers in it");
  return judged;
}

}  // namespace

Result<JudgedPack> JudgePack(const std::string& pack, const std::string& results) {
  DLPU_TRY(const std::string text, ReadTextFile((fs::path(pack) / "pack.json").string()));
  const Json json = Json::parse(text, nullptr, false);
  try {
    return JudgeParsed(json, pack, results);
  } catch (const Json::exception& error) {
    return Broken(pack, error.what());
  }
}

std::string JudgedText(const JudgedPack& judged) {
  std::string text = fmt::format(
      "pack       {}\nresults    {}\ndevice     {}\narithmetic {} ({}): {}\n", judged.pack,
      judged.results, judged.device, judged.profile, judged.confidence, judged.says);
  Table table({"sample", "output", "verdict", ">dB", ">most codes", ">allowed", "codes"});
  for (const JudgedAnswer& answer : judged.answers) {
    const bool looked = answer.problem.empty();
    const bool is_float = answer.tolerance > 0;
    table.AddRow({answer.sample, answer.output, std::string(AnswerVerdictName(answer.verdict)),
                  looked ? DecibelText(answer.stats) : "-",
                  !looked    ? "-"
                  : is_float ? fmt::format("{:.3g}", answer.stats.worst)
                             : std::to_string(answer.stats.worst_code),
                  is_float ? fmt::format("{:.3g}", answer.tolerance)
                           : std::to_string(answer.tolerance_codes),
                  looked ? HistogramText(answer.stats) : answer.problem});
  }
  text += table.Text();
  for (const auto& [op, confidence] : judged.ops) {
    text += fmt::format("  {}: arithmetic {}\n", op, confidence);
  }
  return text + (judged.passed() ? "verdict    pass\n" : "verdict    not passed\n");
}

nlohmann::ordered_json JudgedJson(const JudgedPack& judged) {
  Json json = {
      {"pack", judged.pack},       {"results", judged.results}, {"target", judged.target},
      {"device", judged.device},   {"profile", judged.profile}, {"confidence", judged.confidence},
      {"passed", judged.passed()}, {"answers", Json::array()},  {"ops", Json::array()}};
  for (const JudgedAnswer& answer : judged.answers) {
    Json row = {{"sample", answer.sample},
                {"output", answer.output},
                {"file", answer.file},
                {"verdict", AnswerVerdictName(answer.verdict)},
                {"tolerance_codes", answer.tolerance_codes},
                {"tolerance", answer.tolerance},
                {"problem", answer.problem},
                {"code_distance", answer.stats.code_distance}};
    row.update(ErrorJson(answer.stats));
    json["answers"].push_back(std::move(row));
  }
  for (const auto& [op, confidence] : judged.ops) {
    json["ops"].push_back({{"op", op}, {"confidence", confidence}});
  }
  return json;
}

}  // namespace dlpu
