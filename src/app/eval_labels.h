// SPDX-License-Identifier: Apache-2.0
// Lists of classes and of labels, as ImageNet and its users write them. Plain values; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace dlpu {

// All classes of a model.
struct ClassList {
  std::string path;
  std::vector<std::string> names;          // in the model's order
  std::map<std::string, int64_t> by_name;  // place in `names`
  std::map<int64_t, int64_t> by_number;    // of a list that numbers its classes: place in `names`
  Result<int64_t> ClassOf(const std::string& name) const;
};

// One class a line: its name is the first word. A second word that is a number is what lists of
// labels call the class (ILSVRC's development kit: "n02119789 1 kit_fox"); then the model's order
// is that of the sorted names, as models for ImageNet have it. Otherwise it is that of the lines.
Result<ClassList> ReadClassList(const std::string& path);

struct LabelLine {
  std::string file;   // empty: the list goes by the order of the pictures
  int64_t label = 0;  // from 0
};
struct LabelList {
  std::vector<LabelLine> lines;
  int64_t classes = 0;
  std::vector<std::string> class_names;  // when the list names its classes
};

// Lines "CLASS" or "FILE CLASS", separated by spaces, tabs or commas. CLASS is a number, from
// `first_class` on (or as `classes` numbers them), or a name: of `classes`, or a WordNet id
// (n01440764), which may be followed by anything, as in Kaggle's LOC_val_solution.csv; without
// `classes` those are numbered in sorted order. Errors name the line.
Result<LabelList> ReadLabelList(const std::string& path, int first_class, const ClassList* classes);

// Decimal digits, at most eight.
bool IsNumber(const std::string& text);

}  // namespace dlpu
