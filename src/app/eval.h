// SPDX-License-Identifier: Apache-2.0
// What `dlpu eval` does: how right a model is on labelled pictures, or how far it agrees with
// another model where there are no labels. Every picture gives one record; a result is computed
// from the records alone, so that it does not depend on threads, interruptions or shards. One
// thread.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/compare.h"
#include "app/model.h"
#include "app/tensor_input.h"
#include "base/result.h"
#include "vision/average_precision.h"

namespace dlpu {

enum class EvalTask : uint8_t { kClassify, kDetect, kSegment, kOutputs };
std::string_view EvalTaskName(EvalTask task);  // "classify", "detect", "segment", "outputs"

// One picture and what is known of it.
struct EvalItem {
  std::string file;              // as opened
  std::string name;              // relative to the set
  std::optional<int64_t> label;  // classify: the class, from 0
  std::vector<TruthBox> boxes;   // detect
  std::string mask;              // segment: a picture of classes, 255 ignored
};

struct EvalSet {
  std::vector<EvalItem> items;  // sorted; detect: by picture id
  bool has_truth = false;
  int64_t classes = 0;  // classify: how many the truth knows; 0: not known
  bool named = false;   // the classes' numbers come from the names that are there: all must be
  std::vector<std::string> class_names;  // of folders, or of COCO's categories
  std::vector<int64_t> categories;       // COCO's ids in order
  std::string source;                    // for the fingerprint
};

// Classify: `truth` empty: class folders in `images`; else a list, "CLASS" a line for the sorted
// pictures or "FILE CLASS". `first_class` is the list's number of the first class; `classes` a list
// of all classes (eval_labels.h), or empty. Detect: `truth`
// is COCO's JSON. Segment: `truth` is a folder of class maps (.png) with the pictures' names.
// Without truth: all pictures of the folder. Errors name what does not fit: counts, classes, files.
Result<EvalSet> FindEvalSet(EvalTask task, const std::string& images, const std::string& truth,
                            int first_class, const std::string& classes = "");

struct EvalRequest {
  const CompareSide* model = nullptr;
  const CompareSide* reference = nullptr;  // agreement with it; null: truth
  EvalTask task = EvalTask::kClassify;
  InputOptions input;
  std::optional<int> label_offset;  // output index - class; absent: 1 when there is one class more
  float score_threshold = 0.001f;   // detect
  std::string state;                // file of records to continue and to write; empty: none
  int shard = 1, shards = 1;
  int threads = 0;
  std::function<void(size_t done, size_t all)> progress;  // may be empty
};

struct EvalResult {
  EvalTask task = EvalTask::kClassify;
  bool agreement = false;
  size_t pictures = 0, all = 0;                              // with a record, in the set
  std::vector<std::pair<std::string, std::string>> skipped;  // file, why
  int64_t top1 = 0, top5 = 0;
  MeanPrecision precision;
  std::vector<std::string> class_names;
  std::vector<int64_t> categories;
  struct Overlap {
    int64_t both = 0, found = 0, truth = 0;  // pixels
  };
  std::map<int64_t, Overlap> overlaps;  // segment: by class
  std::vector<ErrorStats> outputs;      // outputs
  std::vector<std::string> notes;

  // 0..1: top-1, mAP, mean IoU; for kOutputs the least SQNR in dB. NaN when nothing was counted.
  double metric() const;
};

Result<EvalResult> Evaluate(const EvalSet& set, const EvalRequest& request);
// The result of the state files of all shards. Errors: files of other runs, pictures that are
// missing or that differ between files.
Result<EvalResult> MergeEvaluations(const std::vector<std::string>& states);

std::string EvalText(const EvalResult& result);
nlohmann::ordered_json EvalJson(const EvalResult& result);

// Records of a run; app/eval_state.cc. The header says what run they belong to.
struct EvalState {
  std::string header;                     // one line of JSON
  std::map<size_t, std::string> records;  // by index in the set: one line of JSON each
};
// An absent file is an empty state. A last line that was cut off is left out.
Result<EvalState> ReadEvalState(const std::string& path);
Result<EvalResult> SummariseEval(const EvalState& state);

}  // namespace dlpu
